# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# lib.sh: functions for test scripts; they source it inside tests/sandbox.
#
#   WORK                          a directory for this test, removed when it ends
#   TOP, SANDBOX_LOG              the checkout; what was sent to /dev/log
#   GATEWAY                       where sshd listens (127.0.0.1)
#   SSH                           array: ssh and the options that keep it from the user's own files
#   fail MSG | ok MSG | note MSG  end the test as failed | print what was shown to hold | print a comment
#   assert_eq GOT WANT MSG
#   expect_exit CODE COMMAND...   output in $WORK/out and $WORK/err; fails on another exit status
#   slow NUMBER                   converts a time of a quiet machine to one of this machine (tests/pace.sh)
#   wait_for SECONDS WHAT COMMAND...   poll every 20 ms until COMMAND succeeds, else fail after `slow SECONDS`
#   log_has PATTERN | wait_log SECONDS PATTERN   an extended regular expression in the log
#   new_key NAME                  make an ed25519 key, comment NAME; prints its path
#   store_with_alice              make a store with a lease alice of such a key for port 8009; its path is
#                                 in STORE, its directory in STORE_DIR
#   expire_soon LEASE             its end is in two seconds of a quiet machine. One that is made so short may be over
#                                 before its first login is
#   join_account                  the account of JoinLogin, and JoinLogin itself, as setup --join makes them
#   serve PORT [HOST]             HTTP on HOST (127.0.0.1) that says "hello from PORT"
#   fetch URL
#   agent_request KEY             print a heartbeat as HTTP, for build/tests/load; fill --agents makes its agents
#   serve_echo PORT [HOST]        a service that sends every line back
#   talk_to PORT                  a connection that stays open: its descriptor in TALK
#   talks FD                      succeeds if a line sent through it comes back
#   port_free PORT                succeeds if nothing listens there
#   is_gone PID | no_children PID    the process has ended | it has no child
#   fwd_L KEY LOGIN SPEC | fwd_R KEY LOGIN SPEC   a forward in the background, FWD_PID; ssh's output is in
#                                 $WORK/ssh.err; 1 if ssh or the gateway refused it. When it is up, sshd has
#                                 opened the session: sessions and revoke know it
#   fwd_stop [PID]                end it
#   tunnel KEY LOGIN OPTION...    several forwards on one connection, FWD_PID; fails if one is refused
#   login_works KEY LOGIN         authentication succeeds (the connection is closed at once)
#   wait_idle                     until no connection to sshd is left, be it one that no session has yet
#   login_refused KEY LOGIN       ssh is refused with "Permission denied (publickey)", and no other error
#   reload_sshd                   reload a changed sshd_config; returns when sshd listens again
#   harden_sshd                   enables our example of the global lines that many guides have; reloads
#   sshd_effective LOGIN          what sshd -T prints for LOGIN, with the keywords in lower case
#   mixed_case_sshd FILE          make an sshd that prints them in mixed case, as 10.5 does
#   allow NAME [K=V...] | refuse NAME [K=V...]   the attempt NAME of build/tests/attempt, made with
#                                 ATTEMPT_KEY as ATTEMPT_LOGIN, must be allowed | must be refused
#   COMMAND | some_line [-EFiwx] PATTERN   a line of COMMAND's output matches. `grep -q` would leave at the first
#                                 one, and COMMAND may then end by SIGPIPE, which fails the whole pipe
#   at_exit PID                   kill PID when the test ends (as serve and fwd_* do for theirs)
set -euo pipefail

# Outside the sandbox these functions would change the machine's own sshd and log.
: "${TOP:?run me through tests/run or tests/sandbox}" "${SANDBOX_LOG:?run me through tests/sandbox}"

# shellcheck source=tests/words.sh
. "$TOP/tests/words.sh"
# shellcheck source=tests/pace.sh
. "$TOP/tests/pace.sh"

GATEWAY=127.0.0.1
export WORK
WORK=$(mktemp -d)
FWD_PID=''
test_pids=()

