#!/bin/bash
# SPDX-License-Identifier: ISC
# leasectl setup makes what is missing, prints with --dry-run what it would do, undoes what sshd
# refuses, and takes over no account or file of anybody else.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"
dropin=/etc/ssh/sshd_config.d/20-tunlease.conf

note 'what the first run made (docs/design.md 10)'
owner() { stat -c '%U:%G %a' "$1"; }
assert_eq "$(owner /var/lib/tunlease)" '_tunlease:_tunlease 2750' 'the store directory'
for file in leases.db leases.db-wal leases.db-shm; do
	assert_eq "$(owner /var/lib/tunlease/$file)" '_tunlease:_tunlease 640' "$file"
done
assert_eq "$(owner /run/tunlease)" 'root:_tunlease 750' 'the run directory'
assert_eq "$(owner /run/tunlease/sessions)" 'root:_tunlease 750' 'the registry'
assert_eq "$(owner /run/tunlease/lock)" 'root:root 700' 'the locks'
assert_eq "$(owner /usr/libexec/tunlease/akc)" 'root:root 755' 'akc'
assert_eq "$(id -gn _tunlease) $(id -gn _tunlease-akc)" '_tunlease _tunlease' 'both users have the group _tunlease'
for login in pfwd gw-tunnel; do
	assert_eq "$(getent shadow "$login" | cut -d: -f2)" '*' "$login has no password and is not locked"
	assert_eq "$(getent passwd "$login" | cut -d: -f7)" /usr/sbin/nologin "$login has no shell"
	assert_eq "$(getent shadow "$login" | cut -d: -f5,7,8)" '::' "$login does not age"
	assert_eq "$(readlink "/etc/systemd/system/user@$(id -u "$login").service")" /dev/null "the user manager of $login is masked"
	id -nG "$login" | some_line -w _tunnel || fail "$login is not in the group"
done
expect_exit 0 leasectl doctor

note 'a second run changes nothing'
state() { find /etc /var/lib/tunlease -type f -not -name '*-shm' -printf '%p %C@ %s\n' | sort; cat /run/sshd.pid; }
before=$(state)
expect_exit 0 leasectl setup
[[ $(state) == "$before" ]] || fail "changed: $(diff <(echo "$before") <(state))"
expect_exit 0 leasectl setup --dry-run
[[ ! -s $WORK/out ]] || fail "a dry run finds something to do: $(cat "$WORK/out")"

note 'a changed configuration reaches sshd'
echo 'AllowOpen pfwd 127.0.0.1:8009' >>/etc/tunlease/tunlease.conf
echo 'Contact Ask li@example.com.' >>/etc/tunlease/tunlease.conf
expect_exit 0 leasectl setup --dry-run
grep -q '^would write .*20-tunlease.conf' "$WORK/out" || fail "$(cat "$WORK/out")"
expect_exit 1 leasectl doctor
grep -q 'PermitOpen' "$WORK/out" || fail 'doctor does not see that sshd has old settings'
expect_exit 0 leasectl setup
grep -qx 'permitopen 127.0.0.1:8009 localhost:8009' <<<"$(sshd_effective pfwd)" || fail 'the new permit is not in force'
assert_eq "$(cat /etc/tunlease/banner)" 'Ask li@example.com.' 'the banner'

note 'a file edited by hand is shown, not overwritten'
cp "$dropin" "$WORK/good"
sed -i 's/X11Forwarding no/X11Forwarding yes/' "$dropin"
expect_exit 5 leasectl setup
grep -q '^-.*X11Forwarding yes' "$WORK/err" || fail "no diff: $(cat "$WORK/err")"
grep -q 'X11Forwarding yes' "$dropin" || fail 'the file was overwritten'
expect_exit 5 leasectl setup --undo
expect_exit 1 leasectl doctor
cp "$WORK/good" "$dropin"

note 'who asks for a shell reads of no missing home'
key=$(new_key homeless)
leasectl grant homeless --key "$key.pub" --open 8009 >/dev/null
home() { getent passwd pfwd | cut -d: -f6; }
asks_for_shell() { "${SSH[@]}" -T -i "$key" -l pfwd "$GATEWAY" </dev/null 2>&1 || :; }
assert_eq "$(home)" / 'the home of a login that setup has made'
shell_says=$(asks_for_shell)
[[ $shell_says == *'not available'* && $shell_says != *chdir* ]] || fail "$shell_says"
give_home() { wait_idle; usermod -d "$1" pfwd; }
give_home /nonexistent # as former versions made it
asks_for_shell | some_line 'Could not chdir to home directory /nonexistent' || fail 'sshd no longer says so'
leasectl login check pfwd | some_line '^note: its home does not exist.*usermod --home / pfwd' || fail "$(leasectl login check pfwd)"
expect_exit 0 leasectl doctor
grep -q "^note.login.the home of 'pfwd' does not exist" "$WORK/out" || fail "$(cat "$WORK/out")"
fwd_L "$key" pfwd 18009:127.0.0.1:8009
has_session() { pgrep -u pfwd >/dev/null; } # a new session is root's process at first
wait_for 10 'the session to be of the login' has_session
expect_exit 0 leasectl setup
assert_eq "$(home)" /nonexistent 'not while a session is up; setup goes on'
fwd_stop
wait_idle
expect_exit 0 leasectl setup
assert_eq "$(home)" / 'then setup mends it'
give_home /srv/nobody-made-it
expect_exit 0 leasectl setup
assert_eq "$(home)" /srv/nobody-made-it 'a home that somebody else has chosen stays'
give_home /

