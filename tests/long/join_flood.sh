#!/bin/bash
# SPDX-License-Identifier: ISC
# 10,000 wrong codes, judged while they come from 50 sources at a time. Meanwhile ten friends join, one after another,
# each at the first try and within two seconds, and one who types his code. The store does not grow with the codes,
# and a normal end of leased loses no count of them. TEST_JOIN_CODES gives another number.
# sandbox:
# timeout: 3600
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/join_lib.sh"

codes=${TEST_JOIN_CODES:-10000}
sources=50
friends=10
new_key stranger >/dev/null
stranger=$WORK/stranger
join_gateway

# Open throughout: without one sshd itself refuses the crowd. Somebody has joined and been refused before, so what
# is made once is there.
invite spare --open 8009
invite first --open 8009
new_key first >/dev/null
joins 3 "$stranger" AAAA-BBBB-CCCC-DDDD
joins 0 "$WORK/first" "$CODE"

store_bytes()
{
	sqlite3 /var/lib/tunlease/leases.db 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
	stat -c %s /var/lib/tunlease/leases.db
}
sum_of() { sqlite3 /var/lib/tunlease/leases.db "SELECT $1 FROM audit WHERE action = 'join_refused'"; }
cpu_s() { awk '$1 == "cpu" { printf "%d", ($2 + $3 + $4 + $7 + $8) / 100 }' /proc/stat; }

# The crowd's hosts have processors of their own: here its ssh only has what the gateway and the friends leave it.
# tries_codes SOURCE: one code after another, until the crowd has had enough.
tries_codes()
{
	local rc
	while [[ ! -e $WORK/enough ]]; do
		rc=0
		nice -n 19 "${JOIN_SSH[@]}" -b "127.0.1.$1" -i "$stranger" "join@$GATEWAY" AAAA-BBBB-CCCC-DDDD </dev/null >/dev/null 2>"$WORK/crowd.$1" || rc=$?
		case $rc in
		3) echo >>"$WORK/answered" ;;
		255) echo >>"$WORK/turned" ;;
		*) echo "$rc: $(cat "$WORK/crowd.$1")" >>"$WORK/odd" ;;
		esac
	done
}
lines() { wc -l <"$WORK/$1"; }
made_room() { grep -cE "ended to make room .*: all places were taken$1\$" "$SANDBOX_LOG" || :; }
# Whose code was wrong has his answer after a second, or is ended before, where more come than there are places.
judged() { echo $(($(lines answered) + $(made_room ', and its code was wrong'))); }

note "$codes wrong codes from $sources sources, pace $TEST_SLOW_PERCENT %, load $(cut -d' ' -f1-3 /proc/loadavg)"
leased_stops
leased_starts
before_bytes=$(store_bytes) before_rows=$(sum_of 'count(*)') before_s=$EPOCHSECONDS before_cpu_s=$(cpu_s)
: | tee "$WORK/answered" "$WORK/turned" "$WORK/odd" >"$WORK/ended"
crowd=()
for ((i = 1; i <= sources; i++)); do
	tries_codes "$i" &
	crowd+=("$!")
	at_exit "$!"
done

# friend NAME [SECONDS]: joins with CODE, which he types after SECONDS; TOOK_MS is how long he waited for ssh.
slowest=0
friend()
{
	local rc=0 start_ms
	new_key "$1" >/dev/null
	invite "$1" --open 8009
	start_ms=$((${EPOCHREALTIME/[.,]/} / 1000))
	if [[ -n ${2-} ]]; then
		{ sleep "$2"; echo "$CODE"; } | "${JOIN_SSH[@]}" -i "$WORK/$1" "join@$GATEWAY" >"$WORK/out" 2>"$WORK/err" || rc=$?
	else
		"${JOIN_SSH[@]}" -i "$WORK/$1" "join@$GATEWAY" "$CODE" </dev/null >"$WORK/out" 2>"$WORK/err" || rc=$?
	fi
	TOOK_MS=$((${EPOCHREALTIME/[.,]/} / 1000 - start_ms))
	note "$1: $TOOK_MS ms, exit $rc, after $(judged) codes, load $(cut -d' ' -f1 /proc/loadavg)"
	((rc == 0)) || echo "$1: exit $rc: $(tail -n 1 "$WORK/err")" >>"$WORK/ended"
	[[ -n ${2-} ]] || ((TOOK_MS <= slowest)) || slowest=$TOOK_MS
}
so_many() { (($(judged) >= $1)); }
for ((i = 1; i <= friends; i++)); do
	wait_for 1800 "$((codes * i / (friends + 1))) codes" so_many $((codes * i / (friends + 1)))
	friend "friend$i"
	((i != friends / 2)) || friend typing 5
done
wait_for 1800 "$codes codes" so_many "$codes"
: >"$WORK/enough"
wait "${crowd[@]}"
took_s=$((EPOCHSECONDS - before_s))
note "$(judged) codes in $took_s s, $(($(cpu_s) - before_cpu_s)) s of CPU in all; $(lines turned) tries had no answer; load $(cut -d' ' -f1-3 /proc/loadavg)"
note "to make room $(made_room ', and its code was wrong') were ended whose code was wrong, and $(made_room '') others"

[[ ! -s $WORK/odd ]] || fail "a code of the crowd: $(sort "$WORK/odd" | uniq -c | head)"
[[ ! -s $WORK/ended ]] || fail "$(cat "$WORK/ended")"
((slowest <= $(slow 2000))) || fail "a friend took $slowest ms"
ok "ten friends join at the first try, the slowest in $slowest ms, and one who types his code"

leased_stops
grown=$(($(store_bytes) - before_bytes)) rows=$(($(sum_of 'count(*)') - before_rows))
counted=$(sum_of "sum(substr(detail, 13, instr(detail, ' ') - 13))")
note "the store grew by $grown bytes, with $((friends + 1)) leases; $rows audit rows, $counted codes in them"
((grown < 65536)) || fail "the store grew by $grown bytes"
((rows > 0 && rows <= sources * (1 + took_s / 3600) && rows <= 60 * (1 + took_s / 3600))) || fail "$rows audit rows"
((counted >= codes / 100 && counted <= 100 * (took_s / 60 + 2))) || fail "$counted codes are counted"
expect_exit 0 leasectl audit verify
ok 'the store stays small, and the counts are in the audit when leased ends'
