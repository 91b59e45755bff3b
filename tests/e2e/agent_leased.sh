#!/bin/bash
# SPDX-License-Identifier: ISC
# tunnel-agent with the real leased, sshd and pam_tunnel: register, data, heartbeats, expiry and
# renewal, two machines with one key, leased stopped and frozen, revocation; and `leasectl agent add` with --gateway.
# sandbox: --leased
# timeout: 180
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/agent_lib.sh"

api=an-enrolment-key-for-the-tests
url=http://127.0.0.1:12000
serve 8022
conf=$(quick)
reaches() { [[ $(fetch "http://127.0.0.1:$1/") == 'hello from 8022' ]]; }
lease() { leasectl --json show "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$2"; }

agent -d -c "$conf" --endpoint "$url" --api-key "$api" --agent-id db1 --target 127.0.0.1:8022
wait_for 10 'the tunnel to be up' is gateway up
port=$(field gateway port_b)
wait_for 5 'data through the reverse tunnel' reaches "$port"
wait_for 5 'leased to answer the probe' service_is gateway ok
[[ -s $STATE_DIR/agent_secret && -s $STATE_DIR/known_hosts ]] || fail 'secret or host keys are missing'
assert_eq "$(lease db1 state)" active 'registered'

# leased ends and starts again: no ssh is restarted.
ssh=$(ssh_of)
kill "$(cat /run/leased.pid)"
wait_for 6 'its absence to be seen' service_is gateway down
sleep 1
reaches "$port" || fail 'no data without leased'
leased </dev/null >/run/leased.out 2>&1 &
LEASED=$!
at_exit "$LEASED"
wait_for 6 'leased again' service_is gateway ok
kill -STOP "$LEASED"
wait_for 6 'the frozen leased to be seen' service_is gateway silent
sleep 2
kill -CONT "$LEASED"
wait_for 6 'leased again' service_is gateway ok
assert_eq "$(ssh_of) $(field gateway restarts)" "$ssh 0" 'leased stopped or frozen: no restart'

# Its port is the same after a restart, and without the enrolment key.
agent_stop
silent() { ! reaches "$port"; }
wait_for 5 'the port to be freed' silent
agent -d -c "$conf" --endpoint "$url" --target 127.0.0.1:8022
wait_for 10 'up again' reaches "$port"
ok 'the same port again, by the secret alone'

# Expired: leased ends the session at that second, the agent slows down and says what a person must do,
# and needs nobody after the renewal.
expire_soon db1
wait_for 15 'held once the lease has ended' is gateway held
said 'leasectl renew db1' || fail "it does not say who must do what: $(tail -n 3 "$WORK/agent.err")"
refusals() { grep -c 'refused login=gw-tunnel .*reason=expired' "$SANDBOX_LOG" || :; }
before=$(refusals)
tried() { (($(refusals) > before)); }
# Not of this machine's time, which is more than the agent's intervals grow with (quick).
watched_s=$((3 * $(sed -n 's/^AuthRetry \([0-9]*\)s$/\1/p' "$conf")))
sleep "$watched_s"
tries=$(($(refusals) - before))
# sshd asks akc once or twice a login; the wait is two to five seconds here, and 1 to 18 minutes by default.
((tries <= 6)) || fail "$tries refusals in $watched_s s"
wait_for 10 'another try' tried
wait_for 5 'held between its tries' is gateway held
leasectl renew db1 --for 1h >/dev/null
wait_for 15 'up by itself after leasectl renew' is gateway up
reaches "$port" || fail 'no data after the renewal'
ok "expired: held, $tries refusals in $watched_s s, and back after leasectl renew"

# A copy of this machine with its key: one of the two pauses, and logs why.
mkdir -m 0700 "$WORK/copy"
cp -p "$STATE_DIR"/{agent.pem,agent_id,agent_secret,known_hosts,session.json} "$WORK/copy/"
STATE_DIR=$WORK/copy tunnel-agent -d -c "$conf" --endpoint "$url" --target 127.0.0.1:8022 </dev/null 2>"$WORK/copy.err" &
copy=$!
at_exit "$copy"
either() { grep -q 'another client uses this key\|another host has the state of this agent, and the gateway ended' "$WORK/agent.err" "$WORK/copy.err"; }
wait_for 30 'one of two agents with one key to pause' either
kill "$copy"
wait "$copy" || fail 'the copy exits with an error'
wait_for 20 'the other to be up' is gateway up
ok 'two machines with one key: one pauses'

# Revoked: stops for good, exit 0, by its own secret alone.
agent_stop
agent -d -c "$conf" --endpoint "$url" --target 127.0.0.1:8022
wait_for 10 'up again' is gateway up
leasectl revoke db1 >/dev/null || (($? == 6))
ended() { gone "$AGENT"; }
wait_for 30 'the agent to stop for good' ended
rc=0; wait "$AGENT" || rc=$?
assert_eq "$rc" 0 'revoked: exit 0'
said 'revoked' || fail 'it does not say so'

# No HTTP from this host: the admin has added its key, and it registers through its own ssh.
export STATE_DIR=$WORK/direct
tunnel-agent key >"$WORK/direct.pub"
leasectl --json agent add db2 --key "$WORK/direct.pub" >"$WORK/added.json"
added() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$WORK/added.json" "$1"; }
agent -d -c "$conf" --gateway "gw-tunnel@$GATEWAY" --token "$(added token)" --agent-id db2 --target 127.0.0.1:8022 \
	--host-key "$(ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub | cut -d' ' -f2)"
