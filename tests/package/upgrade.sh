#!/bin/bash
# SPDX-License-Identifier: ISC
# An upgrade of the packages, from those of the commit before, on a gateway in use: 200 tunnels carry data that is
# compared byte by byte, and people log in one after the other, while the new version is installed, leased, ssh
# and their sockets are restarted, a downgrade is refused, dpkg is killed in the middle, and all is installed
# again. The store is of the version before, so that the upgrade migrates it.
# timeout: 300
# shellcheck disable=SC2016 # dpkg-query expands its format
set -euo pipefail
. "$TOP/tests/machine.sh"
machine_host "$@"

packages_built
version=$(sed -n 's/.*STORE_VERSION = \([0-9]*\),.*/\1/p' "$TOP/lib/store/version.h")
version_before=$((version - 1))

# The packages of the commit before are made once for a commit; BEFORE is empty where there are none. TEST_BEFORE=DIRECTORY: takes those there.
before_built()
{
	local commit lock
	BEFORE=${TEST_BEFORE-}
	[[ -z $BEFORE ]] || return 0
	if commit=$(git -c safe.directory="$TOP" -C "$TOP" rev-parse -q --verify 'HEAD^' 2>/dev/null) &&
		git -c safe.directory="$TOP" -C "$TOP" cat-file -e "$commit:packaging/debian/control"; then
		note "from the packages of ${commit:0:12}, the commit before"
	else
		note 'there is no commit before with packages: from those of this tree, called older'
		return 0
	fi
	BEFORE=$machine_packages/before-$commit
	mkdir -p "$machine_packages" # TEST_DEBS may have spared everybody else from making it
	exec {lock}>"$machine_packages/lock"
	flock "$lock"
	if [[ ! -e $BEFORE/made ]]; then
		rm -rf "$machine_packages"/before-*
		mkdir -p "$WORK/before"
		git -c safe.directory="$TOP" -C "$TOP" archive "$commit" | tar -x -C "$WORK/before"
		make -s -C "$WORK/before" QUIET=1 NO_DEPS=1 deb DEB_DIR="$BEFORE" DEB_VERSION=0.1.0-1~before \
			>"$machine_packages/before.log" 2>&1 || { tail -n 10 "$machine_packages/before.log"; fail 'make deb of the commit before'; }
		touch "$BEFORE/made"
	fi
	exec {lock}>&-
}
# called VERSION DIRECTORY: these packages of this tree under another version
called()
{
	local package
	mkdir -p "$2"
	for package in tunlease libpam-tunnel; do
		rm -rf "$WORK/repack"
		dpkg-deb -R "$(deb_of "$package")" "$WORK/repack"
		sed -i -e "s/^Version: .*/Version: $1/" -e "s/libpam-tunnel (= [^)]*)/libpam-tunnel (= $1)/" "$WORK/repack/DEBIAN/control"
		# An older one reads older stores only.
		[[ ! -e $WORK/repack/DEBIAN/preinst ]] || sed -i "s/-gt \"$version\"/-gt \"$version_before\"/; s/reads $version at/reads $version_before at/" "$WORK/repack/DEBIAN/preinst"
		dpkg-deb --root-owner-group -Z none -b "$WORK/repack" "$2/${package}_$1.deb" >/dev/null
	done
}

before_built
machine_start gateway
root=$(root_of gateway)
in_gateway() { enter gateway "$@"; }
mkdir "$root"/root/{before,new,older}
called 0.1.0-1~before "$root/root/older"
for package in tunlease libpam-tunnel; do
	cp "$(deb_of "$package")" "$root/root/new/"
	if [[ -n $BEFORE ]]; then
		cp "$BEFORE/$package"_*.deb "$root/root/before/"
	else
		cp "$root/root/older/${package}_"*.deb "$root/root/before/"
	fi
done
install_debs() # DIRECTORY OPTION...
{
	expect_exit 0 in_gateway sh -c "cd /root/$1 && shift && apt-get -qq -y \"\$@\" install ./*.deb" sh "$@"
}
store=/var/lib/tunlease/leases.db

