#!/bin/bash
# SPDX-License-Identifier: ISC
# The module as a guest in another program: a thousand sessions leave nothing behind in it, and an
# akc that hangs, dies or lies opens no session.
# timeout: 120
set -eu
cd "$TOP"

[[ $(id -u) == 0 ]] || { echo 'needs root: a helper that becomes another user'; exit 77; }
standin=build/tests/pam/standin # built without sanitizers, which would install signal handlers

build/san/tests/pam/guest build/san/lib/pam_tunnel.so "$standin" & # at the same time, as it mostly waits
valgrind -q --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
	--error-exitcode=9 build/tests/pam/guest build/lib/pam_tunnel.so "$standin" thousand_pairs 1000
build/tests/pam/guest build/lib/pam_tunnel.so "$standin" thousand_pairs
wait $!
