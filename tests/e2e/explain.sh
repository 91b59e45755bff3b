#!/bin/bash
# SPDX-License-Identifier: ISC
# explain names the layer that refuses and what mends it, says admitted only for what it asked, and says what
# it did not ask; --last finds the key that was refused, or says why it cannot; and what the holder of a
# refused key can be told. (e2e/explain_oracle compares explain with ssh in random combinations.)
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"

for name in alice second third; do new_key "$name" >/dev/null; done
serve 8009
leasectl grant alice --key "$WORK/alice.pub" --open 8009 >/dev/null
pub=$WORK/alice.pub
# explains STATUS PATTERN... -- ARGS: each pattern is a line of what explain prints.
explains()
{
	local status=$1 pattern patterns=(); shift
	while [[ $1 != -- ]]; do patterns+=("$1"); shift; done
	shift
	expect_exit "$status" leasectl explain "$@"
	for pattern in "${patterns[@]}"; do
		grep -qE -- "^ *$pattern\$" "$WORK/out" || fail "explain $*: no line '$pattern' in: $(cat "$WORK/out")"
	done
	ok "explain $1 ${*:4}: $(sed -n 2p "$WORK/out")"
}
dropin=/etc/ssh/sshd_config.d/05-explain.conf

note 'each layer says no, and what mends it'
explains 0 "admitted: the lease 'alice' .*" 'asked: sshd, account, pam, lease' -- pfwd --key "$pub" --open 8009 --addr 127.0.0.1
! grep -q 'not asked' "$WORK/out" || fail "something was not asked: $(cat "$WORK/out")"
explains 1 "refused: lease: 'alice' may not open localhost:8010: .*" 'mend: leasectl set alice --open .*' -- pfwd --key "$pub" --open 8010
echo 'DenyUsers pfwd' >"$dropin"
explains 1 "refused: sshd: DenyUsers has 'pfwd', which means 'pfwd'" "mend: take 'pfwd' out of DenyUsers: .*" -- pfwd --key "$pub"
rm "$dropin"
touch /etc/nologin
explains 1 "refused: pam: '/etc/nologin' is there .*" 'mend: rm /etc/nologin' -- pfwd --key "$pub"
rm /etc/nologin
chage -E 2026-01-01 pfwd
explains 1 "refused: account: the account 'pfwd' expired on 2026-01-01" 'mend: chage -E -1 pfwd' -- pfwd --key "$pub"
eval "$(sed -n 's/^  mend: //p' "$WORK/out")"
explains 0 'admitted: .*' -- pfwd --key "$pub"
explains 1 "refused: account: 'nobody-here' is no account .*" 'mend: leasectl login add nobody-here' -- nobody-here --key "$pub"
new_key box >/dev/null
leasectl grant box --login gw-tunnel --key "$WORK/box.pub" --listen 20001 >/dev/null
explains 0 'admitted: .*, with -R for 20001' -- gw-tunnel --key "$WORK/box.pub" --listen 20001
! grep -q warning "$WORK/out" || fail "a free port is held: $(cat "$WORK/out")"
serve 20001
explains 0 'admitted: .*' "warning: lease: something listens on 127.0.0.1 port 20001 now, and it is no session of 'box'" -- gw-tunnel --key "$WORK/box.pub" --listen 20001
! fwd_R "$WORK/box" gw-tunnel 127.0.0.1:20001:127.0.0.1:8009 || fail 'a port is bound twice'
# Two that refuse: the one that a login meets first, and the other.
printf 'AllowGroups li\n' >"$dropin"
explains 1 'refused: sshd: AllowGroups .*' "also: lease: no lease holds this key" -- pfwd --key "$WORK/third.pub"

