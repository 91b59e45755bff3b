#!/bin/bash
# SPDX-License-Identifier: ISC
# Shows again what docs/sshd-facts.md says of sshd and no other test shows, with the sshd of this
# machine, or with SSHD=/path. Nothing of this project takes part: the login is a person's.
# sandbox:
# timeout: 300
set -eu
. "$TOP/tests/lib.sh"

dropin=/etc/ssh/sshd_config.d/05-facts.conf
keys=/home/li/.ssh/authorized_keys
new_key li >/dev/null
new_key other >/dev/null
pub=$(cut -d' ' -f1,2 "$WORK/li.pub")
install -d -o li -g li -m 700 /home/li/.ssh
serve 8009
serve 8010

# configure LINE...: sshd gets these lines, for everybody.
configure() { printf '%s\n' "$@" >"$dropin"; reload_sshd; }
# set_key_line OPTIONS: authorized_keys is the key with these options.
set_key_line() { printf '%s %s\n' "$1" "$pub" >"$keys"; chown li "$keys"; }
as() { timeout "$(slow 20)" "${SSH[@]}" -i "$WORK/li" -l li "$@"; }
runs() { as "$GATEWAY" "$@" </dev/null 2>"$WORK/err"; }
# W HOST:PORT: prints what comes through ssh -W. L HOST:PORT: prints yes if that is data, else no.
# R SPEC [PORT]: tries -R SPEC:...; yes or no in $WORK/rc, the addresses that PORT (20001) is bound
# to in `bound`.
W() { as -W "$1" "$GATEWAY" </dev/null 2>"$WORK/err" | tail -n 1; }
L() { [[ $(W "$1") == hello* ]] && echo yes || echo no; }
R()
{
	local rc=no
	! fwd_R "$WORK/li" li "$1:127.0.0.1:8009" || rc=yes
	[[ $rc == no ]] || bound=$(ss -Hltn "sport = :${2:-20001}" | awk '{print $4}' | sort | tr '\n' ' ')
	fwd_stop
	wait_for 10 'the port to be free' port_free "${2:-20001}"
	echo "$rc" >"$WORK/rc"
}
may_R() { R "$@"; [[ $(<"$WORK/rc") == yes ]]; }
works_with() { set_key_line "$1"; runs true; }

note '1: a PAM account stage that refuses ends the login, and the client sees its message'
configure '# nothing'
set_key_line ''
cp /etc/pam.d/sshd "$WORK/pam"
set_pam() { { cat; cat "$WORK/pam"; } >/etc/pam.d/sshd; }
printf 'go away\n' >/etc/facts-words
set_pam <<<'account required pam_echo.so file=/etc/facts-words
account requisite pam_deny.so'
expect_exit 255 runs true
grep -q '^go away' "$WORK/err" || fail "the client does not see the message: $(cat "$WORK/err")"
ok '1: refused, and the message is shown'
set_pam </dev/null

note '2, 14: what a PAM module sees, and as which user it runs'
cat >/usr/local/bin/facts-see <<'END'
#!/bin/sh
{ echo "auth=$SSH_AUTH_INFO_0"; id -u; grep -E '^(Seccomp|NoNewPrivs):' /proc/self/status; } >/run/facts.$PAM_TYPE
END
chmod 755 /usr/local/bin/facts-see
set_pam <<<'account optional pam_exec.so /usr/local/bin/facts-see
session optional pam_exec.so /usr/local/bin/facts-see'
runs true
assert_eq "$(head -n 1 /run/facts.account)" 'auth=' '2: SSH_AUTH_INFO_0 is empty in the account stage'
assert_eq "$(head -n 1 /run/facts.open_session)" "auth=publickey $pub" '2: it contains the key when the session opens'
assert_eq "$(tail -n 3 /run/facts.open_session | tr -s '\n\t' ' ')" '0 NoNewPrivs: 0 Seccomp: 0 ' '14: the module runs as root, without a sandbox'

note '2: the environment can be forged before the session closes'
echo 'SSH_AUTH_INFO_0=forged' >/home/li/.pam_environment
chown li /home/li/.pam_environment
set_pam <<<'session optional pam_exec.so /usr/local/bin/facts-see
session optional pam_env.so user_readenv=1'
runs true
forged() { [[ $(head -n 1 /run/facts.close_session 2>/dev/null) == auth=forged ]]; }
wait_for 5 'close_session to see what the user wrote' forged
ok '2: close_session sees what the user wrote'
rm /home/li/.pam_environment

note '4: open_session has no time limit of sshd'
configure 'LoginGraceTime 1'
set_pam <<<'session optional pam_exec.so /bin/sleep 2.5'
runs true || fail 'the login was ended'
ok '4: open_session may take 2.5 s with LoginGraceTime 1'
set_pam </dev/null

