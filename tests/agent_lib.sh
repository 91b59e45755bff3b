# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# agent_lib.sh: a far host in a network namespace, a link that can be cut, and an agent; sourced after
# lib.sh, inside tests/sandbox.
#
#   far_link               makes namespace `far` at FAR (10.99.0.2); this host is NEAR (10.99.0.1)
#   far_host               the same, unless it is there, with an sshd of its own
#   far_web                far_host with HTTP on 8009, and array FAR_WORDS: options for a tunnel to it, next to -L
#   far_serve PORT         HTTP on 127.0.0.1:PORT of the far host, "hello from PORT"
#   far_sshd | far_sshd_stop     starts | ends its listening sshd; FAR_SSHD is its pid
#   gateway_on_link        our own sshd with its default MaxStartups and leased (LEASED, restarted by
#                          gateway_sshd and gateway_leased) for agents on the far host; API is its key
#   in_far COMMAND...      run there
#   far_sink PORT          reads what is sent to that port of the far host; arrived prints how many bytes
#   upload PORT            sends for ever to a port of this host: UPLOAD is its pid
#   slow_link WORD...      limits the link to the far host to 1 Mbit/s, with WORDs of tc's tbf; slow_link_end
#   line_sent              the bytes sent over that link, with TCP's retransmissions
#   cut_link | heal_link   drops all packets both ways, without closing a TCP connection | ends that
#   lose PERCENT           drops PERCENT of all packets at random, both ways
#   agent ARG...           tunnel-agent in the background: AGENT is its pid, $WORK/agent.err its log
#   AGENT_IN               array: a command to run it with, such as (ip netns exec far)
#   agent_stop             ends it, and its exit status must be 0
#   quick                  makes a file with short intervals for -c, and prints its path
#   state NAME | field NAME FIELD      of `tunnel-agent status`
#   is NAME STATE          true if the tunnel is in that state
#   service_is NAME SERVICE
#   up_and_answering       true if the tunnel to FAR is up, and its -L 18009 leads to 8009
#   ssh_of                 pids of the agent's ssh
#   far_plugin             a ProxyCommand that can freeze, close and hang: plugin_words, plugin_mode, plugins,
#                          plugin_freezes, plugin_hangs MODE
#   said PATTERN | said_text TEXT    true if the agent has logged it

FAR=10.99.0.2
NEAR=10.99.0.1
AGENT_IN=()
export STATE_DIR=$WORK/state
AGENT=''

skip_without()
{
	local name
	for name; do type -P "$name" >/dev/null || { echo "needs $name"; exit 77; }; done
}

far_link()
{
	skip_without ip nft
	mkdir -p /run/netns
	ip netns add far
	ip link add near0 type veth peer name far0 netns far
	ip addr add "$NEAR/24" dev near0
	ip link set near0 up
	ip -n far addr add "$FAR/24" dev far0
	ip -n far link set far0 up
	ip -n far link set lo up
}
in_far() { ip netns exec far "$@"; }

far_host()
{
	[[ -e /run/netns/far ]] || far_link
	mkdir -p "$WORK/far"
	ssh-keygen -q -t ed25519 -N '' -f "$WORK/far/host" </dev/null
	FAR_KEY=$(new_key friend)
	cp "$FAR_KEY.pub" "$WORK/far/keys"
	printf '%s %s\n' "$FAR" "$(cut -d' ' -f1,2 "$WORK/far/host.pub")" >"$WORK/far/known_hosts"
	cat >"$WORK/far/sshd_config" <<-END
		ListenAddress $FAR
		HostKey $WORK/far/host
		AuthorizedKeysFile $WORK/far/keys
		PidFile $WORK/far/pid
		StrictModes no
		UsePAM no
		PasswordAuthentication no
		KbdInteractiveAuthentication no
		LogLevel VERBOSE
		${FAR_SSHD_EXTRA-}
	END
	far_sshd
}

far_sshd()
{
	rm -f "$WORK/far/pid"
	ip netns exec far /usr/sbin/sshd -f "$WORK/far/sshd_config" -E "$WORK/far/log"
	wait_for 5 'the far sshd to listen' test -s "$WORK/far/pid"
	FAR_SSHD=$(cat "$WORK/far/pid")
	at_exit "$FAR_SSHD"
}
far_sshd_stop()
{
	kill "$FAR_SSHD"
	wait_for 5 'the far sshd to end' gone "$FAR_SSHD"
}
gone() { ! kill -0 "$1" 2>/dev/null; }

