#!/bin/bash
# SPDX-License-Identifier: ISC
# record.sh: runs, in the sandbox, what is to be cut, under strace, and leaves the traces.
#
# usage: tests/sandbox tests/power/record.sh DIRECTORY [SCENARIO...]
#
# DIRECTORY/SCENARIO gets: base/, what the disk held before; root, the path that this is; keys, a line
# `NAME LOGIN TYPE BASE64` for each key; and for each step N.trace and N.step: its command, and what holds from
# the moment on in which it told somebody that it was done:
#
#   acknowledged stdout|http|request    by its first write to its standard output, by each answer to a request, or by
#                                each request
#   ACK admit NAME | refuse NAME | keeps PATH     after the ACKth of these; keeps: the file, as it is then
#   whole PATH                   at any time: the file is there as it becomes, or not at all
#   unchanged                    what it does is nothing that changes the store, or the agent's state
#   unusable                     until it is acknowledged, there may be no store that can be opened, or made
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/fault/store_tools.sh"
. "$TOP/tests/join_lib.sh"
. "$TOP/tests/agent_lib.sh"

out=$1
shift
calls=$(python3 -c 'import sys; sys.path.insert(0, sys.argv[1]); from tests.power import trace; print(trace.CALLS)' "$TOP")
trace=(strace -f -y -xx -s 100000000 -e signal=none -e "trace=$calls")
"${trace[@]}" -o /dev/null true 2>/dev/null || { echo 'strace may not trace here'; exit 77; }

# scenario NAME ROOT DIRECTORY...: what follows is of this scenario; the disk holds these directories of ROOT.
scenario()
{
	local directory
	name=$1 root=$2 steps=0
	rm -rf "${out:?}/$name"
	mkdir -p "$out/$name/base"
	printf '%s\n' "$root" >"$out/$name/root"
	for directory in "${@:3}"; do
		[[ ! -d $root/$directory ]] || cp -a "$root/$directory" "$out/$name/base/"
	done
	cp "$WORK/keys" "$out/$name/keys"
}
# step COMMAND...: traces it, in the background where it begins with `-b`; what holds then is on standard input.
step()
{
	local at
	steps=$((steps + 1))
	printf -v at '%s/%s/%02d' "$out" "$name" "$steps"
	{ printf 'command %s\n' "$*"; cat; } >"$at.step"
	if [[ $1 == -b ]]; then
		"${trace[@]}" -D -o "$at.trace" "${@:2}" </dev/null >"$WORK/out" 2>"$WORK/err" &
		return
	fi
	"${trace[@]}" -o "$at.trace" "$@" </dev/null >"$WORK/out" 2>"$WORK/err" || fail "$*: $(tail -n 2 "$WORK/err")"
}
key() # NAME LOGIN: a key that the images are asked about
{
	[[ -e $WORK/$1 ]] || new_key "$1" >/dev/null
	printf '%s %s %s\n' "$1" "$2" "$(cut -d' ' -f1,2 "$WORK/$1.pub")" >>"$WORK/keys"
}
# shellcheck disable=SC2153 # store_tools.sh has it
no_store() { rm -rf "$STORE_DIR"; }

printf '%s\n' 'PublicHost gateway.test' >>/etc/tunlease/tunlease.conf
if [[ $* != new ]]; then
	leasectl setup --join >"$WORK/out" 2>&1 || fail "setup --join: $(cat "$WORK/out")"
	wait_for 5 'sshd has the Match block' join_block
fi
mkdir -p /var/lib/backups
: >"$WORK/keys"
for who in alice bob carol dave erin; do key "$who" pfwd; done
for who in agent1 agent2 agent3; do key "$who" gw-tunnel; done
for who in imported1 imported2; do key "$who" pfwd; done

of_new() # the first grant makes the directory, the store and its log
{
	no_store
	scenario new /var/lib tunlease
	step leasectl grant alice --key "$WORK/alice.pub" --open 8009 <<<$'acknowledged stdout\n1 admit alice'
	step leasectl grant bob --key "$WORK/bob.pub" --open 8010 <<<$'acknowledged stdout\n1 admit bob'
	step leasectl revoke --keep-sessions alice <<<$'acknowledged stdout\n1 refuse alice'
}

