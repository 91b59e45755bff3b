#!/bin/bash
# SPDX-License-Identifier: ISC
# leasectl setup --join: what it makes and what sshd has in force then; what it refuses to take over; each thing
# that is broken is named by doctor, and nothing else is; setup --undo takes all of it away again.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"
# shellcheck source=tests/doctor_lib.sh
. "$TOP/tests/doctor_lib.sh"

conf=/etc/tunlease/tunlease.conf dropins=/etc/ssh/sshd_config.d program=/usr/libexec/tunlease/join
dropin=$dropins/20-tunlease.conf

# Owner, mode and content of all that setup may change.
state()
{
	find /etc /run/tunlease-join /usr/share/pam-configs -not -name '*-' -not -name '*.lock' -not -name '.pwd.lock' \
		-printf '%p %u %g %m %l\n' 2>/dev/null | sort || :
	find /etc/ssh /etc/pam.d /etc/tunlease /etc/passwd /etc/group /etc/shadow /etc/tmpfiles.d /usr/share/pam-configs \
		-type f -not -path '*/leased.env' -exec sha256sum {} + | sort -k 2
}

# ---- before anything is made ----

note 'what is in the way is said, and nothing changes'
sed -i '/^Port /i PasswordAuthentication no' /etc/ssh/sshd_config
expect_exit 0 leasectl setup
cp -a /etc "$WORK/etc"
state >"$WORK/plain"
unchanged() { state | diff "$WORK/$1" - || fail "$2"; ok "$2"; }
# refuses CODE WORDS: so does setup --join, and nothing changes.
refuses()
{
	state >"$WORK/now"
	expect_exit "$1" leasectl setup --join
	grep -qE "^leasectl: setup: $2.*Nothing was changed" "$WORK/err" || fail "not '$2': $(cat "$WORK/err")"
	unchanged now "refused: $2"
}
useradd -m -s /bin/bash join
refuses 5 "JoinLogin 'join' does not have the primary group _tunnel-join.*, and an account that is there is never made the one that joins"
userdel -r join 2>/dev/null
groupadd _tunnel-join
usermod -aG _tunnel-join li
refuses 5 "the group '_tunnel-join' has the member 'li', whom setup has not made"
gpasswd -d li _tunnel-join >/dev/null; groupdel _tunnel-join
for login in root pfwd gw-tunnel; do
	sed "\$a JoinLogin $login" "$WORK/etc/tunlease/tunlease.conf" >"$WORK/other.conf"
	expect_exit "$([[ $login == root ]] && echo 5 || echo 1)" leasectl -c "$WORK/other.conf" setup
	ok "JoinLogin $login: $(head -n 1 "$WORK/err")"
done
mv "$program" "$program.away"
refuses 1 "there is no program '$program', so nobody could join"
mv "$program.away" "$program"
expect_exit 2 leasectl setup --join --undo
rm -rf /etc/passwd- /etc/group- /etc/shadow- /etc/gshadow-
unchanged plain 'nothing is left of these trials'

note 'a dry run shows it'
expect_exit 0 leasectl setup --join --dry-run
for words in 'make group _tunnel-join' 'make join login join' 'make directory /run/tunlease-join' \
	'write /etc/tmpfiles.d/tunlease-join.conf' 'write /etc/tunlease/join-banner' "write 'JoinLogin join' into $conf" \
	"write $dropin and reload sshd" 'add pam_tunnel to the PAM stacks'; do
	grep -qF "would $words" "$WORK/out" || fail "not shown: $words: $(cat "$WORK/out")"
done
unchanged plain 'and changes nothing'

note 'where sshd refuses the drop-in, no line stays in tunlease.conf'
echo 'NoSuchKeyword yes' >$dropins/99-broken.conf
expect_exit 1 leasectl setup --join
! grep -q JoinLogin "$conf" || fail 'JoinLogin stays'
cmp -s "$dropin" "$WORK/etc/ssh/sshd_config.d/20-tunlease.conf" || fail 'the drop-in was not undone'
rm $dropins/99-broken.conf

# ---- made ----

