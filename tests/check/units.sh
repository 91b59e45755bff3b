#!/bin/bash
# SPDX-License-Identifier: ISC
# The systemd units: they are installed with the right directories, systemd-analyze accepts them and finds
# them tight, and their filter allows every system call that leased makes.
# sandbox: --bare
# timeout: 60
set -eu
. "$TOP/tests/lib.sh"

type -P systemd-analyze >/dev/null || { echo 'no systemd-analyze'; exit 77; }
units=/usr/lib/systemd/system
service=$units/leased.service
! grep -n '@[A-Z]*@' "$service" "$units/leased.socket" "$units/leased-join.socket" || fail 'a directory was not filled in'
grep -q '^ExecStart=/usr/sbin/leased -D$' "$service" || fail 'another program'
make -s -C "$TOP" install NO_DEPS=1 DESTDIR="$WORK/local" PREFIX=/opt/t LOCALSTATEDIR=/opt/var >/dev/null
grep -q '^ExecStart=/opt/t/sbin/leased -D$' "$WORK/local/opt/t/lib/systemd/system/leased.service" || fail 'PREFIX'
grep -q '^ReadWritePaths=/opt/var/lib/tunlease$' "$WORK/local/opt/t/lib/systemd/system/leased.service" || fail 'LOCALSTATEDIR'
ok 'installed with the directories'

# What must hold whatever the score is: one capability, no network, and no directory that systemd would
# make anew, give to another user or remove.
for line in User=_tunlease Group=_tunlease CapabilityBoundingSet=CAP_KILL AmbientCapabilities=CAP_KILL PrivateNetwork=yes \
	RestrictAddressFamilies=AF_UNIX ProtectSystem=strict ReadWritePaths=/var/lib/tunlease; do
	assert_eq "$(grep "^${line%%=*}=" "$service")" "$line" "leased.service: ${line%%=*}"
done
! grep -E '^(State|Cache|Logs|Configuration)Directory=|^RuntimeDirectory=.*tunlease' "$service" || fail 'a directory of the unit'

agents=("$units"/tunnel-agent{,@}.service /usr/lib/systemd/user/tunnel-agent.service)
! grep -n '@[A-Z -]*@' "${agents[@]}" || fail 'a name was not filled in'
for unit in "${agents[@]}"; do
	# shellcheck disable=SC2016 # systemd's
	grep -qx 'ExecStart=/usr/bin/tunnel-agent -d $AGENT_OPTS' "$unit" || fail "$unit: another program"
	# The lines that an enabled unit without a configuration and a revoked agent depend on.
	file=$(sed -n 's/^EnvironmentFile=//p' "$unit")
	for line in "ConditionPathExists=$file" Restart=on-failure StartLimitIntervalSec=0; do
		grep -qxF "$line" "$unit" || fail "$unit: no $line"
	done
done
diff <(sed -e 's/-%i\.env/.env/' -e 's/ %i,/,/' -e 's/%i/.ssh-tunnel/' "${agents[1]}") "${agents[0]}" || fail 'the template differs'

verified() { # UNIT...: systemd-analyze finds nothing in these
	systemd-analyze verify --man=no "$@" >"$WORK/verify" 2>&1 || fail "$(cat "$WORK/verify")"
	! grep -E 'leased(-refused|-metrics|-join)?\.|tunnel-agent' "$WORK/verify" || fail 'systemd-analyze verify'
}
cp "${agents[1]}" "$WORK/tunnel-agent@db1.service" # verify takes an instance
verified "$service" "$units/leased.socket" "$units/leased-metrics.socket" "$units/leased-join.socket" "$units/leased-refused.target" "${agents[0]}" "$WORK/tunnel-agent@db1.service"
XDG_RUNTIME_DIR=$WORK verified --user "${agents[2]}"
ok 'systemd-analyze verify'
scores() { # UNIT TENTHS: at most that
	local score
	score=$(systemd-analyze security --offline=yes --threshold="$2" "$1" 2>&1) || fail "$(tail -n 1 <<<"$score")"
	ok "$(tail -n 1 <<<"$score")"
}
scores "$service" 10
scores "${agents[0]}" 15
scores "$WORK/tunnel-agent@db1.service" 15
[[ $(grep -c '^ListenStream=' "$units/leased.socket") == 1 ]] || fail 'more than one socket'
[[ "Listen $(sed -n 's/^ListenStream=//p' "$units/leased.socket")" == "$(leased -T | grep '^Listen ')" ]] ||
	fail 'the socket and the default of Listen differ'
ok 'the socket is the default of Listen'
for line in SocketMode=0660 FileDescriptorName=metrics; do
	grep -qx "$line" "$units/leased-metrics.socket" || fail "leased-metrics.socket: no $line"
done
sed -n "s/^#   '\(MetricsListen.*\)' in tunlease.conf/\1/p" "$units/leased-metrics.socket" >"$WORK/metrics.conf"
[[ $(leased -T -c "$WORK/metrics.conf" | grep '^MetricsListen') == "MetricsListen unix:$(sed -n 's/^ListenStream=//p' "$units/leased-metrics.socket")" ]] ||
	fail 'its own words and its socket differ'
