#!/bin/bash
# SPDX-License-Identifier: ISC
# Everything that a key might be used for, by one program: allowed for a lease that permits it, and
# refused for one that does not. With each layer: the key line alone (no Match block), the Match
# block alone (a key without options), and both.
# sandbox:
# sandbox: --no-match
# sandbox: --no-keyopts
# timeout: 240
set -eu
. "$TOP/tests/lib.sh"

mode=${SANDBOX_MODE:- both}
serve 8009
serve 9090
"$TOP/build/tests/attempt" nothing 2>/dev/null && fail 'build/tests/attempt accepts an unknown name'

# A service behind a unix socket that anybody may connect to.
socket=/tmp/pairs.sock
python3 -c '
import os, socketserver, sys
class Hello(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(b"hello\n")
server = socketserver.ThreadingUnixStreamServer(sys.argv[1], Hello)
os.chmod(sys.argv[1], 0o666)
server.serve_forever()
' "$socket" &
at_exit $!
wait_for 5 'the unix socket' test -S "$socket"

# The ceiling that the Match block of pfwd gets.
cat >>/etc/tunlease/tunlease.conf <<'C'
AllowOpen pfwd 127.0.0.1:8009
AllowListen 127.0.0.1:20001
PublicHost gateway.test
C
[[ $mode == *no-match* ]] || { leasectl setup >/dev/null && reload_sshd; }

friend=$(new_key friend)
leasectl grant friend --key "$friend.pub" --open 8009 >/dev/null
agent=$(new_key agent)
# On the agents' login the open side is the control port; its lease here only listens.
leasectl grant agent --login gw-tunnel --key "$agent.pub" --listen 127.0.0.1:20001 >/dev/null

words=(open=127.0.0.1:8009 respelled=127.1:8009 other=127.0.0.1:9090 listen=127.0.0.1:20001
	free=20002 socket="$socket")
sessions=(shell command pty sftp agent x11)

note 'a user without restrictions: each attempt succeeds'
ATTEMPT_KEY=/home/li/.ssh/id_ed25519 ATTEMPT_LOGIN=li
for what in "${sessions[@]}" open listen other-port other-spelling stdio dynamic local-socket \
	reverse reverse-any reverse-public reverse-socket; do
	allow "$what" "${words[@]}"
	rm -f /tmp/tunlease-20002.sock
done
ATTEMPT_LOGIN=root
allow tun "${words[@]}"

note 'a friend, who may open one port'
ATTEMPT_KEY=$friend ATTEMPT_LOGIN=pfwd
allow open "${words[@]}"
allow open open=localhost:8009
for what in "${sessions[@]}" other-port other-spelling stdio dynamic reverse reverse-any \
	reverse-public; do
	refuse "$what" "${words[@]}"
done
refuse open open=LOCALHOST:8009
refuse open 'open=[::1]:8009'
refuse listen "${words[@]}"

note 'an agent, which may listen on one port'
ATTEMPT_KEY=$agent ATTEMPT_LOGIN=gw-tunnel
allow listen "${words[@]}"
allow listen listen=localhost:20001
for what in "${sessions[@]}" other-port other-spelling stdio dynamic reverse reverse-any \
	reverse-public; do
	refuse "$what" "${words[@]}"
done
refuse open "${words[@]}"

note 'unix sockets and tun: the key line cannot refuse them, the Match block does'
# docs/sshd-facts.md 6: -L to a path obeys permitopen; -R to a path obeys no permit at all.
for login in pfwd gw-tunnel; do
	ATTEMPT_LOGIN=$login
	[[ $login == pfwd ]] && ATTEMPT_KEY=$friend || ATTEMPT_KEY=$agent
	refuse local-socket "${words[@]}"
	if [[ $mode == *no-match* ]]; then
		allow reverse-socket "${words[@]}"
		rm -f /tmp/tunlease-20002.sock
		# With PermitTunnel yes a restricted key gets as far as the device, and only the mode of
		# the device may refuse it: sshd does not.
		verdict=$("$TOP/build/tests/attempt" tun --key "$ATTEMPT_KEY" --login "$login") || :
		[[ $verdict == down* || $verdict == allowed* ]] || fail "tun without a Match block: $verdict"
		ok "tun: the key line does not refuse it ($verdict)"
	else
		refuse reverse-socket "${words[@]}"
		refuse tun "${words[@]}"
	fi
done
