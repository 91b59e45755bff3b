#!/bin/bash
# SPDX-License-Identifier: ISC
# The login at which invites are redeemed, with a stand-in for the program: any key gets in while an
# invite is open, and no key when none is. Whoever is in has the one program and nothing else; he is
# counted, by source and in all, and ended after 30 seconds.
# sandbox: --leased
# timeout: 180
set -eu
. "$TOP/tests/lib.sh"

akc() { setpriv --reuid=_tunlease-akc --regid=_tunlease --clear-groups /usr/libexec/tunlease/akc "$@"; }
new_key friend >/dev/null
new_key other >/dev/null
read -r type blob _ <"$WORK/friend.pub"
serve 8009
serve 9090

note 'the account, its Match block and its PAM rule'
groupadd -r _tunnel-join
useradd -r -M -g _tunnel-join -d / -s /usr/libexec/tunlease/join -p '*' join
echo 'JoinLogin join' >>/etc/tunlease/tunlease.conf
kill -HUP "$(cat /run/leased.pid)"
expect_exit 0 leased -t
sed -i 's/pam_tunnel.so *$/pam_tunnel.so join_group=_tunnel-join/' /etc/pam.d/common-{auth,account,session,session-noninteractive}
cat >/usr/libexec/tunlease/join.new <<'END'
#!/bin/bash
printf 'stand-in: uid=%s pid=%s agent=%s display=%s tty=%s command=%q\n' "$(id -un)" $$ "${SSH_AUTH_SOCK-}" "${DISPLAY-}" "${SSH_TTY-}" "${SSH_ORIGINAL_COMMAND-}"
[[ ! -f ${SSH_USER_AUTH-} ]] || cat "$SSH_USER_AUTH"
[[ ${SSH_ORIGINAL_COMMAND-} != wait ]] || exec sleep 300
END
chmod 0755 /usr/libexec/tunlease/join.new
mv /usr/libexec/tunlease/join.new /usr/libexec/tunlease/join
akc_lines='	AuthorizedKeysCommand /usr/libexec/tunlease/akc --join %u %t %k
	AuthorizedKeysCommandUser _tunlease-akc
	AuthorizedKeysFile none'
# UnusedConnectionTimeout is left out, so that leased is seen to end what is idle.
cat >/etc/ssh/sshd_config.d/21-join.conf <<-END
	Match User join
	$akc_lines
		TrustedUserCAKeys none
		AuthorizedPrincipalsFile none
		AuthorizedPrincipalsCommand none
		AuthenticationMethods publickey
		ExposeAuthInfo yes
		AcceptEnv TUNLEASE_NONE
		ForceCommand /usr/libexec/tunlease/join
		DisableForwarding yes
		PermitTunnel no
		PermitTTY no
		MaxSessions 1
	Match all
END
reload_sshd

as_join() { timeout "$(slow 10)" "${SSH[@]}" -T -i "$WORK/friend" -l join "$@"; }
# Each join connection has an entry. Those of the dead may lie there until the next one comes.
entries() { local e; for e in /run/tunlease/join/sessions/1.*; do [[ ! -e $e ]] || is_gone "${e##*.}" || echo "$e"; done; }
stand() { [[ $(entries | wc -l) == "$1" ]]; }

note 'no invite is open'
login_refused "$WORK/friend" join || fail 'a key gets in, and there is no invite'
wait_log 5 'akc.*refused login=join key=SHA256:.* reason=no_invite lease='
expect_exit 0 akc --join join "$type" "$blob"
[[ ! -s $WORK/out && ! -s $WORK/err ]] || fail "akc prints: $(cat "$WORK/out" "$WORK/err")"
ok 'sshd refuses each key'

