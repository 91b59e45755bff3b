# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# stopwatch_lib.sh: somebody who was sent an invite types what was printed, and nothing else, while a stopwatch runs;
# sourced after lib.sh and agent_lib.sh, inside tests/sandbox.
#
#   stopwatch                 it starts: next comes `leasectl invite`
#   stopwatch_stops WHO       data has come. Prints the time and fails where it is more than STOPWATCH_S seconds of a
#                             quiet machine; TOOK_MS has it
#   strangers                 a gateway that is called gateway.test, on a link to the namespace `far`, where friends
#                             are; a service on 8009; they have keys, and none of them knows the gateway's host key
#   comes_in WHO CLIENT       from an invite for WHO to data, with ssh (on a terminal), plink or dbclient (which take
#                             what the answer has on lines of its own: login, host, port, forward)
#   goes                      ends that tunnel
#   private_host              the far host has an sshd on its loopback, where li can log in with the key that he has here
#   host_comes_in NAME        from an invite for an agent to a command that li runs on the far host, by `ssh -J`: tunnel-agent
#                             runs there (AGENT), and li is granted a lease to jump
#   refused_to CLIENT         a wrong code, with that client: exit status 3
#   clients_there             of these three those that are installed; the packages of the others are in MISSING

STOPWATCH_S=10
is_quick() { ((TOOK_MS <= STOPWATCH_S * 10 * TEST_SLOW_PERCENT)); }

stopwatch() { stopwatch_us=${EPOCHREALTIME/[.,]/}; }
stopwatch_stops()
{
	TOOK_MS=$(((${EPOCHREALTIME/[.,]/} - stopwatch_us) / 1000))
	note "$1: $TOOK_MS ms from 'leasectl invite' to data, of $((STOPWATCH_S * 10 * TEST_SLOW_PERCENT)) ms"
	is_quick || { pace_slower && is_quick; } ||
		fail "$1: $TOOK_MS ms from the invite to data, not $STOPWATCH_S s x $TEST_SLOW_PERCENT %"
}

clients_there()
{
	local name
	MISSING='' CLIENTS=(ssh)
	for name in plink:puttygen:putty-tools dbclient:dropbearkey:dropbear-bin; do
		IFS=: read -r client keygen package <<<"$name"
		if type -P "$client" "$keygen" >/dev/null; then CLIENTS+=("$client"); else MISSING+=" $package"; fi
	done
}

strangers()
{
	far_link
	mkdir -p /etc/netns/far
	printf '%s\n' '127.0.0.1 localhost' "$NEAR gateway.test" >/etc/netns/far/hosts
	sed -i "s/^ListenAddress 127.0.0.1\$/&\nListenAddress $NEAR/" /etc/ssh/sshd_config
	reload_sshd
	join_gateway
	serve 8009
	rm -f ~li/.ssh/known_hosts
	clients_there
	install -d -m 700 "$WORK/home/.ssh"
	# As dropbear writes them: it takes a comment for a part of the key.
	awk '$2 == "ssh-ed25519" {print "gateway.test", $2, $3}' "$WORK/known_hosts" >"$WORK/home/.ssh/known_hosts"
	[[ " ${CLIENTS[*]} " != *' plink '* ]] || puttygen -q -t ed25519 -o "$WORK/plink.ppk" --new-passphrase /dev/null
	[[ " ${CLIENTS[*]} " != *' dbclient '* ]] || dropbearkey -t ed25519 -f "$WORK/dropbear.key" >/dev/null 2>&1
}

