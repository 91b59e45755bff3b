#!/bin/bash
# SPDX-License-Identifier: ISC
# Other sshds: leasectl finds the one that serves, sees an upgrade without a restart, writes no
# keyword that the version does not know, and reports an error when it cannot ask sshd. An older or
# newer sshd is this machine's own with another version number in its file, so this tests what
# leasectl does with the number; unit/test_duration and e2e/akc test how older ones read times.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"
dropin=/etc/ssh/sshd_config.d/20-tunlease.conf conf=/etc/tunlease/tunlease.conf

doctor() { # CODE PATTERN WHAT
	expect_exit "$1" leasectl doctor
	grep -Eq -e "$2" "$WORK/out" || fail "$3: $(grep -v '^ok' "$WORK/out")"
	ok "$3"
}
# The number has as many characters as the one that it replaces, so that the program still works.
fake_version() { LC_ALL=C sed "s/OpenSSH_9\.2/OpenSSH_$1/g" "$SSHD" >"$2" && chmod 0755 "$2"; } # VERSION FILE
restart_sshd() { # [NAME=VALUE...]: starts sshd again, with this environment
	kill "$(cat /run/sshd.pid)"
	wait_for 5 'sshd to end' port_free 22
	rm -f /run/sshd.pid
	env "$@" /usr/sbin/sshd
	wait_for 5 'sshd to start' test -s /run/sshd.pid
}
upgrade() { fake_version "$1" /usr/sbin/sshd.new; mv /usr/sbin/sshd.new /usr/sbin/sshd; } # VERSION
cp -p "$SSHD" "$WORK/sshd"
SSHD=$WORK/sshd
key=$(new_key alice)

note 'sshd -T with keywords as sshd_config(5) writes them, as 10.5 prints them'
mixed_case_sshd /usr/local/sbin/sshd-mixed
pin=$(ssh-keygen -l -f /etc/ssh/ssh_host_ed25519_key.pub | cut -d' ' -f2)
sed -i '1i Sshd /usr/local/sbin/sshd-mixed' "$conf"
doctor 0 'sshd-mixed.*configuration names' 'doctor reads mixed case'
leasectl grant carol --key "$(new_key carol).pub" --open 8009 >"$WORK/grant"
grep -q "^host key   ssh-ed25519 $pin\$" "$WORK/grant" || fail "grant has no host key: $(cat "$WORK/grant")"
leasectl agent add db1 --key "$(new_key db1).pub" >"$WORK/added"
grep -q -- "--host-key $pin" "$WORK/added" || fail "agent add has no host key: $(cat "$WORK/added")"
ok 'grant and agent add name the host key'

note 'nothing is granted when the host key cannot be read'
no_pin() { # PATTERN
	expect_exit 1 leasectl grant bob --key "$key.pub" --open 8009
	grep -Eq "nothing was changed.*$1" "$WORK/err" || fail "$(cat "$WORK/err")"
	expect_exit 1 leasectl agent add db2 --key "$key.pub"
	expect_exit 1 leasectl --json agent add db2 --key "$key.pub"
	expect_exit 3 leasectl show bob
	expect_exit 3 leasectl show db2
}
sed -i 's/^\/usr.*sed.*/exit 0/' /usr/local/sbin/sshd-mixed
no_pin 'is not understood'
sed -i 's/^exit 0/echo it is broken >\&2; exit 3/' /usr/local/sbin/sshd-mixed
no_pin 'it is broken'
sed -i "1s/.*/Sshd \/bin\/true/" "$conf"
no_pin "Sshd '/bin/true' of the configuration is no sshd"
sed -i 1d "$conf"
mkdir "$WORK/pubs"
mv /etc/ssh/ssh_host_*.pub "$WORK/pubs"
no_pin 'ssh-keygen -y'
mv "$WORK"/pubs/* /etc/ssh
ok 'each is an error, and nothing was granted'

note 'the sshd that listens'
doctor 0 "'/usr/sbin/sshd' .*, which listens on port 22, takes" 'the sshd is found by its socket'
mkdir -p /opt/ssh/sbin /opt/ssh/bin
cp -p /usr/sbin/sshd /opt/ssh/sbin/sshd
sed -i 's/^Port 22/Port 2222/; s/^PidFile.*/PidFile none/' /etc/ssh/sshd_config
kill "$(cat /run/sshd.pid)"
wait_for 5 'sshd to end' port_free 22
(cd / && exec /opt/ssh/sbin/sshd)
wait_for 5 'the other sshd to start' bash -c '! exec 3<>/dev/tcp/127.0.0.1/2222 || exit 0; exit 1' 2>/dev/null
echo 'PublicPort 2222' >>"$conf"
doctor 0 "'/opt/ssh/sbin/sshd' .*, which listens on port 2222" 'another program on another port is found'
chmod 0775 /opt/ssh/sbin
doctor 0 "'/usr/sbin/sshd' .*, in the usual place" 'root does not run a program that others can replace'
chmod 0755 /opt/ssh/sbin
echo 'AllowOpen pfwd 127.0.0.1:8009-8010' >>"$conf"
expect_exit 0 leasectl setup
grep -q '127.0.0.1:\*' <<<"$(sshd_effective pfwd)" || fail 'the new permits are not in force'
sed -i '/^PublicPort/d; /^AllowOpen pfwd/d' "$conf"
other=$(pgrep -x -f 'sshd: /opt/ssh/sbin/sshd .listener.*')
kill "$other"
wait_for 5 'the other sshd to end' port_free 2222
sed -i 's/^Port 2222/Port 22/; s/^PidFile.*/PidFile \/run\/sshd.pid/' /etc/ssh/sshd_config
/usr/sbin/sshd
wait_for 5 'sshd to start' test -s /run/sshd.pid
expect_exit 0 leasectl setup