far_serve()
{
	mkdir -p "$WORK/far/www$1"
	printf 'hello from %s' "$1" >"$WORK/far/www$1/index.html"
	ip netns exec far python3 -m http.server "$1" --bind 127.0.0.1 --directory "$WORK/far/www$1" \
		</dev/null >/dev/null 2>&1 &
	FAR_SERVICE=$!
	at_exit "$FAR_SERVICE"
	wait_for 5 "a far service on $1" ip netns exec far bash -c ": </dev/tcp/127.0.0.1/$1" 2>/dev/null
}

far_sink()
{
	in_far python3 -c '
import socket, sys, threading
total = 0
def drain(c):
    global total
    while d := c.recv(65536):
        total += len(d)
        open(sys.argv[2], "w").write(str(total))
s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    threading.Thread(target=drain, args=(s.accept()[0],), daemon=True).start()
' "$1" "$WORK/arrived" </dev/null 2>/dev/null &
	at_exit "$!"
}
arrived() { cat "$WORK/arrived" 2>/dev/null || echo 0; }
upload()
{
	python3 -c '
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
while True:
    s.sendall(b"x" * 65536)
' "$1" </dev/null 2>/dev/null &
	UPLOAD=$!
	at_exit "$UPLOAD"
}
slow_link() { tc qdisc add dev near0 root tbf rate 1mbit burst 10kb "$@" 2>/dev/null; }
slow_link_end() { tc qdisc del dev near0 root; }
line_sent() { tc -s qdisc show dev near0 | awk '$1 == "Sent" { print $2; exit }'; }

# shellcheck disable=SC2034 # API is for the test
gateway_on_link()
{
	API=an-enrolment-key-for-the-tests
	sed -i -e '/^MaxStartups/d' -e "s/^ListenAddress 127.0.0.1\$/&\nListenAddress $NEAR/" /etc/ssh/sshd_config
	reload_sshd
	printf '%s\n' "Listen $NEAR:12000" 'Listen 127.0.0.1:12000' 'AllowPlainHTTP yes' "PublicHost $NEAR" >>/etc/tunlease/tunlease.conf
	echo "API_KEY=$API" >/etc/tunlease/leased.env
	chown _tunlease:root /etc/tunlease/leased.env
	chmod 0400 /etc/tunlease/leased.env
	gateway_leased
}
gateway_sshd()
{
	rm -f /run/sshd.pid
	"$SSHD"
	wait_for 5 'sshd to listen' test -s /run/sshd.pid
}
gateway_leased()
{
	leased </dev/null >/run/leased.out 2>&1 &
	LEASED=$!
	at_exit "$LEASED"
	wait_for 5 'leased to answer' curl -s -o /dev/null --max-time "$(slow 1)" http://127.0.0.1:12000/healthz
}

cut_link()
{
	nft add table inet link
	nft 'add chain inet link in { type filter hook input priority 0; }'
	nft 'add chain inet link out { type filter hook output priority 0; }'
	nft add rule inet link in iifname near0 drop
	nft add rule inet link out oifname near0 drop
}
heal_link() { nft delete table inet link; }
lose()
{
	nft add table inet link
	nft 'add chain inet link in { type filter hook input priority 0; }'
	nft 'add chain inet link out { type filter hook output priority 0; }'
	nft add rule inet link in iifname near0 numgen random mod 100 '<' "$1" drop
	nft add rule inet link out oifname near0 numgen random mod 100 '<' "$1" drop
}

quick()
{
	local n=$(((TEST_SLOW_PERCENT + 50) / 100)) # whole seconds, one each on a quiet machine
	((n <= 3)) || n=3 # leased's http answers for a frozen engine after 6 s
	printf '%s\n' "ProbeInterval ${n}s" "ProbeTimeout ${n}s" "CanaryTimeout ${n}s" "ConnectTimeout $((2 * n))s" \
		"PortRetry $((2 * n))s" "AuthRetry $((2 * n))s" "AuthRetryMax $((4 * n))s" "StableAfter $((3 * n))s" >"$WORK/quick.conf"
	printf '%s\n' "$WORK/quick.conf"
}

# Options for a tunnel to the far host, next to -L.
far_words() { printf '%s\n' -i "$FAR_KEY" -o IdentitiesOnly=yes -o "UserKnownHostsFile=$WORK/far/known_hosts"; }

# shellcheck disable=SC2034 # FAR_WORDS is for the test
far_web()
{
	far_host
	far_serve 8009
	mapfile -t FAR_WORDS < <(far_words)
}

agent()
{
	: >"$WORK/agent.err"
	"${AGENT_IN[@]}" tunnel-agent "$@" </dev/null >"$WORK/agent.out" 2>"$WORK/agent.err" &
	AGENT=$!
	at_exit "$AGENT"
}
agent_stop()
{
	local rc=0
	kill "$AGENT"
	wait "$AGENT" || rc=$?
	((rc == 0)) || fail "the agent exits $rc after SIGTERM"
}