# types CLIENT LINE SHOWN: what a friend with that client types who was sent LINE, which begins with `ssh`.
types()
{
	local words
	case $1 in
	ssh)
		exec ip netns exec far python3 "$TOP/tests/typist.py" "$host_key" "$3" \
			setpriv --reuid=li --regid=li --clear-groups env -i HOME=/home/li PATH="$PATH" bash <<<"$2" ;;
	plink) words="plink -batch -hostkey $host_key -i $WORK/plink.ppk" ;;
	dbclient) words="dbclient -i $WORK/dropbear.key" ;;
	esac
	HOME=$WORK/home exec ip netns exec far bash -c "exec $words ${2#ssh }" </dev/null >"$3" 2>&1
}
# answered KEYWORD: what stands after it, on its line of the answer.
answered() { sed -n "s/^$1 \\+//p" "$WORK/answer"; }
# The line of the tunnel as it was printed; or what another client makes of the answer.
tunnel_line()
{
	local -A port_option=([plink]=-P [dbclient]=-p)
	if [[ $1 == ssh ]]; then sed -n 's/^ *\(ssh -N .*\)$/\1/p' "$WORK/answer"
	else echo "ssh -N ${port_option[$1]} $(answered port) $(answered forward) $(answered login)@$(answered host)"; fi
}
has_data() { [[ $(in_far curl -s --max-time "$(slow 2)" "$1") == 'hello from 8009' ]]; }

comes_in()
{
	local who=$1 client=$2 line url
	stopwatch
	invite "$who" --open 8009
	host_key=$(sed -n 's/^host key .* \(SHA256:.*\)/\1/p' <<<"$INVITED")
	line=$(sed -n 's/^ *\(ssh .*join@.*\)$/\1/p' <<<"$INVITED")
	(types "$client" "$line" "$WORK/answer") || fail "$client: '$line': exit $?: $(cat "$WORK/answer")"
	line=$(tunnel_line "$client") url=$(answered 'then use')
	types "$client" "$line" "$WORK/shown" &
	FWD_PID=$!
	at_exit "$FWD_PID"
	poll "$STOPWATCH_S" has_data "$url" || fail "$client: no data at '$url' from '$line': $(cat "$WORK/answer" "$WORK/shown")"
	stopwatch_stops "$who, $client, two commands"
}
gone_from_far() { [[ -z $(in_far ss -Hltn 'sport = :8009') ]]; }
goes()
{
	kill "$FWD_PID"
	wait_for 5 'the tunnel to end' gone_from_far
}
refused_to()
{
	local status=0
	(types "$1" 'ssh join@gateway.test WRON-GCOD-EWRO-NGCO' "$WORK/shown") || status=$?
	assert_eq "$status" 3 "$1: a wrong code"
}

private_host()
{
	# shellcheck disable=SC2034 # for far_host
	FAR_SSHD_EXTRA='ListenAddress 127.0.0.1'
	far_host
	chmod 711 "$WORK" # its sshd reads the keys as li
	usermod -p '*' li # no password, and not locked: an sshd without PAM refuses a locked account
	cat ~li/.ssh/id_ed25519.pub >>"$WORK/far/keys"
	echo 'StrictHostKeyChecking accept-new' >~li/.ssh/config
}
has_joined() { grep -qs "^joined as '$1'" "$WORK/agent.out"; }
# li types JUMP as it was printed, and gets to the far host.
reached() { [[ $(setpriv --reuid=li --regid=li --clear-groups env -i HOME=/home/li PATH="$PATH" bash -c "$JUMP 'ip -br a'" </dev/null 2>"$WORK/ssh.err") == *"$FAR"* ]]; }
host_comes_in()
{
	local name=$1 line words
	rm -f ~li/.ssh/known_hosts "$WORK/agent.out"
	stopwatch
	leasectl invite "$name" --agent >"$WORK/invite" 2>"$WORK/err" || fail "invite: $(cat "$WORK/err")"
	line=$(sed -n 's/^ *\(tunnel-agent join .*\)$/\1/p' "$WORK/invite")
	read -r -a words <<<"${line#tunnel-agent }"
	agent "${words[@]}"
	poll "$STOPWATCH_S" has_joined "$name" || fail "not joined by '$line': $(cat "$WORK/agent.out" "$WORK/agent.err")"
	leasectl grant li --key ~li/.ssh/id_ed25519.pub --open "agent:$name" >"$WORK/grant" 2>"$WORK/err" || fail "grant: $(cat "$WORK/err")"
	JUMP=$(sed -n 's/^ *\(ssh -J .*\)$/\1/p' "$WORK/grant")
	JUMP=${JUMP/USER@/li@} # as it says below the line
	poll "$STOPWATCH_S" reached || fail "not there by '$JUMP': $(cat "$WORK/grant" "$WORK/ssh.err")"
	stopwatch_stops "$name, a private host: one command there, and ssh -J to it"
}