note '5: the AuthorizedKeysCommand'
cat >/usr/local/bin/facts-akc <<'END'
#!/bin/bash
echo run >>/run/facts.runs; chmod 666 /run/facts.runs 2>/dev/null
. /etc/facts-akc
END
chmod 755 /usr/local/bin/facts-akc
set_akc() { printf '%s\n' "$1" >/etc/facts-akc; install -m 666 /dev/null /run/facts.runs; }
configure_akc() { configure 'AuthorizedKeysCommandUser nobody' 'AuthorizedKeysFile none' "AuthorizedKeysCommand /usr/local/bin/facts-akc${1-}" "${@:2}"; }
configure_akc
set_akc "echo '$pub'"
runs true || fail 'the login fails'
assert_eq "$(wc -l </run/facts.runs)" 2 '5: it runs twice in a good login'
set_akc "echo '$pub'; exit 1"
expect_exit 255 runs true
ok '5: with exit 1 its output is ignored'
set_akc "echo '$pub'; kill -9 \$\$"
expect_exit 255 runs true
ok '5: its output is ignored as well when a signal ends it'
set_akc "echo 'restrict $pub'; echo '$pub'"
as -tt "$GATEWAY" true </dev/null >"$WORK/out" 2>&1 || :
grep -q 'PTY allocation request failed' "$WORK/out" || fail "$(cat "$WORK/out")"
ok '5: of two lines with the same key the first one counts'
set_akc "echo 'no-such-option $pub'; echo '$pub'"
runs true || fail 'the second line is not used'
ok '5: a line with a bad option is ignored, and the next one counts'
configure_akc ' %C'
[[ $(ssh -V 2>&1) != OpenSSH_9.2* ]] || { expect_exit 255 runs true; ok '5: a token that 9.2 does not know passes sshd -t and refuses everybody'; }
chmod 777 /usr/local/bin
configure_akc
set_akc "echo '$pub'"
expect_exit 255 runs true
ok '5: a command in a directory that others can write is not run'
chmod 755 /usr/local/bin
set_key_line ''
configure 'AuthorizedKeysCommandUser nobody' 'AuthorizedKeysCommand /usr/local/bin/facts-akc'
set_akc "echo 'restrict $pub'"
runs true
assert_eq "$(wc -l </run/facts.runs)" 0 '5: authorized_keys is read first'

note '12: only LoginGraceTime ends an AuthorizedKeysCommand that hangs'
configure_akc '' 'LoginGraceTime 2'
set_akc 'exec sleep 60'
before=${EPOCHREALTIME/./}
expect_exit 255 runs true
took_ms=$(((${EPOCHREALTIME/./} - before) / 1000))
((took_ms >= 1900)) || fail "after $took_ms ms"
ok "12: ended after $took_ms ms"

note '6: each direction is open unless its own option is in the line'
configure '# nothing'
set_key_line 'restrict,port-forwarding,permitopen="127.0.0.1:8009"'
assert_eq "$(L 127.0.0.1:8009) $(L 127.0.0.1:8010)" 'yes no' '6: permitopen restricts -L'
may_R 20001 || fail 'refused'
ok '6: permitopen alone leaves -R open'
set_key_line 'restrict,port-forwarding,permitlisten="20001"'
assert_eq "$(L 127.0.0.1:8010)" yes '6: permitlisten alone leaves -L open'
set_key_line 'restrict,port-forwarding,permitopen="127.0.0.1:8009",permitlisten="NONE:1"'
! may_R 20001 || fail 'bound'
ok '6: NONE:1 closes -R'
set_key_line 'restrict,port-forwarding,permitlisten="localhost:20001",permitopen="255.255.255.255:1"'
assert_eq "$(L 127.0.0.1:8009)" no '6: 255.255.255.255:1 closes -L'
for bad in 'permitopen="none:0"' 'permitopen="none"' 'permitopen="127.0.0.1:80-90"' 'permitlisten="18*"' 'permitopen="::1:80"'; do
	set_key_line "restrict,port-forwarding,$bad"
	! runs true || fail "$bad is accepted"
