#!/bin/bash
# SPDX-License-Identifier: ISC
# The sandbox itself: what is done in it stays in it, and it is a world of its own.
# sandbox: --bare
# timeout: 60
# shellcheck source=tests/lib.sh
. "$TOP/tests/lib.sh"

# The machine's files: what is written comes to lie on an overlay, and nowhere else.
for dir in /etc /usr /var /root /home; do
	assert_eq "$(findmnt -no FSTYPE "$dir" | tail -n 1)" overlay "$dir is an overlay"
	assert_eq "$(findmnt -no FSTYPE -T "$dir" | tail -n 1)" overlay "$dir is not covered"
	echo inside >"$dir/sandbox-mark"
	assert_eq "$(cat "$dir/sandbox-mark")" inside "$dir can be written to"
	upper=$(findmnt -no OPTIONS "$dir" | tail -n 1 | tr , '\n' | sed -n 's/^upperdir=//p')
	assert_eq "$upper" "/run$dir" "$dir keeps its changes on the sandbox's own tmpfs"
done
for dir in /run /tmp /dev /dev/shm; do
	assert_eq "$(findmnt -no FSTYPE "$dir" | tail -n 1)" tmpfs "$dir is a tmpfs"
done
assert_eq "$(stat -c %a /run /tmp | tr '\n' ' ')" '755 1777 ' 'modes of /run and /tmp'

# The checkout: here, and writable.
[[ -f $TOP/tests/lib.sh ]] || fail "no checkout at $TOP"
assert_eq "$PWD" "$TOP" 'starts in the checkout'
mark=$TOP/build/sandbox-mark.$$
echo inside >"$mark"
assert_eq "$(cat "$mark")" inside 'build/ can be written to'
rm "$mark"

# Processes, network, name.
assert_eq "$(tr '\0' ' ' </proc/1/cmdline | grep -c tests/sandbox)" 1 'process 1 is the sandbox'
assert_eq "$(pgrep -c 'systemd|kthread' || :)" 0 'no process of the machine is seen'
assert_eq "$(ip -o link | cut -d: -f2)" ' lo' 'loopback is the only network'
assert_eq "$(hostname)" gateway.test 'host name'
serve 18080
assert_eq "$(fetch http://127.0.0.1:18080/)" 'hello from 18080' 'loopback carries data'

# Devices.
echo lost >/dev/null
assert_eq "$(head -c 4 /dev/zero | wc -c)" 4 '/dev/zero'
script -qec 'test -t 1 && tty' /dev/null | grep -q '^/dev/pts/' || fail 'no pty'
ok 'a pty can be had'

# The log.
logger -t sandbox-test -p authpriv.info $'first\tline'
wait_log 5 'sandbox-test: first\\x09line$'
! log_has 'never logged' || fail 'log_has finds what is not there'
assert_eq "$(stat -c %a "$SANDBOX_LOG")" 644 'mode of the log'
ok '/dev/log reaches the log, control characters escaped'

# What the scripts rely on.
expect_exit 3 sh -c 'echo out; echo err >&2; exit 3'
assert_eq "$(cat "$WORK/out") $(cat "$WORK/err")" 'out err' 'expect_exit keeps the output'
if (expect_exit 0 false) 2>/dev/null; then fail 'expect_exit takes any exit status'; fi
if (wait_for 0.1 'the impossible' false) 2>/dev/null; then fail 'wait_for waits for nothing'; fi
ok 'helpers fail when they should'