note 'an invite is open'
leasectl invite alice --open 8009 --valid 1h >/dev/null
line="restrict,command=\"/usr/libexec/tunlease/join\" $type $blob"
assert_eq "$(akc --join join "$type" "$blob")" "$line" 'any key gets the line that redeems'
expect_exit 0 as_join "$GATEWAY" 'CODE; id'
grep -qx 'stand-in: uid=join pid=[0-9]* agent= display= tty= command=CODE\\;\\ id' "$WORK/out" || fail "$(cat "$WORK/out")"
grep -qx "publickey $type $blob" "$WORK/out" || fail "not the key that was verified: $(cat "$WORK/out")"
ok 'the forced command runs, with the code and the key'
expect_exit 0 timeout "$(slow 10)" "${SSH[@]}" -A -Y -i "$WORK/other" -l join "$GATEWAY" </dev/null
grep -q 'agent= display= tty= ' "$WORK/out" || fail "agent, X11 or a terminal: $(cat "$WORK/out")"
wait_log 5 'pam_tunnel.*opened to join login=join key=SHA256:.* source=127.0.0.1'
expect_exit 0 leasectl sessions
[[ ! -s $WORK/out ]] || fail "a join connection is listed as a session: $(cat "$WORK/out")"

note 'and for which login, key and store'
prints_nothing() { expect_exit 0 akc "$@"; [[ ! -s $WORK/out ]] || fail "a line for: $*"; }
prints_nothing --join pfwd "$type" "$blob"
prints_nothing --join root "$type" "$blob"
prints_nothing --join li "$type" "$blob"
wait_log 5 'akc.*refused login=li key=SHA256:.* reason=join_login lease= problem="the login is not JoinLogin"'
prints_nothing join "$type" "$blob"
prints_nothing join
expect_exit 3 akc --check join "$type" "$blob"
ssh-keygen -q -t ed25519 -N '' -f "$WORK/ca"
ssh-keygen -q -s "$WORK/ca" -I x -n join "$WORK/friend.pub"
read -r ctype cblob _ <"$WORK/friend-cert.pub"
prints_nothing --join join "$ctype" "$cblob"
rm "$WORK/friend-cert.pub"
ssh-keygen -q -t rsa -b 1024 -N '' -f "$WORK/short"
# shellcheck disable=SC2046 # type and base64
prints_nothing --join join $(cut -d' ' -f1,2 "$WORK/short.pub")
for args in '--join join' '--join --check join a b' '--join'; do
	# shellcheck disable=SC2086
	expect_exit 2 akc $args
done
mkdir -m 0755 "$WORK/old"
{ cat "$TOP"/sql/migrate/000[123]-*.sql; echo 'PRAGMA user_version = 3;'; } | sqlite3 "$WORK/old/leases.db"
printf 'Database %s\nJoinLogin join\n' "$WORK/old/leases.db" >"$WORK/old.conf"
expect_exit 0 /usr/libexec/tunlease/akc -c "$WORK/old.conf" --join join "$type" "$blob"
[[ ! -s $WORK/out ]] || fail 'a store of version 3 has an invite'
printf 'Database %s\nJoinLogin join\n' "$WORK/old/none.db" >"$WORK/old.conf"
expect_exit 1 /usr/libexec/tunlease/akc -c "$WORK/old.conf" --join join "$type" "$blob"
[[ ! -s $WORK/out ]] || fail 'a line without a store'
# Another account in its place: setup did not make it.
for change in '-s /bin/bash' '-g nogroup' '-aG _tunnel'; do
	# shellcheck disable=SC2086
	usermod $change join
	prints_nothing --join join "$type" "$blob"
	expect_exit 1 leased -t
	grep -q 'JoinLogin join: the login ' "$WORK/err" || fail "leased -t: $(cat "$WORK/err")"
	usermod -s /usr/libexec/tunlease/join -g _tunnel-join -G '' join
done
expect_exit 0 leased -t
# A typing error that names a login of leases locks none of them out.
printf 'JoinLogin pfwd\n' >"$WORK/bad.conf"
expect_exit 1 leased -t -c "$WORK/bad.conf"
leasectl grant other --key "$WORK/other.pub" --open 8009 >/dev/null
assert_eq "$(/usr/libexec/tunlease/akc -c "$WORK/bad.conf" pfwd | wc -l)" 1 'leases are served'
ok 'JoinLogin alone, a plain key, and a store that has invites'

