#!/bin/bash
# SPDX-License-Identifier: ISC
# leased under a real systemd: systemd-nspawn boots an overlay of this machine's own root, with a
# network of its own. leased is installed as an administrator does it, activated by its socket,
# confined by its unit, reloaded, stopped, killed, hung, moved to other sockets, and rebooted; a
# tunnel outlives all of that but the reboot.
# timeout: 240
set -euo pipefail

script=${TOP:?run me through tests/run}/tests/long/systemd.sh

# ---- outside: the machine ----------------------------------------------------------------------

# Removes what the machine has installed, and makes a target that starts sshd and nothing else of
# the machine.
furnish()
{
	local root=$1
	rm -rf --one-file-system "$root"/{etc/tunlease,var/lib/tunlease,etc/ssh/sshd_config.d/20-tunlease.conf}
	make -s -C "$TOP" install NO_DEPS=1 DESTDIR="$root" PREFIX=/usr SYSCONFDIR=/etc LOCALSTATEDIR=/var \
		RUNSTATEDIR=/run >/dev/null
	cat >"$root/etc/systemd/system/test.target" <<-'E'
		[Unit]
		Requires=basic.target
		Wants=ssh.service systemd-user-sessions.service
		After=basic.target ssh.service systemd-user-sessions.service
	E
}
if [[ -z ${1-} ]]; then
	. "$TOP/tests/machine.sh"
	machine_host
	machine_make gateway /
	furnish "$(root_of gateway)"
	for turn in first second; do
		machine_start gateway systemd.unit=test.target
		enter gateway "$script" "$turn"
		machine_stop gateway
	done
	exit
fi

# ---- inside: the gateway's administrator -------------------------------------------------------

. "$TOP/tests/lib.sh"
trap '(($? == 0)) || journalctl -q -o short-precise -u leased.service -u leased.socket | tail -n 12; lib_cleanup' EXIT

api=http://127.0.0.1:12000/
up() { curl -s -o /dev/null --max-time 2 "${api}healthz"; }
property() { systemctl show -P "$1" "${2-leased.service}"; }
state_is() { [[ $(property ActiveState) == "$1" ]]; }
log_of() { journalctl -q -o cat -u leased.service "$@"; }
said() { grep -E -q -e "$1" <<<"$(log_of)"; }
engine() { property MainPID; }
is_new() { [[ $(engine) != "$1" && $(engine) != 0 ]] && state_is active && up; }
http_of() { pgrep -P "$(engine)"; }
post()
{
	curl -s --max-time 10 -H "X-API-Key: $key" -H 'Content-Type: application/json' --data "$1" "$api" >"$WORK/answer"
}
register() { post "{\"action\":\"register\",\"agent_id\":\"db1\",\"public_key\":\"$(cat /root/db1.pub)\"}"; }
field() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1])).get(sys.argv[2], ""))' "$WORK/answer" "$1"; }
tunnel_carries() { kill -0 "$tunnel_pid" && [[ $(fetch "http://127.0.0.1:$port/") == 'hello from 8022' ]]; }
owner_mode() { assert_eq "$(stat -c '%U:%G %a' "$1")" "$2" "$1"; }
capabilities() { sed -n 's/^CapEff:\t0*//p' "/proc/$1/status"; }

second_boot()
{
	key=$(cat /root/db1.secret)
	note 'after the reboot'
	systemctl -q is-active leased.socket || fail 'leased.socket is not active'
	wait_for 10 'leased to answer' up
	assert_eq "$(fetch -o /dev/null -w '%{http_code}' --unix-socket /run/leased-metrics.sock http://localhost/)" 200 'the page is back'
	register
	assert_eq "$(field port_b)" "$(cat /root/db1.port)" 'the port is the same'
	owner_mode /run/tunlease/sessions 'root:_tunlease 750'
	grep -q 'leased.service: Deactivated successfully' <<<"$(log_of -b -1 | tail -n 2)" || fail "$(log_of -b -1 | tail -n 5)"
	ok 'the shutdown before the reboot was clean'
	exit 0
}
[[ $1 != second ]] || second_boot

