#!/bin/bash
# SPDX-License-Identifier: ISC
# The wall clock is set forward by two days and back: while leased runs, while it is stopped, and
# across kill -9. For an hour of the boot clock no lease is deleted, no port reused (by leased or
# leasectl) and no audit row pruned; after that they are. The test shifts the clock of leased alone
# (tests/clock_shift.c).
# sandbox: --bare
# timeout: 60
set -eu
. "$TOP/tests/lib.sh"

enrol=an-enrolment-key-for-the-tests
store=/var/lib/tunlease/leases.db
log=$WORK/leased.log
day=86400
chmod 0755 "$WORK"
systemd-sysusers >/dev/null 2>&1 || :
id -u _tunlease >/dev/null || fail 'no user _tunlease'
cat >>/etc/tunlease/tunlease.conf <<-'END2'
	AllowListen 127.0.0.1:23000-23001
	DefaultTTL 12h
	KeepExpired 1d
	QuarantineTTL 1d
	AuditKeep 1d
END2
install -o _tunlease -g root -m 0400 /dev/null /etc/tunlease/leased.env
echo "API_KEY=$enrol" >/etc/tunlease/leased.env

# set_clock WALL BOOT: shifts leased's clocks by so many seconds.
set_clock() { printf '%+030d %+030d  ' "$1" "$2" 1<>"$WORK/shift"; }
up() { curl -s -o /dev/null --max-time "$(slow 1)" http://127.0.0.1:12000/healthz; }
without_standard() { exec "$@" <&- >&- 2>&-; }
start() # [without_standard]
{
	: >"$log"
	CLOCK_SHIFT_FILE=$WORK/shift LD_PRELOAD=$TOP/build/tests/clock_shift.so "$@" leased -D </dev/null >>"$log" 2>&1 & daemon=$!
	at_exit "$daemon"
	wait_for 5 "leased answers: $(cat "$log")" up
}
stop() { kill "-${1-TERM}" "$daemon"; wait "$daemon" 2>/dev/null || :; }
said() { grep -E -q -e "$1" "$log"; }
pruned() { sleep "$(slow 1).3"; } # leased prunes a second after its start
register() { # NAME [MORE]
	[[ -e $WORK/$1.pub ]] || new_key "$1" >/dev/null
	code=$(curl -s -o "$WORK/answer" -w '%{http_code}' --max-time "$(slow 10)" -H 'Content-Type: application/json' -H "X-API-Key: $enrol" \
		--data "{\"action\":\"register\",\"agent_id\":\"$1\",\"public_key\":\"$(cat "$WORK/$1.pub")\"${2-}}" http://127.0.0.1:12000/)
}
field() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1])).get(sys.argv[2], ""))' "$WORK/answer" "$1"; }
sql() { sqlite3 -cmd '.timeout 5000' -cmd '.filectrl persist_wal 1' "$store" "$1" | tail -n +2; }
jumps() { sql "SELECT count(*) FROM audit WHERE action = 'clock_jump'"; }
jumped() { [[ $(jumps) == "$1" ]]; }
# Whether leasectl, with the same clocks, gives out a port that was a's.
ctl_gives() # WHEN STATUS
{
	local words
	for words in 'agent add e' 'agent add e --port 23000' 'grant e --login gw-tunnel --listen auto' \
		'grant e --login gw-tunnel --listen 127.0.0.1:23000'; do
		# shellcheck disable=SC2086 # words
		expect_exit "$2" env LD_PRELOAD="$TOP/build/tests/clock_shift.so" CLOCK_SHIFT_FILE="$WORK/shift" leasectl $words --key "$WORK/e.pub"
		if [[ $2 == 5 ]]; then
			grep -q 'the clock jumped less than an hour ago' "$WORK/err" || fail "$1: $words: $(cat "$WORK/err")"
		else
			sql 'DELETE FROM lease WHERE name = '"'e'"'; DELETE FROM key WHERE lease_id NOT IN (SELECT id FROM lease); UPDATE port SET freed_s = 1000 WHERE holder = '"'e'"
		fi
	done
	ok "$1: leasectl decides the same"
}
# b has expired more than KeepExpired ago, by this clock; a's port was freed more than QuarantineTTL ago.
nothing_is_undone() # WHEN
{
	assert_eq "$(sql "SELECT count(*) FROM lease WHERE name = 'b'")" 1 "$1: no lease is deleted"
	register c
	[[ $code == 503 && $(field code) == no_ports ]] || fail "$1: a port is reused: $(cat "$WORK/answer")"
	register c ',"port_b":23000'
	[[ $code == 503 && $(field code) == no_ports ]] || fail "$1: a port is reused where it is asked for: $(cat "$WORK/answer")"
	assert_eq "$(sql 'SELECT min(seq) FROM audit')" 1 "$1: no audit row is pruned"
	ctl_gives "$1" 5
}

