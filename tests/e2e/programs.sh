#!/bin/bash
# SPDX-License-Identifier: ISC
# No program that asks PAM opens a session for a tunnel login, even if it has a shell and a
# password, as here; for a person all of them do. Without the module's file root can still log in,
# and undo leaves no trace.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"

key=$(new_key alice)
leasectl grant alice --key "$key.pub" --open 8009 >/dev/null
# So that nothing but PAM can refuse it.
usermod -s /bin/bash pfwd
install -d -o pfwd -m 700 /home/pfwd; usermod -d /home/pfwd pfwd
printf 'pfwd:Tunnel-pw-1\nli:Person-pw-1\n' | chpasswd || fail 'root cannot set a password'

MARK=it-is
# proves USER COMMAND...: a command ran as USER, and printed its name.
proves() { local user=$1; shift; "$@" >"$WORK/out" 2>"$WORK/err" </dev/null; grep -qw "$MARK $user" "$WORK/out"; }
# only_li NAME COMMAND...: COMMAND, with USER replaced, is refused for pfwd and works for li.
only_li()
{
	local name=$1; shift
	! proves pfwd "${@//USER/pfwd}" || fail "$name: pfwd gets in"
	! grep -q "$MARK [a-z]" "$WORK/out" || fail "$name: something ran: $(cat "$WORK/out")"
	proves li "${@//USER/li}" || fail "$name: li does not get in: $(cat "$WORK/out" "$WORK/err")"
	ok "$name: pfwd is refused, li gets in"
}
say="echo $MARK \$(id -un)"

note 'programs'
only_li 'su' su USER -c "$say"
only_li 'su -' su - USER -c "$say"
only_li 'su -s' su -s /bin/sh USER -c "$say"
only_li 'sudo -u' sudo -n -u USER bash -c "$say"
only_li 'sudo -i -u' sudo -n -i -u USER bash -c "$say"
wait_log 5 'refused login=pfwd service=su: '
wait_log 5 'refused login=pfwd service=sudo: '
# login(1) needs a terminal; the shell that it starts reads the command from it.
as_login() { printf '%s\nexit\n' "$say" | script -qec "login -f $1" /dev/null 2>&1 | tr '\r' '\n'; }
only_li 'login -f' as_login USER
# From one user to another, with a password.
from_li() { printf 'Tunnel-pw-1\n' | setpriv --reuid=li --regid=li --clear-groups su "$1" -c "$say"; }
! proves pfwd from_li pfwd || fail 'su to pfwd with its password succeeds'
printf 'Person-pw-1\n' | setpriv --reuid=nobody --clear-groups su li -c "$say" 2>/dev/null | some_line -x "$MARK li" || fail 'su to li with his password fails'
ok 'su with a password: pfwd is refused, li gets in'

note 'cron'
install -d -m 1777 "$WORK/cron"; chmod 755 "$WORK"
# cron runs @reboot jobs when it starts, so that the test need not wait for a full minute.
rm -f /run/crond.reboot
for user in pfwd li; do
	printf '@reboot id -un >%s/user.%s\n' "$WORK/cron" $user >"/var/spool/cron/crontabs/$user"
	chown $user:crontab "/var/spool/cron/crontabs/$user"
	chmod 600 "/var/spool/cron/crontabs/$user"
	printf '@reboot %s id -un >%s/system.%s\n' $user "$WORK/cron" $user
done >>/etc/crontab
/usr/sbin/cron -f & cron=$!
at_exit $cron
ran() { [[ $(cat "$WORK/cron/$1" 2>/dev/null) == li ]]; }
wait_for 10 "li's own crontab" ran user.li
wait_for 10 '/etc/crontab for li' ran system.li
refused_twice() { [[ $(grep -c 'refused login=pfwd service=cron: ' "$SANDBOX_LOG") -ge 2 ]]; }
wait_for 10 'cron to be refused twice' refused_twice
[[ -z $(find "$WORK/cron" -name '*.pfwd') ]] || fail 'a job of pfwd ran'
kill $cron
ok 'crontab and /etc/crontab: jobs of li run, those of pfwd do not'

note 'ssh with a password, where sshd allows passwords'
cat >/etc/ssh/sshd_config.d/05-password.conf <<-END
	KbdInteractiveAuthentication yes
	Match User pfwd,li
	    AuthenticationMethods any
	    PasswordAuthentication yes
	    KbdInteractiveAuthentication yes
	    PermitTTY yes
	    ForceCommand none
	    AllowTcpForwarding yes
	Match all