ok 'the socket of MetricsListen is for one group'
for line in ListenStream=/run/tunlease-join/socket SocketGroup=_tunnel-join SocketMode=0660 FileDescriptorName=join Service=leased.service; do
	grep -qx "$line" "$units/leased-join.socket" || fail "leased-join.socket: no $line"
done
ok 'the join socket is for the join program alone'

# The system calls that the filter allows: @default, then each line in order.
set_of() { # GROUP: its system calls, those of nested groups, too
	local word
	systemd-analyze syscall-filter "$1" | sed -e 1d -e 's/^ *//' -e '/^#/d' -e '/^$/d' |
		while read -r word; do case $word in @*) set_of "$word" ;; *) echo "$word" ;; esac; done
}
set_of @default >"$WORK/allowed"
while read -r line; do
	for word in ${line#\~}; do
		case $word in @*) set_of "$word" ;; *) echo "$word" ;; esac
	done >"$WORK/these"
	case $line in
	\~*) grep -vxFf "$WORK/these" "$WORK/allowed" >"$WORK/rest" || :; mv "$WORK/rest" "$WORK/allowed" ;;
	*) cat "$WORK/these" >>"$WORK/allowed" ;;
	esac
done < <(sed -n 's/^SystemCallFilter=//p' "$service")

strace -o /dev/null true 2>/dev/null || { echo 'strace may not trace here; the rest passed'; exit 0; }
systemd-sysusers >/dev/null 2>&1 || :
id -u _tunlease >/dev/null || fail 'no user _tunlease'
printf 'API_KEY=an-enrolment-key-for-the-tests\n' >/etc/tunlease/leased.env
chmod 0400 /etc/tunlease/leased.env; chown _tunlease: /etc/tunlease/leased.env
echo 'IssueKeys yes' >>/etc/tunlease/tunlease.conf
systemd-tmpfiles --create >/dev/null 2>&1 || :
# As the unit does: as _tunlease with CAP_KILL only, and with its socket passed in.
python3 - "$WORK" <<'END' &
import os, socket, sys
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", 12000))
s.listen(16)
os.dup2(s.fileno(), 3) if s.fileno() != 3 else os.set_inheritable(3, True)
os.environ["LISTEN_FDS"] = "1"
os.mkdir(sys.argv[1] + "/run", 0o777)
os.chmod(sys.argv[1] + "/run", 0o777)
with open(sys.argv[1] + "/run/starts", "w") as f:
    f.write("2")
os.chmod(sys.argv[1] + "/run/starts", 0o666)
os.environ["RUNTIME_DIRECTORY"] = sys.argv[1] + "/run"
log = os.open(sys.argv[1] + "/leased.log", os.O_WRONLY | os.O_CREAT)
os.dup2(log, 2)
os.execvp("strace", ["strace", "-f", "-qq", "-o", sys.argv[1] + "/trace", "setpriv", "--reuid=_tunlease", "--regid=_tunlease",
    "--clear-groups", "--inh-caps=-all,+kill", "--ambient-caps=+kill", "--bounding-set=-all,+kill", "--no-new-privs", "sh", "-c",
    "LISTEN_PID=$$ exec leased -D"])
END
tracer=$!
at_exit "$tracer"
answers() { curl -s -o /dev/null --max-time "$(slow 2)" http://127.0.0.1:12000/healthz; }
poll 10 answers || fail "$(cat "$WORK/leased.log"; tail -n 5 "$WORK/trace")"
engine=$(pgrep -f '^leased -D')
post() { curl -s --max-time "$(slow 10)" -H 'Content-Type: application/json' -H 'X-API-Key: an-enrolment-key-for-the-tests' --data "$1" http://127.0.0.1:12000/; }
new_key a >/dev/null
post "{\"action\":\"register\",\"agent_id\":\"a\",\"public_key\":\"$(cat "$WORK/a.pub")\"}" | some_line port_b || fail 'register'
post '{"action":"register","agent_id":"b"}' | some_line private_key || fail 'a key that is made here'
post '{"action":"heartbeat","agent_id":"a"}' | some_line lease_expires_at || fail 'heartbeat'
curl -s -H 'X-API-Key: an-enrolment-key-for-the-tests' http://127.0.0.1:12000/metrics >"$WORK/metrics"
grep -q tunlease_build "$WORK/metrics" || fail 'metrics'
kill -HUP "$engine"
kill -KILL "$(pgrep -f '^leased --http')"
wait_for 10 'http again' answers
kill -TERM "$engine"
ended() { ! kill -0 "$tracer" 2>/dev/null; }
wait_for 10 'the end' ended
awk '$2 ~ /^[a-z_0-9]+\(/ { sub(/\(.*/, "", $2); print $2 }' "$WORK/trace" | sort -u >"$WORK/calls"
(($(wc -l <"$WORK/calls") > 50)) || fail "only $(wc -l <"$WORK/calls") system calls were seen"
# Without those that setpriv made before.
denied=$(grep -vxF -e setgroups -e setresuid -e setresgid -e setreuid -e setregid "$WORK/calls" | grep -vxFf "$WORK/allowed" || :)
[[ -z $denied ]] || fail "the unit's filter refuses: $denied"
ok "all of $(wc -l <"$WORK/calls") system calls are in the unit's filter"