note 'a systemd socket has the port: leasectl finds the program that its unit starts'
mkdir -p /run/systemd/system
cat >/usr/local/bin/systemctl <<'END'
#!/bin/bash
# What systemd 252 says of Debian's ssh.socket.
case "$*" in
'show --property=Id,Triggers,Listen,Accept *.socket')
	printf 'Id=dbus.socket\nTriggers=dbus.service\nListen=/run/dbus/system_bus_socket (Stream)\nAccept=no\n\n'
	printf 'Triggers=%s\nListen=[::]:22 (Stream)\nAccept=%s\nId=ssh.socket\n' "$TRIGGERS" "$ACCEPT" ;;
'show --property=ExecStart ssh.service' | 'show --property=ExecStart ssh@0.service')
	printf 'ExecStart={ path=/opt/ssh/sbin/sshd ; argv[]=/opt/ssh/sbin/sshd -D ; ignore_errors=no ; pid=0 }\n' ;;
*) exit 1 ;;
esac
END
chmod 0755 /usr/local/bin/systemctl
cat >"$WORK/holder.py" <<'END'
import socket, subprocess, sys, threading
def answer():
    while True:
        s.accept()[0].sendall(b"SSH-2.0-OpenSSH_9.2p1\r\n")
s = socket.socket(socket.AF_INET6); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("::", 22)); s.listen()
threading.Thread(target=answer, daemon=True).start()
sys.exit(subprocess.run(["leasectl", "doctor"], close_fds=True).returncode)
END
kill "$(cat /run/sshd.pid)"
wait_for 5 'sshd to end' port_free 22
socket_doctor() { # TRIGGERS ACCEPT PATTERN
	sed -i "2i TRIGGERS=$1 ACCEPT=$2" /usr/local/bin/systemctl
	unshare --pid --fork --mount-proc python3 "$WORK/holder.py" >"$WORK/out" || :
	sed -i 2d /usr/local/bin/systemctl
	grep -q "$3" "$WORK/out" || fail "$(cat "$WORK/out")"
}
opt="'/opt/ssh/sbin/sshd' .*which" usual="'/usr/sbin/sshd' .*, in the usual place"
socket_doctor ssh.service no "$opt ssh.service starts for connections to port 22"
socket_doctor '' yes "$opt ssh@.service starts for connections to port 22"
# Nor is a program run that others can replace, or one whose path is longer than we read.
chmod 0775 /opt/ssh/sbin
socket_doctor ssh.service no "$usual"
chmod 0755 /opt/ssh/sbin
printf -v deep '/opt/ssh/%0200d/%0200d/%0200d' 0 0 0
mkdir -p "${deep%/*}"
printf '#!/bin/sh\n: >/opt/ssh/cut\nexec /usr/sbin/sshd "$@"\n' >"${deep:0:511}"
chmod 0755 "${deep:0:511}"
cp -p /usr/local/bin/systemctl "$WORK/systemctl"
sed -i "s|path=/opt/ssh/sbin/sshd|path=$deep|" /usr/local/bin/systemctl
socket_doctor ssh.service no "$usual"
[[ ! -e /opt/ssh/cut ]] || fail 'the cut path was run'
cp -p "$WORK/systemctl" /usr/local/bin/systemctl
ok 'what others can replace, and a path that was cut, are not run'
# Any user may run that program with a TZ of his own, and orphan it to systemd: its zone must not be
# used.
fake_version 8.9 /opt/ssh/sbin/sshd
mkfifo -m 0666 /run/slow_key
sed -i 's/^        s.accept.*/        c = s.accept()[0]; time.sleep(0.2); c.sendall(b"SSH-2.0-OpenSSH_9.2p1\\r\\n")/; s/^import /import time, /' "$WORK/holder.py"
sed -i '/^threading/a subprocess.Popen(["setpriv", "--reuid", "li", "--clear-groups", "sh", "-c", "while sleep 0.02; do ( (TZ=Pacific/Apia exec /opt/ssh/sbin/sshd -D -h /run/slow_key) & ); done"], stderr=subprocess.DEVNULL)' "$WORK/holder.py"
sed -i '2i TRIGGERS=ssh.service ACCEPT=no' /usr/local/bin/systemctl
unshare --pid --fork --mount-proc python3 "$WORK/holder.py" >"$WORK/out" || :
! grep -q Apia "$WORK/out" || fail "the zone of another user's process was used: $(cat "$WORK/out")"
grep -q 'cannot tell the time zone' "$WORK/out" || fail "$(cat "$WORK/out")"
cp -p /usr/sbin/sshd /opt/ssh/sbin/sshd
rm -r /usr/local/bin/systemctl /run/systemd
/usr/sbin/sshd
wait_for 5 'sshd to start' test -s /run/sshd.pid
ok 'found with Accept=no and with Accept=yes'

