#!/bin/bash
# SPDX-License-Identifier: ISC
# doctor names each thing beside our Match blocks that refuses a tunnel login or soon will: each is broken
# alone and seen named, with what mends it; mended, nothing is named any more.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"

dropin=/etc/ssh/sshd_config.d/05-broken.conf
new_key alice >/dev/null
leasectl grant alice --key "$WORK/alice.pub" --open 8009 >/dev/null
# Two of one type: what is too short for sshd is not seen in the longer one.
ssh-keygen -q -t rsa -b 3072 -N '' -f "$WORK/longer" </dev/null
leasectl grant longer --key "$WORK/longer.pub" --open 8009 >/dev/null
ssh-keygen -q -t rsa -b 2048 -N '' -f "$WORK/rsa" </dev/null
leasectl grant rsa --key "$WORK/rsa.pub" --open 8009 >/dev/null

# What doctor says of admission, without what is well: RESULT, what, why and mend, with tabs.
said() { { leasectl doctor 2>/dev/null || :; } | awk -F'\t' '$2 == "admission" && $1 != "ok"'; }
healthy()
{
	local now
	now=$(said)
	[[ -z $now ]] || fail "$1: doctor says $now"
}
# names TITLE RESULT PATTERN: doctor says this, once, with a reason and what mends it; and nothing else.
names()
{
	local now
	now=$(said)
	[[ $(wc -l <<<"$now") == 1 && $now == "$2"$'\t'* ]] || fail "$1: doctor says '$now', not one $2"
	grep -E -q -e "$3" <<<"$now" || fail "$1: no '$3' in '$now'"
	awk -F'\t' '$4 == "" || $5 == "" { exit 1 }' <<<"$now" || fail "$1: no reason or nothing that mends it: '$now'"
	ok "$1: $now"
}
sshd_says() { printf '%s\n' "$1" >"$dropin"; }
pam_says() { sed -i "/^account.*pam_nologin/a $1" /etc/pam.d/sshd; }
keep() { cp -a "$1" "$WORK/kept"; }
put_back() { cp -a "$WORK/kept" "$1"; }

healthy 'a healthy host'
leasectl doctor | some_line "^ok.admission.sshd, the account and PAM admit 'pfwd' with keys of type ssh-ed25519, ssh-rsa" ||
	fail "doctor does not say that pfwd is admitted: $(leasectl doctor)"
# What keeps out every login is said once, and the second one is not called admitted for that.
touch /etc/nologin
{ leasectl doctor || :; } | grep '^ok.admission' && fail '/etc/nologin: doctor says that a login is admitted'
rm /etc/nologin

note 'sshd'
# A usual hardening of all other users, in front of our drop-in.
sshd_says 'PermitRootLogin no
PasswordAuthentication no
PubkeyAuthentication yes
AuthenticationMethods publickey
MaxAuthTries 3
LoginGraceTime 30
AllowAgentForwarding no
GatewayPorts no
AllowTcpForwarding no
AllowStreamLocalForwarding no
ClientAliveInterval 300
ClientAliveCountMax 2'
healthy 'a hardened sshd'
leasectl explain pfwd --key "$WORK/alice.pub" --open 8009 >/dev/null || fail 'explain refuses alice on a hardened sshd'
sshd_says 'AllowUsers li gw-tunnel'
names AllowUsers FAIL "AllowUsers does not name 'pfwd': li gw-tunnel.*add the line 'AllowUsers pfwd'"
sshd_says 'AllowUsers li gw-tunnel pfwd@*,!192.0.2.7'
names 'AllowUsers with addresses' unknown "AllowUsers 'pfwd@\*,!192.0.2.7'.*client's address"
sshd_says 'AllowGroups _tunnel li'
healthy 'AllowGroups that names the group'
sshd_says 'AllowGroups li _tunne'
[[ $(said | wc -l) == 2 ]] || fail "AllowGroups: not a finding for each login: $(said)"
said | some_line "AllowGroups does not name a group of 'pfwd'.*add the line 'AllowGroups _tunnel'" || fail "AllowGroups: $(said)"
sshd_says 'DenyUsers p?wd'
names DenyUsers FAIL "DenyUsers has 'p\?wd', which means 'pfwd'"
sshd_says 'DenyUsers PFWD li'
healthy 'DenyUsers of others'
sshd_says 'DenyGroups _tun*'
[[ $(said | grep -c "DenyGroups has '_tun\*', which is a group of") == 2 ]] || fail "DenyGroups: $(said)"
sshd_says 'PubkeyAcceptedAlgorithms ssh-ed25519'
names 'a type of key that a lease holds' FAIL 'PubkeyAcceptedAlgorithms has no rsa-sha2-512'
if ! "$SSHD" -V 2>&1 | some_line 'OpenSSH_\(9\.[5-9]\|[1-9][0-9]\)'; then
	sshd_says 'PubkeyAcceptedAlgorithms rsa-sha2-256,ssh-ed25519'
	names 'a signature that ssh does not try' FAIL 'PubkeyAcceptedAlgorithms has no rsa-sha2-512'
	reload_sshd
	login_refused "$WORK/rsa" pfwd || fail 'ssh gets in with rsa-sha2-256'
	rm "$dropin"
	reload_sshd
