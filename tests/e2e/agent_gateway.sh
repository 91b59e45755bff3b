#!/bin/bash
# SPDX-License-Identifier: ISC
# tunnel-agent for a gateway: register, ssh -R, heartbeats through its own tunnel; what it saves; a
# gateway that refuses in every way. tests/gateway_stand_in.py is the control port; sshd is real.
# sandbox:
# timeout: 180
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/agent_lib.sh"

far_host
gw=$WORK/far
api=enrol-me-with-this-key
printf '%s\n' "$FAR" >"$gw/ssh_host"
: >"$gw/keys"
control()
{
	rm -f "$gw/ready"
	ip netns exec far "$TOP/tests/gateway_stand_in.py" "$gw" 12000 </dev/null 2>"$WORK/control.err" &
	CONTROL=$!
	at_exit "$CONTROL"
	wait_for 5 'the control plane' test -e "$gw/ready"
}
control
# Makes the control port of the far loopback reachable for the first register, as a proxy would.
near_control()
{
	ip netns exec far python3 -c '
import socket, threading
def pump(a, b):
    try:
        while (d := a.recv(65536)): b.sendall(d)
        b.shutdown(socket.SHUT_WR)
    except OSError: pass
s = socket.create_server(("10.99.0.2", 12000))
while True:
    c, _ = s.accept()
    f = socket.create_connection(("127.0.0.1", 12000))
    threading.Thread(target=pump, args=(c, f), daemon=True).start()
    threading.Thread(target=pump, args=(f, c), daemon=True).start()
' </dev/null 2>/dev/null &
	at_exit "$!"
	wait_for 5 'the proxy' bash -c ": </dev/tcp/$FAR/12000" 2>/dev/null
}
near_control
serve 8022
conf=$(quick)
url=http://$FAR:12000
far_fetch() { ip netns exec far curl -s --max-time "$(slow 3)" "$@"; }
reaches() { [[ $(far_fetch "http://127.0.0.1:$1/") == 'hello from 8022' ]]; }
logged() { grep -E -q -e "$1" "$gw/log"; }

# ---- refused before anything starts ----
expect_exit 2 tunnel-agent --endpoint "$url" --api-key "$api" --target 127.0.0.1:8022
grep -q 'insecure' "$WORK/err" || fail 'plain http beyond loopback is not refused'
for bad in "--endpoint ftp://x" "--endpoint http://127.0.0.1:99999" "--endpoint $url --insecure --target x" \
	"--endpoint $url --insecure --target 127.0.0.1:0" "--endpoint $url --insecure --agent-id -x"; do
	# shellcheck disable=SC2086
	expect_exit 2 tunnel-agent $bad --api-key "$api"
	assert_eq "$(wc -l <"$WORK/err" | tr -d ' ')" "$(grep -c . "$WORK/err")" "one line each: $bad"
done
expect_exit 2 tunnel-agent --endpoint "$url" --insecure
[[ ! -e $STATE_DIR/session.json ]] || fail 'something was registered'
mkdir -m 0770 "$WORK/loose"
STATE_DIR=$WORK/loose expect_exit 2 tunnel-agent key
install -d -o li "$WORK/li"
STATE_DIR=$WORK/li expect_exit 2 tunnel-agent key
ok 'wrong usage: exit 2, nothing is started'

# ---- register, tunnel, state ----
agent -d -c "$conf" --endpoint "$url" --insecure --api-key "$api" --agent-id db1 --target 127.0.0.1:8022
wait_for 10 'the tunnel to be up' is gateway up
wait_for 3 'data through the reverse tunnel' reaches 20001
said 'registered agent_id=db1 port_b=20001 ssh_user=root jump_user=li jump_host=gateway.test connect_hint=' ||
	fail "the register line: $(cat "$WORK/agent.err")"
assert_eq "$(python3 -c 'import json,os,sys; print(json.load(open(os.path.join(sys.argv[1], "session.json")))["port_b"])' "$STATE_DIR")" \
	20001 "the port as ssh-tunnel-gateway's users read it"
