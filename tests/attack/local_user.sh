#!/bin/bash
# SPDX-License-Identifier: ISC
# A user of the gateway itself, with a shell and no rights: at the files, the registry, the processes, the ports, the
# files in /tmp that root's commands write, and in the home of a tunnel login, should he ever have got it.
# sandbox: --leased
# timeout: 200
set -eu
. "$TOP/tests/lib.sh"

as_li() { setpriv --reuid=li --regid=li --init-groups "$@"; }
for name in alice bob db1; do new_key "$name" >/dev/null; done
serve 8009
serve 9090
for name in alice bob; do leasectl grant "$name" --key "$WORK/$name.pub" --open 8009 --note PRIVATE >/dev/null; done
fetch -H 'Authorization: Bearer an-enrolment-key-for-the-tests' -H 'Content-Type: application/json' --data \
	"{\"action\":\"register\",\"agent_id\":\"db1\",\"public_key\":\"$(cat "$WORK/db1.pub")\",\"port_b\":20001}" http://127.0.0.1:12000/ >/dev/null
state_of() { leasectl agents | awk '$1 == "db1" { print $2, $4 }'; }
assert_eq "$(state_of)" '20001 down' 'an agent'

note 'files: to read, write, replace, remove, link, and to put others beside them'
fwd_L "$WORK/alice" pfwd 18001:127.0.0.1:8009 || fail 'alice has no tunnel'
alice=$FWD_PID
mkdir -m 1777 /var/tmp/li /run/li /etc/li
cat >"$WORK/try.py" <<'P'
# Prints what succeeds. Each directory has a twin of this user's own, where all must succeed.
import os, sys
own, *paths = sys.argv[1:]
def attempt(what, path, call, *arguments):
    try:
        result = call(*arguments)
        if isinstance(result, int):
            os.close(result)
        print(what, path)
    except OSError:
        pass
for path in paths:
    if os.path.isdir(path) and not os.path.islink(path) or path.endswith("/"):
        new = path.rstrip("/") + "/new"
        attempt("create", path, os.open, new, os.O_CREAT | os.O_WRONLY)
        attempt("link", path, os.symlink, "/etc/passwd", new + "-link")
        attempt("mkdir", path, os.mkdir, new + "-dir")
        attempt("mkfifo", path, os.mkfifo, new + "-fifo")
        attempt("chmod", path, os.chmod, path, 0o777)
    else:
        attempt("write", path, os.open, path, os.O_WRONLY)
        attempt("truncate", path, os.truncate, path, 0)
        attempt("chmod", path, os.chmod, path, 0o666)
        attempt("hardlink", path, os.link, path, own + "/" + os.path.basename(path))
        attempt("rename", path, os.rename, path, path + ".old")
        attempt("unlink", path, os.unlink, path)
P
chmod 0755 "$WORK"
tries() { as_li python3 "$WORK/try.py" "$@"; }
as_li mkdir /var/tmp/li/dir
for i in write rename unlink; do as_li touch "/var/tmp/li/$i"; done
assert_eq "$(tries /var/tmp /var/tmp/li/dir /var/tmp/li/write | cut -d' ' -f1 | tr '\n' ' ')" \
	'create link mkdir mkfifo chmod write truncate chmod hardlink rename ' 'what he may do to his own'
mapfile -t ours < <(find /run/tunlease /var/lib/tunlease /etc/tunlease /usr/libexec/tunlease /etc/ssh/sshd_config.d /etc/pam.d/common-session \
	/etc/pam.d/common-account -printf '%p\n')
