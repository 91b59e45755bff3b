#!/bin/bash
# SPDX-License-Identifier: ISC
# The agent's units on a real Debian 12: enabled before they are configured, misconfigured, without a
# gateway, up, confined, two at a time, for a person; after a revoke the unit stays stopped, and says why.
# And the gateway's journal explains its lines.
# timeout: 150
set -euo pipefail
. "$TOP/tests/machine.sh"
machine_host "$@"

note 'make install, as without packages'
machine_make gateway
machine_make db1
for name in gateway db1; do
	goal=install
	[[ $name == gateway ]] || goal=install-agent
	make -s -C "$TOP" "$goal" NO_DEPS=1 DESTDIR="$(root_of "$name")" PREFIX=/usr SYSCONFDIR=/etc LOCALSTATEDIR=/var \
		RUNSTATEDIR=/run >/dev/null
done
# Enabled before it is configured, as a package or an image may do it.
systemctl -q --root="$(root_of db1)" enable tunnel-agent.service
machine_start gateway
machine_start db1
in_gateway() { enter gateway "$@"; }
in_db1() { enter db1 "$@"; }
property() { in_db1 systemctl show -P "$1" "${2-tunnel-agent.service}"; }
status_says() { in_db1 systemctl status --no-pager -l "$1" >"$WORK/status" 2>&1 || :; grep -qF -e "$2" "$WORK/status"; }
configure() { in_db1 install -m 0600 /dev/stdin "${1-/etc/tunlease/agent.env}"; } # [FILE]

note 'enabled, and not configured'
assert_eq "$(property ActiveState) $(machine_state db1)" 'inactive running' 'it waits, and the host is well'
status_says tunnel-agent 'ConditionPathExists=/etc/tunlease/agent.env was not met' || fail "$(cat "$WORK/status")"
ok 'systemctl status names the file'

note 'the gateway, whose control plane is open to the network, too'
in_gateway systemd-sysusers
in_gateway systemd-tmpfiles --create
in_gateway journalctl --update-catalog
printf '%s\n' 'PublicHost gateway.test' 'Listen 127.0.0.1:12000' "Listen $(address_of gateway):12000" 'AllowPlainHTTP yes' \
	>>"$(root_of gateway)/etc/tunlease/tunlease.conf"
mkdir -p "$(root_of gateway)/etc/systemd/system/leased.socket.d"
printf '%s\n' '[Socket]' "ListenStream=$(address_of gateway):12000" >"$(root_of gateway)/etc/systemd/system/leased.socket.d/more.conf"
in_gateway systemctl daemon-reload
expect_exit 0 in_gateway leasectl setup
expect_exit 0 in_gateway systemctl -q enable --now leased.socket leased.service
in_db1 systemd-sysusers
in_db1 systemd-tmpfiles --create
assert_eq "$(in_db1 stat -c '%U:%G %a' /var/lib/tunnel-agent)" '_tunnel-agent:_tunnel-agent 700' 'the home of the agent'

# agent_add NAME COMMAND...: what the gateway says to the key that COMMAND prints, as a file for the unit.
agent_add()
{
	local name=$1 words; shift
	expect_exit 0 in_db1 "$@"
	cp "$WORK/out" "$WORK/$name.pub"
	expect_exit 0 in_gateway leasectl agent add "$name" --key - <"$WORK/$name.pub"
	words=$(sed -n 's/^ *tunnel-agent \(--gateway .*\)/\1/p' "$WORK/out")
	sed -E 's/(.*) --token ([^ ]+)(.*)/AGENT_OPTS=\1\3\nAPI_KEY=\2\nLOCAL_TARGET_PORT=7000/' <<<"$words"
}
tunnel_is() { in_gateway leasectl agents | some_line -E "^$1"$'\t'".*[[:space:]]$2([[:space:]]|\$)"; } # NAME up|down

note 'a file that is wrong'
echo 'AGENT_OPTS=--gateway gateway.test --hots-key SHA256:x' | configure
expect_exit 1 in_db1 systemctl start tunnel-agent
assert_eq "$(property ActiveState) $(property ExecMainStatus) $(property NRestarts)" 'failed 2 0' 'a person has to mend it first'
status_says tunnel-agent "unknown option '--hots-key'" || fail "$(cat "$WORK/status")"
ok 'systemctl status says what is wrong'

