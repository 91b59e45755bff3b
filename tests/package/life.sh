#!/bin/bash
# SPDX-License-Identifier: ISC
# The packages on two real Debian 12, from `apt install` to `apt purge`: a gateway that is healthy without
# further steps, leases and invites, an agent on the other machine, restarts and reboots that end no lease, and after
# the purge the machines as they were. Friends connect and join over the network.
# timeout: 150
set -euo pipefail
. "$TOP/tests/machine.sh"
machine_host "$@"

packages_built
machine_start gateway
machine_start db1
for name in gateway db1; do
	ordinary_accounts "$name"
	ordinary_logins "$name"
	listing_of "$name" "$WORK/$name.listing"
done
know_machine gateway
in_gateway() { enter gateway "$@"; }
running()
{
	[[ $(machine_state "$1") == running ]] || fail "$1, $2: $(enter "$1" systemctl --failed --no-legend; enter "$1" systemctl list-jobs)"
	ok "$1, $2: systemctl is-system-running says so"
}
healthy() { doctor_finds_nothing gateway "$1"; }
verified()
{
	expect_exit 0 in_gateway leasectl verify "$@"
	ok "leasectl verify $*: $(wc -l <"$WORK/out") lines"
}
grant() # NAME WORD...
{
	[[ -e $WORK/$1 ]] || new_key "$1" >/dev/null
	expect_exit 0 in_gateway leasectl grant "$1" --key - "${@:2}" <"$WORK/$1.pub"
}

note 'apt install of the gateway'
put_debs gateway tunlease libpam-tunnel
expect_exit 0 in_gateway sh -c 'cd /root && apt-get -qq install ./tunlease_*.deb ./libpam-tunnel_*.deb'
healthy 'after the install'
assert_eq "$(in_gateway systemctl is-active leased.socket leased.service | tr '\n' ' ')" 'active active ' 'leased runs'
verified
ordinary_logins gateway
running gateway 'after the install and logins'

