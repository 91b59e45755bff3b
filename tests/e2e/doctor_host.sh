#!/bin/bash
# SPDX-License-Identifier: ISC
# leasectl doctor on the host: each thing that is broken here is named, and nothing else is; where the
# mend is a command, it is run, and the finding is gone.
# sandbox: --leased
# timeout: 300
set -eu
. "$TOP/tests/lib.sh"
# shellcheck source=tests/doctor_lib.sh
. "$TOP/tests/doctor_lib.sh"

conf=/etc/tunlease/tunlease.conf
akc_dir=/usr/libexec/tunlease

# found [OPTION]: prints what doctor found beside the findings in $WORK/known, one a line: result, check, what, why, mend.
# Whether the kernel takes its clock for right is up to the machine, so it is told here.
export CLOCK_STATUS=right CLOCK_SHIFT_FILE=$WORK/shift
printf '%-64s' '0 0' >"$CLOCK_SHIFT_FILE"
as=() # a program that doctor is run by
found()
{
	local rc=0
	LD_PRELOAD=$TOP/build/tests/clock_shift.so "${as[@]}" leasectl --json doctor "$@" >"$WORK/doctor.json" 2>"$WORK/doctor.err" || rc=$?
	echo "$rc" >"$WORK/status"
	python3 - "$WORK/doctor.json" "$WORK/known" <<-'END'
		import json, os, sys
		known = open(sys.argv[2]).read().splitlines() if os.path.exists(sys.argv[2]) else []
		for f in json.load(open(sys.argv[1])):
		    what = f["result"] + "\t" + f["check"] + "\t" + f["detail"]
		    if f["result"] != "ok" and what not in known:
		        assert f["why"] and f["mend"], f
		        print(what + "\t" + f["why"] + "\t" + f["mend"])
	END
}

# has_found PATTERN: of several findings that found saw.
has_found() { grep -Eq "$1" "$WORK/found" || fail "not '$1': $(cat "$WORK/found")"; ok "$(grep -Em 1 "$1" "$WORK/found" | cut -f 1-3)"; }
# The next sees, which finds one thing alone, or sees_nothing, shows that it helped.
run_mend() { bash -ec "$mend" >"$WORK/out" 2>&1 || fail "the mend '$mend' fails: $(cat "$WORK/out")"; }

stop_leased()
{
	kill "$(cat /run/leased.pid)"
	wait_for 5 'leased is gone' is_gone "$(cat /run/leased.pid)"
}
start_leased()
{
	leased </dev/null >>/run/leased.out 2>&1 &
	echo $! >/run/leased.pid
	wait_for 5 'leased answers' curl -sf -o "$WORK/out" http://127.0.0.1:1000/healthz
}

# A hardened host, as its guide has it: nothing of that is a finding.
harden_sshd
printf '%s\n' 'PublicHost gateway.example.com' 'Listen 127.0.0.1:1000' >>"$conf"
sed -i '/^Port /i PasswordAuthentication no' /etc/ssh/sshd_config
stop_leased
start_leased
leasectl setup >"$WORK/out" 2>&1 || fail "$(cat "$WORK/out")"
store_with_alice
sees note ceiling "'AllowOpen 127.0.0.1:[*]', 'AllowOpen \[::1\]:[*]' is wider than leases use" "in '$conf', .*: 'AllowOpen pfwd 127.0.0.1:8009'; then: leasectl setup"
apply_conf()
{
	leasectl setup >"$WORK/out" 2>&1 || fail "$(cat "$WORK/out")"
	stop_leased
	start_leased
}
put_lines() # what the mend says to put into the configuration
{
	local line keyword=${1%% *}
	sed -i "/^$keyword /d" "$conf"
	for line in "$@"; do
		[[ $mend == *"'$line'"* ]] || fail "'$line' is not in the mend: $mend"
		echo "$line" >>"$conf"
	done
	apply_conf
}
put_lines 'AllowOpen pfwd 127.0.0.1:8009'
sees_nothing 'where the ceiling is as wide as what leases use'

