#!/bin/bash
# SPDX-License-Identifier: ISC
# leasectl grant, list, show and revoke: what they print in each form, and each way in which a
# request is refused, with its exit status and without a change.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"

for name in alice bob carol; do new_key "$name" >/dev/null; done
pub() { echo "$WORK/$1.pub"; }
echo 'PublicHost gateway.example.com' >>/etc/tunlease/tunlease.conf
leasectl login add team >/dev/null

note 'the ssh command that grant prints works'
friend_file=~li/.ssh/id_ed25519
plain='ssh -N -T -S none -o ControlPersist=no -o ExitOnForwardFailure=yes -o ServerAliveInterval=15 -o ServerAliveCountMax=3 -o ClearAllForwardings=no'
expect_exit 0 leasectl grant alice --key "$(pub alice)" --open 8009 --note 'GPU box'
line=$(grep '^  ssh ' "$WORK/out")
assert_eq "$line" "  $plain -L 8009:127.0.0.1:8009 pfwd@gateway.example.com" 'the ssh command, without -i for a file that nobody was told to make'
for want in 'http://127.0.0.1:8009/' "host key   ssh-ed25519 $(ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub | cut -d' ' -f2)" 'prove it   leasectl verify alice' \
	"with key   alice's own ($(ssh-keygen -lf "$(pub alice)" | cut -d' ' -f2))"; do
	grep -qF -- "$want" "$WORK/out" || fail "missing: $want"