note 'a gateway in use, of the version before'
install_debs before
printf '%s\n' 'PublicHost gateway.test' 'AllowOpen 127.0.0.1:8000-8999' 'AllowListen gw-tunnel 127.0.0.1:20000-20999' \
	>>"$root/etc/tunlease/tunlease.conf"
# 200 connections within seconds, and then some for the logins.
printf 'MaxStartups 300\nPerSourceMaxStartups none\n' >"$root/etc/ssh/sshd_config.d/00-crowd.conf"
expect_exit 0 in_gateway leasectl setup
# The package does not enable it, so nothing but the admin starts it.
echo 'MetricsListen unix:/run/leased-metrics.sock' >>"$root/etc/tunlease/tunlease.conf"
expect_exit 0 in_gateway systemctl -q enable leased-metrics.socket
expect_exit 0 in_gateway systemctl stop leased
expect_exit 0 in_gateway systemctl start leased-metrics.socket leased
expect_exit 0 in_gateway systemctl restart ssh
know_machine gateway
echo_service gateway 8009
serve_echo 7000

tunnels=100 # of each direction
per_lease=10
keys()
{
	local i
	for ((i = 0; i < tunnels; i++)); do
		ssh-keygen -q -t ed25519 -N '' -C "r$i" -f "$WORK/r$i" </dev/null
		echo "restrict,port-forwarding,permitlisten=\"127.0.0.1:$((20100 + i))\",permitopen=\"127.0.0.1:1\" $(cut -d' ' -f1,2 "$WORK/r$i.pub") r$i" >>"$WORK/r.keys"
	done
	for ((i = 0; i < tunnels; i += per_lease)); do
		ssh-keygen -q -t ed25519 -N '' -C "l$i" -f "$WORK/l$i" </dev/null
		echo "restrict,port-forwarding,permitopen=\"127.0.0.1:8009\",permitlisten=\"127.0.0.1:1\" $(cut -d' ' -f1,2 "$WORK/l$i.pub") l$i" >>"$WORK/l.keys"
	done
}
keys
cp "$WORK"/[rl].keys "$root/root/"
expect_exit 0 in_gateway leasectl import /root/r.keys --login gw-tunnel --for 1d
expect_exit 0 in_gateway leasectl import /root/l.keys --login pfwd --for 1d
new_key newcomer >/dev/null
expect_exit 0 in_gateway leasectl grant newcomer --key - --open 8009 <"$WORK/newcomer.pub"
new_key gone >/dev/null
expect_exit 0 in_gateway leasectl grant gone --key - --open 8009 <"$WORK/gone.pub"
expect_exit 0 in_gateway leasectl revoke gone
leases() { in_gateway leasectl list --all >"$WORK/leases.$1"; }
leases before
(($(wc -l <"$WORK/leases.before") == tunnels + tunnels / per_lease + 2)) || fail "$(cat "$WORK/leases.before")"

# Nobody who knows the new version writes now. Packages that are older than it need no help.
in_gateway setpriv --reuid=_tunlease --regid=_tunlease --clear-groups python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
if db.execute("PRAGMA user_version").fetchone()[0] == int(sys.argv[2]):
    db.executescript(sys.stdin.read())
' "$store" "$version" <"$TOP/tests/to_version_$version_before.sql"
in_gateway systemd-tmpfiles --create /usr/lib/tmpfiles.d/tunlease.conf # -wal and -shm, if they went

note 'the tunnels'
start_us=${EPOCHREALTIME/./}
{
	for ((i = 0; i < tunnels; i++)); do
		echo "$WORK/r$i gw-tunnel -R127.0.0.1:$((20100 + i)):127.0.0.1:7000"
		echo "$WORK/l$((i / per_lease * per_lease)) pfwd -L$((30000 + i)):127.0.0.1:8009"
	done
} >"$WORK/tunnels"
xargs -P 8 -L 1 "$TOP/tests/package/tunnel" "$GATEWAY" "$WORK/known_hosts" <"$WORK/tunnels" 2>"$WORK/tunnels.err" ||
	fail "not all tunnels come up: $(sort "$WORK/tunnels.err" | uniq -c | head -n 5)"
