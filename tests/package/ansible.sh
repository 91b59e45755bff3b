#!/bin/bash
# SPDX-License-Identifier: ISC
# The Ansible role, over ssh, on a Debian 12 that has nothing of ours: a check run says the truth and changes
# nothing, the first run makes a gateway with its leases, the second changes nothing, and each later one what was
# changed and that alone. Another machine is enrolled as an agent's host and reached. At the end both have
# nothing of ours.
# timeout: 180
set -euo pipefail
. "$TOP/tests/machine.sh"
type -P ansible-playbook >/dev/null || machine_skip 'needs ansible-core'
machine_host "$@"

packages_built
role=$TOP/packaging/ansible
for name in gateway db1; do
	machine_start "$name"
	know_machine "$name"
done
know_machine gateway
new_key admin >/dev/null
for name in gateway db1; do
	enter "$name" install -D -m 0600 /dev/stdin /root/.ssh/authorized_keys <"$WORK/admin.pub"
	listing_of "$name" "$WORK/$name.listing"
done
for name in alice bob carol; do new_key "$name" >/dev/null; done
in_gateway() { enter gateway "$@"; }
lease() { in_gateway leasectl --json show "$1" | python3 -c "import json, sys; print(json.load(sys.stdin)$2)"; }

# What Ansible writes on its own behalf is left out of the listings: it goes to /tmp.
# shellcheck disable=SC2154 # machine.sh has set it
export HOME=$WORK ANSIBLE_PIPELINING=1 ANSIBLE_REMOTE_TEMP=/tmp/ansible ANSIBLE_LOCAL_TEMP=$WORK/ansible ANSIBLE_NOCOLOR=1 \
	ANSIBLE_SSH_CONTROL_PATH_DIR=$machine_world/cp ANSIBLE_RETRY_FILES_ENABLED=0 ANSIBLE_LOCALHOST_WARNING=0 ANSIBLE_PYTHON_INTERPRETER=/usr/bin/python3 \
	ANSIBLE_SSH_ARGS="-F none -o UserKnownHostsFile=$WORK/known_hosts -o IdentitiesOnly=yes -i $WORK/admin -o ControlMaster=auto -o ControlPersist=120"

# The inventory, of these variables:
secret=an-enrolment-key-for-the-tests
conf='{PublicHost: gateway.test, MaxTTL: none, JumpUser: pfwd, Listen: "127.0.0.1:12001", Contact: "Ask li, #1", AllowOpen: ["127.0.0.1:8000-8099", "127.0.0.1:20000-20099", ["db", "[::1]:5432"]], AllowListen: "127.0.0.1:20000-20099"}'
bob='open: 8010, for: 2d'
join=true
# shellcheck disable=SC2016 # it must not be expanded
note='~ "{{ 7 * 7 }}" $HOME; -`id`'
more="      - {name: carol, key: $(cat "$WORK/carol.pub"), open: 8010, until: '2036-01-01T00:00:00+01:00'}"
inventory()
{
	cat >"$WORK/inventory.yml" <<EOF
all:
  vars: {ansible_user: root, ansible_become: false}
tunlease_gateways:
  hosts: {gateway.test: }
  vars:
    tunlease_debs: ["$(deb_of tunlease)", "$(deb_of libpam-tunnel)"]
    tunlease_conf: $conf
    tunlease_env: {API_KEYS: $secret}
    tunlease_logins: [db]
    tunlease_join: $join
    tunlease_leases:
      - {name: alice, key: $(cat "$WORK/alice.pub"), open: [8009, "agent:db1"], for: 1h, note: !unsafe '$note'}
      - {name: bob, key: $(cat "$WORK/bob.pub"), $bob}
$more
    tunlease_agents: [{name: db1}]
tunlease_agents:
  hosts: {db1.test: }
  vars:
    tunlease_debs: ["$(deb_of tunnel-agent)"]
    tunlease_gateway: gateway.test
EOF
}
# Runs a playbook. CHANGED has the sum of what it changed, FAILED of what failed.
play() # PLAYBOOK WORD...
{
	local rc=0 began=$SECONDS
	ansible-playbook -i "$WORK/inventory.yml" "$role/$1" "${@:2}" >"$WORK/play" 2>&1 </dev/null || rc=$?
	read -r HOSTS CHANGED FAILED < <(sed -n 's/.* : ok=.* changed=\([0-9]*\) *unreachable=\([0-9]*\) *failed=\([0-9]*\).*/\1 \2 \3/p' "$WORK/play" |
		awk '{ c += $1; f += $2 + $3 } END { print NR, c + 0, f + 0 }')
	((HOSTS > 0 && (rc != 0) == (FAILED != 0))) || { tail -n 30 "$WORK/play"; fail "ansible-playbook $*: status $rc"; }
	note "ansible-playbook $*: changed=$CHANGED failed=$FAILED, $((SECONDS - began)) s"
}
shown() { grep -v -e '^skipping' -e '^$' "$WORK/play"; fail "$*"; }
plays() { play "$@"; [[ $FAILED == 0 ]] || shown "ansible-playbook $*"; }
fails() { play "$@"; [[ $FAILED == 1 ]] || shown "ansible-playbook $* does not fail"; }
changes() { [[ $CHANGED == "$1" ]] || shown "$CHANGED changes, not $1"; }
said() { grep -qF -e "$1" "$WORK/play" || shown "it does not say: $1"; }
unsaid() { ! grep -qF -e "$1" "$WORK/play" || shown "it says: $1"; }