END
reload_sshd
cat >"$WORK/askpass" <<'END'
#!/bin/sh
case $WHO in pfwd) echo Tunnel-pw-1 ;; li) echo Person-pw-1 ;; esac
END
chmod 755 "$WORK/askpass"
by_password() # METHOD USER
{
	# ssh uses the first of two values, so these must stand before those of SSH.
	WHO=$2 SSH_ASKPASS=$WORK/askpass SSH_ASKPASS_REQUIRE=force ssh -o BatchMode=no \
		-o PubkeyAuthentication=no -o PreferredAuthentications="$1" -o NumberOfPasswordPrompts=1 \
		"${SSH[@]:1}" -l "$2" "$GATEWAY" "$say"
}
only_li 'ssh, password' by_password password USER
only_li 'ssh, keyboard-interactive' by_password keyboard-interactive USER
wait_log 5 'refused login=pfwd service=sshd: a tunnel login has no password, only its key'
# Without the line in the auth stack the session is refused: the login used no key.
cp /etc/pam.d/common-auth "$WORK/common-auth"
sed -i '/pam_tunnel/d' /etc/pam.d/common-auth
only_li 'ssh, password, no auth line' by_password password USER
wait_log 5 'refused login=pfwd .*: another method than publickey was used'
cp "$WORK/common-auth" /etc/pam.d/common-auth
# An expired password: sshd would admit the login to change it.
chage -d 0 pfwd
! proves pfwd by_password password pfwd || fail 'a login with an expired password gets in'
chage -d "$(date +%F)" pfwd
rm /etc/ssh/sshd_config.d/05-password.conf
reload_sshd
login_works "$key" pfwd || fail 'the tunnel login cannot use its key any more'

note 'the lines of pam_tunnel(8) in place of those of the profile'
mkdir "$WORK/stacks"
cp /etc/pam.d/common-* "$WORK/stacks"
sed -i '/pam_tunnel/d' /etc/pam.d/common-*
proves pfwd su -s /bin/sh pfwd -c "$say" || fail 'without the module su refuses pfwd, so this tests nothing'
sed -n '/^\.Sh EXAMPLES/,/^\.Sh/ { /^\.Bd/,/^\.Ed/ { /^\./d; s/\\e$/\\/; p } }' "$TOP/pam_tunnel/pam_tunnel.8" >"$WORK/lines"
for stack in auth account session; do
	awk -v stack="$stack" '$1 == stack || goes_on { print; goes_on = /\\$/ }' "$WORK/lines" |
		cat - "$WORK/stacks/common-$stack" >"$WORK/new"
	awk 'NR > 3 && /pam_tunnel/ { next } { print }' "$WORK/new" >"/etc/pam.d/common-$stack"
done
login_works "$key" pfwd || fail 'with the lines of the manual a tunnel login cannot use its key'
only_li 'su -s, with the lines of the manual' su -s /bin/sh USER -c "$say"
cp "$WORK/stacks"/common-* /etc/pam.d

note 'people can still change their passwords'
as_li() { setpriv --reuid=li --regid=li --clear-groups "$@"; }
printf 'Person-pw-1\nOther-pw-22\nOther-pw-22\n' | as_li passwd >/dev/null 2>"$WORK/err" || fail "passwd: $(cat "$WORK/err")"
printf 'Other-pw-22\n' | setpriv --reuid=nobody --clear-groups su li -c "$say" 2>/dev/null | some_line -x "$MARK li" || fail 'the new password does not work'
printf 'wrong\nThird-pw-333\nThird-pw-333\n' | as_li passwd >/dev/null 2>&1 && fail 'passwd succeeds with a wrong old password'
echo 'li:Fourth-pw-4' | chpasswd || fail 'chpasswd fails'
printf 'Fourth-pw-4\n' | setpriv --reuid=nobody --clear-groups su li -c "$say" 2>/dev/null | some_line -x "$MARK li" || fail 'the password that chpasswd set does not work'
ok 'passwd and chpasswd work'

note 'root logs in, with and without the file of the module'
root() { proves root "$@"; }
root_ssh() { "${SSH[@]}" -i /home/li/.ssh/id_ed25519 -l root "$GATEWAY" "$say"; }
module=$(find /usr/lib /lib -name pam_tunnel.so | head -n 1)
for state in there gone; do
	[[ $state == there ]] || mv "$module" "$module.away"
	root su - root -c "$say" || fail "module $state: su -: $(cat "$WORK/err")"
	root as_login root || fail "module $state: login -f: $(cat "$WORK/out")"
	root root_ssh || fail "module $state: ssh: $(cat "$WORK/err")"
	proves li su - li -c "$say" || fail "module $state: li: $(cat "$WORK/err")"
	ok "module $state: root gets in with su -, login -f and ssh"
done

usermod -s /usr/sbin/nologin -d /nonexistent pfwd

note 'undo, while the file of the module is gone: the PAM stacks are as before setup'
expect_exit 0 leasectl setup --undo
diff -r /root/pam.d.before /etc/pam.d || fail 'the PAM stacks are not as before setup'
mv "$module.away" "$module"
expect_exit 0 leasectl setup
! diff -rq /root/pam.d.before /etc/pam.d >/dev/null || fail 'setup does not enable the PAM profile'
! proves pfwd su -s /bin/sh pfwd -c "$say" || fail 'the profile is enabled again, and pfwd gets in'
expect_exit 0 leasectl setup --undo
diff -r /root/pam.d.before /etc/pam.d || fail 'the PAM stacks are not as before setup'
proves pfwd su -s /bin/sh pfwd -c "$say" || fail 'the counterproof: su to pfwd fails without the profile'
ok 'undo restores the PAM stacks byte for byte'