ok "$((2 * tunnels)) tunnels in $(((${EPOCHREALTIME/./} - start_us) / 1000000)) s"
python3 "$TOP/tests/steady.py" "$WORK/l.status" $(seq 30000 $((30000 + tunnels - 1))) 2>"$WORK/l.err" &
at_exit "$!"
cp "$TOP/tests/steady.py" "$root/root/"
in_gateway python3 /root/steady.py /root/r.status $(seq 20100 $((20100 + tunnels - 1))) 2>"$WORK/r.err" &
at_exit "$!"
rounds() { sed -n 's/^rounds \([0-9]*\) .*/\1/p' "$WORK/l.status" "$root/root/r.status" 2>/dev/null | sort -n | head -n "${1:-1}" | tail -n 1; }
has_rounds() { [[ -s $WORK/l.status && -s $root/root/r.status ]] && (($(rounds) >= $1)); }
sound() { [[ $(cat "$WORK/l.status" "$root/root/r.status") != *' broken '[1-9]* && $(cat "$WORK/l.status" "$root/root/r.status") != *' wrong '[1-9]* ]]; }
has_rounds_or_fails() { ! sound || [[ -s $WORK/logins.failed ]] || has_rounds "$1"; }
sessions() { in_gateway leasectl sessions | awk '{ print $1, $2, $3 }' | sort; }
# all_go_on WHAT: each of the 200 tunnels has carried whole lines since
all_go_on()
{
	local goal=$(($(rounds 2) + 3))
	wait_for 60 "$1: each tunnel to carry data" has_rounds_or_fails "$goal"
	sound || fail "$1: $(cat "$WORK/l.status" "$root/root/r.status" "$WORK/l.err" "$WORK/r.err" | head -n 20)"
	[[ ! -s $WORK/logins.failed ]] || fail "$1: $(cat "$WORK/logins.failed")"
	ok "$1: $((2 * tunnels)) tunnels go on, $(wc -l <"$WORK/logins.done") logins were let in"
}
wait_for 60 'data through each tunnel' has_rounds 2
sessions >"$WORK/sessions.before"
assert_eq "$(grep -vc '^newcomer' "$WORK/sessions.before")" "$((2 * tunnels))" 'sessions'

# Each login must come in and carry data. Only while sshd itself is started anew may nobody listen; then
# the client tries again.
for name in 'done' failed again; do : >"$WORK/logins.$name"; done
log_in_for_ever()
{
	local word got
	while [[ ! -e $WORK/enough ]]; do
		word=$RANDOM$RANDOM
		got=$("${SSH[@]}" -i "$WORK/newcomer" -W 127.0.0.1:8009 "pfwd@$GATEWAY" 2>"$WORK/login.err" <<<"$word") || :
		if [[ $got == "$word" ]]; then
			echo "$word" >>"$WORK/logins.done"
		elif [[ -e $WORK/sshd-starts ]] && grep -Eq 'Connection (refused|reset)|closed by remote host' "$WORK/login.err"; then
			echo again >>"$WORK/logins.again"
			sleep 0.05
		else
			tail -n 3 "$WORK/login.err" >>"$WORK/logins.failed"
			echo "a login fails at $(date +%T)" >>"$WORK/logins.failed"
		fi
	done
}
log_in_for_ever &
logins=$!
at_exit "$logins"
some_log_in() { (($(wc -l <"$WORK/logins.done") >= $1)); }
wait_for 20 'logins' some_log_in 2