# The settings of a client's own address, and forwards that sshd refuses though the lease permits them.
printf 'Match Address 192.0.2.0/24\n  PubkeyAuthentication no\nMatch User pfwd\n  PermitOpen 127.0.0.1:8010\nMatch all\n' >"$dropin"
explains 1 "refused: sshd: PubkeyAuthentication is 'no' for 'pfwd'" -- pfwd --key "$pub" --addr 192.0.2.9
explains 0 'admitted: .*' -- pfwd --key "$pub" --addr 192.0.3.9
explains 1 "refused: sshd: PermitOpen for 'pfwd' is '127.0.0.1:8010', not 127.0.0.1:8009" -- pfwd --key "$pub" --open 127.0.0.1:8009
printf 'Match User pfwd\n  DisableForwarding yes\nMatch all\n' >"$dropin"
explains 1 "refused: sshd: forwarding is off in sshd for 'pfwd': DisableForwarding yes" -- pfwd --key "$pub" --open 8009
rm "$dropin"
chmod 0700 /var/lib/tunlease
login_refused "$WORK/alice" pfwd || fail 'akc reads a store that is closed to it'
explains 1 "refused: lease: the lease is good, but akc as '_tunlease-akc' prints no line for it .*" 'mend: leasectl doctor; .*' -- pfwd --key "$pub"
chmod 2750 /var/lib/tunlease
# An account ends a day earlier for pam_unix than for an sshd that does not ask PAM.
chage -E "$(date +%F)" pfwd
! login_works "$WORK/alice" pfwd || fail 'PAM admits an account on its last day'
explains 1 'refused: account: .* expired on .*' -- pfwd --key "$pub"
sed -i 's/^UsePAM yes/UsePAM no/' /etc/ssh/sshd_config
reload_sshd
login_works "$WORK/alice" pfwd || fail 'without PAM sshd refuses an account on its last day'
explains 0 'admitted: .*' -- pfwd --key "$pub"
chage -E "$(date -d yesterday +%F)" pfwd
login_refused "$WORK/alice" pfwd || fail 'without PAM sshd admits an account that is over'
explains 1 'refused: account: .* expired on .*' -- pfwd --key "$pub"
chage -E -1 pfwd
usermod -p '!' pfwd
login_refused "$WORK/alice" pfwd || fail 'without PAM sshd admits a locked account'
explains 1 "refused: account: .* is locked with '!', and sshd has UsePAM no" -- pfwd --key "$pub"
usermod -p '*' pfwd
sed -i 's/^UsePAM no/UsePAM yes/' /etc/ssh/sshd_config
reload_sshd

note 'the conditions of pam_succeed_if, as libpam reads them'
cp -a /etc/pam.d/sshd "$WORK/pam-sshd"
succeed_if() # STATUS CONTROL CONDITIONS
{
	sed -i "/^account.*pam_nologin/a account $2 pam_succeed_if.so $3" /etc/pam.d/sshd
	explains "$1" "$([[ $1 == 0 ]] && echo admitted || echo refused): .*" -- pfwd --key "$pub"
	rc=0
	login_works "$WORK/alice" pfwd || rc=1
	assert_eq "$rc" "$1" "ssh agrees: $2 $3"
	cp -a "$WORK/pam-sshd" /etc/pam.d/sshd
}
succeed_if 0 required 'quiet user ingroup _tunnel uid < 65000'
succeed_if 1 required 'user notin li:pfwd'
succeed_if 1 required 'uid >= 65000 quiet'
succeed_if 0 '[success=1 default=ignore]' 'service in crond:su quiet use_uid'

