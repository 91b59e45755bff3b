#!/bin/bash
# SPDX-License-Identifier: ISC
# The lines that grant prints work for a friend whose ~/.ssh/config is hostile to tunnels: ten random leases,
# each line run and carrying data. TEST_SEED repeats a run; long/friend_line runs two hundred.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/agent_lib.sh"
. "$TOP/tests/friend_lines.sh"

friend_and_gateway
friend_lines 10

note 'a LocalForward of the same port in the config: ssh says so and ends'
key=~li/.ssh/id_ed25519
ssh-keygen -q -t ed25519 -N '' -C li -f "$key" </dev/null
chown li "$key" "$key.pub"
printf '    LocalForward 8009 elsewhere:80\n' >>~li/.ssh/config
expect_exit 0 leasectl grant alice --key "$key.pub" --open 8009
line=$(grep '^  ssh ' "$WORK/out")
expect_exit 255 as_friend timeout 30 sh -c "$line"
grep -q 'cannot listen to port: 8009' "$WORK/err" || fail "ssh's words: $(cat "$WORK/err")"
