#!/bin/bash
# SPDX-License-Identifier: ISC
# A gateway of hand-made authorized_keys lines is moved over: lint, dry run, import, setup, file removed,
# doctor, and in long/move_gateway verify.
# Real ssh tries each key before and after: everybody is in, nobody has more than before.
# sandbox: --bare
# timeout: 180
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/demo_lib.sh"
count=${TEST_MOVE_LINES:-20}

fresh_gateway
sed -i '1i MaxStartups 100' /etc/ssh/sshd_config
reload_sshd
for port in 8009 9090; do serve "$port"; serve "$port" ::1; done
useradd -m -s /usr/sbin/nologin -p '*' pfwd
install -d -m 700 -o pfwd -g pfwd /home/pfwd/.ssh
keys=/home/pfwd/.ssh/authorized_keys
install_keys() { install -m 600 -o pfwd -g pfwd "$WORK/gateway/authorized_keys" "$keys"; }
reach() { python3 "$TOP/tests/reach.py" "$@"; }
mkdir "$WORK/gateway"
reach make "$WORK/gateway" "$count"
install_keys

note "before: $count lines, each key tried"
reach try "$WORK/gateway" pfwd >"$WORK/before"
note "$(cut -f2 "$WORK/before" | sort | uniq -c | tr -s ' \n' ' ,')"

note 'the move'
expect_exit 5 leasectl setup
if leasectl help lint >/dev/null 2>&1; then expect_exit 1 leasectl lint "$keys"; fi
expect_exit 1 leasectl import "$keys" --login pfwd --dry-run
cp "$WORK/out" "$WORK/dry"
mapfile -t refused < <(awk -F '\t' '$2 == "refused" { print $1 }' "$WORK/dry")
note "an admin looks at ${#refused[@]} lines that cannot be kept as they are"
reach mend "$WORK/gateway" "${refused[@]}"
install_keys
expect_exit 0 leasectl import "$keys" --login pfwd --dry-run
would=$(tail -n 1 "$WORK/out")
expect_exit 0 leasectl import "$keys" --login pfwd
assert_eq "$(tail -n 1 "$WORK/out")" "${would/would import/imported}" 'the import does what the dry run says'
wait_idle
usermod --home / pfwd
expect_exit 0 leasectl setup
rm -r /home/pfwd/.ssh
expect_exit 0 leasectl doctor
# It takes half as long as all the rest: only with many lines.
((count == 20)) || expect_exit 0 leasectl verify "$(leasectl list | cut -f2 | head -n 1)"

note 'after: each key tried again'
reach try "$WORK/gateway" pfwd >"$WORK/after"
opened=$(reach compare "$WORK/before" "$WORK/after" "${refused[@]}") || exit 1
ok "everybody who reached a port reaches it, $opened keys; nobody reaches more than before"
assert_eq "$(leasectl list | wc -l)" "$opened" 'one lease for each'
