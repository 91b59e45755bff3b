#!/bin/bash
# SPDX-License-Identifier: ISC
# tunnel-agent for a gateway: register, ssh -R, heartbeats through its own tunnel; what it keeps; a
# gateway that says no in each way. The control plane is tests/gateway_stand_in.py, sshd is real.
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
# The far loopback's control port, for the first register: as a proxy or a LAN would have it.
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
far_fetch() { ip netns exec far curl -s --max-time 3 "$@"; }
reaches() { [[ $(far_fetch "http://127.0.0.1:$1/") == 'hello from 8022' ]]; }
logged() { grep -E -q -e "$1" "$gw/log"; }

# ---- refused before anything starts ----
expect_exit 2 tunnel-agent --endpoint "$url" --api-key "$api" --target 127.0.0.1:8022
grep -q 'insecure' "$WORK/err" || fail 'plain http beyond loopback'
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
ok 'bad words: exit 2, nothing started'

# ---- register, tunnel, state ----
agent -d -c "$conf" --endpoint "$url" --insecure --api-key "$api" --agent-id db1 --target 127.0.0.1:8022
wait_for 10 'the tunnel to be up' is gateway up
wait_for 3 'data through the reverse tunnel' reaches 20001
said 'registered agent_id=db1 port_b=20001 ssh_user=root jump_user=li jump_host=gateway.test connect_hint=' ||
	fail "the register line: $(cat "$WORK/agent.err")"
assert_eq "$(python3 -c 'import json,os,sys; print(json.load(open(os.path.join(sys.argv[1], "session.json")))["port_b"])' "$STATE_DIR")" \
	20001 "the port as ssh-tunnel-gateway's users read it"
! grep -q secret "$STATE_DIR/session.json" || fail 'the secret stands in session.json'
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
echo '403 the lease of db1 has expired; on the gateway: leasectl renew db1' >"$gw/answer"
wait_for 10 'held' is gateway held
said 'leasectl renew db1' || fail 'it does not say who must do what'
rm "$gw/answer"
cut -d' ' -f1,2 <(ssh-keygen -y -f "$STATE_DIR/agent.pem") >"$far_keys"
wait_for 15 'back by itself after the renewal' is gateway up
ok 'expired: held, and back after renew'
agent_stop
# The same with an endpoint that is out of reach: the login alone tells.
: >"$far_keys"
agent -d -c "$conf" --endpoint http://127.0.0.1:1 --api-key "$api" --target 127.0.0.1:8022
wait_for 10 'held' is gateway held
cut -d' ' -f1,2 <(ssh-keygen -y -f "$STATE_DIR/agent.pem") >"$far_keys"
wait_for 15 'back by itself, without the endpoint' is gateway up
agent_stop
agent -d -c "$conf" --endpoint "$url" --insecure --api-key "$api" --target 127.0.0.1:8022
wait_for 10 'up' is gateway up
echo '403 db1 is revoked' >"$gw/answer"
rc=0; wait "$AGENT" || rc=$?
assert_eq "$rc" 0 'revoked: exit 0'
said 'revoked' || fail 'it does not say so'
echo '409 another key' >"$gw/answer"
rm "$STATE_DIR/session.json"
expect_exit 1 tunnel-agent -d --endpoint "$url" --insecure --api-key "$api"
grep -q "copy of another: 'rm .*agent_id" "$WORK/err" || fail 'a clone is not told what to do'
echo '401 unknown' >"$gw/answer"
expect_exit 1 tunnel-agent -d --endpoint "$url" --insecure --api-key "$api"
grep -q 'does not accept the key or token' "$WORK/err" || fail "$(cat "$WORK/err")"
rm "$gw/answer"
ok 'clone and wrong key: exit 1 and why'

# ---- --over-ssh, and --gateway ----
mkdir -p /root/.ssh
cat "$FAR_KEY.pub" >>"$far_keys"
cat >/root/.ssh/config <<-END
	Host GWServer
	    HostName $FAR
	    IdentityFile $FAR_KEY
	    UserKnownHostsFile $gw/known_hosts
END
export STATE_DIR=$WORK/over
agent -d -c "$conf" --endpoint http://10.255.255.1:12000 --over-ssh GWServer --api-key "$api" --agent-id db2 --target 127.0.0.1:8022
wait_for 15 'up over ssh' is gateway up
wait_for 5 'data' reaches "$(field gateway port_b)"
agent_stop
expect_exit 2 tunnel-agent -d --endpoint http://10.255.255.1:12000 --over-ssh GWServe --api-key "$api"
# The port is taken from the start: another one is used. Taken while ssh logs in: nothing is sent there.
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
	# Slow to log in, and somebody is quicker.
	python3 "$WORK/stranger.py" "$WORK/caught" </dev/null >/dev/null 2>&1 &
	sleep 1
	exec /usr/bin/ssh "\$@"
END
chmod +x "$WORK/bin/ssh"
rm "$STATE_DIR/session.json" "$STATE_DIR/agent_secret"
PATH=$WORK/bin:$PATH expect_exit 1 tunnel-agent -d -c "$conf" --endpoint http://10.255.255.1:12000 --over-ssh GWServer \
	--api-key "$api" --agent-id db2 --target 127.0.0.1:8022
[[ -e $WORK/caught && ! -s $WORK/caught ]] || fail "the key went to a stranger: $(cat "$WORK/caught")"
ok '--over-ssh: the alias alone is the destination; a wrong one falls back'

export STATE_DIR=$WORK/direct
expect_exit 2 tunnel-agent -d --gateway "root@$FAR" --token "$api" --target 127.0.0.1:8022
tunnel-agent key >>"$far_keys"
pin=$(ssh-keygen -lf "$gw/host.pub" | cut -d' ' -f2)
agent -d -c "$conf" --gateway "root@$FAR" --token "$api" --host-key "$pin" --target 127.0.0.1:8022
wait_for 20 'up without any HTTP port' up_with_port
wait_for 10 'data' reaches "$(field gateway port_b)"
agent_stop
ok '--gateway registers through its own ssh'

# Another host key: refused for ever, and said what was expected.
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
grep -qi 'certificate' "$WORK/err" || fail "a certificate of nobody's: $(cat "$WORK/err")"
cat "$gw/tls/cert.pem" >>/etc/ssl/certs/ca-certificates.crt
agent -d -c "$conf" --endpoint "https://$FAR:12000" --api-key "$api" --target 127.0.0.1:8022
wait_for 15 'up after a register over https' is gateway up
! grep -q libcurl "/proc/$AGENT/maps" || fail 'the agent itself has loaded libcurl'
agent_stop
ok 'https: an unknown certificate is refused, libcurl is loaded by a child alone'