note 'started while the gateway is away'
# The key is there before the unit ever ran, and as its user.
agent_add db1 sudo -u _tunnel-agent tunnel-agent key >"$WORK/db1.env"
configure <"$WORK/db1.env"
in_gateway systemctl stop ssh
in_db1 systemctl reset-failed tunnel-agent
in_db1 systemctl start --no-block tunnel-agent
tries() { status_says tunnel-agent 'Connection refused'; }
wait_for 10 'it to find no gateway' tries
in_gateway systemctl start ssh
wait_for 30 'the tunnel to be up' tunnel_is db1 up
echo_service db1 7000
port=$(in_gateway leasectl agents | awk '$1 == "db1" { print $2 }')
carries() { [[ $(in_gateway timeout "$(slow 5)" bash -c "exec 3<>/dev/tcp/127.0.0.1/$1; echo hello >&3; read -r line <&3; echo \$line" 2>/dev/null) == hello ]]; }
wait_for 10 'data through it' carries "$port"
has_status() { [[ $(property StatusText) == '1 of 1 tunnels up' ]]; }
wait_for 5 'systemctl status to say that it is up' has_status
expect_exit 0 in_db1 sudo -u _tunnel-agent tunnel-agent status
grep -q $'^gateway\tup' "$WORK/out" || fail "$(cat "$WORK/out")"
ok 'tunnel-agent status finds it'

note 'it is confined'
main=$(property MainPID)
assert_eq "$(in_db1 ps -o user= -p "$main" | tr -d ' ') $(in_db1 sed -n 's/^CapEff:\t0*//p' "/proc/$main/status")" '_tunnel-agent ' 'its user, and no capability'
# Root itself could not, where the unit's process is.
touches() { in_db1 nsenter -t "$main" -m touch "$1" 2>/dev/null; }
touches /var/lib/tunnel-agent/there || fail 'it cannot write its own directory'
for path in /var/lib/there /etc/tunlease/there /home/there; do ! touches "$path" || fail "it can write $path"; done
! in_db1 nsenter -t "$main" -m ls /root /home 2>/dev/null | some_line '^[^/]' || fail 'it sees homes'
ok 'it can write its own directory, and sees no home'

note 'its session is ended'
expect_exit 0 in_gateway leasectl kill db1
is_new() { [[ $(in_gateway leasectl sessions db1 | wc -l) == 1 ]] && carries "$port"; }
wait_for 20 'the tunnel to be up again' is_new
assert_eq "$(property MainPID)" "$main" 'the agent did that itself'
in_db1 systemctl kill -s KILL tunnel-agent
restarted() { [[ $(property NRestarts) == 1 && $(property MainPID) != 0 ]] && carries "$port"; }
wait_for 30 'systemd to start an agent that was killed again, with the same port' restarted

note 'a second gateway, and a person'
expect_exit 0 in_gateway leasectl token create --name two
in_db1 tee /etc/tunlease/two.conf <<<'AuthRetry 2s' >/dev/null # a refused login is tried again
token=$(grep -oE '[A-Za-z0-9_-]{32,}' "$WORK/out" | head -n 1)
printf '%s\n' "API_KEY=$token" 'AGENT_OPTS=-c /etc/tunlease/two.conf --endpoint http://gateway.test:12000 --insecure --agent-id two' LOCAL_TARGET_PORT=7000 |
	configure /etc/tunlease/agent-two.env
