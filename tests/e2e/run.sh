#!/bin/bash
# SPDX-License-Identifier: ISC
# leasectl run: a lease that is there while a command runs, as whom the command runs, how it ends, and that
# nothing of it is left. A terminal's keys reach the command.
# sandbox: --leased
# timeout: 120
# shellcheck disable=SC2016 # texts for the command's shell
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/fault/store_tools.sh"

for name in alice bob carol; do new_key "$name" >/dev/null; done
pub() { echo "$WORK/$1.pub"; }
serve 8009
chmod 711 "$WORK"
install -d -m 777 "$WORK/li"

# As sudo runs it when li calls it. An array, so that in the background $! is leasectl itself.
as_li=(env SUDO_USER=li SUDO_UID="$(id -u li)" SUDO_GID="$(id -g li)")
run=("${as_li[@]}" leasectl run alice --key "$(pub alice)" --open 8009)
state_of() { leasectl --json list --all | python3 -c 'import json, sys
print(*[l["state"] for l in json.load(sys.stdin) if l["name"] == sys.argv[1]][-1:])' "$1"; }
is_in_state() { [[ $(state_of "$1") == "$2" ]]; }
has_line() { grep -qsE -- "$2" "$1"; }

"${as_li[@]}" leasectl run bob --key "$(pub bob)" --open 8009 -- sleep 300 >"$WORK/bob.out" 2>"$WORK/bob.err" & long=$!
at_exit "$long"
wait_for 10 'the lease' is_in_state bob active

note 'whose the command is, and what it gets'
expect_exit 0 "${run[@]}" -- sh -c 'id -u; id -g; id -G; echo "$HOME $USER $LOGNAME $SHELL ${SUDO_USER-none}"; pwd; umask'
mapfile -t got <"$WORK/out"
assert_eq "${got[*]:0:3}" "$(id -u li) $(id -g li) $(id -G li)" 'the user who called sudo, with that user'"'"'s groups'
assert_eq "${got[3]}" '/home/li li li /bin/bash none' 'the environment of that user'
assert_eq "${got[4]}" "$PWD" 'the directory is kept'
grep -q "^granted 'alice' (#[0-9]*) on login 'pfwd' for as long as sh runs" "$WORK/err" || fail "$(cat "$WORK/err")"
grep -q -- '-L 8009:127.0.0.1:8009 pfwd@' "$WORK/err" || fail 'no line for the holder'
assert_eq "$(state_of alice)" revoked 'afterwards the lease is revoked'
expect_exit 0 "${as_li[@]}" leasectl run alice --as-root --key "$(pub alice)" --open 8009 -- id -u
assert_eq "$(<"$WORK/out")" 0 '--as-root'
expect_exit 2 leasectl run alice --key "$(pub alice)" --open 8009 -- id -u
grep -q -- '--as-root' "$WORK/err" || fail "$(cat "$WORK/err")"
expect_exit 125 env SUDO_USER=root SUDO_UID="$(id -u li)" SUDO_GID=0 leasectl run alice --key "$(pub alice)" --open 8009 -- id -u
ok 'root without sudo is asked back, and a SUDO_USER that does not fit is refused'

if type -P sudo >/dev/null; then
	note 'through sudo itself, which cleans the environment in its own way'
	echo 'li ALL=(root) NOPASSWD: /usr/bin/leasectl run *' >/etc/sudoers.d/li
	expect_exit 7 setpriv --reuid=li --regid=li --init-groups env HOME=/home/li USER=li LOGNAME=li \
		sudo -n leasectl run alice --key "$(pub alice)" --open 8009 -- \
		sh -c 'echo "$(id -u) $(id -g) $(id -G) $HOME $USER $LOGNAME $SHELL ${SUDO_USER-none}"; exit 7'
	assert_eq "$(<"$WORK/out") $(state_of alice)" \
		"$(id -u li) $(id -g li) $(id -G li) /home/li li li /bin/bash none revoked" 'the user who called it'
else
	note 'not tried: sudo itself, which is not installed here'
fi

note 'its exit status, and what is refused before it starts'
expect_exit 0 "${run[@]}" -- true
expect_exit 7 "${run[@]}" -- sh -c 'exit 7'
expect_exit 137 "${run[@]}" -- sh -c 'kill -KILL $$'
rows=$(query 'SELECT count(*) FROM audit')
for words in '-- /no/such' '-- /etc/passwd'; do
	# shellcheck disable=SC2086
	expect_exit 125 "${run[@]}" $words
	grep -q "cannot run '" "$WORK/err" || fail "$(cat "$WORK/err")"
	assert_eq "$(state_of alice)" revoked "nothing is left of: run $words"
done
assert_eq "$(query "SELECT group_concat(action, ' ') FROM (SELECT action FROM audit WHERE seq > $rows AND action <> 'session_open')")" \
	'run revoke run revoke' 'a begin and an end in the audit'
rows=$(query 'SELECT count(*) FROM audit')
for words in '' '--' 'true' '--for 3h'; do
	# shellcheck disable=SC2086
	expect_exit 2 "${run[@]}" $words
done
expect_exit 125 "${as_li[@]}" leasectl run alice --key "$(pub alice)" --open 10.0.0.1:22 -- true # the ceiling
expect_exit 125 "${as_li[@]}" leasectl run bob --key "$(pub alice)" --open 8009 -- true                        # the name is taken
expect_exit 125 "${run[@]}" --for 400d -- true
assert_eq "$(query 'SELECT count(*) FROM audit')" "$rows" 'a refusal changes nothing'

note 'the lease works while the command runs, and its sessions end with it'
mkfifo "$WORK/go"
"${run[@]}" -- sh -c "read -r x <'$WORK/go'" 2>"$WORK/err" & pid=$!
wait_for 10 'the lease' is_in_state alice active
fwd_L "$WORK/alice" pfwd 18009:127.0.0.1:8009 || fail 'no tunnel'
assert_eq "$(fetch http://127.0.0.1:18009/)" 'hello from 8009' 'data while it runs'
echo >"$WORK/go"
wait "$pid" || fail "run: $(cat "$WORK/err")"
wait_for 5 'the end of the tunnel' is_gone "$FWD_PID"
login_refused "$WORK/alice" pfwd
ok 'the tunnel ends with the command'

# A command that TERM does not end gets 10 s: looked at further down.
deaf()
{
	local rc=0
	"${as_li[@]}" leasectl run carol --key "$(pub carol)" --open 8009 -- \
		sh -c 'trap "" TERM; echo $$; while :; do sleep 0.2; done' >"$WORK/carol.out" 2>/dev/null || rc=$?
	echo "$rc $SECONDS" >"$WORK/carol.end"
}
deaf & deaf=$!
wait_for 10 'the command' has_line "$WORK/carol.out" '^[0-9]'
leasectl revoke carol >/dev/null
revoked_s=$SECONDS

note 'what an admin does to the lease ends the command'
cat >"$WORK/stubborn" <<-'EOF'
	#!/bin/sh
	trap 'echo TERM; exit 3' TERM
	echo ready
	while :; do sleep 0.1; done
EOF
chmod 755 "$WORK/stubborn"
ends_with() { # STATUS WORDS COMMAND...
	local status=$1 words=$2 rc=0; shift 2
	rm -f "$WORK/out"
	"${run[@]}" -- "$WORK/stubborn" >"$WORK/out" 2>"$WORK/err" & pid=$!
	wait_for 10 'the command' has_line "$WORK/out" ready
	"$@" >/dev/null 2>&1 || fail "$*"
	wait_for 10 "its end after: $*" has_line "$WORK/out" TERM
	wait "$pid" || rc=$?
	assert_eq "$rc" "$status" "$* ends it"
	grep -q "$words: ending the command" "$WORK/err" || fail "$(cat "$WORK/err")"
}
ends_with 3 'was revoked' leasectl revoke alice
stop_and_revoke() { kill -STOP "$pid" && leasectl revoke alice; }
ends_with 3 'was revoked' stop_and_revoke
ends_with 3 'was changed' leasectl set alice --open +8010
assert_eq "$(state_of alice)" revoked 'a lease whose permits were changed is revoked'
ends_with 3 'was given another end' leasectl renew alice --for 1h
assert_eq "$(state_of alice)" active 'one that was renewed stays'
leasectl revoke alice >/dev/null 2>&1
run_frozen() { leasectl freeze pfwd; }
kill -TERM "$long" # it would be ended by the freeze
rc=0; wait "$long" || rc=$?
assert_eq "$rc" 143 'SIGTERM is passed on'
ends_with 3 'was frozen' run_frozen
leasectl thaw pfwd >/dev/null
assert_eq "$(state_of alice) $(state_of bob)" 'revoked revoked' 'both are revoked'

note 'on a terminal: keys and job control'
WORK=$WORK python3 - <<-'EOF' || fail 'on a terminal'
	import os, pty, re, select, sys, time
	work, slow = os.environ["WORK"], int(os.environ.get("TEST_SLOW_PERCENT", "100")) / 100
	pid, fd = pty.fork()
	if pid == 0:
	    os.execvpe("bash", ["bash", "--norc", "--noprofile", "-i"], {**os.environ, "PS1": "READY> ", "TERM": "dumb"})
	seen = ""
	def until(pattern, again=None):
	    global seen
	    end = time.monotonic() + 10 * slow
	    while not re.search(pattern, seen):
	        # bash names a job before it hands the terminal over: until then ^C is its own.
	        if again and not select.select([fd], [], [], 0.2)[0]:
	            type_in(again)
	        if not select.select([fd], [], [], max(0, end - time.monotonic()))[0]:
	            sys.exit(f"not seen: {pattern!r} in {seen!r}")
	        seen += os.read(fd, 4096).decode(errors="replace").replace("\r", "")
	    print("ok - seen:", pattern)
	    seen = ""
	def type_in(text):
	    os.write(fd, text.encode())
	run = f"leasectl run alice --as-root --key {work}/alice.pub --open 8009 -- "
	until("READY> ")
	type_in(run + "sh -c 'echo st''arted; exec sleep 300'\n"); until("started\n")
	type_in("\x03"); until("READY> ")
	type_in("echo status=$?\n"); until("status=130\n")
	type_in(run + "sh -c 'read -r x; echo \"got=$x\"'; echo status=$?\n"); until("prove it")
	type_in("word\n"); until("got=word\n"); until("status=0\n")
	type_in(run + "sh -c 'read -r x </dev/tty; echo \"got=$x\"' | cat\n"); until("prove it")
	type_in("word\n"); until("got=word\n")
	# Not sh, where that is dash: it waits in vfork(2) for its child, and when the child is stopped in there, it
	# is not stopped itself.
	type_in(run + "bash -c 'echo st''arted; sleep 300; echo th''rough'\n"); until("started\n")
	type_in("\x1a"); until("Stopped")
	type_in("jobs\n"); until("Stopped")
	type_in("bg; jobs\n"); until("Running")
	type_in("fg\n"); until("leasectl run")
	until("READY> ", again="\x03")
	type_in("echo status=$?\n"); until("status=130\n")
EOF

note 'killed: one process at a time'
killed() { # WHICH
	local pid group keeper
	rm -f "$WORK/out"
	"${run[@]}" -- sh -c 'echo $$; sleep 300 & sleep 300' >"$WORK/out" 2>/dev/null & pid=$!
	wait_for 10 'the command' has_line "$WORK/out" '^[0-9]'
	group=$(<"$WORK/out")
	keeper=$(pgrep -P "$pid" | grep -vx "$group")
	case $1 in leasectl) kill -KILL "$pid" ;; command) kill -KILL "$group" ;; keeper) kill -KILL "$keeper" ;; esac
	wait "$pid" 2>/dev/null || :
	wait_for 5 "the end of the command after $1" is_gone "$group"
	wait_for 5 "the end of the lease after $1" is_in_state alice revoked
	wait_for 5 "the end of the keeper after $1" is_gone "$keeper"
	ok "kill -9 of $1: the lease is revoked"
}
killed leasectl
killed command
killed keeper