fi
sshd_says 'PubkeyAcceptedAlgorithms -ecdsa*'
healthy 'a type of key that no lease holds'
sshd_says 'RequiredRSASize 3072'
names 'RequiredRSASize' FAIL 'RequiredRSASize is 3072, and the key has 2048 bits'
sshd_says 'PubkeyAuthOptions verify-required'
healthy 'PubkeyAuthOptions without a key in hardware'
python3 - >"$WORK/sk.pub" <<-'END'
	import base64, struct
	field = lambda data: struct.pack(">I", len(data)) + data
	name = b"sk-ssh-ed25519@openssh.com"
	print(name.decode(), base64.b64encode(field(name) + field(bytes(range(32))) + field(b"ssh:")).decode(), "hardware")
END
leasectl grant hardware --key "$WORK/sk.pub" --open 8009 >/dev/null
names 'PubkeyAuthOptions' warning 'PubkeyAuthOptions is verify-required'
sshd_says 'PubkeyAuthOptions touch-required'
healthy 'touch-required, which is the default'
printf '#!/bin/sh\n' >/usr/local/bin/keys
chmod 0755 /usr/local/bin/keys
sshd_says $'Match User pfwd\nAuthorizedKeysCommand /usr/local/bin/keys %u\nAuthorizedKeysCommandUser root\nMatch all'
healthy 'a foreign AuthorizedKeysCommand'
{ leasectl doctor || :; } | some_line "^FAIL.sshd.for 'pfwd' authorizedkeyscommand is '/usr/local/bin/keys %u'" || fail 'a foreign AuthorizedKeysCommand is not named'
rm "$dropin"
healthy 'sshd mended'

note 'the account'
chage -E 2026-01-01 pfwd
names 'an account that has expired' FAIL "the account 'pfwd' expired on 2026-01-01.*chage -E -1 pfwd"
chage -E "$(date -d '+9 days' +%F)" pfwd
names 'an account that will expire' warning "the account 'pfwd' expires on $(date -d '+9 days' +%F).*chage -E -1 pfwd"
chage -E -1 pfwd
chage -d 0 pfwd
names 'a password that is due' FAIL "the password of 'pfwd' has to be changed.*carries no data"
chage -d "$(date +%F)" -M 30 pfwd
names 'a password that ages' warning "has to be changed after $(date -d '+30 days' +%F)"
chage -d "$(date -d '-9 days' +%F)" -M 3 -I 2 pfwd
names 'a password that has expired' FAIL "the password of 'pfwd' has expired.*chage"
chage -d "$(date +%F)" -M -1 -I -1 -E -1 pfwd
healthy 'the account mended'
usermod -s /nonexistent pfwd
names 'a shell that is not there' FAIL "'/nonexistent', which is no program.*usermod -s /usr/sbin/nologin pfwd"
usermod -s /usr/sbin/nologin pfwd
for name in 'an n' 'an@n' 'AD\n'; do
	printf '%s:x:4711:%s::/nonexistent:/usr/sbin/nologin\n' "$name" "$(getent group _tunnel | cut -d: -f3)" >>/etc/passwd
	names "a member named $name" FAIL 'has a member named .*usermod -g nogroup'
	sed -i '$d' /etc/passwd
done
keep /etc/group
printf 'an@n:x:4711:65534::/nonexistent:/usr/sbin/nologin\n' >>/etc/passwd
sed -i '/^_tunnel:/s/$/,an@n/; s/:,/:/' /etc/group
names 'a listed member' FAIL "has a member named 'an@n'.*gpasswd -d 'an@n' _tunnel"
sed -i '$d' /etc/passwd
put_back /etc/group

note 'PAM'
touch /etc/nologin
names '/etc/nologin' FAIL "'/etc/nologin' is there \(pam_nologin, /etc/pam.d/sshd:[0-9]+\).*rm /etc/nologin"
keep /etc/pam.d/sshd
sed -i '/pam_nologin/d' /etc/pam.d/sshd
healthy '/etc/nologin that no module reads'
put_back /etc/pam.d/sshd
rm /etc/nologin
keep /etc/pam.d/sshd
printf -- '+:root:ALL\n-:ALL:ALL\n' >/etc/security/access.conf
healthy 'access.conf that no module reads'
pam_says 'account required pam_access.so'
names pam_access FAIL "'/etc/security/access.conf' has the rule '-:ALL:ALL'.*put the line '\+ : \(_tunnel\) : ALL'"
sed -i '1i + : (_tunnel) : ALL' /etc/security/access.conf
healthy 'pam_access, mended as it was said'
printf -- '-:pfwd:192.0.2.0/24\n' >/etc/security/access.conf
names 'pam_access with addresses' unknown "pam_access.*client's address"
put_back /etc/pam.d/sshd
pam_says 'account required pam_time.so'
healthy 'pam_time without a rule'
echo 'sshd;*;pfwd;!Al0000-2400' >>/etc/security/time.conf
names pam_time unknown 'pam_time \(/etc/pam.d/sshd:[0-9]+\).*times'
put_back /etc/pam.d/sshd
pam_says 'account required pam_no_such.so'
names 'a module that is missing' FAIL "the module 'pam_no_such.so' is missing"
put_back /etc/pam.d/sshd
pam_says 'account optional pam_no_such.so'
healthy 'a module that is missing and may'
put_back /etc/pam.d/sshd
pam_says 'account required pam_listfile.so item=user sense=deny file=/etc/denied'
names 'a module whose rules are not read' unknown 'pam_listfile'
put_back /etc/pam.d/sshd
healthy 'all mended'
