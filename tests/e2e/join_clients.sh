#!/bin/bash
# SPDX-License-Identifier: ISC
# A stranger, two commands and a stopwatch: from `leasectl invite` to data through the tunnel within 10 s, with plain
# ssh on a terminal, PuTTY's plink and dropbear's dbclient. He is on another host, does not know the gateway, and
# types what was printed for him. And what each client makes of a wrong code.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/join_lib.sh"
. "$TOP/tests/agent_lib.sh"
. "$TOP/tests/stopwatch_lib.sh"

strangers
for client in "${CLIENTS[@]}"; do
	comes_in "with_$client" "$client"
	ok "$client: two commands, and data"
	goes
done
invite another --open 8009 # without one sshd lets nobody in to be told
for client in "${CLIENTS[@]}"; do refused_to "$client"; done
invite_open another || fail 'a wrong code spent the invite'
[[ -z $MISSING ]] || { echo "not tried with all clients: needs$MISSING"; exit 77; }