note 'what sshd refuses is undone'
echo 'NoSuchKeyword yes' >/etc/ssh/sshd_config.d/99-broken.conf
echo 'AllowOpen pfwd 127.0.0.1:8010' >>/etc/tunlease/tunlease.conf
expect_exit 1 leasectl setup
grep -q 'NoSuchKeyword' "$WORK/err" || fail "sshd's words are missing: $(cat "$WORK/err")"
cmp "$dropin" "$WORK/good" || fail 'the change was not undone'
rm /etc/ssh/sshd_config.d/99-broken.conf
expect_exit 0 leasectl setup

note 'undo'
key=$(new_key alice)
leasectl grant alice --key "$key.pub" --open 8009 >/dev/null
login_works "$key" pfwd || fail 'no login before the undo'
expect_exit 0 leasectl setup --undo
[[ ! -e $dropin ]] || fail 'the drop-in is still there'
expect_exit 1 leasectl doctor
assert_eq "$(grep -v '^ok' "$WORK/out" | cut -f1,2,5)" $'FAIL\tsetup\tleasectl setup' 'doctor says that, and nothing else'
login_refused "$key" pfwd || fail 'a login succeeds after the undo'
expect_exit 0 leasectl setup --undo
grep -q 'nothing to undo' "$WORK/out" || fail "$(cat "$WORK/out")"

note 'a first setup leaves sshd and PAM alone where it would come to nothing'
# stands_in_the_way WORDS COMMAND...: COMMAND changes sshd's files; setup says WORDS, and changes nothing.
stands_in_the_way()
{
	local words=$1 before; shift
	cp -a /etc/ssh "$WORK/ssh"
	"$@"
	before=$(state)
	expect_exit 1 leasectl setup
	assert_eq "$(grep -Ec "^leasectl: setup: $words.*, then run 'leasectl setup'$" "$WORK/err") of $(wc -l <"$WORK/err")" '1 of 1' "stopped: $words"
	[[ $(state) == "$before" ]] || fail "changed: $(diff <(echo "$before") <(state))"
	cp -a "$WORK/ssh/." /etc/ssh/
	rm -rf "$WORK/ssh" /etc/ssh/sshd_config.d/10-site.conf
}
site() { printf '%s\n' "$@" >/etc/ssh/sshd_config.d/10-site.conf; }
config=/etc/ssh/sshd_config
stands_in_the_way "'sshd -t' refuses the configuration that is there: .*NoSuchKeyword" site 'NoSuchKeyword yes'
stands_in_the_way "sshd has 'UsePAM no'.*Set 'UsePAM yes' in '$config'" sed -i 's/^UsePAM yes/UsePAM no/' $config
stands_in_the_way "sshd does not read '$dropin': .*Add the line 'Include /etc/ssh/sshd_config.d/\*.conf'" sed -i /^Include/d $config
stands_in_the_way "sshd would let no tunnel login in: AllowUsers does not name 'pfwd': .*; AllowUsers does not name 'gw-tunnel'" site 'AllowUsers li root'
stands_in_the_way "sshd would let no tunnel login in: .*AuthorizedKeysCommand. for 'pfwd', and not akc" \
	site 'Match Group _tunnel' 'AuthorizedKeysCommand /usr/bin/true' 'AuthorizedKeysCommandUser nobody'
# A block of the site for everybody is nobody's own, and the line of one login is enough.
site 'AllowUsers li pfwd' 'Match User *,!root' '    Banner none' 'Match User p*' '    PermitTTY no'
expect_exit 1 leasectl setup
grep -q "AllowUsers does not name 'gw-tunnel'" "$WORK/out" || fail "$(cat "$WORK/out" "$WORK/err")"
rm /etc/ssh/sshd_config.d/10-site.conf
reload_sshd
expect_exit 0 leasectl setup