((${#ours[@]} > 15)) || fail "${ours[*]}"
[[ " ${ours[*]} " == *' /run/tunlease/sessions/'*' '*leases.db-wal* ]] || fail "no session, or no store: ${ours[*]}"
for of in '' /var/tmp/li /run/li /etc/li; do
	assert_eq "$(tries "$of" "${ours[@]}")" '' "nothing to ${#ours[@]} files and directories${of:+, nor links in $of}"
done
mapfile -t private < <(find /run/tunlease /var/lib/tunlease /etc/tunlease/leased.env)
for path in "${private[@]}"; do
	! as_li test -r "$path" || fail "he reads $path"
done
expect_exit 7 as_li leasectl list
expect_exit 0 leasectl list
some_line alice <"$WORK/out" || fail 'root does not see it either'
ok "nor does he read any of ${#private[@]}"

note 'processes'
for pid in "$(cat /run/leased.pid)" $(pgrep -P "$(cat /run/leased.pid)") $(pgrep -u pfwd) "$(cat /run/sshd.pid)"; do
	! as_li kill -0 "$pid" 2>/dev/null || fail "he may signal $pid"
	! as_li head -c 1 "/proc/$pid/environ" >/dev/null 2>&1 || fail "he reads the environment of $pid"
done
sleep 60 & own=$!
at_exit "$own"
kill -0 "$own" || fail 'no twin'
expect_exit 3 leasectl kill --pid "$own"
assert_eq "$(fetch http://127.0.0.1:18001/)" 'hello from 8009' 'alice still has her tunnel'

note 'ports'
bind_as_li() # PORT HOST...: takes each that he can get, prints those, and stays
{
	exec {bound}< <(exec setpriv --reuid=li --regid=li --init-groups python3 -c '
import socket, sys, time
held = []
for host in sys.argv[2:]:
    for option in (None, socket.SO_REUSEADDR, socket.SO_REUSEPORT):
        s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        try:
            if option is not None:
                s.setsockopt(socket.SOL_SOCKET, option, 1)
            s.bind((host, int(sys.argv[1])))
            s.listen()
            held.append((host, s))
            break
        except OSError:
            s.close()
print(*[host for host, s in held], flush=True)
time.sleep(600)' "$@")
	li=$!
	at_exit "$li"
	read -r got <&"$bound" || :
	exec {bound}<&-
}
bind_as_li 20001 127.0.0.1
assert_eq "$got" 127.0.0.1 'he takes the port of an agent that is not there'
assert_eq "$(state_of)" '20001 down' 'which does not make the agent look up'
! fwd_R "$WORK/db1" gw-tunnel 127.0.0.1:20001:127.0.0.1:9090 || fail 'the agent believes that it has the port'
assert_eq "$(state_of)" '20001 down' 'nor when the agent tried'
kill "$li"
wait_for 5 'the port to be free' port_free 20001
fwd_R "$WORK/db1" gw-tunnel 127.0.0.1:20001:127.0.0.1:9090 || fail 'the agent does not get its port back'
bind_as_li 20001 127.0.0.1 0.0.0.0 :: ::ffff:127.0.0.1
assert_eq "$got" '' 'he cannot take the port of an agent that is there, by no option'
kill "$li"
assert_eq "$(state_of) $(fetch http://127.0.0.1:20001/)" '20001 up hello from 9090' 'the agent is up, and answers'
# docs/security.md: what is not held, and what helps.
agent=$FWD_PID
new_key friend >/dev/null
leasectl grant friend --key "$WORK/friend.pub" --open agent:db1 >/dev/null 2>&1
setpriv --reuid=li --regid=li --init-groups python3 -m http.server -d /var/tmp/li --bind ::1 20001 </dev/null >/dev/null 2>&1 & li=$!
at_exit "$li"
stands_beside() { [[ -n $(ss -Hltn 'sport = :20001 and src [::1]') ]]; }
wait_for 5 'him to listen beside the agent' stands_beside
tunnel "$WORK/friend" pfwd -L 18003:127.0.0.1:20001 -L 18004:localhost:20001 || fail 'the friend has no tunnel'
assert_eq "$(fetch http://127.0.0.1:18003/)" 'hello from 9090' 'who asks for 127.0.0.1 gets the agent, whoever listens on ::1'
[[ $(fetch http://127.0.0.1:18004/) != 'hello from 9090' ]] || note 'here localhost is 127.0.0.1 first'
sed -i '/^::1/s/ localhost / /' /etc/hosts
assert_eq "$(fetch http://127.0.0.1:18004/)" 'hello from 9090' 'where localhost is no name of ::1, who asks for localhost gets the agent, too'
fwd_stop
FWD_PID=$agent
kill "$li"
fwd_stop

note 'files that root writes to a place of his'
echo CANARY >/etc/li-canary
chmod 0600 /etc/li-canary
for name in backup.db backup.db-journal backup.db-wal report report.tmp report.sig; do as_li ln -s /etc/li-canary "/tmp/$name"; done
as_li ln -s /etc/li-new /tmp/new.db
for command in 'backup /tmp/backup.db' 'backup /tmp/backup.db --overwrite' 'backup /tmp/new.db' 'prove --report /tmp/report'; do
	# shellcheck disable=SC2086 # words
	leasectl $command >"$WORK/out" 2>&1 || :
	[[ $(cat /etc/li-canary) == CANARY && ! -e /etc/li-new ]] || fail "leasectl $command writes through a link"
done
expect_exit 0 leasectl backup /tmp/good.db
[[ $(stat -c '%U %a' /tmp/good.db) == 'root 640' ]] || fail "$(ls -l /tmp/good.db)"
! as_li test -r /tmp/good.db || fail 'he reads a backup'
ok 'no link of his leads anywhere, and a backup is not his to read'

note 'the home of a tunnel login, should he own it'
install -d -o li -m 0755 /home/pfwd /home/pfwd/.ssh
sed -i 's|^\(pfwd:.*\):/:|\1:/home/pfwd:|' /etc/passwd
[[ $(getent passwd pfwd) == *:/home/pfwd:* ]] || fail 'pfwd has no such home'
# shellcheck disable=SC2016 # for that sh
printf '#!/bin/sh\necho "$USER" >>/tmp/rc-ran\n' >/home/pfwd/.ssh/rc
bob_key=$(cut -d' ' -f1,2 "$WORK/bob.pub")
echo "SSH_AUTH_INFO_0=publickey $bob_key" >/home/pfwd/.pam_environment
echo "SSH_USER_AUTH=/home/pfwd/.pam_environment" >/home/pfwd/.ssh/environment
new_key stranger >/dev/null
cp "$WORK/stranger.pub" /home/pfwd/.ssh/authorized_keys
chown -R pfwd /home/pfwd/.ssh
chmod 0755 /home/pfwd/.ssh/rc
install -o li -m 0755 /home/pfwd/.ssh/rc /home/li/.ssh/rc
sed -i '1i PermitUserEnvironment yes' /etc/ssh/sshd_config
reload_sshd
fwd_stop "$alice"
wait_idle
"${SSH[@]}" -i /home/li/.ssh/id_ed25519 "li@$GATEWAY" true
assert_eq "$(cat /tmp/rc-ran)" li 'the twin: the rc of li runs'
expect_exit 1 "${SSH[@]}" -i "$WORK/alice" "pfwd@$GATEWAY" true
assert_eq "$(cat /tmp/rc-ran)" li 'the rc of the tunnel login does not'
login_refused "$WORK/stranger" pfwd || fail 'its authorized_keys lets somebody in'
ok 'nor is its authorized_keys read'
fwd_L "$WORK/bob" pfwd 18002:127.0.0.1:8009 || fail 'bob has no tunnel'
bob=$FWD_PID
fwd_L "$WORK/alice" pfwd 18001:127.0.0.1:8009 || fail 'alice has no tunnel'
whose() { leasectl sessions | cut -f1 | sort | tr '\n' ' '; }
assert_eq "$(whose)" 'alice bob ' 'its .pam_environment does not say whose session one is'
fwd_stop
only_bob() { [[ $(whose) == 'bob ' ]]; }
wait_for 5 'the right one to be gone when it closes' only_bob
expect_exit 0 leasectl revoke bob
wait_for 5 'bob to be ended' is_gone "$bob"
ok 'and the right one ends when it is revoked'