expect_exit 0 in_db1 systemctl -q enable --now tunnel-agent@two
in_db1 useradd -m -s /bin/bash ada
in_db1 loginctl enable-linger ada
uid=$(in_db1 id -u ada)
as_ada() { in_db1 runuser -u ada -- env HOME=/home/ada XDG_RUNTIME_DIR="/run/user/$uid" "$@"; }
ada_is_up() { as_ada systemctl --user -q is-active default.target 2>/dev/null; }
wait_for 10 "ada's service manager" ada_is_up
expect_exit 0 as_ada systemctl --user enable --now tunnel-agent
assert_eq "$(as_ada systemctl --user show -P ActiveState tunnel-agent)" inactive 'it waits for its file'
agent_add three runuser -u ada -- env HOME=/home/ada tunnel-agent key >"$WORK/three.env"
as_ada mkdir -p /home/ada/.config/tunlease
as_ada install -m 0600 /dev/stdin /home/ada/.config/tunlease/agent.env <"$WORK/three.env"
expect_exit 0 as_ada systemctl --user start tunnel-agent
for name in two three; do wait_for 20 "the tunnel of $name" tunnel_is "$name" up; done
main=$(as_ada systemctl --user show -P MainPID tunnel-agent)
assert_eq "$(in_db1 sed -n -E 's/^(NoNewPrivs|Seccomp):\t//p' "/proc/$main/status" | tr '\n' ' ')" '1 2 ' "ada's unit restricts it, too"
ok 'three agents on one host'

note 'revoked'
expect_exit 0 in_gateway leasectl revoke two db1
stopped() { [[ $(property ActiveState tunnel-agent@two) == inactive ]]; }
wait_for 40 'the unit to stop' stopped
assert_eq "$(property Result tunnel-agent@two) $(property ExecMainStatus tunnel-agent@two)" 'success 0' 'it ended well'
status_says tunnel-agent@two "the gateway revoked 'two', and its sshd refuses the key. Stopping for good" || fail "$(cat "$WORK/status")"
ok 'systemctl status says why'
# Who has nothing but ssh is told no more than that the key is refused: it may be let in again.
held() { status_says tunnel-agent 'Status: "0 of 1 tunnels up; gateway held: login refused'; }
wait_for 10 'the status line of a unit that has only ssh to say why it goes on' held
tunnel_is three up || fail 'the tunnel of three is down'
assert_eq "$(machine_state db1) $(machine_state gateway)" 'running running' 'both hosts are well'

note "the gateway's journal explains itself"
explained() { in_gateway journalctl -q --no-pager -x "${@:2}" >"$WORK/journal" && grep -qF -e "$1" "$WORK/journal"; } # WORDS MATCH...
explained 'Subject: The agent db1 has registered' -u leased LEASE_NAME=db1 || fail "$(cat "$WORK/journal")"
explained "Subject: A session of the lease db1 was ended: revoked" -u leased LEASE_NAME=db1 REASON=revoked ||
	explained 'Subject: The tunnel of db1 is down' -u leased LEASE_NAME=db1 || fail "$(cat "$WORK/journal")"
explained 'Subject: The login gw-tunnel was refused to a key: revoked' -t akc LEASE_NAME=db1 || fail "$(cat "$WORK/journal")"
grep -q 'Access needs a new grant' "$WORK/journal" || fail "$(cat "$WORK/journal")"
in_gateway journalctl --list-catalog >"$WORK/catalog"
while read -r name; do
	grep -q "^$name tunlease: " "$WORK/catalog" || fail "journalctl does not know $name"
done < <(sed -n 's/.*{"\([0-9a-f]\{32\}\)", LOG_.*/\1/p' "$TOP/leased/watch/events.c" "$TOP/akc/main.c")
entry=$(in_gateway journalctl -q -o json -u leased -n 1 MESSAGE_ID=a41373f238b747a8b92072cd414fa185 | python3 -c '
import json, sys; e = json.loads(sys.stdin.readline()); print(e["SYSLOG_FACILITY"], e["PRIORITY"], e["SYSLOG_IDENTIFIER"], e["MESSAGE"].split()[0])')
assert_eq "$entry" '10 6 leased register' 'facility, priority and text are those of the system log'

# A line of a process that ends at once: the journal must know which unit it is of.
echo 'Nonsense yes' >>"$(root_of gateway)/etc/tunlease/tunlease.conf"
for _ in {1..5}; do expect_exit 1 in_gateway systemctl reload leased; done
in_gateway journalctl --sync
assert_eq "$(in_gateway journalctl -q -o cat -u leased MESSAGE_ID=ba93b7975c1e48e78213b26a7c0b85bb | grep -c Nonsense)" 5 'each refused reload is in the log of the unit'
