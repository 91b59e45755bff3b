#!/bin/bash
# SPDX-License-Identifier: ISC
# MetricsListen is closed to every lease: by its key line; by the ceiling; and where sshd's Match block
# alone is left, which cannot except one port, by leased, which looks who is at the other end.
# sandbox: --leased --no-keyopts
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"

page=http://127.0.0.1:12001 socket=/run/metrics.sock
log=$WORK/leased.log
conf=/etc/tunlease/tunlease.conf
paths='/ /page.js /status.json /metrics /healthz /version'
up() { fetch -o /dev/null "$page/healthz"; }
said() { grep -E -q -e "$1" "$log"; }
start() { : >"$log"; "$@" leased -D </dev/null >>"$log" 2>&1 & daemon=$!; at_exit "$daemon"; }
stop() { kill -TERM "$daemon"; wait "$daemon" || fail 'SIGTERM: exit 0'; }
# answers STATUS WHAT URL [OPTION...]
answers()
{
	local got
	got=$(fetch -o "$WORK/body" -w '%{http_code}' "$3" "${@:4}") || :
	[[ $got == "$1" ]] || fail "$2: $got, not $1: $(cat "$WORK/body")"
	ok "$2: $got"
}
as() { setpriv --reuid="$(id -u "$1")" --regid="$(id -g "$1")" --clear-groups "${@:2}"; }
# fetches_as USER STATUS WHAT URL [OPTION...]
fetches_as()
{
	local got
	got=$(as "$1" curl -s -o /dev/null --max-time "$(slow 5)" -w '%{http_code}' "${@:4}") || :
	[[ $got == "$2" ]] || fail "$3: $got, not $2"
	ok "$3: $got"
}

cp "$conf" "$WORK/conf"
kill "$(cat /run/leased.pid)"
wait_for 10 'the leased of the sandbox is gone' is_gone "$(cat /run/leased.pid)"
store_with_alice
echo 'MetricsListen 127.0.0.1:12001' >>"$conf"
start env
wait_for 10 "leased answers: $(cat "$log")" up

note 'a key without options, on an sshd with our Match block'
# shellcheck disable=SC2154 # set by the sandbox
tunnel "$WORK/alice" pfwd -L 18001:127.0.0.1:12001 -L 18002:localhost:12001 || fail "no session: $(tail -3 "$WORK/ssh.err")"
serve 8009
for path in $paths; do
	answers 200 "root $path" "$page$path"
	answers 403 "through the tunnel $path" "http://127.0.0.1:18001$path"
	grep -q '"error":"this address answers no tunnel: no lease may open it","code":"forbidden"' "$WORK/body" || fail "$(cat "$WORK/body")"
done
answers 403 'by another name' http://127.0.0.1:18002/metrics
cat >"$WORK/again.py" <<'END'
import http.client
c = http.client.HTTPConnection("127.0.0.1", 18001, timeout=10)
for _ in range(3):
    c.request("GET", "/status.json")
    answer = c.getresponse()
    answer.read()
    assert answer.status == 403, answer.status
END
python3 "$WORK/again.py" || fail 'the same connection asks again and is answered'
fetches_as pfwd 403 'a process of the login' "$page/status.json"
fetches_as gw-tunnel 403 'of the other one' "$page/status.json"
fetches_as pfwd 403 'by IPv4 in IPv6' 'http://[::ffff:127.0.0.1]:12001/status.json'
fetches_as nobody 200 'by IPv4 in IPv6, somebody else' 'http://[::ffff:127.0.0.1]:12001/status.json'
fetches_as pfwd 403 'from another address' "$page/metrics" --interface 127.0.0.7
fetches_as nobody 200 'somebody else' "$page/status.json"
useradd -M -N -g _tunnel -s /usr/sbin/nologin late
fetches_as late 403 'a tunnel login that was made just now' "$page/status.json"
useradd -M -s /usr/sbin/nologin later
usermod -a -G _tunnel later
fetches_as later 403 'another member of the group' "$page/status.json"
wait_for 3 'the log says who was refused' said 'refused action=status agent= client=127.0.0.1 .* code=forbidden: this address answers no tunnel'
fwd_stop