set_clock 0 0
truncate -s 64 "$WORK/shift"
leasectl login add gw-tunnel >/dev/null || fail 'no login for agents'
new_key e >/dev/null
start
register a; assert_eq "$(field port_b)" 23000 'a is there'
register b; assert_eq "$(field port_b)" 23001 'b is there'
leasectl revoke a >/dev/null
register c
assert_eq "$code $(field code)" '503 no_ports' 'both ports are taken or in quarantine'
assert_eq "$(jumps)" 0 'no jump yet'

note 'two days forward'
set_clock $((2 * day)) 0
nothing_is_undone 'at once'
said 'the clock jumped by_s=1727[0-9]*|the clock jumped by_s=1728[0-9]*' || fail "$(cat "$log")"
wait_for 2 'the audit has it' jumped 1
stop
start
said 'the clock jumped less than an hour ago' || fail "$(cat "$log")"
pruned
nothing_is_undone 'after a restart'
stop KILL
start
pruned
nothing_is_undone 'after kill -9'
assert_eq "$(jumps)" 1 'it was one jump'

note 'back again, while leased is stopped'
stop
set_clock 0 0
ctl_gives 'while no leased runs' 5
start
said 'the clock jumped by_s=-172[78]' || fail "$(cat "$log")"
wait_for 2 'the audit has it' jumped 2
stop
set_clock $((2 * day)) 3000
start
pruned
nothing_is_undone 'forward again, while leased is stopped'

note 'another boot'
stop
boot=$(sed -n 's/^boot //p' "$store-leased")
sed -i 's/^boot .*/boot 00000000-0000-0000-0000-000000000000/' "$store-leased"
start
pruned
nothing_is_undone 'nobody can tell how long the machine was off'
grep -qx "boot $boot" "$store-leased" || fail "$(cat "$store-leased")"

note 'an hour later'
stop
set_clock $((2 * day + 3500)) 6500
start
pruned
nothing_is_undone 'a little less than an hour later'
stop
set_clock $((2 * day + 3700)) 6700
start
pruned
assert_eq "$(sql "SELECT count(*) FROM lease WHERE name = 'b'")" 0 'dead leases are deleted'
(($(sql 'SELECT min(seq) FROM audit') > 1)) || fail 'the audit is not pruned'
register c
assert_eq "$code $(field port_b)" '200 23001' 'the port of b, which never opened a session, is free'
ctl_gives 'an hour later' 0
register d
assert_eq "$code $(field port_b)" '200 23000' 'the port in quarantine is given out again'
stop

note 'a clock set by less than a minute is no jump; nor is a file without numbers'
start
set_clock $((2 * day + 3740)) 6700
register c
! said 'jumped' || fail "$(cat "$log")"
stop
echo 'rubbish' >"$store-leased"
start
! said 'jumped' || fail "$(cat "$log")"
grep -q '^wall_minus_boot_s [0-9]' "$store-leased" || fail "$(cat "$store-leased")"

note 'leased starts without standard descriptors: no file of its own gets their numbers'
stop
echo 'rubbish' >"$store-leased"
start without_standard
for fd in 0 1 2; do
	assert_eq "$(readlink "/proc/$daemon/fd/$fd")" /dev/null "descriptor $fd"
done
grep -q '^wall_minus_boot_s [0-9]' "$store-leased" || fail "$(cat "$store-leased")"