note 'killed with its keeper: the lease is left, and gives way to the next run of its name and key'
# What is left is over; without the wait of a minute.
leave() { # NAME
	rm -f "$WORK/out"
	"${as_li[@]}" leasectl run "$1" --key "$(pub "$1")" --open 8009 --from 127.0.0.1,10.0.0.0/8 -- sh -c 'echo $$; sleep 300' >"$WORK/out" 2>/dev/null & pid=$!
	wait_for 10 'the command' has_line "$WORK/out" '^[0-9]'
	keeper=$(pgrep -P "$pid" | grep -vx "$(<"$WORK/out")")
	kill -STOP "$keeper" # or it would revoke the lease between the two
	kill -KILL "$pid" "$keeper"
	wait "$pid" 2>/dev/null || :
	wait_for 5 'the end of the command' is_gone "$(<"$WORK/out")"
	query "UPDATE lease SET expires_s = expires_s - 61 WHERE name = '$1' AND live = 1"
	is_in_state "$1" expired || fail "$1 is $(state_of "$1")"
}
number_of() { query "SELECT id FROM lease WHERE name = '$1' AND live = 1"; }
leave alice
left=$(number_of alice) rows=$(query 'SELECT count(*) FROM audit')
expect_exit 125 "${as_li[@]}" leasectl run alice --key "$(pub bob)" --open 8009 -- true
grep -q "taken by the expired lease 'alice' (#$left)" "$WORK/err" || fail "$(cat "$WORK/err")"
expect_exit 5 leasectl grant alice --key "$(pub alice)" --open 8009
expect_exit 125 "${as_li[@]}" leasectl run alice2 --key "$(pub alice)" --open 8009 -- true
assert_eq "$(query 'SELECT count(*) FROM audit') $(number_of alice)" "$rows $left" 'another key, a grant, another name: refused, and nothing changed'
expect_exit 0 "${as_li[@]}" leasectl run alice --key "$(pub alice)" --open 8010 -- true
assert_eq "$(query "SELECT group_concat(action || ' ' || lease_id, ', ') FROM (SELECT action, lease_id FROM audit WHERE seq > $rows)")" \
	"revoke $left, run $((left + 1)), revoke $((left + 1))" 'the next run goes on with another lease'
leasectl audit --lease alice | some_line "instead_of=$left" || fail "$(leasectl audit --lease alice)"
leave alice
leasectl set alice --open +8010 >/dev/null
expect_exit 125 "${run[@]}" -- true
leasectl revoke alice >/dev/null
leasectl grant alice --key "$(pub alice)" --open 8009 --for 1h >/dev/null
query "UPDATE lease SET expires_s = $(date +%s) - 1 WHERE name = 'alice' AND live = 1"
expect_exit 125 "${run[@]}" -- true
assert_eq "$(state_of alice)" expired 'what an admin has changed or granted stays'

note 'a command that does not end by SIGTERM'
wait_for 20 'its end' is_gone "$deaf"
read -r rc ended_s <"$WORK/carol.end"
((ended_s - revoked_s >= 9)) || fail "it was killed after $((ended_s - revoked_s)) s"
assert_eq "$rc" 137 'is killed after 10 s'
is_gone "$(<"$WORK/carol.out")" || fail 'it runs on'