done
ok '6: a permit in a form that sshd does not know makes the whole line invalid'
set_key_line 'port-forwarding,restrict,permitopen="127.0.0.1:8009"'
assert_eq "$(L 127.0.0.1:8009)" no '6: restrict after port-forwarding forbids forwarding again'
permits() { for ((i = 1; i <= $1; i++)); do printf 'permitopen="127.0.0.1:%d",' "$i"; done; }
works_with "$(permits 4096)restrict" || fail '4096 permits are refused'
! works_with "$(permits 4098)restrict" || fail "4098 permits are accepted"
ok '6: a line with 4096 permits is accepted, one with 4098 is not'
sysctl -qw net.ipv4.ip_unprivileged_port_start=0
configure 'GatewayPorts no'
set_key_line 'restrict,port-forwarding,permitopen="127.0.0.1:8009",permitlisten="none:1"'
may_R none:1 1 || fail 'refused'
ok '6: none:1 in lower case can be bound where ports below 1024 are free'
set_key_line 'restrict,port-forwarding,permitopen="127.0.0.1:8009",permitlisten="NONE:1"'
for ask in none:1 NONE:1 1; do ! may_R "$ask" 1 || fail "$ask is bound"; done
ok '6: NONE:1 cannot be bound'

note '7: sshd compares what the client typed, before it resolves names'
set_key_line 'restrict,port-forwarding,permitopen="127.0.0.1:8009",permitlisten="127.0.0.1:20001"'
assert_eq "$(L localhost:8009) $(L 127.1:8009) $(L 127.0.0.1:8009)" 'no no yes' '7: permitopen accepts no other spelling'
! may_R 20001 || fail 'bound'
may_R 127.0.0.1:20001 || fail 'refused'
ok '7: permitlisten="127.0.0.1:P" refuses -R P, which asks for localhost'
configure 'GatewayPorts yes'
set_key_line 'restrict,port-forwarding,permitopen="127.0.0.1:8009",permitlisten="localhost:20001"'
may_R 20001 || fail 'refused'
assert_eq "$bound" '0.0.0.0:20001 [::]:20001 ' '7: GatewayPorts yes binds all addresses, whatever permitlisten says'
configure '# nothing'
python3 -c 'import socket, time; s = socket.socket(); s.bind(("127.0.0.1", 20001)); s.listen(); time.sleep(300)' &
at_exit $!
taker=$!
listens() { ! port_free 20001; }
wait_for 5 'the other listener' listens
set_key_line ''
fwd_R "$WORK/li" li 20001:127.0.0.1:8009 || fail 'refused'
ss -Hltn 'sport = :20001' | some_line '\[::1\]:20001' || fail 'not bound'
ok '7: when 127.0.0.1 is in use, sshd binds [::1] alone and reports success'
fwd_stop
kill "$taker"

note '8: restrict does not forbid commands and internal-sftp'
sed -i.facts 's/^Subsystem.*sftp.*/Subsystem sftp internal-sftp/' /etc/ssh/sshd_config
configure '# nothing'
usermod -s /usr/sbin/nologin li
sftp_ls() { echo 'ls /etc/hosts' | timeout "$(slow 10)" sftp -b - -S ssh -F none -o IdentityFile="$WORK/li" -o IdentityAgent=none -o UserKnownHostsFile="$WORK/known_hosts" "li@$GATEWAY" >"$WORK/out" 2>&1; }
set_key_line 'restrict'
sftp_ls || fail "refused: $(cat "$WORK/out")"
ok '8: internal-sftp is reachable, with nologin as the shell'
set_key_line 'restrict,command="/usr/sbin/nologin"'
! sftp_ls || fail 'reachable'
ok '8: command= forbids it'

note '9: expiry-time and from'
usermod -s /bin/bash li
works_with "expiry-time=\"$(date -u -d +1hour +%Y%m%d%H%M%SZ)\"" || fail 'refused'
! works_with "expiry-time=\"$(date -u -d -1hour +%Y%m%d%H%M%SZ)\"" || fail 'an expired line is accepted'
! works_with "expiry-time=\"$(date -u -d +1hour +%s)\"" || fail 'seconds since 1970 are accepted'
ok '9: expiry-time is a date, and is enforced'
works_with 'from="127.0.0.0/8"' || fail 'refused'
! works_with 'from="127.0.0.1/8"' || fail 'host bits are accepted'
ok '9: from= with host bits set refuses the key'

note '10: the Match block'
configure 'Match User li' 'MaxSessions 0'
set_key_line ''
! runs true || fail 'a command runs'
may_R 20001 || fail '-R is refused'
assert_eq "$(L 127.0.0.1:8009)" yes '10: MaxSessions 0 refuses sessions, but no forward'
configure 'Match User li' 'PermitListen none' 'PermitOpen 127.0.0.1:8010'
set_key_line 'restrict,port-forwarding,permitopen="127.0.0.1:8009"'
assert_eq "$(L 127.0.0.1:8009) $(L 127.0.0.1:8010)" 'no no' '10: key and Match block must both allow'
for bad in 'PermitListen 18200-18299' 'UsePAM no' 'LoginGraceTime 3' 'MaxStartups 3'; do
	printf 'Match User li\n%s\n' "$bad" >"$dropin"
	! /usr/sbin/sshd -t 2>/dev/null || fail "$bad is accepted in a Match block"