note 'the ceiling'
expect_exit 4 leasectl set alice --open +127.0.0.1:12001
grep -q 'no lease may open the port of MetricsListen' "$WORK/err" || fail "$(cat "$WORK/err")"
new_key bob >/dev/null
expect_exit 4 leasectl grant bob --key "$WORK/bob.pub" --open 127.0.0.1:12000-12010
expect_exit 4 leasectl grant bob --key "$WORK/bob.pub" --open '[::1]:12001'
expect_exit 0 leasectl grant bob --key "$WORK/bob.pub" --open 127.0.0.1:12002-12010
expect_exit 0 leased -t
grep -q "AllowOpen 127.0.0.1:\* opens the port of MetricsListen in sshd's Match block" "$WORK/err" || fail "$(cat "$WORK/err")"
leasectl --json doctor >"$WORK/doctor" || :
python3 - "$WORK/doctor" <<'END' || fail "$(cat "$WORK/doctor")"
import json, sys
found = [f for f in json.load(open(sys.argv[1])) if f["check"] == "page"]
assert [f["result"] for f in found] == ["note"] and "unix:" in found[0]["mend"], found
END
stop
cp "$WORK/conf" "$conf"
leasectl set bob --open +127.0.0.1:12001 >/dev/null
printf '%s\n' 'AllowOpen 127.0.0.1:8009' 'AllowOpen 127.0.0.1:12001' 'MetricsListen 127.0.0.1:12001' >>"$conf"
leasectl sshd-config | grep -A20 '^Match User pfwd' | some_line '^\s*PermitOpen 127.0.0.1:8009 localhost:8009$' || fail "$(leasectl sshd-config)"
expect_exit 0 leased -t
[[ ! -s $WORK/err ]] || fail "$(cat "$WORK/err")"
leasectl --json doctor >"$WORK/doctor" || :
python3 - "$WORK/doctor" <<'END' || fail "$(cat "$WORK/doctor")"
import json, sys
found = [f for f in json.load(open(sys.argv[1])) if f["check"] == "page"]
assert [f["result"] for f in found] == ["warning", "ok"] and found[0]["mend"] == "leasectl set bob --open -127.0.0.1:12001", found
END
eval "$(python3 -c 'import json, sys; print([f for f in json.load(open(sys.argv[1])) if f["check"] == "page"][0]["mend"])' "$WORK/doctor")" >/dev/null
leasectl --json show bob | some_line 12001 && fail 'the mend mends nothing'
ok 'a lease that had it already is named, with what takes it away'

note 'a unix socket'
cp "$WORK/conf" "$conf"
echo "MetricsListen unix:$socket" >>"$conf"
expect_exit 0 leased -t
[[ ! -s $WORK/err ]] || fail "$(cat "$WORK/err")"
page=http://localhost
start env
up_at_socket() { fetch -o /dev/null --unix-socket "$socket" "$page/healthz"; }
wait_for 10 "leased answers: $(cat "$log")" up_at_socket
for path in $paths; do
	answers 200 "root $path" "$page$path" --unix-socket "$socket"
done
fetches_as pfwd 403 'a process of a tunnel login' "$page/status.json" --unix-socket "$socket"
fetches_as nobody 200 'somebody else' "$page/status.json" --unix-socket "$socket"
stop

note 'the tables cannot be read'
cp "$WORK/conf" "$conf"
echo 'MetricsListen 127.0.0.1:12001' >>"$conf"
page=http://127.0.0.1:12001
if strace -o /dev/null true 2>/dev/null; then
	start strace -f -qq -o /dev/null -P /proc/net/tcp -e trace=openat -e inject=openat:error=EACCES
	wait_for 10 "leased answers: $(cat "$log")" up
	for path in /status.json /metrics; do
		answers 503 "nobody is answered: $path" "$page$path"
	done
	assert_eq "$(grep -c "cannot read who on this host connects to leased" "$log")" 1 'logged once'
	pkill -TERM -P "$daemon" leased || :
else
	ok 'SKIP, no strace'
fi