note 'a freeze of all logins'
leasectl freeze >/dev/null
login_refused "$WORK/friend" join || fail 'a key gets in while all is frozen'
wait_log 5 'akc.*refused login=join key=SHA256:.* reason=frozen'
leasectl thaw >/dev/null
expect_exit 0 as_join "$GATEWAY" CODE

words=(open=127.0.0.1:8009 other=127.0.0.1:9090 respelled=127.1:8009 listen=127.0.0.1:20001 free=20002
	socket=/run/tunlease.test.sock)
nothing_else()
{
	local what
	for what in shell command pty sftp agent x11 open other-port stdio dynamic local-socket reverse reverse-any \
		reverse-public reverse-socket "$@"; do
		refuse "$what" "${words[@]}"
	done
	! as_join -J "join@$GATEWAY" "li@$GATEWAY" true 2>/dev/null || fail '-J leads through it'
}
note 'nothing but the program'
# shellcheck disable=SC2034 # for refuse
ATTEMPT_KEY=$WORK/friend ATTEMPT_LOGIN=join
nothing_else tun

note 'the line alone, without the Match block'
printf 'Match User join\n%s\nMatch all\n' "$akc_lines" >"$WORK/alone"
cp /etc/ssh/sshd_config.d/21-join.conf "$WORK/whole"
cp "$WORK/alone" /etc/ssh/sshd_config.d/21-join.conf
reload_sshd
nothing_else
# As for leases: where PermitTunnel is on for all, only the device's mode refuses it. akc(8) says so.
verdict=$("$TOP/build/tests/attempt" tun --key "$ATTEMPT_KEY" --login join) || :
[[ $verdict != allowed* ]] || fail "tun without a Match block: $verdict"
ok "tun: ${verdict//$'\t'/ }"
cp "$WORK/whole" /etc/ssh/sshd_config.d/21-join.conf
reload_sshd

note 'su, sudo, cron: not even with a shell and a password'
echo 'join:Joining-pw-1' | chpasswd
for user in join li; do printf '@reboot %s id -un >%s.cron\n' $user "/tmp/join.$user"; done >>/etc/crontab
rm -f /run/crond.reboot
/usr/sbin/cron -f & at_exit $!
says_so() { "$@" >"$WORK/out" 2>/dev/null </dev/null && grep -qx "$user" "$WORK/out"; }
for user in join li; do
	want=0; [[ $user == li ]] || want=1
	for how in "su -s /bin/sh $user -c 'id -un'" "sudo -n -u $user id -un"; do
		rc=0; says_so bash -c "$how" || rc=1
		((rc == want)) || fail "$how: $rc, not $want"
	done
done
wait_log 5 'refused login=join service=su: JoinLogin has no session but the one that joins'
printf 'Joining-pw-1\n' | setpriv --reuid=li --regid=li --clear-groups su -s /bin/sh join -c 'id -un' 2>/dev/null | some_line join &&
	fail 'su with its password'
wait_log 10 'refused login=join service=cron: '
wait_for 10 'the job of li' test -s /tmp/join.li.cron
[[ ! -e /tmp/join.join.cron ]] || fail 'cron runs a job of join'
ok 'li gets in, join does not'

note 'four from one source, however they come at once'
wait_for 5 'all to be over' stand 0
hold() { # SOURCE: a connection that runs no command, in the background
	"${SSH[@]}" -v -N -i "$WORK/friend" -b "$1" -l join "$GATEWAY" </dev/null 2>"$WORK/hold.$1.$RANDOM$RANDOM" &
	at_exit $!; holders+=($!)
}
holders=()
for _ in {1..9}; do hold 127.0.0.1; done
refused_source() { [[ $(grep -c 'refused login=join .*source=127.0.0.1: .*one source' "$SANDBOX_LOG") == 5 ]]; }
wait_for 10 'five of nine to be refused' refused_source
stand 4 || fail "$(entries | wc -l) stand, not 4"
expect_exit 255 as_join "$GATEWAY" CODE
expect_exit 0 as_join -b 127.0.0.2 "$GATEWAY" CODE
ok 'a fifth is ended, one from elsewhere gets in'