note 'what was not asked'
printf 'AllowUsers pfwd@192.0.2.0/24\n' >"$dropin"
explains 0 'admitted: .*' "not asked: sshd: AllowUsers 'pfwd@192.0.2.0/24' \(it depends on the client's address.*" -- pfwd --key "$pub"
explains 0 'admitted: .*' -- pfwd --key "$pub" --addr 192.0.2.1
explains 1 'refused: sshd: AllowUsers .*' -- pfwd --key "$pub" --addr 127.0.0.1
reload_sshd
login_refused "$WORK/alice" pfwd || fail 'sshd lets in whom explain says it refuses'
printf 'Match User pfwd\n  AuthorizedKeysCommand /usr/bin/cat /etc/hostname\n  AuthorizedKeysCommandUser root\nMatch all\n' >"$dropin"
explains 1 "not known: sshd: sshd asks '/usr/bin/cat /etc/hostname'.*" -- pfwd --key "$pub"
rm "$dropin"
reload_sshd
usermod -aG _tunlease li
cp "$pub" /tmp/alice.pub
chmod 0644 /tmp/alice.pub
expect_exit 0 runuser -u li -- leasectl explain pfwd --key /tmp/alice.pub
for line in 'admitted: .*' 'asked: account, lease' "not asked: sshd: sshd's settings \('sshd -T' needs root\)" \
	"not asked: account: whether the account 'pfwd' has expired .*" 'not asked: pam: the modules of PAM .*'; do
	grep -qE "^$line\$" "$WORK/out" || fail "without root: no '$line' in $(cat "$WORK/out")"
done
ok 'without root: what was not asked, and why'

