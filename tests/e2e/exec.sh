#!/bin/bash
# SPDX-License-Identifier: ISC
# tunnel-agent exec: the tunnel answers before the command starts, comes back when ssh dies, and ends with the
# command; the command is told of its ports; whichever process is killed, nothing is left.
# sandbox:
# timeout: 120
# shellcheck disable=SC2016,SC2153,SC2317 # texts for the command's shell; CODE is of join_stand_in.sh; functions are called by wait_for
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/join_stand_in.sh"

store_with_alice
leasectl set alice --open +8010 >/dev/null
serve 8009
serve 8010
export HOME=$WORK/home STATE_DIR=$WORK/state
install -d -m 700 "$HOME/.ssh"
cp "$WORK/known_hosts" "$HOME/.ssh/known_hosts"
exec_=(tunnel-agent exec -i "$WORK/alice" -o "UserKnownHostsFile=$WORK/known_hosts")
# A service that accepts and says nothing, to the end of its client's half and after it.
mute()
{
	python3 -c 'import socket, sys, time
s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
kept = []
while True: kept.append(s.accept())' "$1" & at_exit $!
	is_served() { ! port_free "$1"; }
	wait_for 5 'the mute service' is_served "$1"
}
has_line() { grep -qsE -- "$2" "$1"; }
# What an agent leaves behind: its processes and its files.
left() { pgrep -f "$WORK/state|$WORK/alice" || ls "$STATE_DIR/run"; }
nothing_left() { [[ -z $(left) ]]; }

note 'the command has its tunnel'
expect_exit 0 "${exec_[@]}" -L 0:127.0.0.1:8009 -L 18010:127.0.0.1:8010 pfwd@127.0.0.1 -- \
	sh -c 'echo "$TUNNEL_8009 $TUNNEL_8010 ${SSH_AUTH_SOCK-none}"; curl -sS "http://$TUNNEL_8009/"; curl -sS "http://$TUNNEL_8010/"'
read -r first second agent <"$WORK/out"
[[ $first =~ ^127\.0\.0\.1:[0-9]+$ && $first != *:0 ]] || fail "no free port: $first"
assert_eq "$second $agent" '127.0.0.1:18010 none' 'a local port that was named'
for port in 8009 8010; do grep -q "hello from $port" "$WORK/out" || fail "$(cat "$WORK/out" "$WORK/err")"; done
nothing_left || fail "something is left: $(left)"
ok 'data through both, at once, and nothing is left'

note 'its exit status'
expect_exit 7 "${exec_[@]}" -L 0:127.0.0.1:8009 pfwd@127.0.0.1 -- sh -c 'exit 7'
expect_exit 143 "${exec_[@]}" -L 0:127.0.0.1:8009 pfwd@127.0.0.1 -- sh -c 'kill -TERM $$'
expect_exit 125 "${exec_[@]}" -L 0:127.0.0.1:8009 pfwd@127.0.0.1 -- /no/such
grep -q "cannot run '/no/such': No such file" "$WORK/err" || fail "$(cat "$WORK/err")"

note 'where no tunnel can be had the command does not start'
refuses() { # STATUS WORDS OPTION...
	local status=$1 words=$2; shift 2
	expect_exit "$status" "${exec_[@]}" "$@" -- touch "$WORK/started"
	grep -qE "$words" "$WORK/err" || fail "$*: $(cat "$WORK/err")"
	[[ ! -e $WORK/started ]] || fail "$*: the command ran"
	ok "$status, '$words': ${*: -2:1}"
}
refuses 125 'not started: no tunnel: .*[Rr]efused' -p 9 -L 0:127.0.0.1:8009 pfwd@127.0.0.1
refuses 125 'not started: no tunnel: .*Permission denied' -L 0:127.0.0.1:8009 nobody@127.0.0.1
refuses 125 'not started: no tunnel: ' --host-key SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA -L 0:127.0.0.1:8009 pfwd@127.0.0.1
refuses 125 'not started: no tunnel: .*8009' -L 8009:127.0.0.1:8009 -L 0:127.0.0.1:8010 pfwd@127.0.0.1
forbids='not started: no tunnel: the far side forbids the forward to 127.0.0.1:'
refuses 125 "${forbids}8011" -L 0:127.0.0.1:8011 pfwd@127.0.0.1
refuses 125 "${forbids}8011" -L 0:127.0.0.1:8009 -L 0:127.0.0.1:8010 -L 0:127.0.0.1:8011 pfwd@127.0.0.1
refuses 2 'is a range' -L 18000-18001 pfwd@127.0.0.1
refuses 2 'remote port of another -L' -L 0:127.0.0.1:8009 -L 0:localhost:8009 pfwd@127.0.0.1
refuses 2 'exec takes -L|no -L is named' pfwd@127.0.0.1
refuses 2 'for a service' -d -L 0:127.0.0.1:8009 pfwd@127.0.0.1
expect_exit 2 "${exec_[@]}" -L 0:127.0.0.1:8009 pfwd@127.0.0.1
expect_exit 2 tunnel-agent -i "$WORK/alice" -L 0:127.0.0.1:8009 pfwd@127.0.0.1
nothing_left || fail "something is left: $(left)"