note 'undo, when the drop-in is gone already'
in_pam() { grep -l pam_tunnel /etc/pam.d/common-*; }
rm "$dropin"
expect_exit 0 leasectl setup --undo --dry-run
in_pam >/dev/null || fail 'a dry run disables the PAM profile'
expect_exit 0 leasectl setup --undo
! in_pam || fail 'without the drop-in, undo leaves the PAM profile enabled'
expect_exit 0 leasectl setup
# pam-auth-update does not change a stack that was edited by hand, and does not say so.
sed -i '/^auth.*pam_unix/i auth optional pam_echo.so' /etc/pam.d/common-auth
expect_exit 1 leasectl setup --undo
grep -q 'edited by hand' "$WORK/err" || fail "$(cat "$WORK/err")"
sed -i '/pam_tunnel/d' /etc/pam.d/common-*
expect_exit 0 leasectl setup --undo
grep -q 'nothing to undo' "$WORK/out" || fail "$(cat "$WORK/out")"
cp -a /root/pam.d.before/common-auth /etc/pam.d/
expect_exit 0 leasectl setup
login_works "$key" pfwd || fail 'no login after setup again'

note 'no account or file of anybody else is taken over'
useradd -m -s /usr/sbin/nologin -p '*' shared
install -d -m 700 -o shared ~shared/.ssh
cat "$key.pub" >~shared/.ssh/authorized_keys
with_login() { sed "1i ForwardLogin $1" /etc/tunlease/tunlease.conf >"$WORK/other.conf"; }
with_login shared
expect_exit 5 leasectl -c "$WORK/other.conf" setup
grep -q 'authorized_keys' "$WORK/err" || fail "$(cat "$WORK/err")"
rm ~shared/.ssh/authorized_keys
mkdir /etc/ssh/keys
printf 'AuthorizedKeysFile none /etc/ssh/keys/%%u\n' >/etc/ssh/sshd_config.d/05-keys.conf
cat "$key.pub" >/etc/ssh/keys/shared
expect_exit 5 leasectl -c "$WORK/other.conf" setup
grep -q "1 of 1 key that '/etc/ssh/keys/shared' lets in has no lease" "$WORK/err" || fail "a file elsewhere: $(cat "$WORK/err")"
rm -r /etc/ssh/keys /etc/ssh/sshd_config.d/05-keys.conf
printf 'Match User "shared"\n    PermitTTY no\n' >/etc/ssh/sshd_config.d/10-shared.conf
sed -i 's/"//g' /etc/ssh/sshd_config.d/10-shared.conf
expect_exit 5 leasectl -c "$WORK/other.conf" setup
grep -q '10-shared.conf' "$WORK/err" || fail "$(cat "$WORK/err")"
rm /etc/ssh/sshd_config.d/10-shared.conf
with_login li
install -d -m 700 -o li ~li/.ssh
cat "$key.pub" >~li/.ssh/authorized_keys
expect_exit 5 leasectl -c "$WORK/other.conf" setup
grep -q "'li' is somebody's account" "$WORK/err" || fail "a person's keys are to be moved: $(cat "$WORK/err")"
assert_eq "$(getent passwd li | cut -d: -f7)" /bin/bash 'a person keeps his shell'
expect_exit 5 leasectl login add li
grep -q "'li' is somebody's account" "$WORK/err" || fail "a person's keys are to be moved: $(cat "$WORK/err")"
rm -r ~li/.ssh
expect_exit 5 leasectl login add www-data
expect_exit 5 leasectl login add root
groupadd people; usermod -aG people li
sed '1i TunnelGroup people' /etc/tunlease/tunlease.conf >"$WORK/other.conf"
expect_exit 5 leasectl -c "$WORK/other.conf" setup
grep -q "member 'li'" "$WORK/err" || fail "$(cat "$WORK/err")"

note 'login add and login check'
expect_exit 0 leasectl login add team
expect_exit 0 leasectl login check team
leasectl login list | some_line "^team" || fail 'team is not listed'
chage -d 0 team
expect_exit 1 leasectl login check team
grep -q 'expired' "$WORK/out" || fail "$(cat "$WORK/out")"
expect_exit 1 leasectl doctor
expect_exit 1 leasectl login check nobody-here
expect_exit 2 leasectl login add 'a b'
expect_exit 1 setpriv --reuid=li --clear-groups leasectl setup
ok 'setup changes only what is its own'

note 'setup does not find the running sshd, and says where it looked'
chage -d -1 team
sed -i 's/^Port 22$/Port 2222/' /etc/ssh/sshd_config
reload_sshd
sed -i 's/^AllowOpen pfwd .*/AllowOpen pfwd 127.0.0.1:8010/' /etc/tunlease/tunlease.conf
expect_exit 0 leasectl setup
grep -q "no sshd listens on port 22, so none was told.*on another port, tell it" "$WORK/err" || fail "$(cat "$WORK/err")"