note 'make install, leasectl setup, and the units'
[[ $(systemctl is-enabled leased.socket leased.service || :) == $'disabled\ndisabled' ]] || fail 'make install enabled a unit'
expect_exit 0 leasectl setup
install -o _tunlease -g root -m 0400 /dev/null /etc/tunlease/leased.env
echo "API_KEY=$(head -c 32 /dev/urandom | sha256sum | cut -c-64)" >/etc/tunlease/leased.env
key=$(sed -n 's/^API_KEY=//p' /etc/tunlease/leased.env)
expect_exit 0 systemctl enable leased.socket leased.service
expect_exit 0 systemctl start leased.socket
state_is inactive || fail 'the service runs before anybody connected'
leasectl doctor >"$WORK/doctor" || :
grep -q '^ok.control port.127.0.0.1:12000 is held by systemd' "$WORK/doctor" || fail "$(cat "$WORK/doctor")"
ok 'nobody else can listen on its port'
serve 20000 # another user listens on 20000: leased, which is in a network namespace of its own, must see that
wait_for 10 'the socket to start the service' up
assert_eq "$(property ActiveState) $(property NotifyAccess)" 'active main' 'systemd got READY'
status() { [[ $(property StatusText) == *'live sessions'* ]]; }
wait_for 15 'systemd to show STATUS' status
note "systemctl status: $(property StatusText)"

note 'its unit confines it'
assert_eq "$(ps -o user= -p "$(engine)" | tr -d ' ') $(ps -o user= -p "$(http_of)" | tr -d ' ')" '_tunlease _tunlease' 'the user of both processes'
assert_eq "$(capabilities "$(engine)") $(capabilities "$(http_of)")" '20 ' 'only the engine has CAP_KILL'
[[ $(readlink "/proc/$(engine)/ns/net") != $(readlink /proc/self/ns/net) ]] || fail 'the engine is in the network namespace of the host'
touch_it() { nsenter -t "$(engine)" -m setpriv --reuid=_tunlease --regid=_tunlease --clear-groups touch "$1" 2>/dev/null; }
touch_it /var/lib/tunlease/there || fail 'it cannot write in the directory of its store'
rm /var/lib/tunlease/there
for path in /etc/tunlease/there /run/tunlease/sessions/there /root/there /home/there; do
	! touch_it "$path" || fail "it can write $path"
done
ok 'it can write only in the directory of its store'
systemd-analyze verify --man=no /lib/systemd/system/leased.{service,socket} || fail 'systemd-analyze verify'
note "$(systemd-analyze security --offline=yes /lib/systemd/system/leased.service | tail -n 1)"
for path in /var/lib/tunlease:2750 /var/lib/tunlease/leases.db{,-wal,-shm,-leased}:640; do
	owner_mode "${path%:*}" "_tunlease:_tunlease ${path#*:}"
done
owner_mode /run/tunlease 'root:_tunlease 750'
owner_mode /run/tunlease/sessions 'root:_tunlease 750'
owner_mode /run/tunlease/lock 'root:root 700'

note 'systemd reads the unit of an agent that is configured by its environment'
odd="it's\$a\"key\\ \`#%h"
API_KEY=$odd API_URL=http://127.0.0.1:12000 STATE_DIR=/root/agent expect_exit 0 tunnel-agent install --systemd --name env --write --
# shellcheck disable=SC2016 # sh's
systemd-run -q --wait --pipe -p "$(grep EnvironmentFile /etc/systemd/system/env.service)" /usr/bin/printenv API_KEY API_URL STATE_DIR >"$WORK/env"
assert_eq "$(cat "$WORK/env")" "$(printf '%s\n' "$odd" http://127.0.0.1:12000 /root/agent)" 'systemd passes the same values'
systemd-analyze verify --man=no /etc/systemd/system/env.service || fail 'systemd-analyze verify'
rm /etc/systemd/system/env.service