note 'what starts all the same'
mute 8012
leasectl set alice --open +8012 --open +8013 >/dev/null
starts() { # WORDS OPTION...
	expect_exit 0 "${exec_[@]}" "${@:2}" pfwd@127.0.0.1 -- true
	[[ -z $1 ]] || grep -q "$1" "$WORK/err" || fail "$(cat "$WORK/err")"
}
began_ms=${EPOCHREALTIME/./}
starts '' -L 0:127.0.0.1:8012 -L 0:127.0.0.1:8009
(((${EPOCHREALTIME/./} - began_ms) / 1000 < $(slow 4) * 1000)) || fail 'a silent service holds the command up'
starts '' -L 0:127.0.0.1:8009 -L 0:127.0.0.1:8013
starts '' --probe none -L 0:127.0.0.1:8011
ok 'a silent service, none at all, and a forward that is forbidden with --probe none'

# begin: the command in the background; its process in COMMAND, the keeper in KEEPER, ssh in SSH_PID
begin()
{
	rm -f "$WORK/out"
	"${exec_[@]}" -L 0:127.0.0.1:8009 pfwd@127.0.0.1 -- sh -c 'echo "$$ $TUNNEL_8009"; sleep 300 & sleep 300' \
		>"$WORK/out" 2>"$WORK/err" & AGENT=$!
	wait_for 20 'the command' has_line "$WORK/out" '^[0-9]'
	read -r COMMAND ADDRESS <"$WORK/out"
	KEEPER=$(pgrep -P "$AGENT" | grep -vx "$COMMAND")
	SSH_PID=$(pgrep -P "$KEEPER" -x ssh)
}

note 'ssh is killed: the same port is there again'
begin
kill -KILL "$SSH_PID"
comes_back() { [[ $(fetch "http://$ADDRESS/" 2>/dev/null) == 'hello from 8009' ]]; }
wait_for 10 'the tunnel again' comes_back
is_gone "$COMMAND" && fail 'the command was ended'
ok 'the command went on'
kill -TERM "$AGENT"
rc=0; wait "$AGENT" || rc=$?
assert_eq "$rc" 143 'SIGTERM is passed on'
wait_for 1 'the end of all' nothing_left

note 'killed: one process at a time'
killed() { # WHICH PID
	kill -KILL "$2"
	wait_for 1 "the end of all after kill -9 of $1: $(left)" all_gone
	wait "$AGENT" 2>/dev/null || :
	ok "kill -9 of $1: nothing is left"
}
all_gone() { is_gone "$AGENT" && is_gone "$COMMAND" && is_gone "$KEEPER" && is_gone "$SSH_PID" && nothing_left; }
begin; killed tunnel-agent "$AGENT"
begin; killed 'the command' "$COMMAND"
begin; killed 'the keeper' "$KEEPER"

note 'an invite: the key is in memory only'
join_stand_in
exec_=(tunnel-agent exec -p 2222 --host-key "$PIN" --invite)
expect_exit 0 "${exec_[@]}" "$CODE" -L 0:127.0.0.1:8009 127.0.0.1 -- \
	sh -c 'curl -sS "http://$TUNNEL_8009/"; echo "${SSH_AUTH_SOCK-none}"; ls "$STATE_DIR/run"; grep -rls "PRIVATE KEY" "$HOME" "$STATE_DIR" /dev/shm || :'
