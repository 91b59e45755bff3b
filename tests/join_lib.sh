# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# join_lib.sh: a gateway where friends join with an invite; sourced after lib.sh, inside tests/sandbox.
#
#   join_gateway           leasectl setup --join, and a leased: LEASED is its pid. The gateway is gateway.test
#   leased_starts | leased_stops
#   invite NAME ARG...     leasectl invite; CODE is the code that it prints, its output is in INVITED
#   invite_open NAME       succeeds while an invite of that name is open
#   joins STATUS KEY [ARG...]    ssh join@GATEWAY ARG... with that key; output in $WORK/out and $WORK/err
#   says WORDS             what join printed has them
#   nobody_joins           no connection of JoinLogin is left
#   field_of JSON.PATH     of the JSON in $WORK/out, as a Python expression of v

leased_starts()
{
	leased </dev/null >>/run/leased.out 2>&1 &
	LEASED=$!
	at_exit "$LEASED"
	wait_for 5 'leased answers' curl -sf -o /dev/null http://127.0.0.1:12000/healthz
	wait_for 5 'leased has its socket' test -S /run/tunlease-join/socket
}

leased_stops()
{
	kill "$LEASED"
	wait_for 5 'leased is gone' is_gone "$LEASED"
}

join_gateway()
{
	printf '%s\n' 'PublicHost gateway.test' >>/etc/tunlease/tunlease.conf
	leasectl setup --join >"$WORK/setup.out" 2>&1 || fail "setup --join: $(cat "$WORK/setup.out")"
	wait_for 5 'sshd has the Match block' join_block
	leased_starts
}
join_block() { sshd_effective join | some_line -x 'exposeauthinfo yes' && sshd_has_pid; }

invite()
{
	INVITED=$(leasectl invite "$@" 2>"$WORK/err") || fail "leasectl invite $*: $(cat "$WORK/err")"
	CODE=$(sed -nE 's/^ +ssh (-p [0-9]+ )?join@[^ ]+ ([2-9A-Z]{4}(-[2-9A-Z]{4}){3})$/\2/p' <<<"$INVITED")
	[[ -n $CODE ]] || fail "no line with a code: $INVITED"
}
invite_open() { leasectl invite list | awk -v name="$1" '$2 == name && $4 == "open" {found = 1} END {exit !found}'; }

JOIN_SSH=("${SSH[@]}" -T)
joins()
{
	local status=$1 key=$2; shift 2
	expect_exit "$status" "${JOIN_SSH[@]}" -i "$key" "join@$GATEWAY" "$@" </dev/null
}
says() { grep -qF -e "$*" "$WORK/out" "$WORK/err" || fail "not said: '$*': $(cat "$WORK/out" "$WORK/err")"; }

nobody_joins() { ! pgrep -f '^sshd: join( |@)' >/dev/null && ! pgrep -u join >/dev/null; }

field_of() { python3 -c 'import json, sys; v = json.load(open(sys.argv[1])); print(eval("v" + sys.argv[2]))' "$WORK/out" "$1"; }
