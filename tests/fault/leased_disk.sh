#!/bin/bash
# SPDX-License-Identifier: ISC
# leased on a disk that is full at times, and on one whose syncs or writes fail at times: registers
# are refused then, and all that were acknowledged are in the store afterwards.
# sandbox:
# timeout: 300
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/fault/store_lib.sh"

echo 'API_KEY=an-enrolment-key-for-the-tests' >/etc/tunlease/leased.env
chmod 0600 /etc/tunlease/leased.env
echo 'MaxPendingAgents 100000' >>/etc/tunlease/tunlease.conf
hammer() { # WHAT ARGUMENT...
	local what=$1; shift
	python3 "$TOP/tests/fault/hammer.py" "$@" >"$WORK/hammer" 2>&1 || { cat "$WORK/hammer"; tail -n 5 "$WORK/leased.log"; fail "$what"; }
	cat "$WORK/hammer"
	grep -q "'unavailable': [1-9]" "$WORK/hammer" || fail "$what: no request met the fault"
	[[ $(query 'PRAGMA integrity_check') == ok ]] || fail "$what: the store is damaged"
	as_owner "$WORK/audit_check" "$STORE" >/dev/null || fail "$what: the audit chain is broken"
	ok "$what"
}
fresh() { store_restore start; : >"$WORK/leased.log"; }
store_image start

note 'a full disk, filled and emptied again'
mount -t tmpfs -o "size=24m,mode=2750,uid=$(id -u _tunlease),gid=$(id -g _tunlease)" small "$STORE_DIR"
fresh
cat >"$WORK/filler" <<'END'
full=''
trap 'if [ -z "$full" ]; then dd if=/dev/zero of="$1/fill" bs=4096 status=none 2>/dev/null; full=1; else rm -f "$1/fill"; full=; fi' USR1
trap 'rm -f "$1/fill"; full=' USR2
while :; do sleep 0.05; done
END
bash "$WORK/filler" "$STORE_DIR" & filler=$!
at_exit "$filler"
sleep 0.2
hammer 'a full disk' 15 500 1000 20 "$filler"
grep -E -q 'the store failed: .*(full|No space)' "$WORK/leased.log" || fail 'the log does not say so'
kill "$filler"
umount -l "$STORE_DIR"

strace -o /dev/null true 2>/dev/null || { echo 'strace may not trace here, so only the full disk was tested'; exit 77; }
mkdir "$WORK/bin"
export TEST_HAMMER_START_S=5 PATH="$WORK/bin:$PATH"
for inject in fdatasync:error=EIO:when=40+23 pwrite64:error=EIO:when=300+171 fdatasync:error=ENOSPC:when=50+11; do
	fresh
	# -D: the daemon stays our child, and strace is a grandchild of it. The http process makes none
	# of these calls.
	printf '#!/bin/sh\nexec strace -D -f -qq -o /dev/null --seccomp-bpf -e trace=%s -e inject=%s /usr/sbin/leased "$@"\n' \
		"${inject%%:*}" "$inject" >"$WORK/bin/leased"
	chmod 0755 "$WORK/bin/leased"
	hammer "$inject" 0 2000 500 10
done
