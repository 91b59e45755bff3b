#!/bin/bash
# SPDX-License-Identifier: ISC
# The login that strangers may reach while an invite is open: whatever they send, run, forge, exhaust or kill,
# nobody gets a lease without a code, no code is good twice, and a friend with one still comes in. The long forms
# of the floods are in long/join and long/join_flood.
# sandbox:
# timeout: 200
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/join_lib.sh"

dropin=/etc/ssh/sshd_config.d/20-tunlease.conf
new_key stranger >/dev/null
stranger=$WORK/stranger
# The widest that an admin may have: every variable of a client reaches sshd's children.
sed -i 's/^AcceptEnv .*/AcceptEnv */' /etc/ssh/sshd_config
join_gateway

leases() { leasectl --json list --all | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))'; }
clean() # FILE...: nothing in them controls a terminal
{
	[[ -z $(cat "$@" | tr -d '[:print:]\n\r\t' | tr -d '\200-\377') ]] || fail "control characters: $(cat -v "$@")"
}
# friend NAME [ADDRESS]: joins with the open invite and a new key, from that address.
friend()
{
	[[ -e $WORK/$1 ]] || new_key "$1" >/dev/null
	expect_exit 0 "${JOIN_SSH[@]}" -b "${2:-127.0.0.1}" -i "$WORK/$1" "join@$GATEWAY" "$CODE" </dev/null
	says "joined as"
}

note 'what a client sends is neither run nor printed'
invite held --open 8009
GOOD=$CODE
joins 3 "$stranger" AAAA-BBBB-CCCC-DDDD
cp "$WORK/err" "$WORK/wrong"
texts=("\$(touch /tmp/ran)" "\`touch /tmp/ran\`" ";touch\${IFS}/tmp/ran;" "|id" "&" "../../../bin/sh" "$GOOD;id" "$GOOD'" "\"$GOOD\""
	'*' '%s%n' $'\e]0;owned\a' $'\e[2J\e[31m' $'\x9b2J' $'\r\b\b' $'\u202e' '{"exit":0}' "'--" "' OR 1=1" '-V')