note 'setup --join'
printf '# mine\nContact Ask li@example.com.' >>"$conf" # no newline at the end
chmod 0604 "$conf"
cp -a "$conf" "$WORK/conf"
expect_exit 0 leasectl setup --join
assert_eq "$(cat "$conf")" "$(cat "$WORK/conf")"$'\nJoinLogin join' 'tunlease.conf keeps its text, and has one line more'
assert_eq "$(stat -c '%a %U' "$conf")" '604 root' 'and its mode'
uid=$(id -u join)
assert_eq "$(getent passwd join | cut -d: -f6,7)" "/:$program" 'home and shell'
assert_eq "$(id -nG join) $(getent group _tunnel-join | cut -d: -f4)" '_tunnel-join ' 'its only group'
assert_eq "$(getent shadow join | cut -d: -f2,5,7,8)" '*:::' 'no password, and no end of it'
assert_eq "$(readlink "/etc/systemd/system/user@$uid.service")" /dev/null 'no user manager'
assert_eq "$(stat -c '%a %U %G' /run/tunlease-join)" '750 root _tunnel-join' 'the directory of the socket'
rm -r /run/tunlease-join
systemd-tmpfiles --create /etc/tmpfiles.d/tunlease-join.conf || fail 'systemd-tmpfiles'
assert_eq "$(stat -c '%a %U %G' /run/tunlease-join)" '750 root _tunnel-join' 'which a boot makes, too'
assert_eq "$(systemd-tmpfiles --create /usr/lib/tmpfiles.d/tunlease.conf 2>&1)" '' 'and the file of the package needs no such group'
assert_eq "$(grep -c 'pam_tunnel.so join_group=_tunnel-join$' /etc/pam.d/common-{auth,account,session,session-noninteractive} | cut -d: -f2 | sort -u)" 1 "pam_tunnel's argument"
sshd_effective join >"$WORK/effective"
for line in "authorizedkeyscommand /usr/libexec/tunlease/akc --join %u %t %k" 'authorizedkeyscommanduser _tunlease-akc' \
	'authorizedkeysfile none' 'authenticationmethods publickey' 'exposeauthinfo yes' 'acceptenv TUNLEASE_NONE' \
	"forcecommand $program" 'disableforwarding yes' 'allowtcpforwarding no' 'permittty no' 'permituserrc no' 'maxsessions 1' \
	'permittunnel no' 'allowstreamlocalforwarding no' 'unusedconnectiontimeout 10' 'channeltimeout session:*=30' \
	'banner /etc/tunlease/join-banner'; do
	grep -qxF "$line" "$WORK/effective" || fail "not in force: $line: $(cat "$WORK/effective")"
done
assert_eq "$(grep -c '^acceptenv' "$WORK/effective")" 1 'what a client may set'
diff <(sed '/^Match User join$/,/^$/d' "$dropin" | sed '1,/^$/d') <(leasectl -c "$WORK/conf" sshd-config | sed '1,/^$/d' | sed "s, -c $WORK/conf,,") || fail 'the other blocks changed'
for version in 8.2 9.2; do
	leasectl sshd-config --for $version | sed -n '/^Match User join$/,/^$/p' >"$WORK/for.$version"
done
assert_eq "$(diff "$WORK/for.8.2" "$WORK/for.9.2" | sed -n 's/^[<>] *//p' | tr '\n' ';')" \
	'UnusedConnectionTimeout 10;ChannelTimeout session:*=30;' 'what OpenSSH 8.2 does not know'
grep -q '^    ForceCommand' "$WORK/for.8.2" || fail 'no block'
mapfile -t banner </etc/tunlease/join-banner
[[ ${banner[0]} == *key*'open invite'* && ${banner[1]} == 'Ask li@example.com.' ]] || fail "the Banner: ${banner[*]}"
if ssh_start "$(new_key stranger)" join '^Authenticated to '; then fail 'anybody is let in'; fi
grep -qF "${banner[0]}" "$WORK/ssh.err" || fail "a refused client is not told what joining needs: $(cat "$WORK/ssh.err")"
grep -q 'Permission denied (publickey)' "$WORK/ssh.err" || fail "$(tail -n 3 "$WORK/ssh.err")"
ok 'who is refused is told what joining needs'

