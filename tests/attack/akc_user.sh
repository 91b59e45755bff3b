#!/bin/bash
# SPDX-License-Identifier: ISC
# _tunlease-akc, the user that sshd runs akc as, taken over by a stranger: all that this user may open, in its sweep of
# every file, socket and process of tunlease, is what docs/security.md says. The twin of each try is _tunlease or root.
# sandbox: --leased
# timeout: 60
set -eu
. "$TOP/tests/lib.sh"

as_akc() { setpriv --reuid=_tunlease-akc --regid=_tunlease --clear-groups "$@"; }
as_owner() { setpriv --reuid=_tunlease --regid=_tunlease --clear-groups "$@"; }
store=/var/lib/tunlease/leases.db
new_key alice >/dev/null
new_key stranger >/dev/null
serve 8009
leasectl grant alice --key "$WORK/alice.pub" --open 8009 >/dev/null
leasectl token create --name a-token >"$WORK/token"
token=$(grep -m 1 -oE '[A-Za-z0-9_-]{20,}' "$WORK/token") || fail "no token: $(cat "$WORK/token")"
fwd_L "$WORK/alice" pfwd 18001:127.0.0.1:8009 || fail 'alice has no tunnel'
alice=$FWD_PID
install -o _tunlease -g root -m 0400 /dev/null /etc/tunlease/leased.env
echo 'API_KEY=an-enrolment-key-CANARY' >/etc/tunlease/leased.env
chmod 0755 "$WORK"

cat >"$WORK/sweep.py" <<'P'
# Prints what this user may open of all below the paths: r, w, c (connect), and k PID for each process it may signal.
import os, socket, sys
for top in sys.argv[1:]:
    for path in [top] + [os.path.join(d, n) for d, ds, fs in os.walk(top) for n in ds + fs]:
        may = ""
        for letter, mode in ("r", os.R_OK), ("w", os.W_OK):
            may += letter if os.access(path, mode) else ""
        try:
            s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            s.connect(path)
            may += "c"
        except OSError:
            pass
        if may and os.path.exists(path):
            print(may, path)
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        os.kill(int(pid), 0)
        if int(pid) != os.getpid():
            print("k", open(f"/proc/{pid}/comm").read().strip())
    except OSError:
        pass
P
sweep() { "$@" python3 "$WORK/sweep.py" /var/lib/tunlease /run/tunlease /etc/tunlease /usr/libexec/tunlease; }
sweep as_akc | sort >"$WORK/akc.sweep"
sweep as_owner | sort >"$WORK/owner.sweep"
sed 's/^/# /' "$WORK/akc.sweep"
some_line -x "rw $store" <"$WORK/owner.sweep" || fail "the twin: $(cat "$WORK/owner.sweep")"
some_line -x 'r /etc/tunlease/leased.env' <"$WORK/owner.sweep" || fail "the twin: $(cat "$WORK/owner.sweep")"
some_line -x "rw* $store" <"$WORK/akc.sweep" || fail 'it cannot read the store, so this test tries nothing'
! grep -E '^[rc]*w|^[rw]*c|^k' "$WORK/akc.sweep" || fail 'it may write, connect to or signal these'
! grep -E 'leased\.env|/lock$' "$WORK/akc.sweep" || fail 'it may read these'
ok "of $(wc -l <"$WORK/akc.sweep") files that it may read it may write none; no socket, no process"

note 'the store by its own statements'
for by in as_owner as_akc; do
	$by python3 - "$store" <<'P' >"$WORK/$by"
import sqlite3, sys
for mode in "rw", "rwc", "ro":
    try:
        db = sqlite3.connect(f"file:{sys.argv[1]}?mode={mode}", uri=True, timeout=5)
        db.execute("BEGIN IMMEDIATE"); db.execute("UPDATE lease SET note = note"); db.execute("ROLLBACK")
        print(mode, "written")
    except sqlite3.Error as e:
        print(mode, "refused")
P
done
assert_eq "$(tr '\n' ' ' <"$WORK/as_owner")" 'rw written rwc written ro refused ' 'the twin: the owner writes'
assert_eq "$(tr '\n' ' ' <"$WORK/as_akc")" 'rw refused rwc refused ro refused ' 'it does not'

note 'what it reads: names and hashes, no secret'
as_akc sqlite3 "file:$store?mode=ro" .dump >"$WORK/dump"
grep -q alice "$WORK/dump" || fail 'it reads no lease at all'
while read -r may path; do
	[[ $may == *r* && -f $path ]] || continue
	! as_akc grep -a -q -F -e "$token" -e CANARY "$path" || fail "a secret is in $path"
done <"$WORK/akc.sweep"
grep -q CANARY /etc/tunlease/leased.env || fail 'the twin: root does not find it'
ok 'neither a token nor an enrolment key'

note 'leasectl'
before=$(leasectl --json list --all | sha256sum)
for command in 'revoke alice' 'kill alice' 'set alice --open +9090' "grant mallory --key $WORK/stranger.pub --open 8009" 'freeze --all' 'delete alice'; do
	# shellcheck disable=SC2086 # words
	! as_akc leasectl $command >"$WORK/out" 2>&1 </dev/null || fail "leasectl $command: $(cat "$WORK/out")"
done
assert_eq "$(leasectl --json list --all | sha256sum)" "$before" 'changes nothing'
kill -0 "$alice" 2>/dev/null || fail 'a session was ended'
assert_eq "$(fetch http://127.0.0.1:18001/)" 'hello from 8009' 'and ends no session'
expect_exit 0 leasectl revoke alice
wait_for 5 'the twin: root ends it' is_gone "$alice"