of_admin() # a store that is there, changed in each way
{
	no_store
	leasectl grant alice --key "$WORK/alice.pub" --open 8009 >/dev/null
	leasectl grant erin --key "$WORK/erin.pub" --open 8009 >/dev/null
	awk '{ print "permitopen=\"127.0.0.1:8009\",restrict,port-forwarding", $0 }' "$WORK"/imported[12].pub >"$WORK/authorized"
	scenario admin /var/lib tunlease backups
	step leasectl grant bob --key "$WORK/bob.pub" --open 8010 <<<$'acknowledged stdout\n1 admit bob'
	step leasectl set bob --open +127.0.0.1:8009 --note narrowed <<<$'acknowledged stdout\n1 admit bob'
	step leasectl invite carol --open 8009 <<<'acknowledged stdout'
	step leasectl backup /var/lib/backups/one.db <<<$'unchanged\nacknowledged stdout\nwhole backups/one.db\n1 keeps backups/one.db'
	step leasectl revoke --keep-sessions alice <<<$'acknowledged stdout\n1 refuse alice'
	step leasectl import "$WORK/authorized" --login pfwd <<<$'acknowledged stdout\n1 admit imported1\n1 admit imported2'
	step leasectl restore --yes /var/lib/backups/one.db <<<$'acknowledged stdout\n1 refuse alice\n1 admit bob\n1 refuse imported1\n1 refuse imported2'
	step leasectl grant dave --key "$WORK/dave.pub" --open 8010 <<<$'acknowledged stdout\n1 admit dave'
}

empty_log() # sqlite3 has removed the two, and systemd-tmpfiles makes them
{
	local suffix
	for suffix in wal shm; do
		[[ -e $STORE-$suffix ]] || install -m 0640 -o _tunlease -g _tunlease /dev/null "$STORE-$suffix"
	done
}

of_migration() # a store of the version before, with a backup that is made first
{
	no_store
	leasectl grant alice --key "$WORK/alice.pub" --open 8009 >/dev/null
	leasectl grant erin --key "$WORK/erin.pub" --open 8009 >/dev/null
	leasectl revoke --keep-sessions alice >/dev/null
	as_owner sqlite3 "$STORE" <"$TOP/tests/to_version_3.sql"
	empty_log
	scenario migration /var/lib tunlease
	step leasectl grant bob --key "$WORK/bob.pub" --open 8010 \
		<<<$'acknowledged stdout\n1 admit bob\nwhole tunlease/leases.db-before-4\n1 keeps tunlease/leases.db-before-4'
	step leasectl revoke --keep-sessions erin <<<$'acknowledged stdout\n1 refuse erin'
}

of_no_log() # the log and its index are gone, which an older sqlite3 shell removes
{
	no_store
	leasectl grant alice --key "$WORK/alice.pub" --open 8009 >/dev/null
	as_owner sqlite3 "$STORE" 'SELECT count(*) FROM lease' >/dev/null
	rm -f "$STORE"-*
	scenario no_log /var/lib tunlease
	step leasectl grant bob --key "$WORK/bob.pub" --open 8010 <<<$'acknowledged stdout\n1 admit bob'
	step leasectl revoke --keep-sessions alice <<<$'acknowledged stdout\n1 refuse alice'
}

of_lost() # no sound store is left, and a backup becomes the store
{
	no_store
	leasectl grant alice --key "$WORK/alice.pub" --open 8009 >/dev/null
	leasectl grant bob --key "$WORK/bob.pub" --open 8009 >/dev/null
	leasectl revoke --keep-sessions alice >/dev/null
	rm -f /var/lib/backups/lost.db
	leasectl backup /var/lib/backups/lost.db >/dev/null
	dd if=/dev/urandom of="$STORE" bs=4096 count=4 conv=notrunc status=none
	: >"$STORE-wal"
	scenario lost /var/lib tunlease backups
	step leasectl restore --forget-revocations --yes /var/lib/backups/lost.db <<<$'unusable\nacknowledged stdout\n1 admit bob\n1 refuse alice'
	step leasectl revoke --keep-sessions bob <<<$'acknowledged stdout\n1 refuse bob'
}