! grep -q secret "$STATE_DIR/session.json" || fail 'session.json has the secret'
assert_eq "$(cd "$STATE_DIR" && stat -c '%n %a' . agent.pem agent_id agent_secret ctl.sock known_hosts session.json | tr '\n' ' ')" \
	'. 700 agent.pem 600 agent_id 600 agent_secret 600 ctl.sock 600 known_hosts 600 session.json 600 ' 'names and modes'
wait_for 5 'a heartbeat through the tunnel' logged '^heartbeat db1 .* secret'
assert_eq "$(field gateway port_b) $(field gateway agent_id)" '20001 db1' 'status'
expect_exit 1 env tunnel-agent --endpoint "$url" --insecure --api-key "$api"
ok 'registered, up, heartbeats; a second agent with this state is refused'

# ---- the control plane is down, or hangs: the tunnel stays ----
ssh=$(ssh_of)
kill -STOP "$CONTROL"
wait_for 6 'the silence to be seen' service_is gateway silent
sleep 2
kill -CONT "$CONTROL"
wait_for 6 'the answer to be seen' service_is gateway ok
kill "$CONTROL"
wait_for 6 'the absence to be seen' service_is gateway down
sleep 2
reaches 20001 || fail 'no data without the control plane'
assert_eq "$(ssh_of) $(field gateway restarts)" "$ssh 0" 'without a control plane nothing restarts'
control
wait_for 6 'registered again with a gateway that forgot it' logged '^register db1 20001 .* enrol'

# ---- a restart needs no HTTP ----
agent_stop
: >"$gw/log"
agent -d -c "$conf" --endpoint http://127.0.0.1:1 --target 127.0.0.1:8022
wait_for 10 'up from what it kept' reaches 20001
ok 'started again without the endpoint'
agent_stop

# ---- the gateway says no ----
: >"$gw/keys"; far_keys=$gw/keys
mv "$STATE_DIR/agent_secret" "$WORK/secret"
agent -d -c "$conf" --endpoint "$url" --insecure --api-key "$api" --target 127.0.0.1:8022
# The refusal has characters that control a terminal: C1's CSI, bidirectional ones, a zero-width one, a line end.
steering=$'\xc2\x9b31m\xe2\x80\xae\xe2\x81\xa6\xd8\x9c\xe2\x80\x8b\xe2\x80\xa8'
shown='\xc2\x9b31m\xe2\x80\xae\xe2\x81\xa6\xd8\x9c\xe2\x80\x8b\xe2\x80\xa8'
printf '403:expired %s, but Grüße\n' "$steering" >"$gw/answer"
wait_for 10 'held' is gateway held
said 'On the gateway: leasectl renew db1' || fail 'the log does not say what a person must do'
for source in "cat $WORK/agent.err" 'tunnel-agent status' "script -qec 'COLUMNS=999 tunnel-agent status' /dev/null"; do
	eval "$source" </dev/null >"$WORK/words" || :
	grep -F -q "refuses: $shown, but Grüße" "$WORK/words" || fail "shown in another way: $(cat -v "$WORK/words")"
	! grep -q -P '\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]' "$WORK/words" || fail "control characters reach the terminal: $(cat -v "$WORK/words")"
done
{ tunnel-agent status --json || :; } >"$WORK/words"
python3 - "$WORK/words" "$steering" <<-'END' || fail "status --json: $(cat -v "$WORK/words")"
	import json, sys
	text = open(sys.argv[1], encoding="utf-8").read()
	assert sys.argv[2] in json.loads(text)[0]["reason"], "the same string"
	assert not any(c in text for c in sys.argv[2] if ord(c) > 127), "as escapes"