note 'akc, run as sshd runs it'
chmod 0750 "$akc_dir"
sees fail akc "sshd cannot run '.*/akc' as '_tunlease-akc': Permission denied" "^chmod a.x '$akc_dir'$"
run_mend
mount --bind "$akc_dir" "$akc_dir"
mount -o remount,bind,noexec "$akc_dir"
sees fail akc 'cannot run .*: Permission denied' "^mount -o remount,exec '$akc_dir'; "
mend=${mend%%;*}
run_mend
umount "$akc_dir"
mv "$akc_dir/akc" "$WORK/akc"
printf '\177ELF\2\1\1' >"$akc_dir/akc"
chmod 0755 "$akc_dir/akc"
sees fail akc 'cannot run .*: Exec format error' "built for this machine .$(uname -m)."
cat "$WORK/akc" >"$akc_dir/akc"
chmod o-x "$akc_dir/akc"
found >"$WORK/found"
grep -q $'^fail\takc.*not executable for all' "$WORK/found" || fail "$(cat "$WORK/found")"
chmod 0755 "$akc_dir/akc"

note "Debian's sshd lets root's own group write, and no other"
chmod g+w "$akc_dir"
sees note akc "a group that has no member but root can write '$akc_dir'" "^chmod g-w '$akc_dir'$"
login_works "$WORK/alice" pfwd || fail "this sshd does not accept it: it is no note"
usermod -aG root li
sees fail akc "'$akc_dir' is not root's, or others can write it"
login_refused "$WORK/alice" pfwd || fail 'this sshd accepts it: it is no FAIL'
gpasswd -d li root >"$WORK/out"
run_mend
sees_nothing 'after chmod'

note 'the files of the store'
stop_leased
sees warning leased 'does not run'
cut -f 1-3 "$WORK/found" >"$WORK/known"
cp -a "$STORE_DIR" "$WORK/copy"
restore() { cp -a "$WORK/copy/." "$STORE_DIR/"; }
chmod 0700 "$STORE_DIR"
sees fail store "'$STORE_DIR' is _tunlease:_tunlease 2700, not .* 2750" '^chown .* chmod 2750'
run_mend
chmod o+r "$STORE"
sees warning store "'$STORE' is .* 0644, not" '^chown .* chmod 0640'
run_mend
chmod 0640 "$STORE-wal" # SQLite gave the empty file the mode of the database
chmod g+w "$STORE-shm"
sees fail store "'$STORE-shm' is .* 0660, not"
run_mend
chown root:root "$STORE-wal"
sees fail store "'$STORE-wal' is root:root 0640, not _tunlease:_tunlease"
run_mend
rm "$STORE-wal" "$STORE-shm"
sees warning store "'$STORE-wal' and '$STORE-shm' are missing" '^leasectl setup$'
run_mend
[[ $(stat -c '%U:%a' "$STORE-wal" "$STORE-shm" | uniq) == _tunlease:640 ]] || fail "$(ls -l "$STORE_DIR")"

mkdir -m 0755 /opt/shared
cp -a "$STORE" "$STORE-wal" "$STORE-shm" /opt/shared/
sed 's,^PublicHost,Database /opt/shared/leases.db\n&,' "$conf" >/etc/tunlease/other.conf
leasectl -c /etc/tunlease/other.conf doctor >"$WORK/found" || :
has_found "^FAIL.store.'/opt/shared' is root:root 0755, not .*a directory of its own: install -d .* '/opt/shared/tunlease'"
! grep -q 'chown _tunlease:_tunlease ./opt/shared. ' "$WORK/found" || fail 'a directory of others is given away'
rm -r /opt/shared /etc/tunlease/other.conf

note 'its file system'
mount --bind "$STORE_DIR" "$STORE_DIR"
mount -o remount,bind,ro "$STORE_DIR"
sees fail space "'$STORE_DIR' is on a read-only file system" "^mount -o remount,rw '$STORE_DIR'; "
mend=${mend%%;*}
run_mend
umount "$STORE_DIR"
# full DIR TRY: DIR is a small file system that has what is in DIR now, and is full.
full()
{
	mkdir -p "$WORK/small"
	mount -t tmpfs -o size=24m,mode=2750,uid="$(stat -c %u "$1")",gid="$(stat -c %g "$1")" small "$WORK/small"
	cp -a "$1/." "$WORK/small/"
	mount --move "$WORK/small" "$1"
	dd if=/dev/zero of="$1/filler" bs=64k >/dev/null 2>&1 || :
}
full "$STORE_DIR"
sees fail space "'$STORE_DIR' is on a file system that is full, '$STORE_DIR'" 'du -xh'
! leasectl revoke alice 2>/dev/null || fail 'it is not full'
truncate -s -4M "$STORE_DIR/filler"
sees warning space "'$STORE_DIR' is on a file system that is nearly full"
umount "$STORE_DIR"
full /run/tunlease
chmod 0750 /run/tunlease
sees fail space "'/run/tunlease' is on a file system that is full"
umount /run/tunlease
full /var/log
chmod 0755 /var/log
sees warning space "'/var/log' is on a file system that is full"
umount /var/log
mount -t tmpfs -o mode=0755 log /var/log
: >/var/log/auth.log
mount -o remount,ro /var/log
sees warning space "'/var/log' is on a read-only file system"
mount -o remount,rw /var/log
rm /var/log/auth.log
mount -o remount,ro /var/log
sees_nothing 'when no log is kept in /var/log, as in a container with a read-only image'
umount /var/log
sees_nothing 'when there is room'

