#!/bin/bash
# SPDX-License-Identifier: ISC
# leasectl waits for a store that opens slowly, and gives up in time on one that does not open at
# all. It names only a cause that it has seen.
# sandbox:
# timeout: 60
set -eu
. "$TOP/tests/lib.sh"

store_with_alice
as_owner() { setpriv --reuid=_tunlease --regid=_tunlease --clear-groups "$@"; }
gcc -std=c11 -D_GNU_SOURCE -O1 -shared -fPIC -o "$WORK/slow_reads.so" "$TOP/tests/fault/slow_reads.c" ||
	fail 'tests/fault/slow_reads.c does not build'
chmod 0755 "$WORK" "$WORK/slow_reads.so"

# slowly COMMAND...: each read of the store takes so long that opening it takes several seconds.
slowly() { SLOW_READ_US=900000 LD_PRELOAD=$WORK/slow_reads.so "$@"; }
timed() { local start=${EPOCHREALTIME/./}; "$@"; ms=$(((${EPOCHREALTIME/./} - start) / 1000)); }

timed expect_exit 0 slowly leasectl list
((ms > 3000)) || fail "the store did not open slowly: $ms ms"
grep -q alice "$WORK/out" || fail "no alice: $(cat "$WORK/out")"
ok "list waits for a store that is read for $ms ms"

# gives_up WHAT WORDS COMMAND...: COMMAND must exit with 7 and print WORDS.
gives_up()
{
	local what=$1 words=$2; shift 2
	timed expect_exit 7 timeout -k 1 30 env --block-signal=ALRM "$@"
	grep -q -- "$words" "$WORK/err" || fail "$what: $(cat "$WORK/err")"
	ok "$what, after $ms ms: $(cat "$WORK/err")"
}

mv "$STORE-wal" "$WORK/wal"
as_owner mkfifo -m 0440 "$STORE-wal" # read-only, because opening a FIFO for reading and writing does not wait
gives_up 'a FIFO' "'-wal' next to it is a FIFO" leasectl list
rm "$STORE-wal"
mv "$WORK/wal" "$STORE-wal"

# ---- a file lease: open(2) of the file waits until its holder gives the lease up (fcntl(2)) ----
as_owner python3 -c '
import fcntl, os, signal, sys, time
signal.signal(signal.SIGIO, signal.SIG_IGN)
fd = os.open(sys.argv[1], os.O_RDWR)
try:
    fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    print("held", flush=True)
except OSError:
    print("none", flush=True)
time.sleep(600)' "$STORE" >"$WORK/lease" &
holder=$!
at_exit "$holder"
wait_for 5 'the other process to acquire the file lease' test -s "$WORK/lease"
if grep -q none "$WORK/lease"; then
	note 'this file system has no file leases'
else
	gives_up 'a file lease' 'nothing was read from it for a second, for an unknown reason: try again' leasectl list
	! grep -q -i 'fifo\|file lease' "$WORK/err" || fail "it names a cause that it has not seen: $(cat "$WORK/err")"
fi