END
rm "$gw/answer"
cut -d' ' -f1,2 <(ssh-keygen -y -f "$STATE_DIR/agent.pem") >"$far_keys"
wait_for 15 'back by itself after the renewal' is gateway up
ok 'expired: held, and back after renew'
agent_stop
# The same with an endpoint that cannot be reached: only the login tells that the lease was renewed.
: >"$far_keys"
agent -d -c "$conf" --endpoint http://127.0.0.1:1 --api-key "$api" --target 127.0.0.1:8022
wait_for 10 'held' is gateway held
cut -d' ' -f1,2 <(ssh-keygen -y -f "$STATE_DIR/agent.pem") >"$far_keys"
wait_for 15 'back by itself, without the endpoint' is gateway up
agent_stop
agent -d -c "$conf" --endpoint "$url" --insecure --api-key "$api" --target 127.0.0.1:8022
wait_for 10 'up' is gateway up
# Whoever takes the control port while leased is down can answer anything. No answer ends a tunnel that
# sshd admits, and the word "revoked" in a text decides nothing.
ssh=$(ssh_of)
cp "$STATE_DIR/known_hosts" "$WORK/pinned"
echo '403 it is revoked, and so is the lease' >"$gw/answer"
wait_for 5 'a refusal without a code' said 'a heartbeat was answered 403: it is revoked'
echo '403:revoked db1 was revoked' >"$gw/answer"
wait_for 5 'a refusal that sshd does not confirm' said 'Going on until its sshd says so'
echo '410 forgotten' >"$gw/answer"
wait_for 5 'told to register again' said 'Registering again'
echo '409 another key' >"$gw/answer"
wait_for 5 'told that it is a copy' said "copy of another: 'rm .*agent_id"
printf '{"agent_id":"other","port_b":7,"ssh_user":"root"}' >"$gw/raw"
rm "$gw/answer"
wait_for 5 'an answer for another agent' said "cannot use the gateway's answer: it is for another agent_id"
printf '{"agent_id":"db1","port_b":20001,"ssh_user":"root","heartbeat_interval_seconds":1,"gateway_host_keys":["%s"]}' \
	"$(cut -d' ' -f1,2 "$FAR_KEY.pub")" >"$gw/raw"
wait_for 5 'an answer with a host key of its own' said 'registered agent_id=db1 port_b=20001 .*jump_host= '
rm "$gw/raw"
reaches 20001 || fail 'no data any more'
assert_eq "$(ssh_of) $(field gateway restarts) $(cmp "$STATE_DIR/known_hosts" "$WORK/pinned" && echo pinned)" "$ssh 0 pinned" \
	'answers of the control port alone change nothing'
# After "unauthorized" or "too many" the enrolment key is tried, and then the secret again.
asked() { [[ $(sed "1,${from}d" "$gw/log" | grep -c -e "$1") -ge $2 ]]; }
for answer in '401 unknown' '429 too many wrong credentials'; do
	touch "$gw/secret_only"
	from=$(wc -l <"$gw/log")
	echo "$answer" >"$gw/answer"
	wait_for 8 "the enrolment key after '$answer'" asked 'register.* enrol' 1
	rm "$gw/answer"
	from=$(wc -l <"$gw/log")
	wait_for 8 "heartbeats with the secret after '$answer'" asked 'heartbeat.* secret' 2
	rm "$gw/secret_only"
done
assert_eq "$(ssh_of)" "$ssh" 'the tunnel stays'
# The control port names another login, and sshd refuses it: that does not confirm that we are revoked.
printf '{"agent_id":"db1","port_b":20001,"ssh_user":"nobody-here","heartbeat_interval_seconds":1,"ssh_host":"%s"}' "$FAR" >"$gw/raw"
echo '410 forgotten' >"$gw/answer"
from=$(wc -l <"$gw/log")
wait_for 5 'told to register again' asked register 1
rm "$gw/answer"
wait_for 8 'another login' said 'registered agent_id=db1 .*ssh_user=nobody-here'
wait_for 8 'refused there' said 'nobody-here@.*Permission denied'
from=$(wc -l <"$gw/log")
echo '403:revoked db1 was revoked' >"$gw/answer"
wait_for 20 'told that it is revoked' asked register 1
sleep 1
kill -0 "$AGENT" || fail 'answers of the control port alone ended it'
rm "$gw/answer" "$gw/raw"
agent_stop
rm "$STATE_DIR/session.json" # or it would try that login first
agent -d -c "$conf" --endpoint "$url" --insecure --api-key "$api" --target 127.0.0.1:8022
wait_for 10 'up with the login that it had' is gateway up
# The control port cannot make it log in again and again: a second move within a minute is refused.
for move in 20002 20003; do
	printf '{"agent_id":"db1","port_b":%s,"ssh_user":"root","heartbeat_interval_seconds":1,"ssh_host":"%s","ssh_port":22}' "$move" "$FAR" >"$gw/raw"
	from=$(wc -l <"$gw/log")
	echo '410 forgotten' >"$gw/answer"
	wait_for 5 'told to register again' asked register 1
	rm "$gw/answer"
	[[ $move == 20003 ]] || wait_for 10 'moved' said 'registered .*port_b=20002'
	[[ $move == 20003 ]] || wait_for 10 'up there' is gateway up