note 'what is in it'
# by_hand SQL: what somebody does to the store without tunlease, who leaves its files as they must be.
by_hand() { sqlite3 "$STORE" "$1" && touch "$STORE-wal" "$STORE-shm" && chown _tunlease: "$STORE"* && chmod 0640 "$STORE"*; }
by_hand "$(cat "$TOP/tests/to_version_3.sql")"
by_hand 'DROP TRIGGER audit_insert; DROP TABLE beat; PRAGMA user_version = 1'
sees note store 'the store is of version 1, and this tunlease makes 4' 'leasectl setup$'
run_mend
sees note store "'$STORE-before-4' is the store from before its migration" '^rm .*-before-4'
rm "$STORE-before-4"
by_hand 'PRAGMA user_version = 99'
sees fail store 'was written by a newer tunlease .version 99' '^install that newer tunlease'
restore
page=$(sqlite3 -readonly "$STORE" "SELECT rootpage FROM sqlite_schema WHERE name = 'port'")
size=$(sqlite3 -readonly "$STORE" 'PRAGMA page_size')
dd if=/dev/urandom of="$STORE" bs="$size" seek="$((page - 1))" count=1 conv=notrunc 2>/dev/null
sees fail store 'the database is damaged: ' '^stop leased, and put a copy'
restore
by_hand "DROP TRIGGER audit_update; UPDATE audit SET actor = 'nobody' WHERE seq = 1"
sees fail audit 'the chain breaks at row 1: row 1 was changed' 'seq >= 1'
restore
truncate -s 300M "$STORE"
sees unknown store 'whether the database is sound.* was not asked: it is so large' "^sqlite3 -readonly '$STORE'"
mend_says=$(bash -c "$mend")
[[ $mend_says == $'ok\nthe chain of '*' is whole: '* ]] || fail "asked by hand: $mend_says"
ok 'it can be asked by hand'
restore
mv "$STORE" "$WORK/away"
sees fail store "cannot open store '$STORE'|there is none"
mv "$WORK/away" "$STORE"
rm "$WORK/known"
start_leased
sees_nothing 'with leased'

note 'the clock'
CLOCK_STATUS=unsynchronised sees note clock 'nothing on this host keeps the clock right' '^timedatectl set-ntp true'
CLOCK_STATUS=refused sees unknown clock 'whether the clock is synchronised was not asked: Operation not permitted'
printf '%-64s' '-7200 0' >"$CLOCK_SHIFT_FILE"
found >"$WORK/found"
has_found $'^fail\tclock\tit is .* by the clock, and something was written into the store at '
has_found $'^note\tclock\tthe clock jumped less than an hour ago'
printf '%-64s' '7200 0' >"$CLOCK_SHIFT_FILE"
sees note clock 'the clock jumped less than an hour ago' 'where the clock is right by now'
printf '%-64s' '0 0' >"$CLOCK_SHIFT_FILE"

