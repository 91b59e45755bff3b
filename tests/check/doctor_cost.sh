#!/bin/bash
# SPDX-License-Identifier: ISC
# leasectl doctor --quick costs at most 6,000,000 instructions and 700 system calls, with 2,000 leases as
# with none, and starts no program. These counts do not depend on the machine's load.
# sandbox: --leased
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"

max_instructions=6000000 max_syscalls=700

instructions() # prints those of one run, which must find nothing
{
	valgrind --tool=callgrind --callgrind-out-file=/dev/null --log-file="$WORK/callgrind" \
		leasectl doctor --quick >"$WORK/out" 2>&1 || fail "$(cat "$WORK/out")"
	sed -n 's/.*Collected : //p' "$WORK/callgrind"
}

sed -i 's/^# PublicHost.*/&\nPublicHost gateway.example.com/' /etc/tunlease/tunlease.conf
kill -HUP "$(cat /run/leased.pid)"
leasectl setup >"$WORK/out" 2>&1 || fail "$(cat "$WORK/out")"
has_read() { (($(sed -n 's/^conf_read_s //p' /var/lib/tunlease/leases.db-leased) >= $(stat -c %Z /etc/tunlease/tunlease.conf))); }
wait_for 5 'leased has read its configuration' has_read
few=$(instructions)
strace -f -o "$WORK/strace" leasectl doctor --quick >"$WORK/out" || fail "$(cat "$WORK/out")"
syscalls=$(grep -c '(' "$WORK/strace")
note "$few instructions (at most $max_instructions), $syscalls system calls (at most $max_syscalls)"
((few > 500000 && syscalls > 50)) || fail 'that is too few to be true'
((few <= max_instructions)) || fail 'too many instructions'
((syscalls <= max_syscalls)) || fail 'too many system calls'
assert_eq "$(grep -cE ' (execve|execveat|fork|vfork|clone|clone3)\(' "$WORK/strace")" 1 'it starts no program: its own start is the only execve'
strace -f -o "$WORK/strace" leasectl doctor >"$WORK/out" 2>&1 || :
(($(grep -cE ' (execve|vfork|clone3?)\(' "$WORK/strace") > 5)) || fail 'strace would not show programs that are started'
"$TOP/build/tests/fill" "$WORK/leases.db" 2000 pfwd >/dev/null
kill "$(cat /run/leased.pid)"
wait_for 5 'leased is gone' is_gone "$(cat /run/leased.pid)"
cp "$WORK/leases.db" /var/lib/tunlease/leases.db
rm -f /var/lib/tunlease/leases.db-wal /var/lib/tunlease/leases.db-shm
chown _tunlease: /var/lib/tunlease/leases.db
chmod 0640 /var/lib/tunlease/leases.db
leased </dev/null >>/run/leased.out 2>&1 &
echo $! >/run/leased.pid
wait_for 5 'leased answers' curl -sf -o "$WORK/out" http://127.0.0.1:12000/healthz
many=$(instructions)
((many <= few + few / 10)) || fail "with 2,000 leases it costs $many instructions"
ok "with 2,000 leases it costs $many instructions"
