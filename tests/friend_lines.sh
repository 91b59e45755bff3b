# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# friend_lines.sh: a gateway and a friend for tests/friend_lines.py; sourced after lib.sh and agent_lib.sh.
#
#   friend_and_gateway     sshd listens on the link to namespace `far`, where the friend is; services on all
#                          that friend_lines.py opens; agent `box` holds its tunnel to an sshd; the friend's
#                          ~/.ssh/config is hostile to tunnels
#   friend_lines COUNT     runs friend_lines.py, with the seed in TEST_SEED if there is one
#   as_friend COMMAND...   runs it as the friend

friend_and_gateway()
{
	local port
	far_link
	sed -i "s/^ListenAddress 127.0.0.1\$/&\nListenAddress $NEAR/" /etc/ssh/sshd_config
	ip addr add 10.88.0.1/32 dev lo
	ip addr add 10.88.0.2/32 dev lo
	ip addr add 10.88.0.3/32 dev lo
	echo '10.88.0.3 db.test' >>/etc/hosts
	printf '%s\n' "PublicHost $NEAR" 'AllowOpen 127.0.0.1:*' 'AllowOpen [::1]:*' 'AllowOpen 10.88.0.1:*' \
		'AllowOpen 10.88.0.2:*' 'AllowOpen db.test:*' >>/etc/tunlease/tunlease.conf
	reload_sshd
	expect_exit 0 leasectl setup
	friend_services
	new_key box >/dev/null
	port=$(leasectl --json agent add box --key "$WORK/box.pub" 2>/dev/null | sed 's/.*"port_b":\([0-9]*\).*/\1/')
	fwd_R "$WORK/box" gw-tunnel "127.0.0.1:$port:127.0.0.1:22" || fail 'the agent has no tunnel'
	hostile_config
	new_key other >/dev/null
	expect_exit 0 leasectl grant other --key "$WORK/other.pub" --open 9
	install -m 600 -o li "$WORK/other" ~li/.ssh/other_key
}

friend_services()
{
	local out line=''
	exec {out}< <(exec python3 -c '
import selectors, socket, sys
ports = [80, 443, 1023, 1024, 5432, 5433, 8009, 8010, 8011, 8012, 8013, 10080, 10443, 65535]
listeners = selectors.DefaultSelector()
for host in ["127.0.0.1", "::1", "10.88.0.1", "10.88.0.2", "10.88.0.3"]:
    for port in ports:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        text = "[%s]:%d" % (host, port) if ":" in host else "%s:%d" % (host, port)
        listeners.register(socket.create_server((host, port), family=family), selectors.EVENT_READ, text)
print("ready", flush=True)
while True:
    for key, _ in listeners.select():
        with key.fileobj.accept()[0] as client:
            client.sendall(key.data.encode() + b"\n")
' </dev/null)
	at_exit "$!"
	read -r line <&"$out" || :
	exec {out}<&-
	[[ $line == ready ]] || fail 'no services'
}

# The friend is li here and behind the agent.
hostile_config()
{
	install -d -m 700 -o li ~li/.ssh
	cat >~li/.ssh/config <<-END
		Host *
		    ControlMaster auto
		    ControlPath ~/.ssh/master-%C
		    ControlPersist yes
		    RequestTTY force
		    RemoteCommand echo from \$(id -un)
		    ClearAllForwardings yes
		    ExitOnForwardFailure no
		    ServerAliveInterval 0
		    ForwardX11 yes
		    ForwardAgent yes
		    StrictHostKeyChecking no
		    UserKnownHostsFile /dev/null
		    LogLevel ERROR
	END
	chown li ~li/.ssh/config
}

friend_lines() { NEAR=$NEAR python3 "$TOP/tests/friend_lines.py" "$1" ${TEST_SEED+"$TEST_SEED"}; }

as_friend()
{
	ip netns exec far setpriv --reuid=li --regid="$(id -g li)" --clear-groups env -i HOME=/home/li \
		PATH=/usr/bin:/bin "$@"
}