note 'leased'
unwell() { ! curl -sf -o "$WORK/out" http://127.0.0.1:1000/healthz; }
conf_read_s() { sed -n 's/^conf_read_s //p' "$STORE-leased"; }
is_later() { (($(date +%s) > $1)); }
has_read_since() { (($(conf_read_s) > $1)); }
read_s=$(conf_read_s)
wait_for 5 'the next second' is_later "$read_s"
echo '# a change' >>"$conf"
sees warning leased "'$conf' was changed since leased read it" 'kill -HUP [0-9]+'
[[ $mend =~ (kill -HUP [0-9]+) ]]
mend="${BASH_REMATCH[1]}"
run_mend
wait_for 5 'leased has read it' has_read_since "$read_s"
install -m 0755 "$TOP/build/bin/leased" /usr/sbin/leased
sees warning leased "'/usr/sbin/leased' was replaced since leased .pid [0-9]*. was started" '^systemctl restart leased'
stop_leased
start_leased
sees_nothing 'after the restart'
sed -i 's/^Listen 127.0.0.1:1000$/Listen 127.0.0.1:1001/' "$conf"
found >"$WORK/found"
has_found $'^warning\tleased\tleased runs, and does not answer on 127.0.0.1:1001: Connection refused'
sed -i 's/^Listen 127.0.0.1:1001$/Listen 127.0.0.1:1000/' "$conf"
mv "$STORE" "$WORK/away"
wait_for 5 'leased is not well' unwell
found >"$WORK/found"
has_found $'^warning\tleased\tleased is not well: the store cannot be used'
mv "$WORK/away" "$STORE"
kill -HUP "$(cat /run/leased.pid)"
wait_for 5 'leased is well' curl -sf -o "$WORK/out" http://127.0.0.1:1000/healthz
sees_nothing 'when leased is well'

note 'the ports of the kernel'
run_first() { mend=${mend%%;*}; run_mend; } # the command; what follows is for the next boot
echo 25000 60999 >/proc/sys/net/ipv4/ip_local_port_range
echo 9000,26000-26001 >/proc/sys/net/ipv4/ip_local_reserved_ports
sees warning ports 'the kernel gives 25000-60999 to .* AllowListen has 25000-25999,26002-29999$' \
	'^sysctl -w net.ipv4.ip_local_reserved_ports=9000,25000-29999; and for the next boot'
run_first
sees_nothing 'with those ports reserved'
echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start
echo >/proc/sys/net/ipv4/ip_local_reserved_ports
echo 20000 32000 >/proc/sys/net/ipv4/ip_local_port_range
found >"$WORK/found"
has_found "^warning.ports.the kernel gives 20000-32000 .*in '$conf': an AllowListen outside 20000-32000"
has_found '^warning.ports.any user of this host may listen on ports from 0 on'
has_found '^warning.control port.while leased is down any user can listen on 127.0.0.1:1000'
echo 32768 60999 >/proc/sys/net/ipv4/ip_local_port_range
mend='sysctl -w net.ipv4.ip_unprivileged_port_start=1024'
grep -qF $'\t'"$mend; " "$WORK/found" || fail "$(cat "$WORK/found")"
run_mend
sees_nothing 'with the ports below 1024 for root'

mount -t tmpfs none /proc/sys/net
sees unknown ports 'whether the kernel gives away ports of leases was not asked: No such file'
umount /proc/sys/net

note 'services that listen beyond loopback'
listens() { ! port_free "$1"; }
ip addr add 198.51.100.1/32 dev lo
serve 8009 127.0.0.1
sees_nothing 'where a service listens on loopback'
kill "${test_pids[-1]}"
wait_for 5 'the port is free' port_free 8009
for host in 0.0.0.0 198.51.100.1; do
	python3 -m http.server --bind "$host" 8009 >/dev/null 2>&1 &
	pid=$!
	at_exit "$pid"
	wait_for 10 'it listens' listens 8009
	sees warning service "port 8009, which leases open, is listened on at $host, too, by 'python3' .pid $pid." "^'--bind 127.0.0.1' on its command line$"
	kill "$pid"
	wait_for 5 'the port is free' port_free 8009
done
python3 -c 'import signal, socket; s = socket.create_server(("::", 8009), family=socket.AF_INET6); signal.pause()' &
at_exit $!
wait_for 10 'it listens' listens 8009
sees warning service 'listened on at \[::\], too' '^let it listen on 127.0.0.1:8009 alone'
kill "${test_pids[-1]}"
wait_for 5 'the port is free' port_free 8009
python3 -c 'import signal, socket; s = socket.create_server(("", 8009)); signal.pause()' \
	docker-proxy -proto tcp -host-ip 0.0.0.0 -host-port 8009 -container-ip 172.17.0.2 -container-port 80 &
at_exit $!
wait_for 10 'it listens' listens 8009
sees warning service 'listened on at 0.0.0.0, too' "^docker run with '-p 127.0.0.1:8009:80', in compose.yaml"
kill "${test_pids[-1]}"
wait_for 5 'the port is free' port_free 8009
serve 8010 0.0.0.0
sees_nothing 'of a service that no lease opens'

note 'ceilings'
echo 'AllowListen 127.0.0.1:20000-29999' >>"$conf"
echo 'AllowListen 0.0.0.0:10000-29999' >>"$conf"
apply_conf
sees note ceiling "'AllowListen 0.0.0.0:10000-29999' is wider than leases use" ": 'AllowListen 127.0.0.1:20000-29999'; then"
put_lines 'AllowListen 127.0.0.1:20000-29999'
sed -i '/^AllowOpen /d' "$conf"
apply_conf
new_key db1 >"$WORK/out"
new_key bob >"$WORK/out"
leasectl agent add db1 --key "$WORK/db1.pub" >"$WORK/out"
leasectl grant bob --key "$WORK/bob.pub" --open agent:db1 >"$WORK/out" 2>&1
sees note ceiling "'AllowOpen 127.0.0.1:[*]'" "'AllowOpen pfwd 127.0.0.1:8009'.*'AllowOpen pfwd 127.0.0.1:20000-29999'"
put_lines 'AllowOpen pfwd 127.0.0.1:8009' 'AllowOpen pfwd 127.0.0.1:20000-29999'
sees_nothing 'where friends may reach what agents may get'
leasectl set bob --open -agent:db1 --open +8009 >"$WORK/out" 2>&1 || fail "$(cat "$WORK/out")"
leasectl set bob --open +agent:db1 >"$WORK/out" 2>&1 || fail "the narrowed ceiling refuses an agent: $(cat "$WORK/out")"
! leasectl set bob --open +8010 >"$WORK/out" 2>&1 || fail 'the ceiling is not narrow'

note 'the quick ones'
# quick RESULT CHECK WHAT: as sees, for doctor --quick, whose exit status says it, too.
quick()
{
	found --quick >"$WORK/found"
	(($(wc -l <"$WORK/found") == 1 && $(cat "$WORK/status") == 1)) || fail "--quick, exit $(cat "$WORK/status"), not just '$3': $(cat "$WORK/found" "$WORK/doctor.err")"
	IFS=$'\t' read -r result check what _ mend <"$WORK/found"
	[[ $result == "$1" && $check == "$2" && $what =~ $3 ]] || fail "not '$3': $(cat "$WORK/found")"
	ok "--quick: $result, $check: $what"
}
quick_nothing()
{
	found --quick >"$WORK/found"
	[[ ! -s $WORK/found && $(cat "$WORK/status") == 0 ]] || fail "--quick, exit $(cat "$WORK/status"): $(cat "$WORK/found")"
	ok "--quick finds nothing${1:+ $1}"
}
quick_nothing
dropin=/etc/ssh/sshd_config.d/20-tunlease.conf
cp -p "$dropin" "$WORK/dropin"
echo 'X11Forwarding yes' >>"$dropin"
quick fail sshd "'$dropin' was edited since setup wrote it"
cp -p "$WORK/dropin" "$dropin"
useradd -G _tunnel -M -s /usr/sbin/nologin latecomer
quick fail sshd "'$dropin' is not what the configuration, or the tunnel group, makes now"
gpasswd -d latecomer _tunnel >"$WORK/out"
mv "$dropin" "$WORK/dropin"
quick unknown sshd 'whether the Match blocks are in force was not asked'
mv "$WORK/dropin" "$dropin"
cp -p /etc/pam.d/common-session "$WORK/session"
sed -i '/pam_tunnel/d' /etc/pam.d/common-session
quick fail pam "the session stack of '/etc/pam.d/sshd' lacks pam_tunnel.so"
cp -p "$WORK/session" /etc/pam.d/common-session
chmod o+w /run/tunlease/sessions
quick fail registry "cannot be used .others may write them." 
run_mend
kill -HUP "$(cat /run/leased.pid)"
wait_for 5 'leased can read the registry' curl -sf -o "$WORK/out" http://127.0.0.1:1000/healthz
quick_nothing 'after chmod'
stop_leased
quick warning leased 'leased does not run'
start_leased
quick_nothing 'when leased runs'
mv "$STORE" "$WORK/away"
found --quick >"$WORK/found"
assert_eq "$(cat "$WORK/status")" 1 '--quick fails without a store'
has_found $'^fail\tstore\t.*there is none'
mv "$WORK/away" "$STORE"
wait_for 5 'leased is well' curl -sf -o "$WORK/out" http://127.0.0.1:1000/healthz
quick_nothing 'when the store is back'

cp "$conf" "$WORK/conf"
sed -i 's,^Listen .*,Listen unix:/run/for-a-proxy proxy li\nProxyHeader X-Real-IP,' "$conf"
leasectl setup >"$WORK/out" 2>&1 || fail "$(cat "$WORK/out")"
stop_leased
leased </dev/null >>/run/leased.out 2>&1 &
echo $! >/run/leased.pid
wait_for 5 'leased listens for a proxy' test -S /run/for-a-proxy
quick_nothing 'where leased listens for a proxy alone'
cp "$WORK/conf" "$conf"
apply_conf

note 'the accounts of tunnel logins'
usermod --shell /bin/bash pfwd
sees fail login "'pfwd': its shell is '/bin/bash'" '^usermod --shell /usr/sbin/nologin pfwd$'
run_mend
usermod --home /home/pfwd pfwd
install -d -o root -m 0755 /home/pfwd/.ssh
cp "$WORK/alice.pub" /home/pfwd/.ssh/authorized_keys
sees fail login "'pfwd': it has keys of its own in '/home/pfwd/.ssh/authorized_keys'" 'then: mv '
mend=${mend#*then: }
run_mend
chown pfwd /home/pfwd
sees fail login "'pfwd': it can write to its home '/home/pfwd'" "^chown root: '/home/pfwd'; chown -R root: '/home/pfwd/.ssh'\$"
run_mend
chmod 1777 /home/pfwd
sees fail login "'pfwd': it can write to its home '/home/pfwd'" 'no session of it is up: usermod --home / pfwd$'
mend=${mend#*is up: }
run_mend
usermod --lock pfwd
sees fail login "'pfwd': its password is locked with '!'" "^usermod --password '[*]' pfwd$"
run_mend
gpasswd -a pfwd docker >/dev/null 2>&1 || { groupadd docker && gpasswd -a pfwd docker >"$WORK/out"; }
sees fail login "'pfwd' is in the group 'docker'" '^gpasswd -d pfwd docker$'
run_mend
usermod --gid adm gw-tunnel
usermod --append --groups _tunnel gw-tunnel
sees fail login "'gw-tunnel' is in the group 'adm'" '^usermod --gid _tunnel gw-tunnel$'
run_mend
if [[ -x /usr/bin/sudo ]]; then
	echo 'pfwd ALL=(root) NOPASSWD: /bin/true' >/etc/sudoers.d/tunnel
	chmod 0440 /etc/sudoers.d/tunnel
	sees fail login "'pfwd' may run commands with sudo" 'sudo -l -U pfwd'
	echo 'no sudoers line' >/etc/sudoers.d/tunnel
	found >"$WORK/found"
	rm /etc/sudoers.d/tunnel
	! grep -q sudo "$WORK/found" || fail "a line that sudo does not take makes no difference: $(cat "$WORK/found")"
	mv /usr/bin/sudo "$WORK/sudo"
	printf '#!/bin/sh\necho no answer from the directory >&2\nexit 1\n' >/usr/bin/sudo
	chmod 0755 /usr/bin/sudo
	found >"$WORK/found"
	has_found "^unknown.login.whether 'pfwd' may run commands with sudo was not asked: no answer from the directory"
	rm /usr/bin/sudo
	sees_nothing 'without sudo'
	cp -p "$WORK/sudo" /usr/bin/sudo
fi
rm "/etc/systemd/system/user@$(id -u pfwd).service"
sees fail login "'pfwd': its systemd user manager is not masked" '^leasectl login add pfwd$'
run_mend

note 'with a live session, and without the right to look into it'
serve 8009 127.0.0.1
fwd_L "$WORK/alice" pfwd 18009:127.0.0.1:8009 || fail "$(cat "$WORK/ssh.err")"
sees_nothing 'while a session is live'
as=(setpriv --bounding-set=-sys_ptrace)
sees unknown proc 'root has no CAP_SYS_PTRACE here, so which ports sessions have, .* was not asked' '--cap-add SYS_PTRACE'
quick_nothing 'that needs it'
as=()
fwd_stop