# each_join NUMBER TEXT: in the background; at_once collects them, no more than one source may have.
each_join()
{
	local rc=0
	"${JOIN_SSH[@]}" -i "$stranger" "join@$GATEWAY" -- "$2" </dev/null >"$WORK/$1.out" 2>"$WORK/$1.err" || rc=$?
	echo "$rc" >"$WORK/$1.rc"
}
pids=()
at_once() { pids+=("$!"); ((${#pids[@]} < $1)) || collect; }
collect() { ((${#pids[@]} == 0)) || wait "${pids[@]}" || :; pids=(); }
for NUMBER in "${!texts[@]}"; do
	each_join "$NUMBER" "${texts[NUMBER]}" &
	at_once 4
done
collect
for NUMBER in "${!texts[@]}"; do
	what=$(cat -v <<<"${texts[NUMBER]}")
	clean "$WORK/$NUMBER.out" "$WORK/$NUMBER.err"
	case $(cat "$WORK/$NUMBER.rc") in
	2) grep -q '^give the code of your invite' "$WORK/$NUMBER.err" || fail "$what: $(cat "$WORK/$NUMBER.err")" ;;
	3) diff "$WORK/wrong" "$WORK/$NUMBER.err" >/dev/null || fail "$what: $(cat "$WORK/$NUMBER.err")" ;;
	*) fail "$what: exit $(cat "$WORK/$NUMBER.rc"): $(cat "$WORK/$NUMBER.err")" ;;
	esac
	[[ ! -s $WORK/$NUMBER.out ]] || fail "$what: $(cat "$WORK/$NUMBER.out")"
done
[[ ! -e /tmp/ran ]] || fail 'a command ran'
ok "${#texts[@]} texts of shells and terminals: the answer to a wrong code, or the usage"
head -c 1000000 /dev/zero | tr '\0' 'A' >"$WORK/megabyte"
expect_exit 2 "${JOIN_SSH[@]}" -i "$stranger" "join@$GATEWAY" <"$WORK/megabyte"
head -c 1000000 /dev/zero >"$WORK/zeros"
expect_exit 2 "${JOIN_SSH[@]}" -i "$stranger" "join@$GATEWAY" <"$WORK/zeros"
for bytes in 65 4000 100000 200000 1000000; do
	# ssh takes a command of that length from a file alone.
	printf 'Host big\n\tRemoteCommand %s\n' "$(head -c "$bytes" "$WORK/megabyte")" >"$WORK/config"
	rc=0
	ssh -F "$WORK/config" "${JOIN_SSH[@]:3}" -o HostKeyAlias="$GATEWAY" -o HostName="$GATEWAY" -i "$stranger" -l join big </dev/null >"$WORK/out" 2>"$WORK/err" || rc=$?
	((rc != 0)) || fail "a command of $bytes bytes"
	clean "$WORK/out" "$WORK/err"
	! grep -q AAAAA "$WORK/out" "$WORK/err" || fail "a command of $bytes bytes comes back"
done
ok 'a megabyte on standard input and in the command'

note 'nothing else is to be had at the login; e2e/join_login has each attempt'
# shellcheck disable=SC2034 # for refuse
ATTEMPT_KEY=$stranger ATTEMPT_LOGIN=join
for name in sftp agent x11; do refuse "$name"; done
expect_exit 3 "${JOIN_SSH[@]}" -i "$stranger" -s "join@$GATEWAY" sftp </dev/null
[[ -z $(find /tmp -maxdepth 1 -name 'ssh-*') ]] || fail 'a socket of an agent'

note 'a key among a hundred'
eval "$(ssh-agent -s)" >/dev/null
at_exit "$SSH_AGENT_PID"
for i in {1..100}; do
	ssh-keygen -q -t ed25519 -N '' -C "k$i" -f "$WORK/k$i" </dev/null &
	at_once 10
done
ssh-add -q "$WORK"/k{1..100} 2>/dev/null
CODE=$GOOD
# The options that name no agent and no other key are left out.
with_agent=("${JOIN_SSH[@]/#IdentitiesOnly=yes/IdentitiesOnly=no}")
expect_exit 0 "${with_agent[@]/#IdentityAgent=none/IdentityAgent=$SSH_AUTH_SOCK}" -A -X "join@$GATEWAY" "$CODE" </dev/null
says "$(ssh-keygen -lf "$WORK/k1.pub" | cut -d' ' -f2)"
ok 'the first one joins, and it says which that is'
ssh-add -q -D 2>/dev/null
[[ $(leases) == 1 ]] || fail "$(leasectl list --all)"

note 'what a client forges'
invite forged --open 8009
new_key other >/dev/null
sed -i 's/^\(\s*\)ExposeAuthInfo yes/\1ExposeAuthInfo no/; s/^\(\s*\)AcceptEnv TUNLEASE_NONE/\1AcceptEnv */' "$dropin"
reload_sshd
sshd_effective join | some_line -x 'exposeauthinfo no' || fail 'ExposeAuthInfo is still on'
forges() { joins 7 "$stranger" -o "SetEnv=SSH_USER_AUTH=$1" "$CODE"; says 'Nothing was spent'; }
joins 7 "$stranger" "$CODE"
says 'SSH_USER_AUTH is not set'
sed 's/^/publickey /; s/ [^ ]*$//' "$WORK/other.pub" >/tmp/forged
chown join:_tunnel-join /tmp/forged
chmod 0600 /tmp/forged
ln -s /tmp/forged /tmp/link
for path in /etc/shadow /dev/zero /proc/self/environ /tmp/link /tmp/../tmp/forged /tmp; do forges "$path"; done
# Even a file as sshd makes it, with another's key: the registry has the one that sshd checked.
forges /tmp/forged
invite_open forged || fail 'a forged key spent an invite'
ok 'a file that the client names: 7, nothing spent'
sed -i 's/^\(\s*\)ExposeAuthInfo no/\1ExposeAuthInfo yes/' "$dropin"
reload_sshd
joins 0 "$stranger" -o 'SetEnv=SSH_USER_AUTH=/tmp/forged SSH_ORIGINAL_COMMAND=x LD_PRELOAD=/tmp/forged LD_DEBUG=all TZ=/etc/shadow SSH_CONNECTION=1.2.3.4' "$CODE"
says "$(ssh-keygen -lf "$stranger.pub" | cut -d' ' -f2)"
! grep -q 'symbol=' "$WORK/err" || fail 'a variable of the client reaches the dynamic linker'
ok 'with ExposeAuthInfo sshd has the last word, whatever AcceptEnv lets in'
sed -i 's/^\(\s*\)AcceptEnv \*/\1AcceptEnv TUNLEASE_NONE/' "$dropin"
reload_sshd

note 'a full /tmp'
invite full --open 8009
new_key full >/dev/null
# WORK lies in /tmp, and stays as it is.
mkdir /run/work
mount --bind "$WORK" /run/work
full() # OPTIONS COMMAND...: a small /tmp, which COMMAND fills
{
	mount -t tmpfs -o "mode=1777,$1" full /tmp; shift
	mkdir "$WORK"
	mount --bind /run/work "$WORK"
	"$@"
	joins 7 "$WORK/full" "$CODE"
	says 'Nothing was spent'
	umount "$WORK"
	umount /tmp
}
full nr_inodes=3 touch /tmp/last
full size=8k eval 'head -c 65536 /dev/zero >/tmp/filled 2>/dev/null || :'
invite_open full || fail 'a full /tmp spends an invite'
friend full
ok 'a full /tmp: 7, nothing spent, and then it joins'

note 'other ways to the socket, and other listeners'
invite asked --open 8009
key=$(cut -d' ' -f1,2 "$WORK/other.pub")
# ask CURL-OPTION... : as join would, with another action where ACTION says so. HTTP's status is in STATUS.
ask()
{
	STATUS=$(curl -s -o "$WORK/out" -w '%{http_code}' --max-time "$(slow 5)" -H 'Content-Type: application/json' \
		--data "{\"action\":\"${ACTION:-join}\",\"code\":\"$CODE\",\"public_key\":\"$key\",\"json\":false}" "$@" 2>"$WORK/err") || :
}
socket=/run/tunlease-join/socket
assert_eq "$(stat -c '%G %a' /run/tunlease-join "$socket" | tr '\n' ' ')" '_tunnel-join 750 _tunnel-join 660 ' 'who may reach the socket'
su -s /bin/bash li -c "test -e $socket" && fail 'another user may look for the socket'
# Root may connect to it, and a process of the login that sshd did not start.
for who in root join; do
	group=root
	[[ $who == root ]] || group=_tunnel-join
	STATUS=$(setpriv --reuid="$who" --regid="$group" --clear-groups curl -s -o - -w '%{http_code}' --max-time 5 --unix-socket "$socket" \
		-H 'Content-Type: application/json' --data "{\"action\":\"join\",\"code\":\"$CODE\",\"public_key\":\"$key\",\"json\":false}" http://localhost/) || :
	grep -qE '"exit": ?7|^(|.*[^0-9])(000|40[013])$' <<<"$STATUS" || fail "$who at the socket: $STATUS"
done
for ACTION in register heartbeat health metrics status; do
	ask --unix-socket "$socket" http://localhost/
	[[ $STATUS != 200 ]] || fail "'$ACTION' at the socket of join: $(cat "$WORK/out")"
done
for path in / /healthz /metrics /status.json /version; do
	[[ $(curl -s -o /dev/null -w '%{http_code}' --max-time 5 --unix-socket "$socket" "http://localhost$path") != 200 ]] || fail "GET $path at the socket of join"
done
unset ACTION
ask http://127.0.0.1:12000/
[[ $STATUS == 40[0-9] ]] || fail "'join' over HTTP: $STATUS $(cat "$WORK/out")"
for header in "Authorization: Bearer $CODE" "X-API-Key: $CODE" "Authorization: Bearer wrong"; do
	STATUS=$(curl -s -o "$WORK/out" -w '%{http_code}' --max-time 5 -H 'Content-Type: application/json' -H "$header" \
		--data "{\"action\":\"register\",\"agent_id\":\"db1\",\"public_key\":\"$key\"}" http://127.0.0.1:12000/)
	assert_eq "$STATUS" 401 "register with '${header%% *}'"
done
invite_open asked || fail 'spent by another way than ssh'
friend asked
ok 'ssh alone redeems a code'

note 'two at once for one code'
# Another open invite: without one sshd itself would refuse whoever comes after the winner.
invite spare --open 8009
for round in 1 2 3 4; do
	invite "race$round" --open 8009
	for who in a b; do
		new_key "race$round$who" >/dev/null
		{ rc=0; "${JOIN_SSH[@]}" -i "$WORK/race$round$who" "join@$GATEWAY" "$CODE" </dev/null >"$WORK/$who.out" 2>"$WORK/$who.err" || rc=$?; echo "$rc" >"$WORK/$who.rc"; } &
		at_once 2
	done
	assert_eq "$(sort "$WORK/a.rc" "$WORK/b.rc" | tr '\n' ' ')" '0 3 ' "round $round: one joins"
	[[ $(leasectl show "race$round" --json | grep -c fingerprint) == 1 ]] || fail 'two keys'
done

note 'killed at each step: spent with the lease there, or not spent'
# whole NAME: either, and then the same line gives the lease.
whole()
{
	local open=no lease=no
	! invite_open "$1" || open=yes
	! leasectl show "$1" >/dev/null 2>&1 || lease=yes
	[[ $open != "$lease" ]] || fail "invite open: $open, lease: $lease"
	friend "$1"
	ok "$2: $([[ $lease == yes ]] && echo spent || echo not spent), and the same line joins"
}
engine() { echo "$LEASED"; }
http() { pgrep -P "$LEASED"; }
program() { pgrep -u join -x join; }
child() { pgrep -u join -f '^sshd: join'; }
monitor() { pgrep -u root -f '^sshd: join \[priv\]'; }
# It has its socket to leased, which hangs.
asks() { pid_asks=$(program) && test -e "/proc/$pid_asks/fd/3"; }
held=0
for stopped in http engine; do
	for killed in program child monitor client leased; do
		# What http has not read, nobody else knows of.
		[[ $stopped == engine || $killed == program || $killed == leased ]] || continue
		held=$((held + 1))
		name=killed$held
		invite "$name" --open 8009
		new_key "$name" >/dev/null
		pid=$("$stopped")
		kill -STOP "$pid"
		"${JOIN_SSH[@]}" -i "$WORK/$name" "join@$GATEWAY" "$CODE" </dev/null >"$WORK/out" 2>"$WORK/err" &
		client=$!
		wait_for 5 'join asks' asks
		((held > 1)) || assert_eq "$(sed -n -E 's/^(NoNewPrivs|Seccomp|Seccomp_filters):\t//p' "/proc/$pid_asks/status" | tr '\n' ' ')" '1 2 1 ' 'join has given up what it does not need'
		case $killed in
		client) kill -KILL "$client" ;;
		leased) kill -KILL "$LEASED" ;;
		*) "$killed" | xargs -r kill -KILL ;;
		esac
		kill -CONT "$pid" 2>/dev/null || :
		wait "$client" || :
		if [[ $killed == leased ]]; then
			wait_for 5 'leased is gone' is_gone "$LEASED"
			leased_starts
		fi
		whole "$name" "$killed killed while $stopped hangs"
	done
done
for after_ms in 80 160 240; do
	held=$((held + 1))
	name=killed$held
	invite "$name" --open 8009
	new_key "$name" >/dev/null
	"${JOIN_SSH[@]}" -i "$WORK/$name" "join@$GATEWAY" "$CODE" </dev/null >"$WORK/out" 2>"$WORK/err" &
	client=$!
	sleep "0.$(printf %03d "$after_ms")"
	kill -KILL "$LEASED"
	wait "$client" || :
	wait_for 5 'leased is gone' is_gone "$LEASED"
	leased_starts
	whole "$name" "leased killed after $after_ms ms"
done

note 'floods'
invite friend --open 8009
# connections ADDRESS: how many stand from there. Entries of the dead may lie there until the next login.
connections()
{
	local entry count=0
	while read -r entry; do
		is_gone "${entry##*.}" || count=$((count + 1))
	done < <(grep -ls "^source $1\$" /run/tunlease/join/sessions/*)
	echo "$count"
}
# stands N ADDRESS: N connections of ssh -N from it.
floods=()
stands()
{
	local i
	for ((i = 0; i < $1; i++)); do
		"${SSH[@]}" -b "$2" -N -T -i "$stranger" "join@$GATEWAY" </dev/null >/dev/null 2>&1 &
		floods+=("$!")
		at_exit "$!"
	done
}
expect_wrong() # ADDRESS: a wrong code from there; how it ended is in wrong.ADDRESS
{
	local rc=0
	"${JOIN_SSH[@]}" -b "$1" -i "$stranger" "join@$GATEWAY" AAAA-BBBB-CCCC-DDDD </dev/null >/dev/null 2>&1 || rc=$?
	echo "$rc" >"$WORK/wrong.$1"
}
stands 12 127.0.0.9
four_stand() { (($(connections 127.0.0.9) == 4)); }
refused_source() { (($(grep -c 'refused login=join .* source=127.0.0.9: ' "$SANDBOX_LOG") == 8)); }
wait_for 10 'eight of twelve to be refused' refused_source
four_stand || fail "$(connections 127.0.0.9) connections of one source"
friend friend
ok 'twelve idle connections of one source: four stand, and a friend joins'
invite crowd --open 8009
for i in 10 11 12; do stands 4 "127.0.0.$i"; done
all_stand() { (($(connections 127.0.0.9) + $(connections 127.0.0.10) + $(connections 127.0.0.11) + $(connections 127.0.0.12) == 16)); }
wait_for 10 'sixteen to stand' all_stand
for i in {20..31}; do
	expect_wrong "127.0.0.$i" &
	at_once 99
done
friend crowd
collect
# Who was judged may be ended in his second, for the next one: the sixteen have not been judged.
assert_eq "$(sort "$WORK"/wrong.* | grep -cxE '3|255')" 12 'twelve wrong codes of twelve sources, beside them'
ok 'all places are taken, codes are tried from twelve addresses, and a friend joins'
wait_for 35 'all of them to end' nobody_joins
ok 'an idle connection is ended'

note 'a friend who types his code, among wrong codes that hold all other places'
# stands_wrong ADDRESS: a wrong code from there, whose program is stopped in the second before it answers.
stands_wrong()
{
	until [[ -e $WORK/enough ]]; do
		"${JOIN_SSH[@]}" -b "$1" -i "$stranger" "join@$GATEWAY" AAAA-BBBB-CCCC-DDDD </dev/null >/dev/null 2>&1 || :
	done
}
# so_many_wait N: programs that were stopped there; whoever is not stopped in time tries again.
so_many_wait()
{
	pgrep -u join -x join-refused | xargs -r kill -STOP 2>/dev/null || :
	(($(pgrep -u join -x -r T -c join-refused) >= $1))
}
wrong_stand() # N ADDRESS...
{
	local from wanted=$1; shift
	rm -f "$WORK/enough"
	pids=()
	for from in "$@"; do stands_wrong "$from" & at_once 99; done
	wait_for 10 "$wanted wrong codes to stand" so_many_wait "$wanted"
	: >"$WORK/enough"
}
wrong_go() { pgrep -u join -x join-refused | xargs -r kill -CONT 2>/dev/null || :; collect; wait_for 5 'all to be over' nobody_joins; }
made_room() { grep -c 'ended to make room .*: all places were taken, and its code was wrong$' "$SANDBOX_LOG" || :; }
invite typed --open 8009
typed=$CODE
new_key typed >/dev/null
mkfifo "$WORK/keyboard"
"${JOIN_SSH[@]}" -i "$WORK/typed" "join@$GATEWAY" <"$WORK/keyboard" >"$WORK/typed.out" 2>"$WORK/typed.err" &
typing=$!
exec {keyboard}>"$WORK/keyboard"
wait_for 5 'who types to stand' grep -q 'The code of your invite' "$WORK/typed.err"
wrong_stand 15 127.0.0.{40..54}
room=$(made_room)
invite next --open 8009
friend next 127.0.0.60
one_made_room() { (($(made_room) == room + 1)); }
wait_for 5 'who was judged wrong to make room, though the friend is the oldest' one_made_room
echo "$typed" >&"$keyboard"
exec {keyboard}>&-
rc=0
wait "$typing" || rc=$?
assert_eq "$rc $(grep -c '^joined as' "$WORK/typed.out")" '0 1' 'and the friend who types joins'
invite spare2 --open 8009
wrong_go
wrong_stand 4 127.0.0.{40,40,40,40}
invite neighbour --open 8009
friend neighbour 127.0.0.40
ok 'behind the address of four wrong codes a friend joins; behind that of four idle connections nobody does, see above'
wrong_go

note 'a master that tries codes'
invite second --open 8009
"${SSH[@]}" -M -S "$WORK/master" -N -T -i "$stranger" "join@$GATEWAY" </dev/null 2>"$WORK/master.err" &
master=$!
at_exit "$master"
wait_for 5 'the master' test -S "$WORK/master"
# The session before may not be closed yet, and there is one at a time: then the master refuses the next.
code_tried()
{
	local rc=0
	START_MS=${EPOCHREALTIME/[.,]/}
	ssh -F none -S "$WORK/master" -o ProxyCommand=false "join@$GATEWAY" "AAAA-BBBB-CCCC-DDD$1" </dev/null >"$WORK/out" 2>"$WORK/err" || rc=$?
	((rc == 3))
}
for i in {2..4}; do
	wait_for 5 "try $i through one connection" code_tried "$i"
	((${EPOCHREALTIME/[.,]/} - START_MS >= 1000000)) || fail 'answered within a second'
done
kill "$master"
friend second
! grep -rqaF -e "$CODE" /var/lib/tunlease "$SANDBOX_LOG" || fail 'a code is in the store or the log'
leasectl audit | some_line -i 'join' || note 'no audit row names join'
ok 'a second for each, and no code is kept'