wait_for 20 'up through ssh alone' up_with_port
wait_for 10 'data' reaches "$(added port_b)"
assert_eq "$(field gateway port_b) $(lease db2 state)" "$(added port_b) active" 'leasectl agent add, and --gateway'
agent_stop
# Its secret is lost: the tunnel works, and the log says what the admin can do.
rm "$STATE_DIR/agent_secret"
direct() { agent -d -c "$conf" --gateway "gw-tunnel@$GATEWAY" --token "$(added token)" --agent-id db2 --target 127.0.0.1:8022; }
direct
wait_for 20 'what to ask the admin for' said "does not accept the key or token: only its agent_secret .*, until an admin runs 'leasectl agent reset'[.] If it is right, .*'leasectl agent reset db2'"
[[ ! -e $STATE_DIR/agent_secret ]] || fail 'it got another secret'
agent_stop
leasectl agent reset db2 >/dev/null
direct
wait_for 20 'another secret after leasectl agent reset' test -s "$STATE_DIR/agent_secret"
wait_for 10 'data' reaches "$(added port_b)"
agent_stop
# A secret that the gateway does not know, as after a restored store, and a token that it accepts.
leasectl agent reset db2 >/dev/null
printf '%064d' 0 >"$STATE_DIR/agent_secret"
direct
has_new_secret() { [[ $(<"$STATE_DIR/agent_secret") == *[1-9a-f]* ]]; }
wait_for 10 'a new secret by the token at once, though the old secret was refused' has_new_secret
! said 'does not accept' || fail 'it asks a person for help, and needs none'
wait_for 10 'data' reaches "$(added port_b)"
agent_stop
# The admin has taken it out and added it again, on another port than the one that it remembers.
leasectl revoke db2 >/dev/null
leasectl delete db2 >/dev/null
old_port=$(added port_b)
leasectl --json agent add db2 --key "$WORK/direct.pub" >"$WORK/added.json"
[[ $(added port_b) != "$old_port" ]] || fail 'the new lease has the old port: nothing is tried'
direct
wait_for 20 'it gives the old port up, and is told the new one' reaches "$(added port_b)"
! said '\(null\)' || fail 'a line of the log has no text'
direct_ssh=$(ssh_of)
new_key db5 >/dev/null
leasectl agent add db5 --key "$WORK/db5.pub" >/dev/null

# leased on another port than 12000. An agent learns the port when it registers, even through a forward
# from another port; one that comes by ssh alone gets it from leasectl agent add.
kill "$LEASED"
wait "$LEASED" || :
echo 'Listen 127.0.0.1:12500' >>/etc/tunlease/tunlease.conf
old=$(stat -c '%i %z' /run/sshd.pid)
leasectl setup >"$WORK/out" 2>&1 || fail "$(cat "$WORK/out")"
wait_for 5 'sshd reloads' sshd_reloaded "$old"
leased </dev/null >/run/leased.out 2>&1 &
LEASED=$!
at_exit "$LEASED"
on_12500() { fetch -f -o /dev/null http://127.0.0.1:12500/healthz; }
wait_for 5 'leased on 12500' on_12500
# Agents from before may open the new port. One whose tunnel is up may still open the old one, too.
opens() { leasectl --json show "$1" | python3 -c 'import json, sys; print(*json.load(sys.stdin)["open"])'; }
assert_eq "$(opens db5)" 127.0.0.1:12500 'an agent that is away'
assert_eq "$(opens db2)" '127.0.0.1:12000 127.0.0.1:12500' 'an agent whose tunnel is up'
sleep 0.5
kill -0 "$direct_ssh" || fail 'its session was ended for that'
reaches "$(added port_b)" || fail 'no data through it'
agent_stop
kill "$LEASED"; wait "$LEASED" || :
leased </dev/null >/run/leased.out 2>&1 & LEASED=$!
at_exit "$LEASED"
wait_for 5 'leased again' on_12500
assert_eq "$(opens db2)" 127.0.0.1:12500 'and when it is down'
python3 - 13500 12500 <<'END' &
import socket, sys, threading
def pump(a, b):
    while data := a.recv(65536):
        b.sendall(data)
    b.shutdown(socket.SHUT_WR)
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    near, far = listener.accept()[0], socket.create_connection(("127.0.0.1", int(sys.argv[2])))
    for a, b in ((near, far), (far, near)):
        threading.Thread(target=pump, args=(a, b), daemon=True).start()
END
at_exit $!
listens() { ! port_free 13500; }
wait_for 5 'the forward to it' listens
export STATE_DIR=$WORK/elsewhere
agent -d -c "$conf" --endpoint http://127.0.0.1:13500 --api-key "$api" --agent-id db3 --target 127.0.0.1:8022
wait_for 20 'up, and its heartbeats answered' service_is gateway ok
grep -q '"control_port": 12500' "$STATE_DIR/session.json" || fail "$(cat "$STATE_DIR/session.json")"
agent_stop
export STATE_DIR=$WORK/elsewhere-direct
tunnel-agent key >"$WORK/direct.pub"
leasectl --json agent add db4 --key "$WORK/direct.pub" >"$WORK/added.json"
read -r -a run < <(added run)
[[ " ${run[*]} " == *' --control-port 12500 '* ]] || fail "agent add does not tell the port: ${run[*]}"
[[ ${run[0]} == tunnel-agent ]] || fail "${run[*]}"
agent -d -c "$conf" "${run[@]:1}" --target 127.0.0.1:8022
wait_for 20 'by ssh alone: up, and answered' service_is gateway ok
agent_stop
ok 'leased on another port: told by its answer, and by leasectl agent add'