done
grep -qE '^until      20[0-9-]{8} [0-9:]{5} UTC([+-][0-9:]{5})?$' "$WORK/out" || fail "no end with a zone: $(grep ^until "$WORK/out")"
[[ ! -s $WORK/err ]] || fail "a warning: $(cat "$WORK/err")"
# The friend types that command, with this host's name in place of the public one, and has the key where ssh looks for it.
install -d -m 700 -o li ~li/.ssh
install -m 600 -o li "$WORK/alice" "$friend_file"
install -m 644 -o li "$WORK/alice.pub" "$friend_file.pub" # ssh asks with the key in the .pub
serve 8009
typed=${line/gateway.example.com/localhost}
typed=${typed/-L 8009:/-L 18009:}
setpriv --reuid=li --regid=li --clear-groups env HOME=/home/li bash -c "exec ${typed/ssh /ssh -o StrictHostKeyChecking=no }" 2>"$WORK/ssh.err" &
at_exit $!
up() { [[ $(fetch http://127.0.0.1:18009/) == 'hello from 8009' ]]; }
poll 10 up || fail "the tunnel of that command: $(cat "$WORK/ssh.err")"
kill $!
# Asked by sshd's children, not by user: a new login is root's process at first, before it becomes
# its user's.
idle() { ! pgrep -P "$(cat /run/sshd.pid)" >/dev/null; }
wait_for 10 'the connection to end' idle

note 'the same lease in every form'
assert_eq "$(leasectl list | cut -f1-4,6-9)" $'1\talice\tpfwd\tactive\t127.0.0.1:8009\t\t\tGPU box' 'TSV'
on_terminal=$(script -qec 'leasectl list' /dev/null)
grep -q '^ID  NAME ' <<<"$on_terminal" || fail "no heading on a terminal: $on_terminal"
grep -qE 'in (6d 23h|7d)' <<<"$on_terminal" || fail "no time until the end on a terminal: $on_terminal"
assert_eq "$(leasectl show alice | grep '^note')" $'note\tGPU box' 'show'
assert_eq "$(leasectl show '#1' | head -n 2 | tail -n 1)" $'name\talice' 'by number'
assert_eq "$(leasectl --json list | python3 -c 'import json,sys; print(json.load(sys.stdin)[0]["name"])')" alice 'JSON'
assert_eq "$(leasectl list --expiring 1h)" '' 'not expiring within the hour'
assert_eq "$(leasectl list --expiring 8d | cut -f2)" alice 'expiring within 8 days'
assert_eq "$(leasectl list --login gw-tunnel)" '' 'not on the other login'

note 'refused, each with its exit status, and nothing changed'
state() { leasectl --json list --all; }
before=$(state)
refuses() { # STATUS WORDS ARGS...
	local status=$1 words=$2; shift 2
	expect_exit "$status" leasectl "$@"
	[[ $(wc -l <"$WORK/err") == 1 ]] || fail "not one line: $(cat "$WORK/err")"
	grep -qF -- "$words" "$WORK/err" || fail "$*: no '$words' in: $(cat "$WORK/err")"
	[[ ! -s $WORK/out ]] || fail "$*: something on standard output"
	[[ $(state) == "$before" ]] || fail "$*: something changed"
	ok "$status: $(cat "$WORK/err")"
}
refuses 5 'the name is taken by the lease' grant alice --key "$(pub bob)" --open 8009
refuses 5 "holds the lease 'alice' (#1) on login 'pfwd' already" grant bob --key "$(pub alice)" --open 8009
refuses 4 'AllowOpen does not cover it (AllowOpen is 127.0.0.1:*, [::1]:* in /etc/tunlease/tunlease.conf)' grant bob --key "$(pub bob)" --open 10.0.0.1:22
refuses 4 'on ForwardLogin nothing may listen' grant bob --key "$(pub bob)" --listen 20001
refuses 4 'on ForwardLogin nothing may listen' grant bob --key "$(pub bob)" --listen auto
refuses 4 'AllowListen does not cover it (AllowListen is 127.0.0.1:20000-29999 in /etc/tunlease/tunlease.conf)' grant bob --login team --key "$(pub bob)" --listen 19999
refuses 4 'only the control port' grant bob --login gw-tunnel --key "$(pub bob)" --open 8009
refuses 4 'longer than MaxTTL (90d in /etc/tunlease/tunlease.conf)' grant bob --key "$(pub bob)" --open 8009 --for 91d
refuses 4 'longer than MaxTTL' grant bob --key "$(pub bob)" --open 8009 --until 9999-12-31
refuses 2 'has passed' grant bob --key "$(pub bob)" --open 8009 --until 2020-01-01
refuses 2 'is no duration' grant bob --key "$(pub bob)" --open 8009 --for 5
refuses 2 'is no account' grant bob --login ghost --key "$(pub bob)" --open 8009
refuses 2 'is not in the tunnel group' grant bob --login li --key "$(pub bob)" --open 8009
refuses 2 'is uid 0' grant bob --login root --key "$(pub bob)" --open 8009
refuses 2 'name what to permit' grant bob --key "$(pub bob)"
refuses 2 '--key is missing' grant bob --open 8009
refuses 2 'private key' grant bob --key "$WORK/bob" --open 8009
refuses 2 'cannot read the key' grant bob --key /nowhere --open 8009
refuses 2 'is not a file' grant bob --key /etc --open 8009
refuses 2 "the name 'a b'" grant 'a b' --key "$(pub bob)" --open 8009
refuses 2 'takes one NAME' grant a b --key "$(pub bob)" --open 8009
refuses 2 "unknown option '--colour'" grant bob --colour
refuses 2 "'--key' needs a value" grant bob --key
refuses 2 'the port is not' grant bob --key "$(pub bob)" --open 0
refuses 2 'larger than 256 ports' grant bob --key "$(pub bob)" --open 127.0.0.1:1000-1256
refuses 2 '--from' grant bob --key "$(pub bob)" --open 8009 --from 300.0.0.1
refuses 2 'control character' grant bob --key "$(pub bob)" --open 8009 --note $'two\nlines'
refuses 2 'is no number from 1 to 1000' grant bob --key "$(pub bob)" --open 8009 --max-sessions 0
refuses 2 'one connection' grant bob --key "$(pub bob)" --login gw-tunnel --listen 20001 --max-sessions 2
refuses 3 "there is no lease 'bob'" show bob
refuses 3 "there is no lease '#99'" show '#99'
refuses 3 "there is no lease 'bob'" revoke bob
refuses 2 'no such command' frobnicate
refuses 2 'no lease number' show '#x'

note 'a lease that opens and listens; a port has one holder'
expect_exit 0 leasectl grant bob --login team --key "$(pub bob)" --open 127.0.0.1:5001-5003 --listen auto
assert_eq "$(leasectl --json show bob | python3 -c 'import json,sys; print(json.load(sys.stdin)["listen"])')" "['127.0.0.1:20000']" 'the first free port'
grep -q -- '-L 5001:127.0.0.1:5001 -L 5002:127.0.0.1:5002 -L 5003:127.0.0.1:5003 -R 127.0.0.1:20000:127.0.0.1:22 team@' "$WORK/out" || fail "$(cat "$WORK/out")"
before=$(state)
refuses 5 "port 20000 is held by the lease 'bob'" grant carol --login gw-tunnel --key "$(pub carol)" --listen 127.0.0.1:20000
python3 -m http.server -b 127.0.0.1 20001 >/dev/null 2>&1 &
at_exit $!
listening() { ss -ltn | some_line ':20001 '; }
wait_for 5 'another program to listen' listening
expect_exit 0 leasectl grant carol --login gw-tunnel --key "$(pub carol)" --listen auto
assert_eq "$(leasectl --json show carol | python3 -c 'import json,sys; print(json.load(sys.stdin)["listen"])')" "['127.0.0.1:20002']" 'auto skips a port that another program listens on'

note 'a revoke is final; name and key are free at once, the port is quarantined'
expect_exit 0 leasectl revoke bob carol
expect_exit 5 leasectl revoke bob
expect_exit 0 leasectl grant bob --login team --key "$(pub bob)" --listen 20000
assert_eq "$(leasectl --json show bob | python3 -c 'import json,sys; print(json.load(sys.stdin)["id"])')" 4 'the former holder gets its port again, with a new lease'
before=$(state)
refuses 5 "kept for its former holder 'carol'" grant dave --login team --key "$(pub carol)" --listen 20002
assert_eq "$(leasectl list --all | cut -f2,4 | sort | tr '\n' ' ')" $'alice\tactive bob\tactive bob\trevoked carol\trevoked ' 'the revoked leases stay listed'

note 'a revoke ends a live connection'
# A session that is opened late: a tunnel that is said to be up has one, or the revoke would end none.
sed -i '1i session optional pam_exec.so /bin/sleep 0.3' /etc/pam.d/sshd
fwd_L "$WORK/alice" pfwd 18010:127.0.0.1:8009 || fail "the tunnel: $(tail -n 3 "$WORK/ssh.err")"
sed -i 1d /etc/pam.d/sshd
expect_exit 0 leasectl revoke alice
grep -q '^ended 1 session in [0-9]* ms$' "$WORK/out" || fail "$(cat "$WORK/out")"
fwd_is_over() { ! kill -0 "$FWD_PID" 2>/dev/null; }
wait_for 5 'the client to notice' fwd_is_over

note 'what the friend runs changes with the permits'
expect_exit 0 leasectl set bob --open +127.0.0.1:5001 --listen -127.0.0.1:20000
grep -qxF -- "  $plain -L 5001:127.0.0.1:5001 team@gateway.example.com" "$WORK/out" || fail "no new line: $(cat "$WORK/out")"
! grep -q 'host key' "$WORK/out" || fail 'the host key again'
expect_exit 0 leasectl set bob --note moved
[[ $(wc -l <"$WORK/out") == 1 ]] || fail "a line, though it is the old one: $(cat "$WORK/out")"

note 'on a terminal, grant asks for the key, and the line names the file that it told the friend to make'
ask() { # NAME COMMENT: the friend sends a key with that comment
	rm -f "$WORK/answer" "$WORK/sent" "$WORK/sent.pub"
	ssh-keygen -q -t ed25519 -N '' -C "$2" -f "$WORK/sent" </dev/null
	(sleep 0.5; cat "$WORK/sent.pub") | script -qec "leasectl grant $1 --open 8009" "$WORK/answer" >/dev/null
	grep -q "granted '$1'" "$WORK/answer" || fail "$(cat "$WORK/answer")"
	leasectl --json show "$1" | sed 's/.*"connect":"//; s/"}$//'
}
with_file="$plain -o IdentitiesOnly=yes -i ~/.ssh/erin_key -L 8009:127.0.0.1:8009 pfwd@gateway.example.com"
assert_eq "$(ask erin erin_key)" "$with_file" 'the file of the ssh-keygen line'
grep -q 'ssh-keygen -t ed25519 -f ~/.ssh/erin_key -C erin_key' "$WORK/answer" || fail "$(cat "$WORK/answer")"
tr -d '\r' <"$WORK/answer" | some_line -xF -- "  $with_file" || fail "grant prints another line than show: $(cat "$WORK/answer")"
leasectl revoke erin >/dev/null
assert_eq "$(ask erin '')" "$with_file" 'also when the comment was lost'
leasectl revoke erin >/dev/null
assert_eq "$(ask erin erin@laptop)" "$plain -L 8009:127.0.0.1:8009 pfwd@gateway.example.com" 'not for a key that the friend had already'