note 'an agent'
ssh-keygen -q -t ed25519 -N '' -C db1 -f /root/db1
register
port=$(field port_b)
[[ $port == 20001 ]] || fail "port_b, where another program has 20000: $(cat "$WORK/answer")"
echo "$port" >/root/db1.port
enrol=$key
key=$(field agent_secret)
ok 'registered; its port is not the one on which another user listens'
post '{"action":"heartbeat","agent_id":"db1"}'
assert_eq "$(field tunnel)" down 'heartbeat without a tunnel'
cat /etc/ssh/ssh_host_*_key.pub | sed 's/^/127.0.0.1 /' >"$WORK/known_hosts"
serve 8022
fwd_R /root/db1 gw-tunnel "127.0.0.1:$port:127.0.0.1:8022" || fail "$(tail -n 3 "$WORK/ssh.err")"
tunnel_pid=$FWD_PID
tunnel_carries || fail 'no data through the tunnel'
is_up() { post '{"action":"heartbeat","agent_id":"db1"}'; [[ $(field tunnel) == up ]]; }
wait_for 5 'the heartbeat to show its tunnel' is_up
new_key short >/dev/null
expect_exit 0 leasectl grant short --key "$WORK/short.pub" --open 8022
fwd_L "$WORK/short" pfwd 18022:127.0.0.1:8022 || fail 'no login with the short lease'
expire_soon short
wait_for 10 'the session to end with its lease' is_gone "$FWD_PID"
wait_for 5 'the line about it in the journal' said 'ended login=pfwd lease=short reason=expired'

note 'systemctl reload'
cat >"$WORK/kept.py" <<'E'
import http.client, subprocess, sys
c = http.client.HTTPConnection("127.0.0.1", 12000, timeout=10)
c.request("GET", "/healthz")
c.getresponse().read()
before = c.sock
rc = subprocess.run(["systemctl", "reload", "leased"]).returncode
c.request("GET", "/healthz")
answer = c.getresponse()
answer.read()
sys.exit(0 if (answer.status, rc, c.sock) == (200, int(sys.argv[1]), before) else f"{answer.status} {rc}")
E
before=$(engine)
echo 'PublicHost gw.example.com' >>/etc/tunlease/tunlease.conf
python3 "$WORK/kept.py" 0 || fail 'a connection from before the reload does not work any more'
register
assert_eq "$(field ssh_host)" gw.example.com 'the reload read the file'
echo 'Nonsense yes' >>/etc/tunlease/tunlease.conf
since=$(date '+%F %T.%6N')
python3 "$WORK/kept.py" 1 2>"$WORK/err" || fail "a connection from before a reload of a broken file does not work any more: $(cat "$WORK/err")"
assert_eq "$(log_of --since "$since" | grep -c 'tunlease.conf:[0-9]*')" 1 'one line of the log says why'
sed -i '/^Nonsense/d' /etc/tunlease/tunlease.conf
register
assert_eq "$(engine) $(field ssh_host)" "$before gw.example.com" 'it runs with the old configuration'
tunnel_carries || fail 'the tunnel does not work after the reloads'