done
wait_for 5 'moved again' said 'names another port or login twice within a minute'
rm "$gw/raw"
assert_eq "$(field gateway port_b) $(state gateway)" '20002 up' 'the tunnel stays'
ssh=$(ssh_of)
echo '403:revoked db1 was revoked' >"$gw/answer"
wait_for 5 'revoked' said "the gateway says that 'db1' is revoked"
: >"$far_keys"
kill "$ssh"
rc=0; wait "$AGENT" || rc=$?
assert_eq "$rc" 0 'revoked, and sshd refuses the key: exit 0'
said 'Stopping for good' || fail 'it does not say so'
rm "$STATE_DIR/session.json"
expect_exit 1 tunnel-agent -d --endpoint "$url" --insecure --api-key "$api"
echo '409 another key' >"$gw/answer"
expect_exit 1 tunnel-agent -d --endpoint "$url" --insecure --api-key "$api"
grep -q "copy of another: 'rm .*agent_id" "$WORK/err" || fail 'a copy is not told what to do'
echo '401 unknown' >"$gw/answer"
expect_exit 1 tunnel-agent -d --endpoint "$url" --insecure --api-key "$api"
grep -q "does not accept the agent_secret, nor the key or token: unknown.*'leasectl agent reset db1'" "$WORK/err" || fail "$(cat "$WORK/err")"
rm "$gw/answer"
ok 'a copy, and a wrong key: exit 1, and the log says why'

# ---- --over-ssh, and --gateway ----
mkdir -p /root/.ssh
cat "$FAR_KEY.pub" >>"$far_keys"
cat >/root/.ssh/config <<-END
	Host GWServer
	    HostName $FAR
	    IdentityFile $FAR_KEY
	    UserKnownHostsFile $gw/known_hosts
	    ClearAllForwardings yes
	    ControlMaster auto
	    ControlPath $WORK/master
	    ControlPersist yes
	    ForkAfterAuthentication yes
	    NoHostAuthenticationForLocalhost yes
END
export STATE_DIR=$WORK/over
agent -d -c "$conf" --endpoint http://10.255.255.1:12000 --over-ssh GWServer --api-key "$api" --agent-id db2 --target 127.0.0.1:8022
wait_for 15 'up over ssh' is gateway up
wait_for 5 'data' reaches "$(field gateway port_b)"
agent_stop
expect_exit 2 tunnel-agent -d --endpoint http://10.255.255.1:12000 --over-ssh GWServe --api-key "$api"
# The local port is taken before: another one is used. It is taken while ssh logs in: nothing is sent to it.
serve 12000
squatter=${test_pids[-1]}
rm "$STATE_DIR/session.json" "$STATE_DIR/agent_secret"
agent -d -c "$conf" --endpoint http://10.255.255.1:12000 --over-ssh GWServer --api-key "$api" --agent-id db2 --target 127.0.0.1:8022
wait_for 15 'up over ssh, by another local port' is gateway up
agent_stop
kill "$squatter"
wait_for 5 'the port to be free' port_free 12000
mkdir "$WORK/bin"
cat >"$WORK/stranger.py" <<-'END'
	import socket, sys
	s = socket.create_server(("127.0.0.1", 12000))
	open(sys.argv[1], "w").close()
	while True:
	    c = s.accept()[0]
	    if d := c.recv(65536):
	        open(sys.argv[1], "wb").write(d)
END
cat >"$WORK/bin/ssh" <<-END
	#!/bin/bash
	# Logs in slowly, so that the stranger gets the port first. (-G only finds out what this ssh knows.)
	[[ " \$* " != *' -G '* ]] || exec /usr/bin/ssh "\$@"
	python3 "$WORK/stranger.py" "$WORK/caught" </dev/null >/dev/null 2>&1 &
	sleep 1
	exec /usr/bin/ssh "\$@"