assert_eq "$(head -n 1 "$WORK/out")" 'hello from 8009none' 'the invite alone opens the tunnel'
! grep -q '^/' "$WORK/out" || fail "a private key is in a file: $(cat "$WORK/out")"
grep -q -- '-agent$' "$WORK/out" || fail "no agent: $(cat "$WORK/out")"
nothing_left || fail "something is left: $(left)"
echo "$CODE" >"$WORK/code"
expect_exit 0 "${exec_[@]}" "@$WORK/code" -L 0:127.0.0.1:8009 pfwd@127.0.0.1 -- true
printf '%s\nfor the command\n' "$CODE" >"$WORK/lines"
expect_exit 0 "${exec_[@]}" - -L 0:127.0.0.1:8009 127.0.0.1 -- cat <"$WORK/lines"
assert_eq "$(cat "$WORK/out")" 'for the command' 'a code from standard input, of which the rest is the command'"'"'s'
expect_exit 125 "${exec_[@]}" KQ7P-3XMA-9TRE-WZ2J -L 0:127.0.0.1:8009 127.0.0.1 -- touch "$WORK/started"
expect_exit 2 "${exec_[@]}" KQ7P -L 0:127.0.0.1:8009 127.0.0.1 -- touch "$WORK/started"
expect_exit 2 "${exec_[@]}" "@$WORK/nowhere" -L 0:127.0.0.1:8009 127.0.0.1 -- touch "$WORK/started"
grep -q "cannot read the file of the code '$WORK/nowhere': No such file" "$WORK/err" || fail "$(cat "$WORK/err")"
expect_exit 2 "${exec_[@]}" - -L 0:127.0.0.1:8009 127.0.0.1 -- touch "$WORK/started" </dev/null
grep -q "no code is in 'standard input'" "$WORK/err" || fail "$(cat "$WORK/err")"
[[ ! -e $WORK/started ]] || fail 'the command ran without an invite'
nothing_left || fail "something is left: $(left)"
ok 'a wrong code starts nothing'
exec_+=("$CODE")
begin_with_invite() { begin; AGENT_OF_KEY=$(pgrep -P "$KEEPER" -x ssh-agent); }
all_gone() { is_gone "$AGENT" && is_gone "$COMMAND" && is_gone "$KEEPER" && is_gone "$AGENT_OF_KEY" && nothing_left; }
begin_with_invite; killed tunnel-agent "$AGENT"
begin_with_invite; killed 'the keeper' "$KEEPER"
begin_with_invite
kill -KILL "$AGENT_OF_KEY"
no_files() { ! compgen -G "$STATE_DIR/run/*-agent" >/dev/null && ! compgen -G "$STATE_DIR/run/*-key*" >/dev/null; }
wait_for 1 'the end of the agent'"'"'s files' no_files
comes_back || fail 'the connection that is up ended with the ssh-agent'
kill -KILL "$(pgrep -P "$KEEPER" -x ssh)"
wait_for 5 'the end of all' all_gone
wait "$AGENT" || :
grep -q 'cannot be had again, ending the command: its key' "$WORK/err" || fail "$(cat "$WORK/err")"
ok 'kill -9 of the ssh-agent: the connection serves on, and when it breaks the command is ended'

note 'an invite of the real gateway'
userdel -f join
leasectl setup --join >/dev/null 2>&1 || :
leased -D >"$WORK/leased.log" 2>&1 & at_exit $!
wait_for 10 'the socket of join' test -S /run/tunlease-join/socket
reload_sshd
code_of() { leasectl invite "$@" 2>&1 | grep -oE '[2-9A-HJ-NP-Z]{4}(-[2-9A-HJ-NP-Z]{4}){3}' | head -n 1; }
code=$(code_of db1 --agent)
expect_exit 125 tunnel-agent exec --host-key "$PIN" --invite "$code" -L 0:127.0.0.1:8009 127.0.0.1 -- touch "$WORK/started"
grep -q "is for the private host 'db1'" "$WORK/err" || fail "$(cat "$WORK/err")"
[[ ! -e $WORK/started ]] || fail 'the command ran with the lease of a private host'
new_key db1 >/dev/null
"${SSH[@]}" -i "$WORK/db1" join@127.0.0.1 "$code" >"$WORK/out" 2>&1 || fail "the invite was spent: $(cat "$WORK/out")"
ok 'an invite of a private host is refused, and not spent'
code=$(code_of ci --open 8009)
expect_exit 0 tunnel-agent exec --host-key "$PIN" --invite "$code" -L 0:127.0.0.1:8009 127.0.0.1 -- \
	sh -c 'curl -sS "http://$TUNNEL_8009/"'
assert_eq "$(<"$WORK/out")" 'hello from 8009' 'one command, no key and no file: data through the tunnel'
nothing_left || fail "something is left: $(left)"

note 'a far side that allows the port of the canary, and so answers it in another way'
printf '%s\n' '#!/bin/sh' 'echo "restrict,port-forwarding,permitopen=\"127.0.0.1:1\",permitopen=\"127.0.0.1:8009\" $2 $3"' >/run/join-stand-in/akc
exec_=(tunnel-agent exec -p 2222 --host-key "$PIN" -i "$WORK/alice")
starts '' -L 0:127.0.0.1:8009
refuses 125 "${forbids}8010" -L 0:127.0.0.1:8009 -L 0:127.0.0.1:8010 pfwd@127.0.0.1