facility() { journalctl -q -o json -u leased.service -g 'register agent=db1' | python3 -c '
import json,sys; e = json.loads(sys.stdin.readline()); print(e["SYSLOG_FACILITY"], e["PRIORITY"], e["SYSLOG_IDENTIFIER"], e["MESSAGE"].split()[0])'; }
assert_eq "$(facility)" '10 6 leased register' 'the log is authpriv, and each line has its priority'

note 'stopped, restarted, killed'
expect_exit 0 systemctl stop leased.service
assert_eq "$(property Result) $(property ExecMainStatus)" 'success 0' 'systemctl stop is clean'
tunnel_carries || fail 'the tunnel does not work while leased is stopped'
up || fail 'its socket does not start it again'
before=$(engine)
expect_exit 0 systemctl restart leased.service
is_new "$before" || fail 'leased did not restart'
expect_exit 0 systemctl restart leased.socket
wait_for 5 'leased to answer after a restart of its socket' up
before=$(engine)
systemctl kill -s KILL --kill-whom=main leased.service
wait_for 5 'another leased after kill -9' is_new "$before"
assert_eq "$(property NRestarts)" 1 'systemd started it again'
before=$(engine)
kill -KILL "$(http_of)"
wait_for 5 'leased to answer after kill -9 of http' up
assert_eq "$(engine)" "$before" 'the engine started http again'
tunnel_carries || fail 'the tunnel does not work'

note 'the watchdog'
kill -STOP "$before"
code=$(curl -s -o "$WORK/answer" -w '%{http_code}' --max-time 10 "${api}healthz")
assert_eq "$code" 503 'the engine hangs, and http answers 503'
wait_for 60 'another leased' is_new "$before"
said "Watchdog timeout" || fail "$(log_of | tail -n 5)"
assert_eq "$(property NRestarts)" 2 'the watchdog started it again'
wait_for 5 'the heartbeat to show its tunnel' is_up
tunnel_carries || fail 'the tunnel does not work'
ok 'the tunnel works all the while'

note 'the configuration is broken for longer than the start limit of systemd'
systemctl stop leased.service
echo 'Nonsense yes' >>/etc/tunlease/tunlease.conf
systemctl start leased.service 2>/dev/null && fail 'leased starts with a broken file'
paused() { said 'ended soon after its start 3 times in a row: starts in 3 s'; }
wait_for 20 'a growing pause' paused
state_is activating || fail "$(property ActiveState) $(property Result) $(log_of | tail -n 3)"
sed -i '/^Nonsense/d' /etc/tunlease/tunlease.conf
wait_for 15 'leased to start once the file is right' up
systemctl restart leased.service
wait_for 2 'a restart by hand, without a pause' up

note 'landlock is refused, as by the system call filter of a container'
mkdir -p /etc/systemd/system/leased.service.d
printf '[Service]\nSystemCallFilter=~landlock_create_ruleset\n' >/etc/systemd/system/leased.service.d/refuse.conf
systemctl daemon-reload
systemctl stop leased.service leased.socket
expect_exit 1 systemctl start leased.service
closed() { [[ $(property ActiveState leased.socket) == inactive ]]; }
wait_for 5 'its socket to be closed' closed
assert_eq "$(property ActiveState) $(property ExecMainStatus)" 'failed 78' 'the start fails for good'
rc=0; curl -s --max-time 2 "${api}healthz" || rc=$?
assert_eq "$rc" 7 'connections are refused at once'
expect_exit 1 systemctl start leased.service
wait_for 5 'its socket to be closed after a second start' closed
before=$(log_of | wc -l)
sleep 4
assert_eq "$(log_of | wc -l)" "$before" 'systemd does not try again'
leasectl doctor >"$WORK/doctor" || :
grep -q 'leased does not run.*last said: .*landlock: Operation not permitted.*-D -u' <<<"$(tr '\n' ' ' <"$WORK/doctor")" || fail "$(cat "$WORK/doctor")"
ok 'doctor shows why'
printf '[Service]\nExecStart=\nExecStart=%s -D -u\n' "$(type -P leased)" >/etc/systemd/system/leased.service.d/unconfined.conf
systemctl daemon-reload
expect_exit 0 systemctl start leased.service
up || fail 'leased does not answer with the drop-in'
systemctl -q is-active leased.socket || fail 'its socket is not back'
tunnel_carries || fail 'the tunnel does not work'
rm -r /etc/systemd/system/leased.service.d
systemctl daemon-reload
systemctl restart leased.service
wait_for 5 'leased to answer without the drop-in' up

note 'the store is missing for longer than the start limit of systemd'
systemctl stop leased.service
mv /var/lib/tunlease/leases.db /var/lib/tunlease/leases.db.away
systemctl start leased.service 2>/dev/null && fail 'leased starts without its store'
sleep 7
state_is activating || fail "$(property ActiveState) $(property Result) $(log_of | tail -n 3)"
mv /var/lib/tunlease/leases.db.away /var/lib/tunlease/leases.db
wait_for 15 'leased to start once the store is back' up
tunnel_carries || fail 'the tunnel does not work'

note 'other sockets: IPv6, a unix socket, a second port'
mkdir -p /etc/systemd/system/leased.socket.d
printf '%s\n' '[Socket]' ListenStream= ListenStream=127.0.0.1:12000 'ListenStream=[::1]:12000' \
	ListenStream=/run/leased.sock ListenStream=127.0.0.1:12009 >/etc/systemd/system/leased.socket.d/more.conf
systemctl daemon-reload
systemctl stop leased.socket leased.service
systemctl start leased.socket
systemctl start leased.service 2>/dev/null && fail 'leased starts with sockets that no Listen names'
said 'systemd passed a socket .\[::1\]:12000. that no Listen names: make ListenStream' || fail "$(log_of | tail -n 3)"
ok 'with sockets that no Listen names, leased does not start, and says what to change'
printf '%s\n' 'Listen 127.0.0.1:12000' 'Listen [::1]:12000' 'Listen unix:/run/leased.sock' 'MetricsListen 127.0.0.1:12009' \
	>>/etc/tunlease/tunlease.conf
systemctl reset-failed leased.service leased.socket
systemctl start leased.socket leased.service || fail "$(log_of | tail -n 3)"
up || fail 'no answer over IPv4'
[[ $(fetch 'http://[::1]:12000/healthz') == ok ]] || fail 'no answer over IPv6'
[[ $(fetch --unix-socket /run/leased.sock http://x/healthz) == ok ]] || fail 'no answer on the unix socket'
grep -q tunlease_build_info <<<"$(fetch http://127.0.0.1:12009/metrics)" || fail 'no metrics'
ok 'all four sockets answer'
status_as() { setpriv --reuid="$(id -u "$1")" --clear-groups --regid="$(id -g "$1")" curl -s -o /dev/null -w '%{http_code}' --max-time 5 "${@:2}"; }
assert_eq "$(status_as nobody http://127.0.0.1:12009/status.json) $(status_as pfwd http://127.0.0.1:12009/status.json)" '200 403' \
	'the page is not for tunnel logins, which leased sees from its own network'
sed -i 's/ ListenStream=127.0.0.1:12009//; /^ListenStream=127.0.0.1:12009$/d' /etc/systemd/system/leased.socket.d/more.conf
sed -i 's|^MetricsListen .*|MetricsListen unix:/run/leased-metrics.sock|' /etc/tunlease/tunlease.conf
systemctl daemon-reload
expect_exit 0 systemctl stop leased.socket leased.service
systemctl -q enable leased-metrics.socket # it must come back after the reboot
expect_exit 0 systemctl start leased.socket leased-metrics.socket leased.service
assert_eq "$(fetch -o /dev/null -w '%{http_code}' --unix-socket /run/leased-metrics.sock http://localhost/) $(stat -c %a /run/leased-metrics.sock)" \
	'200 660' 'leased-metrics.socket is for one group'
[[ $(status_as nobody --unix-socket /run/leased-metrics.sock http://localhost/) == 000 ]] || fail 'anybody may connect'
tunnel_carries || fail 'the tunnel does not work'
expect_exit 0 leasectl revoke db1
wait_for 5 'the revoke to end the tunnel' is_gone "$tunnel_pid"
expect_exit 0 leasectl delete db1
key=$enrol
register
field agent_secret >/root/db1.secret
assert_eq "$(field code)" '' 'after delete the agent may register again'
assert_eq "$(field port_b)" "$port" 'it gets the port that was quarantined for it'

note 'after /run was wiped, the unit makes the registry as root before leased starts'
systemctl stop leased.service
rm -r /run/tunlease
expect_exit 0 systemctl start leased.service
assert_eq "$(stat -c '%n %a %U:%G' /run/tunlease /run/tunlease/* | tr '\n' ' ')" \
	'/run/tunlease 750 root:_tunlease /run/tunlease/join 750 root:_tunlease /run/tunlease/lock 700 root:root /run/tunlease/sessions 750 root:_tunlease ' 'the registry is made'
assert_eq "$(fetch "${api}healthz")" ok 'leased uses it'

note 'doctor --quick as a unit'
expect_exit 0 systemd-run --quiet --wait --pipe leasectl doctor --quick
expect_exit 0 systemctl stop leased.socket leased.service
expect_exit 1 systemd-run --quiet --wait --pipe leasectl doctor --quick
assert_eq "$(grep -v '^ok' "$WORK/out" | cut -f 1-3)" $'warning\tleased\tleased does not run' 'it fails while leased is down, and says why'
expect_exit 0 systemctl start leased.socket leased.service
expect_exit 0 systemd-run --quiet --wait --pipe leasectl doctor --quick
leasectl doctor >"$WORK/doctor" || fail "$(grep -Ev '^(ok|note)' "$WORK/doctor")"
! grep -Ev '^(ok|note)' "$WORK/doctor" || fail 'doctor finds something on a healthy host'
ok 'doctor finds nothing but notes on a healthy host'

note 'sshd behind ssh.socket'
doctor_says() { # PATTERN
	leasectl doctor >"$WORK/doctor" || :
	grep -Eq -e "$1" "$WORK/doctor" || fail "doctor: $(grep -v '^ok' "$WORK/doctor")"
	ok "doctor: $(grep -E -m 1 -o -e "$1" "$WORK/doctor")"
}
doctor_says "'/usr/sbin/sshd' .*, which listens on port 22, takes its configuration"
echo 'AllowOpen pfwd 127.0.0.1:8022' >>/etc/tunlease/tunlease.conf
expect_exit 0 leasectl setup
has() { sshd_effective pfwd | grep -c "$1" || :; }
assert_eq "$(has '^permitopen 127.0.0.1:8022 localhost:8022$')" 1 'ssh.service: sshd was reloaded'
systemctl stop ssh.service
systemctl start ssh.socket
[[ $(systemctl show -P Accept ssh.socket) == yes ]] || note 'this ssh.socket starts one sshd for all connections'
doctor_says "'/usr/sbin/sshd' .*, which ssh@?.service starts for connections to port 22"
sed -i '$d' /etc/tunlease/tunlease.conf
expect_exit 0 leasectl setup
new_key late >/dev/null
expect_exit 0 leasectl grant late --key "$WORK/late.pub" --open 8022
login_works "$WORK/late" pfwd || fail "no login by ssh.socket: $(tail -n 3 "$WORK/ssh.err")"
fwd_L "$WORK/late" pfwd 18022:127.0.0.1:8022 || fail "$(tail -n 3 "$WORK/ssh.err")"
echo 'AllowOpen pfwd 127.0.0.1:8022' >>/etc/tunlease/tunlease.conf
expect_exit 0 leasectl setup
[[ $(fetch http://127.0.0.1:18022/) == 'hello from 8022' ]] || fail 'a live tunnel does not work any more'
! journalctl -q -o cat -u ssh.service | grep 'Cannot bind' || fail 'sshd could not bind its socket'
sed -i '$d' /etc/tunlease/tunlease.conf
expect_exit 0 leasectl setup
[[ $(fetch http://127.0.0.1:18022/) == 'hello from 8022' ]] || fail 'a live tunnel does not work any more'
fwd_stop
ok 'an sshd that has its socket from systemd takes over changes, and live tunnels stay'
expect_exit 0 leasectl verify late
for unit in ssh.service ssh@.service; do
	mkdir -p "/etc/systemd/system/$unit.d"
	printf '[Service]\nEnvironment=TZ=Asia/Tokyo\n' >"/etc/systemd/system/$unit.d/tz.conf"
done
systemctl daemon-reload
systemctl stop ssh.service
cp -p /usr/sbin/sshd "$WORK/sshd"
LC_ALL=C sed 's/OpenSSH_9\.2/OpenSSH_8.9/g' "$WORK/sshd" >/usr/sbin/sshd.new
chmod 0755 /usr/sbin/sshd.new
mv /usr/sbin/sshd.new /usr/sbin/sshd
expect_exit 0 leasectl setup
assert_eq "$(has 'akc --expiry-local=Asia/Tokyo %u')" 1 'the time zone of an sshd that systemd starts'
login_works "$WORK/late" pfwd || fail "no login with local times: $(tail -n 3 "$WORK/ssh.err")"
cp -p "$WORK/sshd" /usr/sbin/sshd.new
mv /usr/sbin/sshd.new /usr/sbin/sshd
expect_exit 0 leasectl setup
assert_eq "$(has 'akc %u')" 1 'back to 9.2'
