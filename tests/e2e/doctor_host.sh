#!/bin/bash
# SPDX-License-Identifier: ISC
# leasectl doctor on the host: each thing that is broken here is named, and nothing else is; where the
# mend is a command, it is run, and the finding is gone.
# sandbox: --leased
# timeout: 300
set -eu
. "$TOP/tests/lib.sh"

conf=/etc/tunlease/tunlease.conf
akc_dir=/usr/libexec/tunlease

# Prints what doctor found beside the findings in $WORK/known, one a line: result, check, what, why, mend.
# Those of a kind that this machine decides (is its clock synchronised?) are known from the start.
found()
{
	leasectl --json doctor >"$WORK/doctor.json" 2>"$WORK/doctor.err" || :
	python3 - "$WORK/doctor.json" "$WORK/known" <<-'END'
		import json, os, sys
		known = open(sys.argv[2]).read().splitlines() if os.path.exists(sys.argv[2]) else []
		for f in json.load(open(sys.argv[1])):
		    what = f["result"] + "\t" + f["check"] + "\t" + f["detail"]
		    if f["result"] != "ok" and what not in known:
		        assert f["why"] and f["mend"], f
		        print(what + "\t" + f["why"] + "\t" + f["mend"])
	END
}

# sees RESULT CHECK WHAT [MEND]: doctor finds this one thing, and nothing else. WHAT and MEND: extended
# regular expressions. The mend stays in $mend.
sees()
{
	found >"$WORK/found"
	(($(wc -l <"$WORK/found") == 1)) || fail "not just '$3': $(cat "$WORK/found" "$WORK/doctor.err")"
	IFS=$'\t' read -r result check what _ mend <"$WORK/found"
	[[ $result == "$1" && $check == "$2" && $what =~ $3 && $mend =~ ${4-.} ]] || fail "not '$3': $(cat "$WORK/found")"
	ok "$result, $check: $what"
}
sees_nothing()
{
	found >"$WORK/found"
	[[ ! -s $WORK/found ]] || fail "doctor finds something on a healthy host: $(cat "$WORK/found")"
	ok "doctor finds nothing${1:+ $1}"
}
# The next sees, or sees_nothing, shows that it helped.
run_mend() { bash -ec "$mend" >"$WORK/out" 2>&1 || fail "the mend '$mend' fails: $(cat "$WORK/out")"; }

printf '%s\n' 'PublicHost gateway.example.com' 'Listen 127.0.0.1:1000' >>"$conf"
kill "$(cat /run/leased.pid)"
wait_for 5 'leased is gone' is_gone "$(cat /run/leased.pid)"
leased </dev/null >>/run/leased.out 2>&1 &
echo $! >/run/leased.pid
wait_for 5 'leased answers' curl -sf -o "$WORK/out" http://127.0.0.1:1000/healthz
leasectl setup >"$WORK/out" 2>&1 || fail "$(cat "$WORK/out")"
store_with_alice
sees_nothing

note 'akc, run as sshd runs it'
chmod 0750 "$akc_dir"
sees fail akc "sshd cannot run '.*/akc' as '_tunlease-akc': Permission denied" "^chmod a.x '$akc_dir'$"
run_mend
mount --bind "$akc_dir" "$akc_dir"
mount -o remount,bind,noexec "$akc_dir"
sees fail akc 'cannot run .*: Permission denied' "^mount -o remount,exec '$akc_dir'; "
mend=${mend%%;*}
run_mend
sees_nothing 'after the remount'
umount "$akc_dir"
mv "$akc_dir/akc" "$WORK/akc"
printf '\177ELF\2\1\1' >"$akc_dir/akc"
chmod 0755 "$akc_dir/akc"
sees fail akc 'cannot run .*: Exec format error' "built for this machine .$(uname -m)."
cat "$WORK/akc" >"$akc_dir/akc"
chmod o-x "$akc_dir/akc"
found >"$WORK/found"
grep -q $'^fail\takc.*not executable for all' "$WORK/found" || fail "$(cat "$WORK/found")"
chmod 0755 "$akc_dir/akc"

note "Debian's sshd lets root's own group write, and no other"
chmod g+w "$akc_dir"
sees note akc "a group that has no member but root can write '$akc_dir'" "^chmod g-w '$akc_dir'$"
login_works "$WORK/alice" pfwd || fail "this sshd does not accept it: it is no note"
usermod -aG root li
sees fail akc "'$akc_dir' is not root's, or others can write it"
login_refused "$WORK/alice" pfwd || fail 'this sshd accepts it: it is no FAIL'
gpasswd -d li root >"$WORK/out"
run_mend
sees_nothing 'after chmod'
