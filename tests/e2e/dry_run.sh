#!/bin/bash
# SPDX-License-Identifier: ISC
# --dry-run of revoke, set, freeze, delete, key remove and kill changes nothing, and names the sessions
# that the command then ends, each of them and no other. The command asks before it ends the admin's own
# connection.
# sandbox:
# timeout: 180
set -eu
. "$TOP/tests/lib.sh"

seed=${TEST_SEED:-$RANDOM}
worlds=${TEST_DRY_RUN_WORLDS:-1}
RANDOM=$seed
note "TEST_SEED=$seed repeats this run"

store=/var/lib/tunlease/leases.db
query() { python3 -c 'import sys, json; v = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$WORK/out" "$1"; }
pids_up() { leasectl sessions | cut -f5 | sort -n; }
up() { (($(pids_up | wc -l) == $1)); }
state()
{
	leasectl --json list --all
	sqlite3 -readonly "$store" 'SELECT count(*) FROM audit; SELECT * FROM key; SELECT * FROM sqlite_sequence'
	leasectl sessions | cut -f1-5
}
unchanged() { [[ $(state) == "$before" ]] || fail "$1 changed something: $(diff <(echo "$before") <(state))"; }
fingerprint() { ssh-keygen -lf "$WORK/$1.pub" | cut -d' ' -f2; }
grant() { leasectl grant "$1" --key "$WORK/$2.pub" "${@:3}" >/dev/null; }
# session KEY LOGIN OPTION...: starts one, and does not wait for it.
session()
{
	"${SSH[@]}" -N -T -i "$WORK/$1" -l "$2" "${@:3}" "$GATEWAY" </dev/null >>"$WORK/sessions.err" 2>&1 &
	at_exit "$!"
}

# ---- worlds of leases and sessions, and random changes -----------------------------------------

for key in k1 k2 grow far many kept box friend solo1 solo2; do new_key "$key" >/dev/null; done
leasectl login add team >/dev/null

# Its sessions are up at once, and older than two seconds when the changes begin: a younger one may have
# permits that were taken away (leasectl(1)), and grows older between the dry run and the change.
make_world()
{
	local port
	leasectl agent add box --key "$WORK/box.pub" >/dev/null
	port=$(leasectl --json show box | sed -n 's/.*"listen":\["127.0.0.1:\([0-9]*\)"\].*/\1/p')
	grant two-keys k1 --open 8009
	leasectl key add two-keys --key "$WORK/k2.pub" >/dev/null
	for name in grow far many kept solo1; do grant "$name" "$name" --open 8009; done
	grant friend friend --open agent:box --open 8009
	grant solo2 solo2 --login team --open 8009
	session k1 pfwd; session k2 pfwd
	session grow pfwd
	session far pfwd -b 127.0.0.1; session far pfwd -b 127.0.0.2
	for _ in 1 2 3; do session many pfwd; done
	session kept pfwd
	session box gw-tunnel -R "$port:127.0.0.1:8009"
	session friend pfwd
	session solo1 pfwd; session solo1 pfwd
	session solo2 team
	wait_for 20 'the sessions' up 14
	leasectl set grow --open +8010 >/dev/null
	leasectl revoke --keep-sessions kept >/dev/null
	session grow pfwd
	wait_for 10 'the session with one permit more' up 15
}
have_aged() { (($(date +%s) - $(date -d "$(leasectl sessions | cut -f4 | sort | tail -n 1)" +%s) > 3)); }
end_world()
{
	leasectl freeze >/dev/null # also what --keep-sessions has kept
	leasectl thaw >/dev/null; for login in pfwd gw-tunnel team; do leasectl thaw "$login" >/dev/null; done
	leasectl list | cut -f1 | sed 's/^/#/' | xargs -r leasectl revoke >/dev/null
	wait_for 10 'the sessions to end' up 0
}

# A subshell has random numbers of its own, which no seed repeats.
pick() { local n=$((RANDOM % $#)); shift "$n"; REPLY=$1; }
# The changes of a world, in random order, in `lines`; a freeze comes last, for it ends what is left.
choose_changes()
{
	local all=() i pids
	mapfile -t pids < <(pids_up)
	pick k1 k2; all+=("key remove two-keys $(fingerprint "$REPLY")")
	pick 8009 8010; all+=("set grow --open -$REPLY")
	pick 127.0.0.1 127.0.0.2 127.0.0.3 127.0.0.0/8; all+=("set far --from $REPLY")
	pick 1 2 3 4; all+=("set many --max-sessions $REPLY")
	all+=('delete kept')
	pick 'revoke box' "key remove box $(fingerprint box)" 'freeze gw-tunnel'; all+=("$REPLY")
	pick "${pids[@]}"; pick 'kill solo1' "kill --pid $REPLY" 'revoke solo1 friend' 'revoke friend solo1' 'revoke --keep-sessions solo1'
	all+=("$REPLY")
	lines=()
	while ((${#all[@]})); do
		i=$((RANDOM % ${#all[@]}))
		lines+=("${all[i]}")
		all=("${all[@]:0:i}" "${all[@]:i+1}")
	done
	pick 'freeze team' 'freeze pfwd' 'freeze'; lines+=("$REPLY")
}

# One change, first dry.
try_change()
{
	local foretold ended ups code=0
	if ! leasectl --json "$@" --dry-run >"$WORK/out" 2>"$WORK/err"; then
		[[ $1 == kill ]] || fail "'$* --dry-run': $(cat "$WORK/err")"
		code=3 # that session has ended by now
		foretold=''
	else
		foretold=$(query "' '.join(map(str, sorted(s['pid'] for s in v['sessions'])))")
	fi
	unchanged "'$* --dry-run'"
	ups=$(pids_up)
	expect_exit "$code" leasectl "$@"
	ended=$(comm -23 <(sort <<<"$ups") <(pids_up | sort) | sort -n | xargs)
	[[ $ended == "$foretold" ]] || fail "seed $seed: '$*' ended '$ended', and its dry run foretold '$foretold'"
	for pid in $ended; do wait_for 5 "seed $seed: '$*': the end of pid $pid" is_gone "$pid"; done
	before=$(state)
	((ends += $(wc -w <<<"$ended"), stays += $(wc -w <<<"$(pids_up)"))) || :
	ok "'$*': ${ended:-none} of $(xargs <<<"$ups")"
}

# ---- the admin's own connection, while the first world grows old -------------------------------

own_connection()
{
	for key in jump other; do new_key "$key" >/dev/null; done
	ssh-keygen -q -t ed25519 -N '' -f "$WORK/root"
	mkdir -p /root/.ssh
	cat "$WORK/root.pub" >>/root/.ssh/authorized_keys
	serve_echo 8009
	grant jump jump --open 22
	grant other other --open 22 --open 8009
	tunnel "$WORK/jump" pfwd -L 2222:127.0.0.1:22
	tunnel "$WORK/other" pfwd -L 7009:127.0.0.1:8009
	talk_to 7009; talks "$TALK" || fail 'no data through the forward'
	tunnel "$WORK/other" pfwd -p 2222 -o HostKeyAlias=127.0.0.1 -L 2223:127.0.0.1:22
	# 2222 leads here through the lease `jump`, and 2223 through `other` and, in that, `jump`.
	as_admin() { "${SSH[@]}" -i "$WORK/root" -l root -o HostKeyAlias=127.0.0.1 -p "$1" 127.0.0.1 "${@:2}"; }
	# on_terminal ANSWER COMMAND: through 2222.
	on_terminal() { as_admin 2222 -tt "$2" <<<"$1" >"$WORK/out" 2>"$WORK/err"; }

	note 'what would end, who uses it, and whether it is my own'
	expect_exit 0 as_admin 2222 leasectl --json revoke --dry-run jump
	assert_eq "$(query "[(s['lease'], s['reason'], s['own'], '127.0.0.1:22' in s['forwards']) for s in v['sessions']], v['own_connection']")" \
		"([('jump', 'revoked', True, True)], True)" 'through a jump'
	expect_exit 0 as_admin 22 leasectl --json revoke --dry-run jump
	assert_eq "$(query "v['sessions'][0]['own'], v['own_connection']")" '(False, False)' 'not my own without the jump'
	expect_exit 0 as_admin 2223 leasectl --json kill --dry-run jump
	assert_eq "$(query "v['own_connection']")" 'True' 'through a session within a session'
	expect_exit 0 leasectl set other --open -8009 --open +8010 --note why --from 192.0.2.1 --dry-run
	assert_eq "$(grep '^set' "$WORK/out" | cut -f1-3,7)" "set	other	pfwd	open: 127.0.0.1:22 127.0.0.1:8009 -> 127.0.0.1:22 127.0.0.1:8010
set	other	pfwd	from: anywhere -> 192.0.2.1
set	other	pfwd	note: none -> why" 'the terms before and after'
	assert_eq "$(grep 8009 "$WORK/out" | grep '^cut' | cut -f2,7)" 'other	an open forward to 127.0.0.1:8009' 'who uses it'
	expect_exit 0 leasectl --json revoke box --dry-run
	assert_eq "$(query "[(s['lease'], s['reason']) for s in v['sessions']]")" "[('box', 'revoked'), ('friend', 'narrowed')]" \
		"an agent's end takes its port from who may open it"
	exec {TALK}>&-

	expect_exit 1 as_admin 22 setpriv --bounding-set=-sys_ptrace leasectl --json kill jump --dry-run
	assert_eq "$(query "v['own_connection'], 'whether your own connection runs through a session that ends' in v['unknown']")" \
		'(None, True)' "sshd's connection cannot be seen"

	note 'a command that would end my own connection asks'
	before=$(state)
	for command in 'revoke other jump' 'set jump --open -22 --open +8009' 'freeze' 'freeze pfwd' \
		"key remove jump $(fingerprint jump)" 'kill jump'; do
		expect_exit 1 as_admin 2222 "leasectl $command"
		grep -q 'your own connection runs through .*--yes' "$WORK/err" || fail "'$command': $(cat "$WORK/err")"
		unchanged "'$command'"
	done
	expect_exit 0 as_admin 2222 leasectl set jump --open +8011
	expect_exit 0 as_admin 2222 leasectl kill other
	ok 'it refuses without a terminal; what does not end my own is not asked about'
	before=$(state)
	rc=0; on_terminal n 'leasectl revoke jump' || rc=$?
	assert_eq "$rc $(grep -c 'Go on? \[y/N\]' "$WORK/out")" '1 1' 'it asks on a terminal, and takes a no'
	unchanged 'a no'
	as_admin 2222 leasectl kill --yes jump >/dev/null 2>&1 || :
	is_up() { leasectl sessions "$1" | some_line .; }
	is_down() { ! is_up "$1"; }
	wait_for 10 '--yes ends it' is_down jump
	tunnel "$WORK/other" pfwd
	tunnel "$WORK/jump" pfwd -L 2222:127.0.0.1:22
	# The first of them ends the terminal.
	on_terminal y 'leasectl revoke jump other' || :
	revoked() { [[ $(leasectl list --all | awk '$2 == "jump" || $2 == "other" { print $4 }' | xargs) == 'revoked revoked' ]]; }
	wait_for 10 'a yes revokes both' revoked
	wait_for 10 'and ends both' is_down other
}

# ---- a holder cannot make himself my own connection ----------------------------------------------

# eve may connect to a service whose program revokes her, and to a port that the admin's ssh listens on;
# the admin's ssh leads to a port of eve's, too. None of these is the way that the admin works through.
cannot_be_blocked()
{
	note 'a holder cannot block her own revocation'
	for key in eve lure; do new_key "$key" >/dev/null; done
	cat >"$WORK/service" <<-'END'
		import os, socket, subprocess, sys
		s = socket.create_server(("127.0.0.1", 8010))
		held = s.accept()[0]
		held.recv(1)
		held.sendall(b"held")
		r = subprocess.run(["leasectl", "--json", "revoke", "eve"], stdin=subprocess.DEVNULL, capture_output=True)
		open(sys.argv[1] + "_", "w").write("%d %s" % (r.returncode, r.stderr.decode()))
		os.rename(sys.argv[1] + "_", sys.argv[1])
	END
	grant eve eve --open 8010 --open 8012
	python3 "$WORK/service" "$WORK/revoked_by_service" </dev/null &
	at_exit "$!"
	wait_for 5 'the service' bash -c 'ss -Hltn sport = :8010 | grep -q .'
	tunnel "$WORK/eve" pfwd -L 7010:127.0.0.1:8010
	exec {EVE}<>/dev/tcp/127.0.0.1/7010
	echo >&"$EVE"
	wait_for 20 'the service to revoke' test -s "$WORK/revoked_by_service"
	assert_eq "$(cut -d' ' -f1-4 "$WORK/revoked_by_service")" '0 ended 1 session' 'a service that she holds a connection to revokes her'
	exec {EVE}>&-

	serve_echo 8014
	grant eve eve --open 8012
	leasectl agent add lure --key "$WORK/lure.pub" >/dev/null
	local port
	port=$(leasectl --json show lure | sed -n 's/.*"listen":\["127.0.0.1:\([0-9]*\)"\].*/\1/p')
	tunnel "$WORK/lure" gw-tunnel -R "$port:127.0.0.1:8014"
	as_admin 22 -R 8012:127.0.0.1:8014 -L "7013:127.0.0.1:$port" \
		"until [ -e $WORK/go ]; do sleep 0.1; done; leasectl revoke eve 2>&1 && leasectl revoke lure 2>&1; echo status \$?" \
		</dev/null >"$WORK/by_admin" 2>/dev/null &
	at_exit "$!"
	wait_for 10 "the admin's ssh to listen" bash -c 'ss -Hltn sport = :8012 | grep -q . && ss -Hltn sport = :7013 | grep -q .'
	tunnel "$WORK/eve" pfwd -L 7012:127.0.0.1:8012
	talk_to 7012; talks "$TALK" || fail 'eve reaches no port of the admin'
	local eve=$TALK
	talk_to 7013; talks "$TALK" || fail 'the admin reaches no port of lure'
	: >"$WORK/go"
	wait_for 20 'the admin to revoke' grep -q '^status' "$WORK/by_admin"
	grep -q '^status 0' "$WORK/by_admin" || fail "sshd's other connections count: $(cat "$WORK/by_admin")"
	exec {TALK}>&- {eve}>&-
	ok "nor by connections that are not the admin's own"
}

# ---- what cannot be found out ------------------------------------------------------------------

could_not_ask()
{
	note 'could not ask is not none'
	chmod o+w /run/tunlease/sessions
	expect_exit 1 leasectl --json freeze --dry-run
	assert_eq "$(query "v['sessions'], v['own_connection'], len(v['unknown'])")" '(None, None, 2)' 'a registry that cannot be used'
	grep -q 'cannot tell which sessions would end: .*not safe' "$WORK/err" || fail "$(cat "$WORK/err")"
	chmod o-w /run/tunlease/sessions
	expect_exit 1 setpriv --bounding-set=-sys_ptrace leasectl --json freeze --dry-run
	assert_eq "$(query "len(v['sessions']), v['unknown']")" \
		"(15, ['who uses the forwards of 15 sessions: their processes in /proc cannot be read'])" \
		'descriptors that cannot be read'
	before=$(state)
}

ends=0 stays=0
make_world
own_connection
cannot_be_blocked
could_not_ask
wait_for 20 'the sessions to be old enough' have_aged
for ((world = 1; ; world++)); do
	before=$(state)
	choose_changes
	for line in "${lines[@]}"; do
		read -r -a words <<<"$line"
		try_change "${words[@]}"
	done
	((world < worlds)) || break
	# Every other one with leased, which ends sessions, too.
	end_world
	if ((world % 2 == 1)); then
		leased 2>/dev/null &
		leased=$!
		at_exit "$leased"
	else
		kill "$leased"
		wait "$leased" || :
	fi
	make_world
	wait_for 20 'the sessions to be old enough' have_aged
done
((ends >= 5 * worlds && stays >= 5 * worlds)) || fail "seed $seed: $ends sessions ended and $stays stayed: that shows nothing"
ok "$ends sessions ended as foretold"