at_exit() { test_pids+=("$1"); }
some_line() { local rc=0; grep -q "$@" || rc=$?; cat >/dev/null; return "$rc"; }
# lib_cleanup [STATUS]: where the test failed, what the gateway logged last is in the test's log.
lib_cleanup()
{
	local rc=${1-$?} pid
	[[ $rc == 0 || $rc == 77 || ! -s $SANDBOX_LOG ]] || { echo '--- logged last:'; tail -n 8 "$SANDBOX_LOG"; }
	for pid in "${test_pids[@]}"; do kill "$pid" 2>/dev/null || :; done
	rm -rf "$WORK"
}
trap lib_cleanup EXIT

ok() { printf 'ok - %s\n' "$*"; }
note() { printf '# %s\n' "$*"; }

fail()
{
	local i=1
	# Report the line of the test, not one of this file.
	while [[ ${BASH_SOURCE[i]-} == "${BASH_SOURCE[0]}" ]]; do i=$((i + 1)); done
	printf 'FAIL: %s (%s:%s)\n' "$*" "${BASH_SOURCE[i]-}" "${BASH_LINENO[i-1]}" >&2
	exit 1
}

assert_eq()
{
	[[ $1 == "$2" ]] || fail "$3: got '$1', want '$2'"
	ok "$3"
}

expect_exit()
{
	local want=$1 rc=0; shift
	"$@" >"$WORK/out" 2>"$WORK/err" || rc=$?
	((rc == want)) || fail "'$*' exits $rc, not $want: $(tail -n 3 "$WORK/err")"
}

