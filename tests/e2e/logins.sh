#!/bin/bash
# SPDX-License-Identifier: ISC
# Many logins at the same moment, with one key and with a key each: all are admitted, though they
# wait for the same locks. tests/long/logins makes three hundred of them.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"

logins=${TEST_LOGINS:-16}
serve_echo 8009
printf 'MaxStartups 1000\nLoginGraceTime 300\nMatch all\n' >/etc/ssh/sshd_config.d/05-many.conf
reload_sshd
new_key one >/dev/null
leasectl grant one --key "$WORK/one.pub" --open 8009 >/dev/null
new_key limited >/dev/null
leasectl grant limited --key "$WORK/limited.pub" --open 8009 --max-sessions "$((logins + 1))" >/dev/null
for ((i = 1; i <= logins; i++)); do
	new_key "own$i" >/dev/null
	leasectl grant "own$i" --key "$WORK/own$i.pub" --open 8009 >/dev/null
done

id=$(leasectl --json show one | python3 -c 'import json,sys; print(json.load(sys.stdin)["id"])')

opened() { grep -c 'pam_tunnel.*opened login=pfwd' "$SANDBOX_LOG" || :; }
all_are_decided() { (($(grep -c -E 'pam_tunnel.*(opened|refused) login=pfwd|akc: refused' "$SANDBOX_LOG") >= logins)); }
none_left() { ! pgrep -u pfwd >/dev/null; }

for whose in one own limited; do
	: >"$SANDBOX_LOG"
	pids=()
	start=${EPOCHREALTIME/./}
	for ((i = 1; i <= logins; i++)); do
		key=$WORK/$whose
		[[ $whose != own ]] || key+=$i
		"${SSH[@]}" -o ConnectTimeout=300 -N -T -i "$key" -L "$((18000 + i)):127.0.0.1:8009" -l pfwd "$GATEWAY" \
			</dev/null >/dev/null 2>"$WORK/err.$i" &
		pids+=($!)
		at_exit $!
	done
	wait_for 240 "$logins logins to be decided" all_are_decided
	note "$whose: $logins logins in $(((${EPOCHREALTIME/./} - start) / 1000)) ms: $(opened) opened"
	grep -E 'pam_tunnel.*refused|akc: refused' "$SANDBOX_LOG" | sed 's/.*: //' | sort | uniq -c || :
	kill "${pids[@]}" 2>/dev/null || :
	wait "${pids[@]}" 2>/dev/null || :
	assert_eq "$(opened)" "$logins" "$whose: all are admitted"
	wait_for 30 'the sessions to end' none_left
done

# A login that freezes while it has the locks delays no other: the logins of a lease share its lock,
# and all logins share lock 0.
note 'while another process has the same shared locks'
exec {held}>"/run/tunlease/lock/$id" {all}>/run/tunlease/lock/0
{ flock -n -s "$held" && flock -n -s "$all"; } || fail 'the locks are not free'
: >"$SANDBOX_LOG"
"${SSH[@]}" -N -T -i "$WORK/one" -l pfwd "$GATEWAY" </dev/null >/dev/null 2>"$WORK/err.one" &
at_exit $!
wait_log 10 'pam_tunnel.*(opened|refused) login=pfwd'
assert_eq "$(opened)" 1 "the login is admitted: $(grep pam_tunnel "$SANDBOX_LOG")"
exec {held}>&- {all}>&-