expires() { lease "$1" "['expires_at']"; }
[[ -z $("$(sed -n "1s/^#! *//p" "$(type -P ansible-playbook)")" "$TOP/tests/package/ansible_refused.py" "$role") ]] || fail 'the role takes what it must refuse'
ok 'what is no name, key, permit, address or time is refused'
inventory
plays site.yml --check --diff
said '+PublicHost gateway.test'
said 'grant bob: --open 127.0.0.1:8010 --for 2d'
unsaid "$secret"
same_listing gateway "$WORK/gateway.listing"
same_listing db1 "$WORK/db1.listing"
ok 'a check run says what it would do, and does nothing'

plays site.yml --diff
unsaid "$secret"
token=$(enter db1 cat /var/lib/tunnel-agent/token)
unsaid "$token"
for name in gateway db1; do
	! enter "$name" journalctl -q | grep -F -e "$secret" -e "$token" -e "$(base64 <<<"API_KEYS=\"$secret\"" | cut -c 5-40)" ||
		fail "a secret is in the journal of $name"
done
in_gateway leasectl doctor >"$WORK/out" || fail "doctor finds something: $(grep -Ev '^(ok|note)' "$WORK/out")"
assert_eq "$(lease alice "['note']")" "$note" 'a note with all that a template or a shell would take as its own'
assert_eq "$(in_gateway leased -T | grep -c 'Contact .*Ask li, #1')" 1 'the configuration is in force'
expect_exit 0 in_gateway leasectl invite dave --open 8009
expect_exit 3 "${SSH[@]}" -i "$WORK/alice" -T "join@$GATEWAY" 2222-2222-2222-2222 </dev/null
expect_exit 0 in_gateway leasectl invite revoke "$(in_gateway leasectl invite list | awk '$2 == "dave" { print $1 }')"
ok 'who joins reaches leased, which knows no such code'
for port in 8009 8010; do echo_service gateway "$port"; done
friend() # NAME PORT: its tunnel, a connection through it in TALK
{
	fwd_L "$WORK/$1" pfwd "1$2:127.0.0.1:$2" || fail "$1: $(tail -n 3 "$WORK/ssh.err")"
	talk_to "1$2"
	talks "$TALK" || fail "no data through $1's tunnel"
}
friend alice 8009
alice_talk=$TALK
friend carol 8010
carol=$FWD_PID
port=$(in_gateway leasectl agents | awk '$1 == "db1" { print $2 }')
sed "s/^/[localhost]:$port /" "$(root_of db1)"/etc/ssh/ssh_host_*_key.pub >>"$WORK/known_hosts"
assert_eq "$("${SSH[@]}" -o "ProxyCommand=${SSH[*]} -i $WORK/alice -W [%h]:%p pfwd@$GATEWAY" -p "$port" -i "$WORK/admin" root@localhost hostname)" \
	db1.test 'the host of an agent, through the gateway'

ends=$(expires alice)$(expires bob)
plays site.yml
changes 0
assert_eq "$(expires alice)$(expires bob)" "$ends" 'no lease is renewed'
talks "$alice_talk" || fail 'a second run breaks a tunnel'
ok 'a second run changes nothing'

note 'no joining any more'
join_things() { in_gateway sh -c 'getent passwd join; getent group _tunnel-join; ls -d /run/tunlease-join /etc/tmpfiles.d/tunlease-join.conf
	systemctl is-enabled leased-join.socket; systemctl is-active leased-join.socket; grep -rl "Match User join\|join_group=" /etc/ssh /etc/pam.d /usr/share/pam-configs' 2>/dev/null || :; }
[[ $(join_things | wc -l) -ge 8 ]] || fail "nothing to take away: $(join_things)"
expect_exit 0 in_gateway leasectl invite dave --open 8009
join=false
inventory
plays gateway.yml
assert_eq "$(join_things)" $'disabled\ninactive' 'what is left of joining'
expect_exit 255 "${SSH[@]}" -i "$WORK/alice" -T "join@$GATEWAY" 2222-2222-2222-2222 </dev/null
in_gateway leasectl doctor >"$WORK/out" || fail "doctor finds something: $(grep -Ev '^(ok|note)' "$WORK/out")"
plays gateway.yml
changes 0
talks "$alice_talk" || fail 'taking joining away breaks a tunnel'
ok 'tunlease_join: false takes it away, and a run after that changes nothing'
join=true
inventory
plays gateway.yml
expect_exit 3 "${SSH[@]}" -i "$WORK/alice" -T "join@$GATEWAY" 2222-2222-2222-2222 </dev/null
expect_exit 0 in_gateway leasectl invite revoke "$(in_gateway leasectl invite list | awk '$2 == "dave" { print $1 }')"
ok 'and true brings it back, with the invites that were open'

note 'changed leases'
bob='open: [8010, 8011], for: 3d, from: 10.77.0.254/32'
more=''
inventory
plays gateway.yml --check -e tunlease_exclusive=true
changes 2
said 'revoke carol'
said 'bob: open +127.0.0.1:8011, from 10.77.0.254/32, not none'
assert_eq "$(lease bob "['open']")" "['127.0.0.1:8010']" 'what a check run leaves'
talks "$TALK" || fail 'a check run ends a tunnel'
plays gateway.yml
changes 1
unsaid 'revoke carol'
talks "$TALK" || fail 'who is no longer listed is revoked, though nobody asked for that'
assert_eq "$(lease bob "['open']")" "['127.0.0.1:8010', '127.0.0.1:8011']" 'what was changed'
assert_eq "$(expires alice)$(expires bob)" "$ends" 'what was not changed'
talks "$alice_talk" || fail "a change of other leases breaks alice's tunnel"
ok 'a changed list changes these leases, and no other'

note 'what cannot be done'
expect_exit 0 in_gateway leasectl revoke bob
good=$conf
conf=${conf/8000-8099/8099-8000}
inventory
fails gateway.yml
said 'leased refuses this configuration, and the old one stays'
said 'tunlease.conf:'
changes 0
expect_exit 0 in_gateway leased -t
expect_exit 0 in_gateway systemctl -q is-active leased.service
talks "$alice_talk" || fail "a bad configuration breaks alice's tunnel"
ok 'a bad configuration is refused, and the old one stays'
conf=$good
inventory
fails gateway.yml -e tunlease_exclusive=true
said 'bob was revoked at '
said 'revoke carol'
changes 1
login_refused "$WORK/bob" pfwd || fail 'who was revoked by hand is let in by Ansible'
ok 'who was revoked by hand is not granted again'
wait_for 2 'the tunnel of who is no longer listed to end' is_gone "$carol"
login_refused "$WORK/carol" pfwd || fail 'carol still logs in'
talks "$alice_talk" || fail "another's revoke breaks alice's tunnel"
ok 'who is no longer listed is revoked where that is asked for, and nobody else'

note 'de-enrol'
fwd_stop
plays remove.yml --limit all -e tunlease_purge=true
plays remove.yml --limit all -e tunlease_purge=true
changes 0
for name in gateway db1; do
	expect_exit 0 enter "$name" sshd -t
	same_listing "$name" "$WORK/$name.listing"
done