# The exit status of status, whether all are up, does not matter here.
field() { { tunnel-agent status --json || :; } | python3 -c '
import json, sys
for t in json.load(sys.stdin):
    if t["name"] == sys.argv[1]:
        print(t[sys.argv[2]])' "$1" "$2"; }
state() { field "$1" state; }
is() { [[ $(state "$1") == "$2" ]]; }
service_is() { [[ $(field "$1" service) == "$2" ]]; }
suspect_or_gone() { is "$1" suspect || gone "$2"; }
up_with_port() { [[ $(field gateway port_b) =~ ^2 ]] && is gateway up; }
ssh_of() { pgrep -x -P "$AGENT" ssh; }
said() { grep -E -q -e "$1" "$WORK/agent.err"; }
said_text() { grep -F -q -e "$1" "$WORK/agent.err"; }
answers() { [[ $(fetch "$1") == "hello from $2" ]]; }
up_and_answering() { is "$FAR" up && answers http://127.0.0.1:18009/ 8009; }

# A ProxyCommand for the far host, and 6 KB a second from its port 8011. Modes: pass, hang (says
# nothing), freeze (the banner and no more), late (passes after 6 s).
plugin_words() { printf '%s\n' -o "ProxyCommand=$WORK/plugin $WORK %h %p" -L 18009:127.0.0.1:8009 -L 18011:127.0.0.1:8011; }
plugin_mode() { echo "$1" >"$WORK/mode"; rm -f "$WORK/hung"; }
plugins() { pgrep -f "^/usr/bin/python3 $WORK/plugin" || :; }
far_plugin()
{
	cat >"$WORK/plugin" <<-'END'
		#!/usr/bin/python3
		import os, select, signal, socket, sys, time
		where, host, port = sys.argv[1:4]
		for s in (signal.SIGHUP, signal.SIGTERM): signal.signal(s, signal.SIG_IGN)
		mode = open(where + "/mode").read().strip()
		def hang():
		    open(where + "/hung", "w").close()
		    time.sleep(999)
		if mode == "hang": hang()
		if mode == "late": time.sleep(6)
		s = socket.create_connection((host, int(port)))
		if mode == "freeze":
		    os.write(1, s.recv(255))
		    hang()
		to = {0: s.sendall, s.fileno(): lambda d: os.write(1, d)}
		while True:
		    for f in select.select([0, s.fileno()], [], [])[0]:
		        d = os.read(f, 65536)
		        if not d: sys.exit(0)
		        to[f](d)
	END
	chmod +x "$WORK/plugin"
	plugin_mode pass
	in_far python3 -c '
import socket, threading, time
def trickle(c):
    while True: c.sendall(b"x" * 6000); time.sleep(1)
s = socket.create_server(("127.0.0.1", 8011))
while True: threading.Thread(target=trickle, args=(s.accept()[0],), daemon=True).start()
' </dev/null 2>/dev/null &
	at_exit "$!"
}
since_ms() { echo "$(((${EPOCHREALTIME/./} - $1) / 1000))"; }
# found_and_back WHAT SSH: ssh of pid SSH ends within 20 s, and data comes back 3 s later.
found_and_back()
{
	local start=${EPOCHREALTIME/./} found
	wait_for 20 "$1 to be found" gone "$2"
	found=$(since_ms "$start") start=${EPOCHREALTIME/./}
	wait_for 3 "data after $1" answers http://127.0.0.1:18009/ 8009
	note "$1: found after $found ms, data $(since_ms "$start") ms later"
	assert_eq "$(plugins | wc -l)" 1 "$1: one plugin"
}
# The plugin freezes while data for us still arrives at its socket, and the kernel acknowledges it.
plugin_freezes()
{
	local trickle ssh
	ssh=$(ssh_of)
	exec {trickle}<>/dev/tcp/127.0.0.1/18011
	read -r -n 1 -u "$trickle"
	# shellcheck disable=SC2046 # pids
	kill -STOP $(plugins)
	found_and_back 'a frozen plugin' "$ssh"
	exec {trickle}>&-
}
# plugin_hangs MODE: the next plugin stops in MODE; those after it pass.
plugin_hangs()
{
	plugin_mode "$1"
	# shellcheck disable=SC2046
	kill -KILL $(plugins)
	wait_for 4 "a plugin in mode $1" test -e "$WORK/hung"
	plugin_mode pass
	found_and_back "a plugin that hangs at its start ($1)" "$(ssh_of)"
}

agent_words_on_failure()
{
	local rc=$?
	((rc == 0 || rc == 77)) || { echo '--- the agent said:'; tail -n 30 "$WORK/agent.err" 2>/dev/null; }
	lib_cleanup "$rc"
}
trap agent_words_on_failure EXIT
