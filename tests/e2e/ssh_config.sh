#!/bin/bash
# SPDX-License-Identifier: ISC
# leasectl ssh-config: what it prints for a holder and for an agent works with the real ssh, beside a hostile
# ~/.ssh/config; a wrong host key is refused, at the gateway and behind an agent's port.
# sandbox: --leased
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"

li=(setpriv --reuid=li --regid="$(id -g li)" --clear-groups env -i HOME=/home/li PATH=/usr/bin:/bin)
as_li() { "${li[@]}" "$@"; }
known=~li/.ssh/known_hosts
hostile='Host *
    ControlMaster auto
    ControlPath ~/.ssh/master-%C
    ControlPersist yes
    RequestTTY force
    ClearAllForwardings yes
    StrictHostKeyChecking no
    ExitOnForwardFailure no
    BatchMode yes'
new_key alice_key >/dev/null
install -m 600 -o li "$WORK/alice_key" ~li/.ssh/alice_key

# li_config WORD...: the output of ssh-config becomes li's configuration, with what is hostile behind it.
li_config()
{
	expect_exit 0 leasectl ssh-config "$@"
	{ cat "$WORK/out"; printf '%s\n' "$hostile"; } >~li/.ssh/config
	leasectl ssh-config "$@" --only known-hosts >"$known"
	chown li ~li/.ssh/config "$known"
}
# setting HOST KEYWORD: what ssh says that it would use.
setting() { as_li ssh -G "$1" | sed -n "s/^$2 //p" | tr '\n' ';'; }
part() { leasectl ssh-config "$1" --only "$2"; }

note 'a holder: what ssh makes of the stanza'
serve 8009
serve 8009 ::1
leasectl grant alice --key "$WORK/alice_key.pub" --open 8009 --open '[::1]:8009' --open 80 >/dev/null
li_config alice
for want in 'hostname gateway.test' 'user pfwd' 'port 22' 'controlmaster false' 'controlpersist no' 'requesttty false' \
	'clearallforwardings no' 'exitonforwardfailure yes' 'serveraliveinterval 15' 'serveralivecountmax 3' 'gatewayports no' \
	'stricthostkeychecking true' 'hostkeyalias tunlease:gateway.test' 'identitiesonly yes'; do
	assert_eq "$(setting alice "${want%% *}")" "${want#* };" "ssh -G alice: ${want%% *}"
done
assert_eq "$(setting alice localforward)" '8009 [127.0.0.1]:8009;8010 [::1]:8009;10080 [127.0.0.1]:80;' 'its forwards'
# shellcheck disable=SC2088 # ssh itself expands it
assert_eq "$(setting alice identityfile)" '~/.ssh/alice_key;' 'its key'