note 'who cannot be counted is not let in'
chmod 0777 /run/tunlease/join
expect_exit 255 as_join -b 127.0.0.2 "$GATEWAY" CODE
wait_log 5 'refused login=join .*source=127.0.0.2: there is no registry below RunDir/join'
chmod 0750 /run/tunlease/join
exec {held}>/run/tunlease/join/lock/1
flock -s "$held" # so that the lock is seen to be one for each alone
expect_exit 255 as_join -b 127.0.0.2 "$GATEWAY" CODE
wait_log 5 'refused login=join .*source=127.0.0.2: another join connection takes too long'
exec {held}>&-
expect_exit 0 as_join -b 127.0.0.2 "$GATEWAY" CODE

note 'sixteen in all'
for source in 127.0.0.{3..5}; do for _ in 1 2 3 4; do hold "$source"; done; done
wait_for 10 'sixteen to stand' stand 16
start=${EPOCHREALTIME/./}
expect_exit 0 as_join -b 127.0.0.2 "$GATEWAY" CODE
((${EPOCHREALTIME/./} - start >= 500000)) || fail 'one that nobody has judged is ended at once'
wait_log 5 'pam_tunnel.*ended to make room login=join key=SHA256:.* source=127.0.0.[1345] pid='
wait_for 5 'no more than fifteen to be left' stand 15
# Who has his share makes nobody leave.
hold 127.0.0.2
wait_for 10 'sixteen to stand' stand 16
expect_exit 255 as_join -b 127.0.0.5 "$GATEWAY" CODE
wait_log 5 'refused login=join .*source=127.0.0.5: .*one source'
stand 16 || fail "$(entries | wc -l) stand, not 16"
ok 'for a seventeenth the oldest of those with most makes room, unless his source has its share'
for pid in "${holders[@]}"; do kill "$pid" 2>/dev/null || :; done
wait_for 10 'all to be over' stand 0

note 'after 30 seconds, idle or running: here most of them have passed before leased looks'
leased=$(cat /run/leased.pid)
kill -STOP "$leased"
holders=()
hold 127.0.0.1
as_join -b 127.0.0.2 "$GATEWAY" wait >"$WORK/running" 2>&1 & at_exit $!
wait_for 10 'two to stand' stand 2
wait_for 10 'the program to run' test -s "$WORK/running"
# sshd leaves it running when the connection ends; join itself then ends soon.
at_exit "$(sed -n 's/.* pid=\([0-9]*\) .*/\1/p' "$WORK/running")"
mapfile -t old < <(entries)
now=$(date +%s)
for entry in "${old[@]}"; do
	sed "s/^since_s .*/since_s $((now - 28))/" "$entry" >"$WORK/entry"
	cat "$WORK/entry" >"$entry"
done
hold 127.0.0.3
wait_for 10 'three to stand' stand 3
for entry in $(entries); do [[ " ${old[*]} " == *" $entry "* ]] || young=$entry; done
# One that only has the pid of a living process, which began at another time.
sleep 300 & bystander=$!; at_exit $bystander
sed -e "s/^pid .*/pid $bystander/" -e 's/^start_ticks .*/start_ticks 1/' "${old[0]}" >"/run/tunlease/join/sessions/1.$bystander"
chown root:_tunlease "/run/tunlease/join/sessions/1.$bystander"
kill -CONT "$leased"
both_gone() { is_gone "${old[0]##*.}" && is_gone "${old[1]##*.}"; }
wait_for 10 'the two older ones to be ended' both_gone
wait_log 5 'leased.*ended login=join key=SHA256:.* source=127.0.0.1 pid='
wait_log 5 'leased.*ended login=join key=SHA256:.* source=127.0.0.2 pid='
! is_gone "${young##*.}" || fail 'a younger one was ended with them'
! is_gone "$bystander" || fail 'a process that only has the pid was signalled'
expect_exit 0 leasectl --json audit
! grep -q '"lease":"join"' "$WORK/out" || fail 'a row of the audit takes it for a lease'
ok 'the old ones are ended, a younger one stays'
leased -P
[[ ! -e /run/tunlease/join/sessions/1.$bystander && -e $young ]] || fail 'leased -P removes what lives, or leaves what is dead'
ok 'leased -P removes what is dead'