done
ok '10: a Match block accepts no port range, UsePAM, LoginGraceTime or MaxStartups'
configure 'Match User li' 'UnusedConnectionTimeout 1'
set_key_line ''
fwd_R "$WORK/li" li 20001:127.0.0.1:8009 || fail 'refused'
wait_for 10 'UnusedConnectionTimeout to end the connection' is_gone "$FWD_PID"
ok '10: UnusedConnectionTimeout ends an idle tunnel'

note '11: a password that has to be changed'
configure '# nothing'
chage -d 0 li
tunnel "$WORK/li" li -L 18001:127.0.0.1:8009 || fail 'no login'
talk_to 18001
! talks "$TALK" || fail 'data goes through'
[[ -z $(fetch http://127.0.0.1:18001/) ]] || fail 'data goes through'
ok '11: with UsePAM the login works, and its forwards carry nothing'
fwd_stop
chage -d "$(date +%F)" li
passwd -ql li
runs true || fail 'refused'
ok '11: a locked password refuses no key'
usermod -e 1 li
expect_exit 255 runs true
ok '11: an expired account refuses keys'
usermod -e '' li

note '15: the order of two keywords'
akc_words='AuthorizedKeysCommandUser nobody
AuthorizedKeysCommand /usr/local/bin/facts-akc'
principals_words='AuthorizedPrincipalsCommandUser nobody
AuthorizedPrincipalsCommand /usr/local/bin/facts-see'
configure 'Match User li' "$principals_words" "$akc_words"
assert_eq "$(sshd_effective li | grep '^authorizedprincipalscommand ')" 'authorizedprincipalscommand /usr/local/bin/facts-see' '15: AuthorizedPrincipalsCommand works before AuthorizedKeysCommand'
configure 'Match User li' "$akc_words" "$principals_words"
[[ $(ssh -V 2>&1) != OpenSSH_9.2* ]] ||
	assert_eq "$(sshd_effective li | grep '^authorizedprincipalscommand ')" 'authorizedprincipalscommand none' '15: after it, 9.2 ignores AuthorizedPrincipalsCommand'

note '16: ssh ends with 255 for everything'
configure '# nothing'
set_key_line 'restrict,port-forwarding,permitlisten="localhost:20001"'
expect_exit 255 "${SSH[@]}" -i "$WORK/other" -l li "$GATEWAY" true
grep -q 'Permission denied' "$WORK/err" || fail "$(cat "$WORK/err")"
expect_exit 255 as -N -R 20002:127.0.0.1:8009 "$GATEWAY"
grep -q 'remote port forwarding failed' "$WORK/err" || fail "$(cat "$WORK/err")"
expect_exit 255 as -p 9 "$GATEWAY" true
grep -q 'Connection refused' "$WORK/err" || fail "$(cat "$WORK/err")"
expect_exit 255 ssh -F none -o BatchMode=yes -o UserKnownHostsFile=/dev/null -o GlobalKnownHostsFile=none -o StrictHostKeyChecking=yes -i "$WORK/li" -l li "$GATEWAY" true
grep -q 'Host key verification failed' "$WORK/err" || fail "$(cat "$WORK/err")"
ok '16: for a wrong key, a refused port, no sshd, and an unknown host key'

note '22: words for who is refused'
echo 'Ask li for access.' >/etc/facts-words
talks_to_li() # BATCH KEY
{
	local words=("${SSH[@]/BatchMode=yes/BatchMode=$1}")
	words=("${words[@]/PreferredAuthentications=publickey/PreferredAuthentications=publickey,keyboard-interactive}")
	"${words[@]}" -l li -i "$WORK/$2" "$GATEWAY" true </dev/null 2>&1 || :
}
words_in() { grep -c '^Ask li for access' || :; }
configure 'Match User li' 'Banner /etc/facts-words'
assert_eq "$(talks_to_li no li | words_in) $(talks_to_li no other | words_in)" '1 1' '22: the admitted and the refused read the banner'
set_pam <<<'auth optional pam_echo.so file=/etc/facts-words
auth requisite pam_deny.so'
configure 'Match User li' 'KbdInteractiveAuthentication yes'
assert_eq "$(talks_to_li no li | words_in) $(talks_to_li no other | words_in)" '0 3' '22: with keyboard-interactive, the refused alone read what PAM says'
assert_eq "$(talks_to_li yes other | words_in)" 0 '22: but not in batch mode'
set_pam </dev/null
