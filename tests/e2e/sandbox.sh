#!/bin/bash
# SPDX-License-Identifier: ISC
# The sandbox itself: it has its own files, processes, network and log, and changes in it stay in
# it.
# sandbox: --bare
# timeout: 60
# shellcheck source=tests/lib.sh
. "$TOP/tests/lib.sh"

# The machine's files are below overlays, so that nothing is written to them.
for dir in /etc /usr /var /root /home; do
	assert_eq "$(findmnt -no FSTYPE "$dir" | tail -n 1)" overlay "$dir is an overlay"
	assert_eq "$(findmnt -no FSTYPE -T "$dir" | tail -n 1)" overlay "nothing else is mounted over $dir"
	echo inside >"$dir/sandbox-mark"
	assert_eq "$(cat "$dir/sandbox-mark")" inside "$dir is writable"
	upper=$(findmnt -no OPTIONS "$dir" | tail -n 1 | tr , '\n' | sed -n 's/^upperdir=//p')
	assert_eq "$upper" "/run$dir" "the changes in $dir are on the sandbox's own tmpfs"
done
for dir in /run /tmp /dev /dev/shm; do
	assert_eq "$(findmnt -no FSTYPE "$dir" | tail -n 1)" tmpfs "$dir is a tmpfs"
done
assert_eq "$(stat -c %a /run /tmp | tr '\n' ' ')" '755 1777 ' 'modes of /run and /tmp'

# The checkout is visible, and writable.
[[ -f $TOP/tests/lib.sh ]] || fail "the checkout is not at $TOP"
assert_eq "$PWD" "$TOP" 'starts in the checkout'
mark=$TOP/build/sandbox-mark.$$
echo inside >"$mark"
assert_eq "$(cat "$mark")" inside 'build/ is writable'
rm "$mark"

# Processes, network, name.
assert_eq "$(tr '\0' ' ' </proc/1/cmdline | grep -c tests/sandbox)" 1 'process 1 is the sandbox'
assert_eq "$(pgrep -c 'systemd|kthread' || :)" 0 'no process of the machine is visible'
assert_eq "$(ip -o link | cut -d: -f2)" ' lo' 'loopback is the only network'
assert_eq "$(hostname)" gateway.test 'host name'
serve 18080
assert_eq "$(fetch http://127.0.0.1:18080/)" 'hello from 18080' 'loopback carries data'

# Devices.
echo lost >/dev/null
assert_eq "$(head -c 4 /dev/zero | wc -c)" 4 '/dev/zero'
script -qec 'test -t 1 && tty' /dev/null | some_line '^/dev/pts/' || fail 'no pty'
ok 'programs get a pty'

# The log.
logger -t sandbox-test -p authpriv.info $'first\tline'
wait_log 5 'sandbox-test: first\\x09line$'
! log_has 'never logged' || fail 'log_has finds what was never logged'
assert_eq "$(stat -c %a "$SANDBOX_LOG")" 644 'mode of the log'
ok '/dev/log reaches the log, control characters escaped'

# Functions of tests/lib.sh that all tests rely on.
expect_exit 3 sh -c 'echo out; echo err >&2; exit 3'
assert_eq "$(cat "$WORK/out") $(cat "$WORK/err")" 'out err' 'expect_exit keeps the output'
if (expect_exit 0 false) 2>/dev/null; then fail 'expect_exit accepts any exit status'; fi
if (wait_for 0.1 'the impossible' false) 2>/dev/null; then fail 'wait_for succeeds without its condition'; fi
ok 'expect_exit and wait_for fail when they should'
