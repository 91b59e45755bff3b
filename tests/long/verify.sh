#!/bin/bash
# SPDX-License-Identifier: ISC
# A verify that takes longer than its probe lasts: forty services that say nothing cost two seconds each.
# sandbox:
# timeout: 400
set -eu
. "$TOP/tests/lib.sh"

key=$(new_key alice)
python3 -c '
import select, socket

listeners = [socket.create_server(("127.0.0.1", port)) for port in range(8100, 8140)]
print("ready", flush=True)
kept = []
while True:
    for listener in select.select(listeners, [], [])[0]:
        kept.append(listener.accept()[0])
' </dev/null >"$WORK/silent" &
at_exit "$!"
wait_for 5 'the services' grep -q ready "$WORK/silent"
opens=()
for port in {8100..8139}; do opens+=(--open "$port"); done
leasectl grant alice --key "$key.pub" "${opens[@]}" >/dev/null
start=$SECONDS
expect_exit 0 leasectl verify alice
((SECONDS - start > 65)) || fail "it took $((SECONDS - start)) s, which shows nothing"
assert_eq "$(grep -c 'the service sent nothing' "$WORK/out")" 40 'all forty are tried'