note 'setup again changes nothing, with and without --join'
state >"$WORK/made"
for option in '' --join; do
	expect_exit 0 leasectl setup --dry-run $option
	assert_eq "$(cat "$WORK/out")" '' "setup --dry-run $option has nothing to do"
	expect_exit 0 leasectl setup $option
done
unchanged made 'as it was'

# ---- doctor ----

# Not what this machine and the missing leased decide.
found() { found_but clock leased 'control port'; }
mends() { bash -ec "$mend" >"$WORK/out" 2>&1 || [[ $mend == 'leasectl setup' ]] || fail "the mend '$mend' fails: $(cat "$WORK/out")"; }

note 'each thing that is broken is named alone'
sees_nothing 'on a healthy host'
before() { printf '%s\n' "$@" >$dropins/10-site.conf; }
# wrong KEYWORD HAVE WANT LINE: the line in a Match block of somebody else wins, and is named.
wrong()
{
	before 'Match User join' "    $4"
	sees "${5-fail}" sshd "^for 'join' $1 is '$2', not '$3': '$dropins/10-site.conf:2'" "^take line 2 out of"
}
# Alone: where sshd joins two lists, the first one wins nothing.
wrong acceptenv 'SSH_\* TUNLEASE_NONE' TUNLEASE_NONE 'AcceptEnv SSH_*'
before 'Match User join' 'ExposeAuthInfo no' 'ForceCommand /bin/sh' 'DisableForwarding no' 'PermitTTY yes' 'MaxSessions 10' \
	'AuthorizedKeysCommand /usr/libexec/tunlease/akc' 'AuthorizedKeysFile .ssh/authorized_keys' 'UnusedConnectionTimeout none'
found >"$WORK/found"
diff - <(cut -f 1-3 "$WORK/found" | sed "s/, below 'Match User join' of line 1$//; s,$dropins/10-site.conf,FILE," | sort) <<-END || fail 'not each wrong setting is named, and it alone'
	fail	sshd	for 'join' authorizedkeyscommand is '/usr/libexec/tunlease/akc', not '/usr/libexec/tunlease/akc --join %u %t %k': 'FILE:7'
	fail	sshd	for 'join' authorizedkeysfile is '.ssh/authorized_keys', not 'none': 'FILE:8'
	fail	sshd	for 'join' disableforwarding is 'no', not 'yes': 'FILE:4'
	fail	sshd	for 'join' exposeauthinfo is 'no', not 'yes': 'FILE:2'
	fail	sshd	for 'join' forcecommand is '/bin/sh', not '/usr/libexec/tunlease/join': 'FILE:3'
	fail	sshd	for 'join' maxsessions is '10', not '1': 'FILE:6'
	fail	sshd	for 'join' permittty is 'yes', not 'no': 'FILE:5'
	warning	sshd	for 'join' unusedconnectiontimeout is 'none', not '10': 'FILE:9'
END
ok 'each setting that another Match block changes is named, with its line'
before 'AcceptEnv SSH_*' 'PermitTTY yes' 'ExposeAuthInfo no' 'DisableForwarding no' 'MaxSessions 20'
sees_nothing 'where global lines say otherwise, and the block wins'
before 'DenyUsers join'
sees fail admission "'join'"
rm $dropins/10-site.conf