echo 'PublicHost gateway.test' >>"$(root_of gateway)/etc/tunlease/tunlease.conf"
expect_exit 0 in_gateway systemctl reload leased
expect_exit 0 in_gateway leasectl setup --join
healthy 'after setup --join'
invite() # NAME WORD...; the line that it prints is in INVITED
{
	expect_exit 0 in_gateway leasectl invite "$@"
	INVITED=$(sed -nE 's/^ *(ssh join@.*|tunnel-agent join .*)$/\1/p' "$WORK/out")
	[[ -n $INVITED ]] || fail "no line to send: $(cat "$WORK/out")"
}
# Carol joins after a reboot.
new_key carol >/dev/null
invite carol --open 8009 --for 1h
code=${INVITED##* }
join=("${SSH[@]}" -i "$WORK/carol" -T "join@$GATEWAY")

note 'leases'
for port in 8009 8010; do echo_service gateway "$port"; done
grant alice --open 8009 --for 1h
line=$(sed -n 's/^ *ssh \(-N .*\)/\1/p' "$WORK/out")
[[ $line == *' pfwd@gateway.test' ]] || fail "grant's line for a friend: $line"
# shellcheck disable=SC2086 # its words
"${SSH[@]}" -i "$WORK/alice" $line </dev/null 2>"$WORK/alice.err" &
alice=$!
at_exit "$alice"
answers() { (talk_to "$1" && talks "$TALK") 2>/dev/null; }
wait_for 10 'the line that grant printed to carry data' answers 8009
verified alice
grant short --open 8010 --for 1h
fwd_L "$WORK/short" pfwd 18011:127.0.0.1:8010 || fail "$(tail -n 3 "$WORK/ssh.err")"
expect_exit 0 in_gateway leasectl renew short --until "$(date -u -d "+$(slow 2) seconds" +%FT%TZ)"
wait_for 10 'a tunnel to end with its lease' is_gone "$FWD_PID"
login_refused "$WORK/short" pfwd || fail 'an expired lease logs in'
ok 'a lease that expires ends its tunnel, and logs in no more'
running gateway 'after tunnel logins'

note 'an invite, from invite to data: two commands'
# Ada has a key where ssh looks for it, and knows the gateway.
as_ada() { enter db1 runuser -u ada -- "$@"; }
as_ada ssh-keygen -q -t ed25519 -N '' -f /home/ada/.ssh/id_ed25519
sed -n 's/^[^ ]*gateway.test[^ ]* /gateway.test /p' "$WORK/known_hosts" | as_ada tee /home/ada/.ssh/known_hosts >/dev/null
invite bob --open 8010 --for 1h
# shellcheck disable=SC2086 # their words
expect_exit 0 as_ada $INVITED </dev/null
grep -q "^joined as 'bob' with your key ssh-ed25519 SHA256:" "$WORK/out" || fail "ada joins: $(cat "$WORK/out" "$WORK/err")"
typed=$(sed -n 's/^ *\(ssh -N .*pfwd@gateway.test\)$/\1/p' "$WORK/out")
# shellcheck disable=SC2086 # their words
as_ada $typed </dev/null 2>"$WORK/bob.err" &
at_exit "$!"
db1_answers() { [[ $(as_ada timeout "$(slow 5)" nc -N 127.0.0.1 8010 2>/dev/null <<<hello) == hello ]]; }
wait_for 10 "data through '$typed'" db1_answers
verified bob
expect_exit 0 in_gateway leasectl revoke bob
db1_is_closed() { ! machine_listens db1 8010; }
wait_for 2 'the revoke to end the tunnel' db1_is_closed
# shellcheck disable=SC2086 # their words
expect_exit 255 as_ada $typed </dev/null
# shellcheck disable=SC2086 # their words
expect_exit 3 as_ada $INVITED </dev/null
ok 'a revoke ends the tunnel, the lease logs in no more, and its code is good no more'
running gateway 'after ada has joined'

note 'the agent of the other machine'
put_debs db1 tunnel-agent
expect_exit 0 enter db1 sh -c 'cd /root && apt-get -qq install ./tunnel-agent_*.deb'
invite db1 --agent
read -r -a words <<<"$INVITED"
# As tunnel-agent(1) has it for the unit.
expect_exit 0 enter db1 sudo -u _tunnel-agent tunnel-agent join --no-hold "${words[@]:2}" </dev/null
sed -n 's/^later: .*tunnel-agent \(.*\)$/AGENT_OPTS=\1/p' "$WORK/out" >"$WORK/agent.env"
[[ -s $WORK/agent.env ]] || fail "join does not say how to go on: $(cat "$WORK/out" "$WORK/err")"
expect_exit 0 enter db1 install -D -m 0600 /dev/stdin /etc/tunlease/agent.env <"$WORK/agent.env"
expect_exit 0 enter db1 systemctl -q enable --now tunnel-agent
agent_is_up() { in_gateway leasectl agents | some_line '^db1.*active.*up'; }
wait_for 20 'the agent to be up' agent_is_up
port=$(in_gateway leasectl agents | awk '$1 == "db1" { print $2 }')
grant li --open agent:db1 --for 1h
grep -q "ssh -J pfwd@gateway.test -p $port USER@localhost" "$WORK/out" || fail "li is to log in as the service's user: $(cat "$WORK/out")"
cat "$(root_of db1)"/etc/ssh/ssh_host_*_key.pub | sed "s/^/[localhost]:$port /" >>"$WORK/known_hosts"
# As li's line does it: -J, with options for the jump, too.
jump=("${SSH[@]}" -o "ProxyCommand=${SSH[*]} -i $WORK/li -W [%h]:%p pfwd@gateway.test" -p "$port" -i "$WORK/ada" ada@localhost)
says "ssh -J to db1" db1.test "${jump[@]}" hostname

note 'restarts leave tunnels up'
talk_to 8009
alice_talk=$TALK
coproc li_talk { exec "${jump[@]}" cat 2>"$WORK/li.err"; }
li_pid=$!
at_exit "$li_pid"
li_talks()
{
	local word=$RANDOM$RANDOM line=''
	echo "$word" >&"${li_talk[1]}" && read -r -t "$(slow 10)" line <&"${li_talk[0]}" && [[ $line == "$word" ]]
}
li_talks || fail "no conversation with db1: $(tail -n 3 "$WORK/li.err")"
same_connections()
{
	talks "$alice_talk" || fail "$1 breaks a friend's connection"
	li_talks || fail "$1 breaks the connection to an agent's host"
	ok "$1 breaks no connection"
}
same_connections 'nothing'
expect_exit 0 in_gateway systemctl restart leased.service
same_connections 'a restart of leased'
expect_exit 0 in_gateway systemctl restart leased.socket
same_connections 'a restart of its socket'
expect_exit 0 in_gateway systemctl reload ssh
same_connections 'a reload of ssh'
expect_exit 0 in_gateway systemctl restart ssh
same_connections 'a restart of ssh'
expect_exit 0 enter db1 systemctl restart ssh
same_connections "a restart of the agent host's ssh"
healthy 'after the restarts'
running gateway 'after the restarts'

note "a reboot of the agent's host"
machine_reboot db1
wait_for 30 'the agent to come back with its host' agent_is_up
says "ssh -J to db1 by the same port" db1.test "${jump[@]}" hostname
running db1 'after its reboot'

note 'a reboot of the gateway'
machine_reboot gateway
for pid in "$alice" "$li_pid"; do wait_for 60 'a client to see it' is_gone "$pid"; done
wait_for 10 'leased' in_gateway systemctl -q is-active leased.service
expect_exit 0 "${join[@]}" "$code" </dev/null
login_works "$WORK/carol" pfwd || fail 'carol has joined, and is not let in'
ok 'an invite of before is redeemed after the reboot'
healthy 'after the reboot'
echo_service gateway 8009
fwd_L "$WORK/alice" pfwd 8009:127.0.0.1:8009 || fail "$(tail -n 3 "$WORK/ssh.err")"
wait_for 5 "data through alice's tunnel" answers 8009
fwd_stop
# shellcheck disable=SC2086 # their words
expect_exit 255 as_ada $typed </dev/null
as_ada rm /home/ada/.ssh/{id_ed25519{,.pub},known_hosts{,.old}}
wait_for 60 'the agent to come back by itself' agent_is_up
says "ssh -J to db1 by the same port" db1.test "${jump[@]}" hostname
ordinary_logins gateway
running gateway 'after the reboot'
verified

note 'remove and purge'
for name in db1 gateway; do
	packages=(tunlease libpam-tunnel)
	[[ $name == gateway ]] || packages=(tunnel-agent)
	expect_exit 0 enter "$name" apt-get -qq -y remove "${packages[@]}"
	[[ -z $(enter "$name" pgrep -fa '^/usr/s?bin/(leased|tunnel-agent)') ]] || fail "$name: what was removed still runs"
	expect_exit 0 enter "$name" sshd -t
	ordinary_logins "$name"
	running "$name" 'after the removal'
	expect_exit 0 enter "$name" apt-get -qq -y purge "${packages[@]}"
	rm "$(root_of "$name")"/root/*.deb
	expect_exit 0 enter "$name" sshd -t
	ordinary_logins "$name"
	running "$name" 'after the purge'
	same_listing "$name" "$WORK/$name.listing"
done