note 'sshd was upgraded and not restarted'
upgrade 9.6
doctor 0 "^warning.sshd.OpenSSH 9.2 listens still, and '/usr/sbin/sshd' is 9.6 by now.*systemctl restart ssh" 'doctor names both versions'
restart_sshd
doctor 0 'sshd.*OpenSSH 9.6' 'no warning after a restart'
upgrade 9.6
doctor 0 "^warning.sshd.'/usr/sbin/sshd' was replaced since" 'doctor sees another file of the same version'

note 'OpenSSH 8.9: it gets times in its local zone, and no keyword that it does not know'
upgrade 8.9
doctor 1 "FAIL.drop-in.*made for OpenSSH 9.2, and 8.9 serves now.*leasectl setup$" 'doctor sees that the drop-in is for another version'
restart_sshd TZ=Australia/Lord_Howe
expect_exit 0 leasectl setup
in_force() { grep -qxF "authorizedkeyscommand /usr/libexec/tunlease/akc $1%u %t %k" <<<"$(sshd_effective pfwd)" || fail "akc $1 is not in force"; }
in_force '--expiry-local=Australia/Lord_Howe '
! grep -q UnusedConnectionTimeout "$dropin" || fail 'the drop-in has a keyword that 8.9 does not know'
doctor 0 'ok.time zone.OpenSSH 8.9 reads no UTC: .* with TZ=Australia/Lord_Howe' 'doctor names the zone of the running sshd'
leasectl grant alice --key "$key.pub" --open 8009 --for 1h >/dev/null
login_works "$key" pfwd || fail 'no login'
read -r type blob _ <"$key.pub"
assert_eq "$(leasectl --json explain pfwd --key "$key.pub" | python3 -c 'import json, sys; print(json.load(sys.stdin)["line"])')" \
	"$(/usr/libexec/tunlease/akc --expiry-local=Australia/Lord_Howe pfwd "$type" "$blob")" 'explain shows the line that akc prints'
# sshd reads the line by itself, without akc. Summer time is half an hour in this zone.
line_until() { # TIME as in date -d: akc's line for a lease with this end
	leasectl renew alice --until "$(date -u -d "$1" '+%FT%TZ')" >/dev/null
	/usr/libexec/tunlease/akc --expiry-local=Australia/Lord_Howe pfwd "$type" "$blob"
}
line_until '+20 minutes' >/home/li/.ssh/authorized_keys
login_works "$key" li || fail 'no login before the end of the lease'
for _ in 1 2 3; do
	line_until '+2 seconds' >/home/li/.ssh/authorized_keys
	[[ ! -s /home/li/.ssh/authorized_keys ]] || break # empty: this machine was so slow that the lease had expired