note 'apt install of the new version'
sshd_start=$(in_gateway systemctl show -P ExecMainStartTimestampMonotonic ssh.service)
install_debs new
assert_eq "$(in_gateway dpkg-query -W -f '${Status} ${Version}' tunlease)" "install ok installed $(dpkg-deb -f "$(deb_of tunlease)" Version)" 'the new version is installed'
all_go_on 'an upgrade'
leases after
diff "$WORK/leases.before" "$WORK/leases.after" || fail 'the upgrade changes leases'
assert_eq "$(sessions | grep -v '^newcomer')" "$(grep -v '^newcomer' "$WORK/sessions.before")" 'leases, ports and sessions are those of before'
version_of() { in_gateway python3 -c 'import sqlite3, sys; print(sqlite3.connect("file:%s?mode=ro" % sys.argv[1], uri=True).execute("PRAGMA user_version").fetchone()[0])' "$1"; }
assert_eq "$(version_of "$store")" "$version" 'the store is migrated'
assert_eq "$(in_gateway python3 -c 'import sqlite3, sys; print(sqlite3.connect("file:%s?immutable=1" % sys.argv[1], uri=True).execute("PRAGMA user_version").fetchone()[0])' "$store-before-$version")" "$version_before" 'under a backup'
assert_eq "$(in_gateway systemctl show -P ExecMainStartTimestampMonotonic ssh.service)" "$sshd_start" 'sshd was not restarted'
assert_eq "$(in_gateway systemctl is-active leased.socket leased.service leased-metrics.socket | tr '\n' ' ')" 'active active active ' 'leased runs'
in_gateway curl -sf --unix-socket /run/leased-metrics.sock http://localhost/ | some_line '^<!doctype html>' || fail 'the page is gone'
expect_exit 0 in_gateway leasectl doctor
! grep -Ev '^(ok|note)' "$WORK/out" || fail 'doctor finds something'
ok 'doctor finds nothing'

note 'restarts'
touch "$WORK/sshd-starts"
expect_exit 0 in_gateway leasectl setup --join
# Sessions of somebody who never gives a code, one after the other, in one connection: neither sshd nor the program
# ends that within 30 s, but leased does, by the registry that it sees from within its unit.
expect_exit 0 in_gateway leasectl invite silent --open 8009
new_key silent >/dev/null
mkfifo "$WORK/silence"
exec {silence}<>"$WORK/silence"
join=("${SSH[@]}" -i "$WORK/silent" -T -S "$WORK/silent.socket" "join@$GATEWAY")
"${join[@]}" -M -N </dev/null 2>"$WORK/silent.err" &
silent=$!
at_exit "$silent"
wait_for 10 'a connection that never joins' test -S "$WORK/silent.socket"
for _ in {1..20}; do "${join[@]}" -o ProxyCommand=false <&"$silence" || :; done >/dev/null 2>&1 &
at_exit "$!"
expect_exit 0 in_gateway systemctl restart leased.service
expect_exit 0 in_gateway systemctl restart leased.socket
expect_exit 0 in_gateway systemctl reload ssh
expect_exit 0 in_gateway systemctl restart ssh
all_go_on 'restarts of leased, of its socket and of ssh'
rm "$WORK/sshd-starts"

note 'a downgrade is refused'
refused() # SENTENCE COMMAND...
{
	local sentence=$1; shift
	"$@" >"$WORK/out" 2>&1 && fail "$* is not refused"
	grep -q "$sentence" "$WORK/out" || fail "$(cat "$WORK/out")"
	assert_eq "$(in_gateway dpkg-query -W -f '${Status} ${Version} ' tunlease libpam-tunnel)" \
		"install ok installed $(dpkg-deb -f "$(deb_of tunlease)" Version) install ok installed $(dpkg-deb -f "$(deb_of tunlease)" Version) " "refused: $sentence"
}
refused "has version $version, and .* reads $version_before at most: nothing was changed.*UPGRADE, has the way back" \
	in_gateway sh -c 'cd /root/older && apt-get -qq -y --allow-downgrades install ./*.deb'
all_go_on 'a downgrade that is refused'

