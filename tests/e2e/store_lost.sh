#!/bin/bash
# SPDX-License-Identifier: ISC
# No program silently makes a new store in place of one that is missing or empty; where there never
# was one, the first change makes it.
# sandbox: --leased
# timeout: 60
set -eu
. "$TOP/tests/lib.sh"

store_with_alice
mkdir "$WORK/kept"

refused() { # WHAT REASON COMMAND...
	local what=$1 reason=$2; shift 2
	expect_exit 7 "$@"
	grep -q -- "$reason" "$WORK/err" || fail "$what: $*: $(cat "$WORK/err")"
	ok "$what: '$*' is refused: $(cut -c1-120 "$WORK/err")"
}

leased_pid() { pgrep -o -x leased; }
stop_leased()
{
	local pid; pid=$(leased_pid)
	kill "$pid"
	wait_for 10 'leased ends' is_gone "$pid"
}

mv "$STORE" "$STORE-wal" "$STORE-shm" "$WORK/kept/"
refused 'missing under a running leased' 'it is missing' leasectl thaw pfwd
[[ ! -e $STORE ]] || fail 'a store was made in place of the one that leased had open'
refused 'missing under a running leased' 'it is missing' leasectl grant bob --key "$WORK/alice.pub" --open 8009
cp -a "$WORK"/kept/* "$STORE_DIR/"
leasectl show alice >/dev/null || fail 'the store is back, but alice is not in it'

stop_leased
mv "$STORE" "$STORE-wal" "$STORE-shm" "$WORK/kept/"
refused missing "there is none: .leasectl restore. a backup" leasectl list
cp -a "$WORK"/kept/* "$STORE_DIR/"
: >"$STORE"
rm -f "$STORE-wal" "$STORE-shm"
for command in 'thaw pfwd' 'freeze pfwd' 'revoke alice' 'list' 'doctor' 'token create'; do
	# shellcheck disable=SC2086  # words
	case $command in
	doctor*) expect_exit 1 leasectl $command; grep -q '^FAIL.store' "$WORK/out" || fail "doctor does not report it: $(cat "$WORK/out")" ;;
	*) refused empty "it is empty: .leasectl restore. a backup" leasectl $command ;;
	esac
	[[ -f $STORE && ! -s $STORE ]] || fail "$command: it wrote into the empty store"
done
rc=0
timeout 5 leased -D </dev/null >"$WORK/out" 2>&1 || rc=$?
grep -q 'it is empty' "$WORK/out" || fail "leased does not report it ($rc): $(cat "$WORK/out")"
[[ -f $STORE && ! -s $STORE ]] || fail 'leased wrote into the empty store'
ok 'empty: leased does not write into it'

# Also not while a session is up that the lost store admitted: a new store would end it as deleted.
rm "$STORE"
cp -a "$WORK"/kept/* "$STORE_DIR/"
serve 8009
fwd_L "$WORK/alice" pfwd 9001:127.0.0.1:8009 || fail 'no tunnel'
registered() { leasectl sessions | some_line '^alice'; }
wait_for 5 'the session is registered' registered
rm "$STORE"*
refused 'missing while a session is up' 'it is missing' leasectl thaw pfwd
rc=0
timeout 5 leased -D </dev/null >"$WORK/out" 2>&1 || rc=$?
grep -q 'it is missing' "$WORK/out" || fail "leased does not report it ($rc): $(cat "$WORK/out")"
[[ ! -e $STORE ]] || fail 'leased made a store while a session is up'
kill -0 "$FWD_PID" || fail 'leased ended a session whose store is lost'
ok 'missing while a session is up: leased makes no store, and ends nothing'
fwd_stop
no_session() { ! registered; }
wait_for 5 'the session is gone' no_session

rm -f "$STORE"*
leasectl freeze pfwd >/dev/null || fail 'no store was made where there never was one'
[[ $(stat -c '%a %U:%G' "$STORE") == '640 _tunlease:_tunlease' ]] || fail "made as $(stat -c '%a %U:%G' "$STORE")"
[[ ! -e $STORE-new ]] || fail 'the temporary file was left'
ok 'where there never was a store, the first change makes it'

# A program that finds the new directory before it has its owner must not make files of root in it,
# nor fail with "Permission denied".
for ((i = 0; i < 25; i++)); do
	rm -rf "$STORE_DIR"
	pids=()
	for command in 'freeze pfwd' freeze 'token create'; do
		# shellcheck disable=SC2086  # words
		leasectl $command >>"$WORK/at_once" 2>&1 &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid" || fail "several programs make the store at the same time: $(tail -n 3 "$WORK/at_once")"; done
	owners=$(stat -c '%U:%G' "$STORE_DIR" "$STORE_DIR"/* | sort -u)
	[[ $owners == _tunlease:_tunlease ]] || fail "several programs make the store at the same time: $(stat -c '%U:%G %a %n' "$STORE_DIR" "$STORE_DIR"/*)"
done
[[ -z $(find "${STORE_DIR%/*}" -name 'tunlease.new*') ]] || fail 'a directory was left'
ok 'several programs make directory and store at the same time'
