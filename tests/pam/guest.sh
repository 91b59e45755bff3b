#!/bin/bash
# SPDX-License-Identifier: ISC
# The module as a guest in another program: nothing of it is left there after a thousand sessions,
# and no akc that hangs, dies or lies opens one.
# timeout: 120
set -eu
cd "$TOP"

[[ $(id -u) == 0 ]] || { echo 'needs root: a helper that becomes another user'; exit 77; }
standin=build/tests/pam/standin # without the sanitizers, which handle signals

build/san/tests/pam/guest build/san/lib/pam_tunnel.so "$standin" & # which waits most of its time
valgrind -q --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
	--error-exitcode=9 build/tests/pam/guest build/lib/pam_tunnel.so "$standin" thousand_pairs 1000
build/tests/pam/guest build/lib/pam_tunnel.so "$standin" thousand_pairs
wait $!