note 'dpkg is killed in the middle'
# moment WHAT: what dpkg has come to. Nothing is started to look: it would be too late.
moment()
{
	case $1 in
	'unpacks') [[ -e $root/usr/bin/leasectl.dpkg-new ]] ;;
	'has replaced leasectl') [[ ! $root/usr/bin/leasectl -ef $root/usr/bin/leasectl-before ]] ;;
	'configures') [[ $(<"$WORK/dpkg.out") == *'Setting up '* ]] ;;
	esac
}
kill_dpkg() # WHEN: fails where this shell got no time to look, and dpkg has ended
{
	local pid dpkg rc=0
	ln -f "$root/usr/bin/leasectl" "$root/usr/bin/leasectl-before"
	: >"$WORK/dpkg.out"
	in_gateway sh -c 'exec dpkg -i /root/new/*.deb' >"$WORK/dpkg.out" 2>&1 &
	dpkg=$!
	until pid=$(pgrep -x dpkg) || is_gone "$dpkg"; do :; done
	while ! moment "$1" && kill -0 "$pid" 2>/dev/null; do :; done
	kill -KILL "$pid" 2>/dev/null || rc=1
	wait "$dpkg" || :
	return "$rc"
}
for what in 'unpacks' 'has replaced leasectl' 'configures'; do
	for try in {1..5}; do
		! kill_dpkg "$what" || break
		((try < 5)) || fail "dpkg was too fast: $(cat "$WORK/dpkg.out")"
	done
	note "dpkg is killed when it $what: $(in_gateway dpkg-query -W -f '${Package} ${Status}, ' tunlease libpam-tunnel)"
	all_go_on "killed when it $what"
done
rm "$root/usr/bin/leasectl-before"
expect_exit 0 in_gateway sh -c 'dpkg --configure -a && dpkg -i /root/new/*.deb'
expect_exit 0 in_gateway dpkg --unpack /root/new/"$(basename "$(deb_of libpam-tunnel)")" /root/new/"$(basename "$(deb_of tunlease)")"
all_go_on 'an upgrade that stops after it has unpacked'
expect_exit 0 in_gateway dpkg --configure -a
note 'the same version again'
install_debs new --reinstall
expect_exit 0 in_gateway dpkg-reconfigure -f noninteractive tunlease libpam-tunnel
all_go_on 'a reinstall and dpkg-reconfigure'
leases after
diff "$WORK/leases.before" "$WORK/leases.after" || fail 'leases have changed'

wait_for 40 'the connection that never joins to be ended' is_gone "$silent"
in_gateway journalctl -q -u leased -o cat | some_line 'ended login=join .*source=10.77.0.254' ||
	fail 'leased does not say that it ended it'
ok 'leased has ended the connection that never joins'

touch "$WORK/enough"
wait "$logins"
[[ ! -s $WORK/logins.failed ]] || fail "$(cat "$WORK/logins.failed")"
ok "$(wc -l <"$WORK/logins.done") logins, none refused; $(wc -l <"$WORK/logins.again") times sshd was just starting"
ok "into private hosts: $(cat "$root/root/r.status")"
ok "to the service: $(cat "$WORK/l.status")"

note 'removed, and installed again'
expect_exit 0 in_gateway apt-get -qq -y remove tunlease libpam-tunnel
install_debs new
assert_eq "$(in_gateway systemctl is-active leased.service leased-metrics.socket | tr '\n' ' ')" 'active active ' 'leased runs, with the page'
leases after
diff "$WORK/leases.before" "$WORK/leases.after" || fail 'leases have changed'
login_works "$WORK/newcomer" pfwd || fail 'newcomer is not in'
login_refused "$WORK/gone" pfwd
ok 'leases are those of before'

note 'the way back, as leasectl(1) has it'
new_key later >/dev/null
expect_exit 0 in_gateway leasectl grant later --key - --open 8009 <"$WORK/later.pub"
sed -n '/^systemctl stop leased/,/^\.Ed/p' "$TOP/leasectl/leasectl.1" | sed -e '/^\.Ed/d' -e 's/\\e$/\\/' >"$WORK/back"
[[ $(wc -l <"$WORK/back") == 10 ]] || fail "$(cat "$WORK/back")"
sed -i -e 's, \./tunlease_,/root/older/tunlease_,' -e 's,\./,/root/older/,g' -e 's/apt-get /apt-get -qq -y /' "$WORK/back"
{ echo 'set -ex'; cat "$WORK/back"; } >"$root/root/back"
expect_exit 0 in_gateway sh /root/back
assert_eq "$(in_gateway dpkg-query -W -f '${Version}' tunlease)" 0.1.0-1~before 'the older version is installed'
login_works "$WORK/newcomer" pfwd || fail 'newcomer is not in'
leases after
diff "$WORK/leases.before" "$WORK/leases.after" || fail 'leases are not those of before'
ok 'leases are those of before the upgrade'