note 'a holder: stanza, unit and job carry data'
# The friend is on this host, where 8009 is the service's own: everything is tried with other local ports.
move_ports() { sed -E 's/8009([ :]127)/18009\1/; s/8010([ :]\[)/18010\1/'; }
hold() { # WHAT COMMAND...: COMMAND as li holds the tunnel
	local what=$1; shift
	"${li[@]}" "$@" </dev/null >"$WORK/ssh.out" 2>"$WORK/ssh.err" &
	local pid=$!
	at_exit "$pid"
	wait_for 10 "$what" carries
	kill "$pid"
	wait "$pid" || :
	wait_for 10 "$what to end" port_free 18009
}
carries()
{
	[[ $(fetch http://127.0.0.1:18009/) == 'hello from 8009' && $(fetch http://127.0.0.1:18010/) == 'hello from 8009' ]]
}
move_ports <~li/.ssh/config >"$WORK/moved"
cp "$WORK/moved" ~li/.ssh/config
hold 'the stanza' ssh -N alice
part alice systemd >"$WORK/tunlease-alice.service"
part alice launchd >"$WORK/tunlease.alice.plist"
python3 - "$WORK" <<'END'
import plistlib, shlex, sys
work = sys.argv[1]
unit = open(work + "/tunlease-alice.service").read()
start = shlex.split(unit.split("\nExecStart=")[1].split("\n")[0])
job = plistlib.load(open(work + "/tunlease.alice.plist", "rb"))
assert job["Label"] == "tunlease.alice" and job["RunAtLoad"] is True and job["KeepAlive"] is True, job
assert job["ProgramArguments"] == start, (start, job["ProgramArguments"])
assert start[0] == "/usr/bin/ssh" and "BatchMode=yes" in start and "8010:[::1]:8009" in start, start
open(work + "/words", "w").write("\n".join(start) + "\n")
END
ok 'unit and job run the same words'
mapfile -t words < <(move_ports <"$WORK/words")
rm ~li/.ssh/config # they stand by themselves
hold 'unit and job' "${words[@]}"
if type -P systemd-analyze >/dev/null; then
	# Some versions exit 0 with a complaint.
	verify_unit() { XDG_RUNTIME_DIR=$WORK systemd-analyze verify --user --recursive-errors=no "$WORK/tunlease-alice.service"; }
	expect_exit 0 verify_unit
	[[ ! -s $WORK/err ]] || fail "the unit: $(cat "$WORK/err")"
	sed -i 's/^Restart=always/Restart=perhaps/' "$WORK/tunlease-alice.service"
	! { verify_unit 2>&1 || :; } | some_line perhaps && fail 'systemd-analyze accepts anything'
	ok 'systemd takes the unit'
else
	note 'no systemd-analyze: the unit is not verified'
fi

note 'a gateway with another key is refused'
cp "$WORK/moved" ~li/.ssh/config
ssh-keygen -q -t ed25519 -N '' -f "$WORK/stranger" </dev/null
printf 'tunlease:gateway.test %s\n' "$(cut -d' ' -f1,2 "$WORK/stranger.pub")" >"$known"
expect_exit 255 as_li timeout 20 ssh -N alice
grep -q 'Host key verification failed' "$WORK/err" || fail "$(cat "$WORK/err")"
: >"$known"
expect_exit 255 as_li timeout 20 ssh -N alice
grep -q 'Host key verification failed' "$WORK/err" || fail "$(cat "$WORK/err")"
expect_exit 255 as_li timeout 20 "${words[@]}"
grep -q 'Host key verification failed' "$WORK/err" || fail "$(cat "$WORK/err")"
ok 'with another key pinned, and with none'

note 'an agent that has registered its host keys: a jump, and nobody else on its port'
ssh-keygen -q -t ed25519 -N '' -f "$WORK/host" </dev/null
behind() { # PORT KEY: an sshd with that host key
	printf '%s\n' "ListenAddress 127.0.0.1:$1" "HostKey $2" "PidFile $WORK/pid$1" 'UsePAM no' 'StrictModes no' \
		"AuthorizedKeysFile $WORK/keys" 'PasswordAuthentication no' 'KbdInteractiveAuthentication no' >"$WORK/sshd$1"
	"$SSHD" -f "$WORK/sshd$1"
	wait_for 5 "an sshd on $1" test -s "$WORK/pid$1"
	at_exit "$(cat "$WORK/pid$1")"
}
cp "$WORK/alice_key.pub" "$WORK/keys"
chmod 755 "$WORK"
behind 8022 "$WORK/host"
behind 8023 "$WORK/stranger"
agent_has_told() { leasectl ssh-config db1 --only known-hosts 2>/dev/null | some_line "^tunlease:gateway.test:db1 $(cut -d' ' -f1,2 "$WORK/host.pub")\$"; }
agent_is_up() { [[ $(leasectl agents | cut -f4) == up ]]; }
export STATE_DIR=$WORK/state
tunnel-agent -d --endpoint http://127.0.0.1:12000 --api-key an-enrolment-key-for-the-tests --agent-id db1 \
	--target 127.0.0.1:8022 </dev/null >/dev/null 2>"$WORK/agent.err" &
agent=$!
at_exit "$agent"
wait_for 20 'the agent to be up' agent_is_up
wait_for 20 "the agent to register its sshd's key" agent_has_told
port=$(leasectl agents | cut -f2)
leasectl set alice --open +agent:db1 >/dev/null
li_config alice --user li # the agent has registered root, as which it runs
for want in 'hostname localhost' "port $port" 'user li' 'proxyjump db1+gateway' 'hostkeyalias tunlease:gateway.test:db1' \
	'stricthostkeychecking true' 'controlmaster false' 'identityfile ~/.ssh/alice_key'; do
	assert_eq "$(setting db1 "${want%% *}")" "${want#* };" "ssh -G db1: ${want%% *}"
done
jumps() { expect_exit 0 as_li timeout 20 ssh db1 id -un; assert_eq "$(tr -d '\r' <"$WORK/out")" li "$1"; }
jumps 'the jump, with the stanzas of a holder'
leasectl ssh-config db1 --only stanzas | some_line -x '    User root' || fail 'not the user that the agent has registered'
assert_eq "$(leasectl ssh-config alice --only command)" "$(leasectl --json show alice | python3 -c 'import json,sys; print(json.load(sys.stdin)["connect"])')" \
	'the command is the one of show'
cp ~li/.ssh/alice_key ~li/.ssh/id_ed25519
cp "$WORK/alice_key.pub" ~li/.ssh/id_ed25519.pub
chown li ~li/.ssh/id_ed25519
li_config db1 --user li
jumps 'the jump, with the pair of an agent, and a key that ssh finds by itself'
assert_eq "$(leasectl ssh-config db1 --user li --only command)" "ssh -J pfwd@gateway.test -p $port li@localhost" 'its command'

fwd_stop "$agent"
wait_for 10 'the port to be free' port_free "$port"
fwd_R "$STATE_DIR/agent.pem" gw-tunnel "127.0.0.1:$port:127.0.0.1:8023" || fail 'the other host has no tunnel'
expect_exit 255 as_li timeout 20 ssh db1 id -un
grep -q 'Host key verification failed' "$WORK/err" || fail "another host on the port of db1: $(cat "$WORK/err")"
[[ ! -s $WORK/out ]] || fail "it ran a command there: $(cat "$WORK/out")"
as_li timeout 20 ssh -o HostKeyAlias=none -o StrictHostKeyChecking=no db1 id -un >"$WORK/out" 2>"$WORK/err" ||
	fail "without the pin that host lets nobody in, so nothing was shown: $(cat "$WORK/err")"
ok 'another host on that port is refused, and only for its key'

note 'an agent that has registered none: ssh asks'
expect_exit 0 leasectl agent add db2 --key "$WORK/stranger.pub"
expect_exit 0 leasectl ssh-config db2
grep -qx '    StrictHostKeyChecking ask' "$WORK/out" || fail "$(cat "$WORK/out")"
! grep -q '^    User li' "$WORK/out" || fail 'a user that nobody has named'
leasectl ssh-config db2 --only known-hosts | some_line ':db2 ' && fail 'a key that nobody has registered'

note 'names that ssh or systemd would read otherwise'
leasectl revoke alice >/dev/null
leasectl grant Al@B --key "$WORK/alice_key.pub" --open 8009 >/dev/null
leasectl ssh-config Al@B >"$WORK/odd"
assert_eq "$(ssh -F "$WORK/odd" -G Al++B | sed -n 's/^user //p')" pfwd 'an @ in a name'
grep -q '/tunlease-Al-B.service' "$WORK/odd" || fail "$(cat "$WORK/odd")"

note 'an agent that is called as the gateway of another one, or as its alias'
for name in db2-gateway db2+gateway Db3; do ssh-keygen -q -t ed25519 -N '' -f "$WORK/of-$name" </dev/null; done
expect_exit 2 leasectl agent add db2+gateway --key "$WORK/of-db2+gateway.pub"
expect_exit 0 leasectl agent add db2-gateway --key "$WORK/of-db2-gateway.pub"
expect_exit 0 leasectl agent add Db3 --key "$WORK/of-Db3.pub"
number=$(leasectl --json show Db3 | python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])')
expect_exit 0 leasectl agent add "db3.$number" --key "$WORK/of-db2+gateway.pub"
leasectl grant eve --key "$WORK/host.pub" --open agent:db2-gateway --open agent:db2 --open agent:Db3 --open "agent:db3.$number" >/dev/null
leasectl ssh-config eve --only stanzas >"$WORK/eve"
assert_eq "$(grep -c '^Host ' "$WORK/eve")" "$(grep '^Host ' "$WORK/eve" | sort -fu | wc -l)" 'each Host stands there once'
jump=$(ssh -F "$WORK/eve" -G db2 | sed -n 's/^proxyjump //p')
assert_eq "$(ssh -F "$WORK/eve" -G "$jump" | grep -E '^(hostname|proxyjump|hostkeyalias) ' | sort | paste -sd ' ')" \
	'hostkeyalias tunlease:gateway.test hostname gateway.test' 'the way to db2 leads through the gateway alone'
alias_of() { ssh -F "$WORK/eve" -G "$1" | sed -n 's/^hostkeyalias //p'; }
assert_eq "$(alias_of Db3)" "tunlease:gateway.test:db3:$number" 'the alias of a name with a capital'
[[ $(alias_of "db3.$number") != "$(alias_of Db3)" ]] || fail 'two agents have one alias'

note 'refused'
refuses() { # STATUS WHY ARGS...
	local status=$1 why=$2; shift 2
	expect_exit "$status" leasectl ssh-config "$@"
	grep -qF -- "$why" "$WORK/err" || fail "$*: no '$why' in: $(cat "$WORK/err")"
	[[ ! -s $WORK/out ]] || fail "$*: something on standard output"
}
refuses 2 'takes one NAME'
refuses 3 "there is no lease 'nobody'" nobody
refuses 5 'is revoked' alice
refuses 2 'opens none' Al@B --user li
refuses 2 "--user 'a b'" db1 --user 'a b'
refuses 2 "--only 'x'" db1 --only x
refuses 1 'has no systemd' db1 --only systemd
leasectl grant li --key "$WORK/stranger.pub" --open agent:db1 >/dev/null 2>&1
expect_exit 0 leasectl ssh-config li --user li
refuses 1 'has no launchd' li --only launchd
leasectl revoke db1 >/dev/null
refuses 1 'opens nothing' li