# poll SECONDS COMMAND...: runs COMMAND until it succeeds; 1 if SECONDS, which may have a fraction,
# have passed. If the machine became slower meanwhile, the time is extended accordingly.
poll()
{
	local seconds=$1 start=${EPOCHREALTIME/./} us fraction=000000; shift
	[[ $seconds != *.* ]] || fraction=${seconds#*.}000000
	us=$((${seconds%.*} * 1000000 + 10#${fraction:0:6}))
	until "$@"; do
		((${EPOCHREALTIME/./} - start < us * TEST_SLOW_PERCENT / 100)) || pace_slower || return 1
		sleep 0.02
	done
}

wait_for()
{
	local seconds=$1 what=$2; shift 2
	poll "$seconds" "$@" || fail "not within $seconds s x $TEST_SLOW_PERCENT %: $what"
}

log_has() { grep -E -q -e "$1" -- "$SANDBOX_LOG"; }
wait_log() { wait_for "$1" "in the log: $2" log_has "$2"; }

new_key()
{
	ssh-keygen -q -t ed25519 -N '' -C "$1" -f "$WORK/$1" </dev/null
	printf '%s\n' "$WORK/$1"
}

# shellcheck disable=SC2034 # STORE is for the test
store_with_alice()
{
	STORE_DIR=/var/lib/tunlease
	STORE=$STORE_DIR/leases.db
	new_key alice >/dev/null
	leasectl grant alice --key "$WORK/alice.pub" --open 8009 >/dev/null
}

expire_soon() { leasectl renew "$1" --until "$(date -u -d "+$(slow 2) seconds" +%FT%TZ)" >/dev/null; }

join_account()
{
	getent group _tunnel-join >/dev/null || groupadd -r _tunnel-join
	id join >/dev/null 2>&1 || useradd -r -g _tunnel-join -d / -s /usr/libexec/tunlease/join join
	echo 'JoinLogin join' >>/etc/tunlease/tunlease.conf
}

# ---- ssh ---------------------------------------------------------------------------------------

SSH=(ssh -F none -o BatchMode=yes -o IdentitiesOnly=yes -o IdentityAgent=none
	-o StrictHostKeyChecking=yes -o "UserKnownHostsFile=$WORK/known_hosts" -o GlobalKnownHostsFile=none
	-o ConnectTimeout="$(slow 5)" -o ExitOnForwardFailure=yes -o PreferredAuthentications=publickey
	-o KexAlgorithms=curve25519-sha256)

cat /etc/ssh/ssh_host_*_key.pub 2>/dev/null |
	sed 's/^/127.0.0.1,::1,localhost,gateway.test /' >"$WORK/known_hosts" || :

# ssh_start KEY LOGIN READY OPTION...: starts ssh -v in the background and waits until its output
# matches READY; 1 if ssh ended instead.
ssh_start()
{
	local key=$1 login=$2 ready=$3; shift 3
	: >"$WORK/ssh.err"
	"${SSH[@]}" -v -N -T -i "$key" "$@" -l "$login" "$GATEWAY" </dev/null >/dev/null 2>"$WORK/ssh.err" &
	FWD_PID=$!
	at_exit "$FWD_PID"
	poll 15 ssh_is_up_or_gone "$ready" || fail "ssh neither connected nor gave up: $(tail -n 3 "$WORK/ssh.err")"
	grep -E -q -e "$ready" "$WORK/ssh.err" && kill -0 "$FWD_PID" 2>/dev/null
}
ssh_is_up_or_gone() { grep -E -q -e "$1" "$WORK/ssh.err" || ! kill -0 "$FWD_PID" 2>/dev/null; }

# The first thing that sshd sends when PAM has opened the session. ssh says before that it has logged in and that its
# forwards are up: who then revokes the lease, or counts sessions, may be faster than the session.
SESSION_OPEN='^debug1: client_input_global_request: rtype hostkeys-00@openssh\.com'

# Checks ssh's output, not the port: something else may be listening on it.
fwd_L() { ssh_start "$1" "$2" "$SESSION_OPEN" -L "$3"; }
fwd_R()
{
	ssh_start "$1" "$2" 'remote forward (success|failure) for' -R "$3" || return 1
	! grep -q 'remote forward failure for' "$WORK/ssh.err"
}

tunnel()
{
	local ready=$SESSION_OPEN
	[[ " ${*:3} " != *' -R '* ]] || ready='^debug1: forwarding_success'
	ssh_start "$1" "$2" "$ready" "${@:3}"
}

fwd_stop()
{
	local pid=${1:-$FWD_PID}
	kill "$pid" 2>/dev/null || :
	wait "$pid" 2>/dev/null || :
}

login_works()
{
	local rc=0
	ssh_start "$1" "$2" '^Authenticated to ' || rc=1
	fwd_stop "$FWD_PID"
	return "$rc"
}

# Asked by sshd's children: a client that is told "Authenticated" may be gone before its session is made,
# and a new login is root's process until it becomes its user's.
idle() { sshd_has_pid && ! pgrep -P "$(cat /run/sshd.pid)" >/dev/null; }
wait_idle() { wait_for 10 'connections to end' idle; }

login_refused()
{
	if ssh_start "$1" "$2" '^Authenticated to '; then
		fwd_stop "$FWD_PID"
		return 1
	fi
	# Without the Match block sshd offers more methods and prints "(publickey,password)".
	grep -q 'Permission denied (publickey[,)]' "$WORK/ssh.err"
}

# sshd removes its pid file and writes a new one, which has another inode or time stamp.
reload_sshd()
{
	local old
	"${SSHD:-/usr/sbin/sshd}" -t || fail 'sshd -t refuses the configuration'
	wait_for 5 'a reload before this one to end' sshd_has_pid
	old=$(stat -c '%i %z' /run/sshd.pid)
	kill -HUP "$(cat /run/sshd.pid)"
	wait_for 5 'sshd reloads' sshd_reloaded "$old"
}
# While sshd reloads there is no pid file for a moment.
sshd_has_pid() { [[ -s /run/sshd.pid ]]; }
sshd_reloaded()
{
	local now
	now=$(stat -c '%i %z' /run/sshd.pid 2>/dev/null) && [[ $now != "$1" && -s /run/sshd.pid ]]
}

harden_sshd()
{
	install -m 0644 "$TOP/packaging/sshd_config.d/10-hardening.conf" /etc/ssh/sshd_config.d/
	reload_sshd
}

# OpenSSH 10.5 and later print the keywords in mixed case.
sshd_effective()
{
	"${SSHD:-/usr/sbin/sshd}" -T -C "user=$1,host=h,addr=127.0.0.1" | sed -E 's/^[^ ]+/\L&/'
}

# A stand-in for OpenSSH 10.5: this machine's sshd, but for the keywords that -T prints.
mixed_case_sshd()
{
	cat >"$1" <<-'END'
		#!/bin/bash
		set -o pipefail
		[[ " $* " == *' -T '* ]] || exec /usr/sbin/sshd "$@"
		/usr/sbin/sshd "$@" | sed -E 's/^[a-z]/\u&/; s/^Listenaddress/ListenAddress/; s/^Hostkey /HostKey /; s/^Usepam/UsePAM/'
	END
	chmod 0755 "$1"
	grep -q '^HostKey ' <<<"$("$1" -T)" || fail 'the stand-in prints no mixed case'
}

# ---- services and attempts ---------------------------------------------------------------------

serve()
{
	local port=$1 host=${2:-127.0.0.1} out line=''
	exec {out}< <(exec python3 -c '
import socket, socketserver, sys

host, port = sys.argv[1], int(sys.argv[2])
body = b"hello from %d" % port

class Hello(socketserver.BaseRequestHandler):
    def handle(self):
        # Answers before it reads, for clients that send nothing; then waits until the client closes.
        self.request.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        self.request.shutdown(socket.SHUT_WR)
        while self.request.recv(4096):
            pass

class Server(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

server = Server((host, port), Hello)
print("ready", flush=True)
server.serve_forever()
' "$host" "$port" </dev/null)
	at_exit "$!"
	read -r line <&"$out" || :
	exec {out}<&-
	[[ $line == ready ]] || fail "no service on $host port $port"
}

# serve_echo PORT [HOST]
serve_echo()
{
	local port=$1 host=${2:-127.0.0.1} out line=''
	exec {out}< <(exec python3 "$TOP/tests/echo.py" "$host" "$port" </dev/null)
	at_exit "$!"
	read -r line <&"$out" || :
	exec {out}<&-
	[[ $line == ready ]] || fail "no service on $host port $port"
}

# shellcheck disable=SC2034  # TALK is for the test
talk_to() { exec {TALK}<>"/dev/tcp/127.0.0.1/$1"; }
talks()
{
	local line='' word=$RANDOM$RANDOM
	{ echo "$word" >&"$1" && read -r -t "$(slow 5)" line <&"$1"; } 2>/dev/null && [[ $line == "$word" ]]
}
port_free() { [[ -z $(ss -Hltn "sport = :$1") ]]; }
# A zombie counts as gone, for it has no sockets. Its parent may reap it between two of these commands.
pid_answers() { kill -0 "$1" 2>/dev/null; }
is_gone() { ! pid_answers "$1" || grep -q '^State:.[ZX]' "/proc/$1/status" 2>/dev/null || ! pid_answers "$1"; }
no_children() { [[ -z $(pgrep -P "$1") ]]; }

fetch() { curl -s --max-time "$(slow 5)" "$@"; }
agent_request()
{
	local body='{"action":"heartbeat","agent_id":"00000000-7c1f-4b6a-9d2e-3f5a8b0c1d2e"}'
	printf 'POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n' "$1"
	printf 'Content-Length: %d\r\n\r\n%s' "${#body}" "$body"
}

allow() { attempt allowed "$@"; }
refuse() { attempt refused "$@"; }

# attempt WANT NAME [KEY=VALUE...]
attempt()
{
	local want=$1 name=$2 args=() set out='' verdict evidence
	shift 2
	for set; do args+=(--set "$set"); done
	out=$("$TOP/build/tests/attempt" "$name" --key "$ATTEMPT_KEY" --login "$ATTEMPT_LOGIN" "${args[@]}") || :
	verdict=${out%%$'\t'*}
	evidence=${out#*$'\t'}
	[[ $verdict == "$want" ]] || fail "$name $*: want $want, got ${verdict:-nothing} ($evidence)"
	ok "$name: $verdict ($evidence)"
}