END
chmod +x "$WORK/bin/ssh"
rm "$STATE_DIR/session.json" "$STATE_DIR/agent_secret"
PATH=$WORK/bin:$PATH expect_exit 1 timeout 60 tunnel-agent -d -c "$conf" --endpoint http://10.255.255.1:12000 --over-ssh GWServer \
	--api-key "$api" --agent-id db2 --target 127.0.0.1:8022
[[ -e $WORK/caught && ! -s $WORK/caught ]] || fail "the key went to a stranger: $(cat "$WORK/caught")"
ok '--over-ssh: goes to the alias alone; an alias that does not exist is not used'

export STATE_DIR=$WORK/direct
expect_exit 2 tunnel-agent -d --gateway "root@$FAR" --token "$api" --target 127.0.0.1:8022
tunnel-agent key >>"$far_keys"
pin=$(ssh-keygen -lf "$gw/host.pub" | cut -d' ' -f2)
agent -d -c "$conf" --gateway "root@$FAR" --token "$api" --host-key "$pin" --target 127.0.0.1:8022
wait_for 20 'up without any HTTP port' up_with_port
port=$(field gateway port_b)
wait_for 10 'data' reaches "$port"
assert_eq "$(field gateway restarts) $(tunnel-agent status | cut -f7)" '0 ' 'a first start counts no restart and shows no reason'
! said ' down: ' || fail "a first start logs a failure: $(cat "$WORK/agent.err")"
agent_stop
ok '--gateway registers through its own ssh'

# Another program has its port there: the waits after a refused forward grow.
in_far python3 -c "import socket, time; s = socket.create_server(('127.0.0.1', $port)); time.sleep(99)" &
at_exit "$!"
agent -d -c "$conf" --gateway "root@$FAR" --token "$api" --host-key "$pin" --target 127.0.0.1:8022
logins() { grep -c 'Accepted publickey' "$gw/log" || :; }
pauses()
{
	local now=${EPOCHREALTIME/./} count
	count=$(logins)
	((count == last_count)) || { ((last_count == first || now - last < 2500000)) || return 0; last=$now last_count=$count; }
	return 1
}
first=$(logins) last_count=$first last=0
wait_for 40 'a pause of more than 2.5 s between two logins' pauses
note "$((last_count - first)) logins before that pause"
said_text "ss -ltnp 'sport = :$port'" || fail 'it does not say where to look'
agent_stop
ok 'another program on its port: it backs off'

# Not the pinned host key: never accepted, and the log says which one was expected.
wrong=SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
agent -d -c "$conf" --gateway "root@$FAR" --token "$api" --host-key "$wrong" --target 127.0.0.1:8022
wait_for 10 'held for its host key' is gateway held
said_text "expected $wrong, the host shows $pin" || fail "$(cat "$WORK/agent.err")"
sleep 3
is gateway held || fail 'it did not stay held'
ok 'a wrong host key is refused'
agent_stop

# ---- https: the certificate counts ----
skip_without openssl
kill "$CONTROL"
wait_for 5 'the control plane to end' gone "$CONTROL"
mkdir "$gw/tls"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$FAR" \
	-addext "subjectAltName=IP:$FAR" -keyout "$gw/tls/key.pem" -out "$gw/tls/cert.pem" 2>/dev/null
control
cat "$FAR_KEY.pub" >"$far_keys"
export STATE_DIR=$WORK/tls
expect_exit 1 tunnel-agent -d --endpoint "https://$FAR:12000" --api-key "$api" --target 127.0.0.1:8022
grep -qi 'certificate' "$WORK/err" || fail "a certificate of an unknown authority: $(cat "$WORK/err")"
cat "$gw/tls/cert.pem" >>/etc/ssl/certs/ca-certificates.crt
agent -d -c "$conf" --endpoint "https://$FAR:12000" --api-key "$api" --target 127.0.0.1:8022
wait_for 15 'up after a register over https' is gateway up
! grep -q libcurl "/proc/$AGENT/maps" || fail 'the agent itself has loaded libcurl'
agent_stop
ok 'https: an unknown certificate is refused, libcurl is loaded by a child alone'
