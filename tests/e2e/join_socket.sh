#!/bin/bash
# SPDX-License-Identifier: ISC
# The socket on which invites are redeemed, spoken to as the program join does: who may ask there and for what,
# that nothing else is served there and joining nowhere else, races, kills, restarts, and what is written down
# of wrong codes.
# sandbox: --leased
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"

store=/var/lib/tunlease/leases.db
socket=/run/tunlease-join/socket
for name in friend other third; do new_key "$name" >/dev/null; done
ask() { python3 "$TOP/tests/join_ask.py" --key "$WORK/friend.pub" "$@" >"$WORK/answer" 2>&1 || fail "join_ask: $(cat "$WORK/answer")"; }
answers() { # "STATUS EXIT" WHAT ARGUMENT...
	local want=$1 what=$2; shift 2
	ask "$@"
	[[ $(head -n 1 "$WORK/answer") == "$want" ]] || fail "$what: $(head -n 4 "$WORK/answer")"
	ok "$what: $want"
}
invite() { code=$(leasectl --json invite "$@" | python3 -c 'import json,sys; print(json.load(sys.stdin)["code"])'); }
spent() { [[ $(sqlite3 "$store" "SELECT uses_left FROM token WHERE name = '!$1'") == 0 ]]; }
has_lease() { [[ $(sqlite3 "$store" "SELECT count(*) FROM lease WHERE name = '$1'") == 1 ]]; }
up() { curl -s -o /dev/null --max-time 1 http://127.0.0.1:12000/healthz; }
down() { ! kill -0 "$leased" 2>/dev/null; }
not_up() { ! up; }
# After kill -9 its http process answers for a moment longer.
start() { wait_for 5 'the leased of before to be gone' not_up; leased </dev/null >/run/leased.out 2>&1 & leased=$!; at_exit "$leased"; wait_for 10 'leased to be up' up; }
stop() { kill "$leased"; wait_for 10 'leased to stop' down; }

leased=$(cat /run/leased.pid)
[[ ! -e $socket ]] || fail 'a join socket without JoinLogin'
groupadd -r _tunnel-join
useradd -r -M -g _tunnel-join -d / -s /usr/libexec/tunlease/join -p '*' join
printf 'JoinLogin join\nMetricsListen 127.0.0.1:9101\n' >>/etc/tunlease/tunlease.conf
stop
start

note 'who may connect, and who may ask'
assert_eq "$(stat -c '%U %G %a' /run/tunlease-join)" 'root _tunnel-join 750' 'its directory'
assert_eq "$(stat -c '%G %a' $socket)" '_tunnel-join 660' 'the socket'
invite alice --open 8009
ask --as li "$code"
grep -q 'cannot ask: Permission denied' "$WORK/answer" || fail "another user: $(cat "$WORK/answer")"
answers '403 -' 'root, within a join connection' --as root "$code"
answers '403 -' 'an entry of another login' --entry-of li "$code"
answers '200 7' 'a process of no join connection' --no-entry "$code"
answers '200 7' 'another key than that of the connection' --send "$WORK/other.pub" "$code"
! spent alice || fail 'the invite was spent'
answers '200 0' 'the key of the connection' "${code,,}"
head -n 2 "$WORK/answer" | some_line -F "joined as 'alice' with your key ssh-ed25519 $(ssh-keygen -lf "$WORK/friend.pub" | cut -d' ' -f2) until " ||
	fail "$(cat "$WORK/answer")"
for line in 'login      pfwd' 'forward    -L 8009:127.0.0.1:8009'; do
	grep -qx -e "$line" "$WORK/answer" || fail "not said: $line: $(cat "$WORK/answer")"
done
login_works "$WORK/friend" pfwd || fail 'the key does not get in'
cp "$WORK/answer" "$WORK/first"
answers '200 0' 'the same again' "$code"
cmp -s "$WORK/first" "$WORK/answer" || fail "another answer: $(cat "$WORK/answer")"
answers '200 3' 'the same code with another key' --key "$WORK/other.pub" "$code"
ask --json "$code"
python3 -c 'import json,sys; l = json.loads(open(sys.argv[1]).read().split("\n", 1)[1]); assert l["name"] == "alice" and l["host"] == "gateway.test" and l["port"] == 22 and l["host_keys"], l' "$WORK/answer"
ok 'the lease as JSON'

note 'nothing else there'
for action in register heartbeat x; do
	answers '403 -' "action $action" --raw "POST /
{\"action\":\"$action\",\"agent_id\":\"db1\",\"public_key\":\"$(cat "$WORK/other.pub")\",\"api_key\":\"an-enrolment-key-for-the-tests\"}"
done
for path in / /healthz /metrics /version /status.json /page.js; do
	ask --raw "GET $path"
	[[ $(head -n 1 "$WORK/answer") =~ ^(404|405) ]] || fail "GET $path: $(cat "$WORK/answer")"
done
answers '400 -' 'no JSON' --raw 'POST /
x'
answers '400 -' 'a code of 65 bytes' "$(printf '%065d' 1)"

note 'and joining nowhere else'
invite bob --open 8009
body="{\"action\":\"join\",\"code\":\"$code\",\"public_key\":\"$(cut -d' ' -f1,2 "$WORK/other.pub")\"}"
post() { curl -s -o "$WORK/answer" -w '%{http_code}' --max-time "$(slow 10)" -H 'Content-Type: application/json' --data "$2" "$1"; }
assert_eq "$(post http://127.0.0.1:12000/ "$body")" 400 'Listen'
grep -q 'action is neither' "$WORK/answer" || fail "$(cat "$WORK/answer")"
assert_eq "$(post http://127.0.0.1:9101/ "$body")" 404 'MetricsListen'
register="{\"action\":\"register\",\"agent_id\":\"db1\",\"public_key\":\"$(cat "$WORK/other.pub")\",\"api_key\":"
assert_eq "$(post http://127.0.0.1:12000/ "$register\"$code\"}")" 401 'a code as the credential of a register'
cp "$WORK/answer" "$WORK/first"
post http://127.0.0.1:12000/ "$register\"2222-2222-2222-2222\"}" >/dev/null
cmp -s "$WORK/first" "$WORK/answer" || fail 'it is told from a wrong credential'
! spent bob || fail 'the invite was spent'

note 'a reload and a restart keep it'
kill -HUP "$leased"
wait_log 5 'configuration reloaded'
answers '200 3' 'after a reload' 2222-2222-2222-2222
stop
start
answers '200 3' 'after a restart' 2222-2222-2222-2222

note 'idle connections crowd out neither friends nor agents'
answers '200 0' 'behind 60 idle ones' --key "$WORK/other.pub" --idle 60 "$code"
up || fail 'agents are not served'

note 'eight at once for one code'
invite carol --open 8009
pids=()
for n in {1..8}; do
	new_key "race$n" >/dev/null
	python3 "$TOP/tests/join_ask.py" --key "$WORK/race$n.pub" --source "192.0.2.$n" "$code" >"$WORK/race.$n" &
	pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid"; done
assert_eq "$(head -qn 1 "$WORK"/race.? | sort | uniq -c | tr -s ' \n' ' ')" ' 1 200 0 7 200 3 ' 'one joins'

note 'kill -9 in the middle: spent with its lease there, or unspent and good'
for n in 1 2 3; do
	new_key "kill$n" >/dev/null
	invite "kill$n" --open 8009
	python3 "$TOP/tests/join_ask.py" --key "$WORK/kill$n.pub" "$code" >"$WORK/killed" 2>&1 &
	asking=$!
	until compgen -G '/run/tunlease/join/sessions/1.*' >/dev/null; do sleep 0.001; done
	sleep "0.00$((n * 2))"
	kill -KILL "$leased"
	wait "$asking" || :
	start
	if spent "kill$n"; then
		has_lease "kill$n" || fail 'spent, and no lease'
	elif has_lease "kill$n"; then
		fail 'a lease, and not spent'
	fi
	answers '200 0' "then it works ($(head -n 1 "$WORK/killed"))" --key "$WORK/kill$n.pub" "$code"
done

note 'leased dies while it decides: nobody is told that nothing was spent'
at_leased() { ss -Hxn | awk '$1 == "u_seq" && $3 > 0 { n++ } END { exit n == 0 }'; }
new_key dies >/dev/null
invite dies --open 8009
kill -STOP "$leased"
python3 "$TOP/tests/join_ask.py" --key "$WORK/dies.pub" "$code" >"$WORK/killed" 2>&1 &
asking=$!
wait_for 10 'the request to be with leased' at_leased
kill -KILL "$leased"
wait "$asking"
assert_eq "$(cat "$WORK/killed")" closed 'the answer'
start

note 'wrong codes: one row for a source'
answers '200 3' 'twelve times' --key "$WORK/third.pub" --source 198.51.100.9 --times 12 2222-2222-2222-2222
stop
assert_eq "$(sqlite3 "$store" "SELECT count(*), detail LIKE 'wrong_codes=10 since_s=%' FROM audit WHERE action = 'join_refused' AND source = '198.51.100.9'")" '1|1' 'ten of twelve are counted'
log_has '2222-2222-2222-2222' && fail 'the code is in the log'
expect_exit 0 leasectl audit verify

note 'leased starts without the socket'
rm -rf /run/tunlease-join
ln -s /nowhere /run/tunlease-join
start
wait_log 5 'nobody can join: the socket .* cannot be opened'
ok 'and says what to do'
stop

note 'the socket from systemd'
cat >"$WORK/activate.py" <<'END'
import os, socket, sys
from grp import getgrnam
path, mode = "/run/tunlease-join/socket", int(sys.argv[1], 8)
high = []
for address in (("127.0.0.1", 12000), ("127.0.0.1", 9101), path)[:3 if mode else 2]:
    s = socket.socket(socket.AF_UNIX if address == path else socket.AF_INET)
    if address == path:
        if os.path.exists(path):
            os.unlink(path)
    else:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(address)
    s.listen(16)
    high.append(os.dup2(s.detach(), 50 + len(high)))
if mode:
    os.chown(path, 0, getgrnam("_tunnel-join").gr_gid)
    os.chmod(path, mode)
for i, fd in enumerate(high):
    os.dup2(fd, 3 + i)
os.closerange(3 + len(high), 256)
os.environ.update(LISTEN_FDS=str(len(high)), LISTEN_PID=str(os.getpid()), LISTEN_FDNAMES="leased.socket:metrics:join")
os.execvp("leased", ["leased"])
END
activated() { python3 "$WORK/activate.py" "$1" </dev/null >/run/leased.out 2>&1 & leased=$!; at_exit "$leased"; wait_for 10 'leased to be up' up; }
rm /run/tunlease-join
install -d -o root -g _tunnel-join -m 0750 /run/tunlease-join
activated 660
answers '200 3' 'by its name' 2222-2222-2222-2222
stop
activated 666
wait_log 5 'nobody can join: leased-join.socket has a socket, and others than the group _tunnel-join can connect to it'
stop
activated 0
wait_log 5 'nobody can join: JoinLogin is set, and systemd passed no socket of leased-join.socket'
ok 'one for everybody, or none: leased runs without it, and says what to do'