# All of these together, to save time: each is named once, and nothing else is. Their mends are run, and all is well.
broken()
{
	local number
	found >"$WORK/found"
	(($(wc -l <"$WORK/found") == $#)) || fail "not these $#: $(cat "$WORK/found")"
	for ((number = 1; $#; number++)); do
		IFS=$'\t' read -r result check what _ mend < <(sed -n "${number}p" "$WORK/found")
		[[ "$result $check $what" =~ ^${1%% *}\ join\ .*${1#* } ]] || fail "not '$1': $(cat "$WORK/found")"
		bash -ec "$mend" >"$WORK/out" 2>&1 || [[ $mend == 'leasectl setup' ]] || fail "the mend '$mend' fails: $(cat "$WORK/out")"
		ok "$result, $check: $what"
		shift
	done
}
usermod -s /bin/sh join
broken "fail JoinLogin 'join': does not have the shell $program"
usermod -aG games -p '!' join
chage -M 90 join
rm "/etc/systemd/system/user@$uid.service"
chmod 4755 "$program"
chmod 0755 /tmp /run/tunlease-join
rm /etc/tmpfiles.d/tunlease-join.conf
echo hello >/etc/tunlease/join-banner
broken "fail JoinLogin 'join': it is in the group 'games'" 'fail its password is locked' 'fail its password will expire' \
	'fail its systemd user manager is not masked' "fail '$program' has the mode 4755, not 0755" \
	"fail sshd's /tmp has the mode 0755, not 1777" "fail '/run/tunlease-join' has the mode 0755, not 0750" \
	"warning '/etc/tmpfiles.d/tunlease-join.conf' is not there" "warning '/etc/tunlease/join-banner' is not what setup writes"
chmod 0775 "$program"
rmdir /run/tunlease-join
broken "fail somebody else than root may change '$program'" "fail '/run/tunlease-join' is not there"
sed -i 's/ join_group=_tunnel-join//' /etc/pam.d/common-session
sees fail pam "has pam_tunnel.so with '', and the configuration wants 'join_group=_tunnel-join'" '^leasectl setup$'
sed -i 's/pam_tunnel.so$/& join_group=_tunnel-join/' /etc/pam.d/common-session
sees_nothing 'when all is mended'

note 'the way to leased'
socket=/run/tunlease-join/socket
leased </dev/null >"$WORK/leased.out" 2>&1 &
leased=$!
at_exit "$leased"
wait_for 5 'the join socket' test -S "$socket"
assert_eq "$(stat -c '%a %U:%G' "$socket")" '660 root:_tunnel-join' 'its owner and mode'
sees_nothing 'with leased'
! log_has 'leased.*(join|warning)' || fail "doctor's look is in the log: $(grep leased "$SANDBOX_LOG")"
chmod 0666 "$socket"
sees fail join "'$socket' has the mode 0666, not 0660" '^stop leased and start it again'
rm "$socket"
sees fail join "'$socket' is not there" '^stop leased and start it again'
python3 -c 'import os, socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1]); os.chmod(sys.argv[1], 0o660)' "$socket"
chgrp _tunnel-join "$socket"
sees fail join "nobody listens on '$socket'" '^stop leased and start it again'
kill "$leased"
wait_for 5 'leased to end' is_gone "$leased"
rm -f "$socket"
unchanged made 'and all is as setup had made it'

# ---- and away ----

note 'without JoinLogin, setup takes joining away; the rest stays'
sed -i '/^JoinLogin/d' "$conf"
expect_exit 0 leasectl setup
! getent passwd join || fail 'the login stays'
! getent group _tunnel-join || fail 'the group stays'
! grep -rl 'join' /etc/ssh /etc/pam.d /etc/tunlease /etc/tmpfiles.d /etc/systemd/system || fail 'something of joining stays'
login_refused "$(new_key nobody)" pfwd || fail 'the other blocks are gone'
expect_exit 0 leasectl setup --join

note 'setup --undo'
expect_exit 0 leasectl setup --undo --dry-run
state >"$WORK/now"
setpriv --reuid="$uid" --regid=_tunnel-join --clear-groups sleep 100 & # userdel refuses while one runs
at_exit $!
expect_exit 0 leasectl setup --undo
sed -i '/^JoinLogin/d' "$conf"
expect_exit 0 leasectl setup
rm -f /etc/passwd- /etc/group- /etc/shadow- /etc/gshadow-
cp -a "$WORK/etc/tunlease/tunlease.conf" "$conf"
rm -f /etc/tunlease/banner
expect_exit 0 leasectl setup
unchanged plain 'after --undo and setup all is as before joining was turned on'