done
grep -q expiry-time /home/li/.ssh/authorized_keys || fail 'no line'
sleep 3
login_refused "$key" li || fail "a login succeeds after the end of the lease: $(tail -n 2 "$WORK/ssh.err")"
ok 'sshd reads the local time as the end of the lease'
restart_sshd TZ=America/New_York
doctor 1 'FAIL.time zone.*TZ=Australia/Lord_Howe, and this one has TZ=America/New_York' 'doctor sees that sshd has another TZ'
restart_sshd -u TZ
ln -sf /usr/share/zoneinfo/Europe/Berlin /etc/localtime
doctor 1 'FAIL.time zone.*and this one has no TZ, /etc/localtime is Europe/Berlin' 'doctor sees that sshd has no TZ'
expect_exit 0 leasectl setup
in_force '--expiry-local '
ln -sf /usr/share/zoneinfo/Europe/Dublin /etc/localtime
doctor 1 'FAIL.time zone.*Europe/Berlin, and this one .*Europe/Dublin' 'doctor sees that /etc/localtime has changed'
restart_sshd 'TZ=a b'
expect_exit 1 leasectl setup
grep -q "its TZ is 'a b'" "$WORK/err" || fail "$(cat "$WORK/err")"
upgrade 9.9
restart_sshd
doctor 1 'made for OpenSSH 8.9, and 9.9 serves now' 'doctor sees a newer sshd as well'
expect_exit 0 leasectl setup
in_force ''

note 'a key type of OpenSSH 10.4: granted only where the sshd knows it'
python3 -c '
import base64, os, struct
def string(b): return struct.pack(">I", len(b)) + b
kind = b"ssh-mldsa44-ed25519@openssh.com"
print(kind.decode(), base64.b64encode(string(kind) + string(os.urandom(1344))).decode(), "erin")' >"$WORK/erin.pub"
expect_exit 2 leasectl grant erin --key "$WORK/erin.pub" --open 8009
grep -q 'does not know keys of the type ssh-mldsa44-ed25519@openssh.com' "$WORK/err" || fail "$(cat "$WORK/err")"
# A stand-in for the installation of such an sshd: the tools next to it say that they know the type.
sed -i '1i Sshd /opt/ssh/sbin/sshd' "$conf"
printf '#!/bin/sh\necho ssh-ed25519\necho ssh-mldsa44-ed25519@openssh.com\n' >/opt/ssh/bin/ssh
printf '#!/bin/sh\nexec cat >/dev/null\n' >/opt/ssh/bin/ssh-keygen
chmod 0755 /opt/ssh/bin/*
expect_exit 0 leasectl grant erin --key "$WORK/erin.pub" --open 8009
grep -q 'PubkeyAcceptedAlgorithms have no ssh-mldsa44' "$WORK/err" || fail "no warning: $(cat "$WORK/err")"
read -r type blob _ <"$WORK/erin.pub"
[[ $(/usr/libexec/tunlease/akc pfwd "$type" "$blob") == restrict,*" $type $blob erin" ]] || fail 'akc prints no line'
sed -i 1d "$conf"

note 'sshd-config --for VERSION'
for version in 8.2 8.4 8.9p1 9.0 9.1 9.2 9.6 9.9 10.0 10.5; do
	leasectl sshd-config --for "$version" >"$WORK/blocks"
	has() { grep -c "^ *$1" "$WORK/blocks" || :; }
	number=${version%p1}
	old=$(awk -v v="$number" 'BEGIN { split(v, p, "."); print (p[1] < 9 || p[1] == 9 && p[2] < 1) + (p[1] < 9 || p[1] == 9 && p[2] < 2) }')
	assert_eq "$(has "# Tunnel .* OpenSSH $number\. ") $(has 'AuthorizedKeysCommand .*akc --expiry-local ') $(has 'AuthorizedKeysCommand .*akc %u %t %k') $(has UnusedConnectionTimeout)" \
		"1 $((old == 2)) $((old < 2)) $((old == 0))" "$version"
	# The rest of the blocks is the same for all versions.
	grep -v -e '^#' -e '# Times' -e UnusedConn -e 'AuthorizedKeysCommand ' "$WORK/blocks" >"$WORK/rest.$number"
	cmp "$WORK/rest.$number" "$WORK/rest.8.2"
done
assert_eq "$(wc -l <"$WORK/rest.8.2")" "$(grep -v -c -e '^#' -e UnusedConn -e 'AuthorizedKeysCommand ' "$dropin")" 'no line is missing from the blocks'
for version in 8.1 7.9 9 9.x x 9. ''; do expect_exit 2 leasectl sshd-config --for "$version"; done