leased_enrols()
{
	rm -f /etc/tunlease/leased.env
	echo 'API_KEY=an-enrolment-key-for-the-tests' >/etc/tunlease/leased.env
	chown _tunlease:root /etc/tunlease/leased.env
	chmod 0400 /etc/tunlease/leased.env
}
listens() { curl -s -o /dev/null http://127.0.0.1:12000/; }
of_leased() # registers, heartbeats that are settled in their leases, an invite that is redeemed, and a prune
{
	local code leased
	no_store
	printf '%s\n' 'KeepExpired 1s' 'AuditKeep 1s' >>/etc/tunlease/tunlease.conf
	leased_enrols
	for who in alice bob; do leasectl grant "$who" --key "$WORK/$who.pub" --open 8009 >/dev/null; done
	leasectl revoke --keep-sessions alice >/dev/null
	leasectl invite erin --open 8009 >"$WORK/out" 2>/dev/null || fail 'no invite'
	code=$(grep -Eo '[2-9A-HJ-NP-Z]{4}(-[2-9A-HJ-NP-Z]{4}){3}' "$WORK/out" | head -n 1)
	sleep 2 # what was revoked is old enough to be deleted
	scenario leased /var/lib tunlease
	step -b leased <<<$'acknowledged http\n1 admit agent1\n2 admit agent2\n3 admit agent3\n7 admit agent1\n8 admit erin'
	leased=$!
	wait_for 20 'leased to listen' listens
	python3 "$TOP/tests/power/ask.py" "$WORK/agent1.pub,$WORK/agent2.pub,$WORK/agent3.pub" \
		"${SSH[@]}" -T -i "$WORK/erin" "join@$GATEWAY" "$code" 2>"$WORK/err" || fail "$(tail -n 3 "$WORK/err" "$SANDBOX_LOG")"
	kill "$leased"
	wait_for 10 'the end of leased' is_gone "$leased"
	wait_for 10 'the end of its trace' traced_to_end "$leased"
}
# What an agent has in its state directory before it sends a request must be there after it: the gateway relies on it.
agent_scenario() # NAME
{
	rm -rf /var/lib/agent
	mkdir /var/lib/agent
	export STATE_DIR=/var/lib/agent/state
	scenario "$1" /var/lib/agent
}
agent_step() # WORD...: until the tunnel is up and leased answers
{
	step -b tunnel-agent "$@" <<<$'unchanged\nacknowledged request'
	AGENT=$!
	at_exit "$AGENT"
	wait_for 30 'its state directory' test -e "$STATE_DIR/run" # status would make it, without a trace
	wait_for 30 'the tunnel to be up' is gateway up
	wait_for 20 'leased to answer its heartbeat' service_is gateway ok
	kill "$AGENT"
	wait_for 10 'the end of the agent' is_gone "$AGENT"
	wait_for 10 'the end of its trace' traced_to_end
}
of_agent() # an agent that registers, and comes back with its secret
{
	local words
	no_store
	leased_enrols
	leased_starts
	words=(-d -c "$(quick)" --endpoint http://127.0.0.1:12000 --agent-id agent1 --target 127.0.0.1:8022)
	agent_scenario agent
	agent_step "${words[@]}" --api-key an-enrolment-key-for-the-tests
	agent_step "${words[@]}"
	leased_stops
}
of_joined() # a private host and a friend that join with an invite
{
	local pin
	pin=$(ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub | cut -d' ' -f2)
	no_store
	leased_starts
	agent_scenario joined
	leasectl invite agent2 --agent >"$WORK/out"
	code_of_invite
	step tunnel-agent join --no-hold --host-key "$pin" --target 127.0.0.1:8022 "$GATEWAY" "@$WORK/code" <<<'acknowledged stdout'
	leasectl invite bob --open 8009 >"$WORK/out"
	code_of_invite
	step tunnel-agent join --no-hold --host-key "$pin" "$GATEWAY" "@$WORK/code" <<<'acknowledged stdout'
	agent_scenario friend
	leasectl invite alice --open 8009 >"$WORK/out"
	code_of_invite
	step tunnel-agent join --no-hold --host-key "$pin" "$GATEWAY" "@$WORK/code" <<<'acknowledged stdout'
	leased_stops
}
code_of_invite() { grep -oE '[2-9A-HJ-NP-Z]{4}(-[2-9A-HJ-NP-Z]{4}){3}' "$WORK/out" | head -n 1 >"$WORK/code"; }

traced_to_end() { ! pgrep -x strace >/dev/null; }

(($#)) || set -- new admin no_log migration lost leased agent joined
for wanted; do "of_$wanted"; done
ok "recorded: $*"