note '--last'
rm -f /var/log/auth.log /var/log/secure
expect_exit 1 leasectl explain --last pfwd
grep -q "not known: there is no journal, no '/var/log/auth.log' and no '/var/log/secure'" "$WORK/err" || fail "$(cat "$WORK/err")"
: >/var/log/secure
expect_exit 3 leasectl explain --last pfwd
grep -q "akc refused no key on 'pfwd' that /var/log/secure still has" "$WORK/err" || fail "$(cat "$WORK/err")"
# A login that sshd refuses before it asks akc is in no line of akc's.
echo 'AllowUsers li' >"$dropin"
expect_exit 3 leasectl explain --last pfwd
grep -q "but every key is refused: sshd: AllowUsers does not name 'pfwd': li; mend: add the line" "$WORK/err" || fail "$(cat "$WORK/err")"
rm "$dropin"
chmod 0600 /var/log/secure
expect_exit 1 runuser -u li -- leasectl explain --last pfwd
grep -q "'/var/log/secure' cannot be read: Permission denied; try sudo" "$WORK/err" || fail "$(cat "$WORK/err")"
rm /var/log/secure
ln -s "$SANDBOX_LOG" /var/log/auth.log
login_refused "$WORK/second" pfwd || fail 'a key without a lease gets in'
wait_log 5 'akc.*refused login=pfwd.*reason=no_lease'
second=$(ssh-keygen -lf "$WORK/second.pub" | cut -d' ' -f2)
second=${second//+/\\+}
explains 1 "login 'pfwd', key $second" 'refused: lease: no lease holds this key' -- --last pfwd
# e2e/verify tries it with a real verify, whose own keys are refused last.
probe="refused login=pfwd key=SHA256:$(printf 'A%.0s' {1..43}) reason=revoked lease"
logger -t 'akc[7]' -p authpriv.info "$probe=verify-0a1b2c3d"
wait_log 5 'lease=verify-0a1b2c3d'
explains 1 "login 'pfwd', key $second" -- --last pfwd
logger -t 'akc[7]' -p authpriv.info "$probe=verify-0a1b2c3d.of-a-person"
wait_log 5 'lease=verify-0a1b2c3d.of'
explains 1 "login 'pfwd', key SHA256:A{43}" -- --last pfwd
# What is no fingerprint, and what is the rest of a line that a stranger has made long.
logger -t 'akc[7]' -p authpriv.info "refused login=pfwd key=SHA256:\$(reboot)$(printf 'B%.0s' {1..34}) reason=no_lease"
wait_log 5 'key=SHA256:.*reboot'
printf '%02047d%s\n' 0 "akc[7]: refused login=pfwd key=SHA256:$(printf 'B%.0s' {1..43}) reason=no_lease" >>"$SANDBOX_LOG"
explains 1 "login 'pfwd', key SHA256:A{43}" -- --last pfwd

if [[ -x /lib/systemd/systemd-journald ]]; then
	tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id # a root that never booted has none
	rm /var/log/auth.log
	mkdir -p /run/systemd/journal /run/log/journal
	/lib/systemd/systemd-journald </dev/null >"$WORK/journald" 2>&1 &
	at_exit $!
	journals() { compgen -G '/run/log/journal/*/system.journal' >/dev/null && [[ -S /run/systemd/journal/dev-log ]]; }
	wait_for 10 'journald to start' journals
	expect_exit 3 leasectl explain --last pfwd
	grep -q "akc refused no key on 'pfwd' that the journal still has" "$WORK/err" || fail "$(cat "$WORK/err")"
	expect_exit 1 runuser -u li -- leasectl explain --last pfwd
	grep -q 'the journal cannot be read by you; try sudo' "$WORK/err" || fail "$(cat "$WORK/err")"
	mv /dev/log /dev/sandbox-log
	ln -s /run/systemd/journal/dev-log /dev/log
	login_refused "$WORK/third" pfwd || fail 'a key without a lease gets in'
	third=$(ssh-keygen -lf "$WORK/third.pub" | cut -d' ' -f2)
	journal_has() { journalctl -q --identifier=akc 2>/dev/null | some_line -F "$third"; }
	wait_for 10 'the journal to have the refusal' journal_has
	journalctl --update-catalog
	journalctl -q -x -t akc "KEY_FP=$third" REASON=no_lease LOGIN=pfwd >"$WORK/out"
	grep -q 'The login pfwd was refused to a key: no_lease' "$WORK/out" || fail "the journal has no fields, or no catalog: $(cat "$WORK/out")"
	forged=SHA256:$(printf 'F%.0s' {1..43})
	runuser -u li -- logger -t akc "refused login=pfwd key=$forged reason=no_lease"
	forged_is_there() { journalctl -q --identifier=akc 2>/dev/null | some_line -F "$forged"; }
	wait_for 10 'the journal to have the line of a local user' forged_is_there
	explains 1 "login 'pfwd', key ${third//+/\\+}" -- --last pfwd
	mv /dev/sandbox-log /dev/log
else
	note 'no journald here: not tried'
fi

note 'a client with a link-local address'
if [[ -e /proc/net/if_inet6 ]] && ip link add v0 type veth peer name v1 2>/dev/null; then
	ip link set v0 up
	ip link set v1 up
	ip addr add fe80::7/64 dev v0 nodad
	sed 's/^127.0.0.1,/fe80::7%v0,/' "$WORK/known_hosts" >"$WORK/more"
	cat "$WORK/more" >>"$WORK/known_hosts"
	echo 'ListenAddress fe80::7%v0' >"$dropin"
	reload_sshd
	GATEWAY=fe80::7%v0
	# from SOURCE works|refused: what the lease's --from is, and what becomes of the login.
	from()
	{
		leasectl set alice --from "$1" >/dev/null
		if [[ $2 == works ]]; then
			: >"$SANDBOX_LOG"
			fwd_L "$WORK/alice" pfwd 18009:127.0.0.1:8009 || fail "--from $1: refused"
			wait_log 5 'pam_tunnel.*opened login=pfwd .*source=fe80::7%v0'
			leasectl sessions | some_line 'fe80::7%v0' || fail "sessions: $(leasectl sessions)"
			fwd_stop
			explains 0 'admitted: .*' -- pfwd --key "$pub" --addr fe80::7%v0
		else
			login_refused "$WORK/alice" pfwd || fail "--from $1: not refused"
			explains 1 'refused: lease: .* may come only from .*' -- pfwd --key "$pub" --addr fe80::7%v0
		fi
	}
	from fe80::7%v0 works
	from fe80::%v0/64 works
	from fe80::7%v1 refused
	from fe80::/10 refused
	from ::/0 refused
	leasectl set alice --from none >/dev/null
	GATEWAY=127.0.0.1
	rm "$dropin"
	reload_sshd
else
	note 'this kernel has no veth or no IPv6: not tried'
fi

note 'what a holder can be told'
printf 'Contact "ask admin@example.org, and send the line Offering public key"\n' >>/etc/tunlease/tunlease.conf
leasectl setup >/dev/null
leasectl grant second --key "$WORK/second.pub" --open 8009 --for 1s >/dev/null
leasectl revoke alice >/dev/null
over() { leasectl --json show second | some_line '"state":"expired"'; }
wait_for 10 'the lease to expire' over
for name in alice second third; do # revoked, expired, unknown
	rc=0
	"${SSH[@]}" -v -N -i "$WORK/$name" -l pfwd 127.0.0.1 </dev/null >/dev/null 2>"$WORK/ssh.err" || rc=$?
	assert_eq "$rc" 255 "ssh with the key of $name"
	grep -v '^debug1' "$WORK/ssh.err" | grep -v -e '^OpenSSH' -e '^Authenticating' >"$WORK/words.$name" || :
	sed -n 's/^debug1: Offering public key: .* \(SHA256:[^ ]*\).*/\1/p' "$WORK/ssh.err" >"$WORK/offered"
	assert_eq "$(sort -u "$WORK/offered")" "$(ssh-keygen -lf "$WORK/$name.pub" | cut -d' ' -f2)" 'the line that Contact asks for has the fingerprint'
done
grep -q 'ask admin@example.org' "$WORK/words.third" || fail "no Contact: $(cat "$WORK/words.third")"
cmp "$WORK/words.alice" "$WORK/words.second" || fail 'sshd tells a revoked key from an expired one'
cmp "$WORK/words.alice" "$WORK/words.third" || fail 'sshd tells a revoked key from an unknown one'
ok "sshd says the same of all three: $(tr '\n' ' ' <"$WORK/words.third")"

note 'what mends a revoked lease, as it is printed, gives the holder the same again'
# terms_of NAME: what the lease of this name permits.
terms_of()
{
	leasectl --json show "$1" | python3 -c 'import json, sys
lease = json.load(sys.stdin)
print({word: lease[word] for word in ("login", "open", "open_agents", "listen", "from", "max_sessions")})'
}
for name in db1 other; do new_key "$name" >/dev/null; done
leasectl agent add db1 --key "$WORK/db1.pub" >/dev/null
leasectl login add team >/dev/null
for terms in '--open 8009 --open 127.0.0.1:8020-8022 --from 10.0.0.0/8,fe80::1%eth0 --max-sessions 3' '--open agent:db1 --open 8011' \
	'--login team --listen 127.0.0.1:20077'; do
	read -ra words <<<"$terms"
	leasectl grant again --key "$WORK/other.pub" "${words[@]}" >/dev/null 2>&1
	before=$(terms_of again) login=$(leasectl --json show again | grep -o '"login":"[^"]*' | cut -d'"' -f4)
	leasectl revoke again >/dev/null
	expect_exit 1 leasectl explain "$login" --key "$WORK/other.pub"
	mend=$(sed -n 's/^ *mend: leasectl grant/grant/p' "$WORK/out")
	[[ $mend != *:20000* ]] || fail "the port of an agent, which it may not keep: $mend"
	read -ra words <<<"${mend/FILE/$WORK/other.pub}"
	leasectl "${words[@]}" >/dev/null 2>&1 || fail "this does not work: $mend"
	assert_eq "$(terms_of again)" "$before" "$mend"
	leasectl revoke again >/dev/null
	ok "$mend"
done
leasectl revoke db1 >/dev/null
explains 1 "refused: lease: the lease 'db1' .*was revoked .*" 'mend: leasectl agent add db1 --key FILE' -- gw-tunnel --key "$WORK/db1.pub"
expect_exit 0 leasectl agent add db1 --key "$WORK/db1.pub"
explains 1 'refused: lease: no lease holds this key' 'mend: leasectl grant NAME --key FILE --open PORT' -- pfwd --key "$WORK/third.pub"
explains 1 'refused: lease: no lease holds this key' 'mend: leasectl agent add NAME --key FILE' -- gw-tunnel --key "$WORK/third.pub"
