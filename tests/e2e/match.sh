#!/bin/bash
# SPDX-License-Identifier: ISC
# The Match blocks: what sshd -T prints for each tunnel login, for a member of the group without a
# block, and for everybody else; and sshd -t accepts the blocks of every configuration.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"

effective() { sshd_effective "$1"; }
in_force() { grep -qxF -- "$2" <<<"$(effective "$1")" || fail "for $1 not in force: $2 ($(effective "$1" | grep "^${2%% *} "))"; }

[[ $(leasectl sshd-config) == "$(cat /etc/ssh/sshd_config.d/20-tunlease.conf)" ]] || fail 'setup installed something else than sshd-config prints'

for login in pfwd gw-tunnel; do
	for line in 'authenticationmethods publickey' 'authorizedkeysfile none' 'trustedusercakeys none' \
		'authorizedkeyscommand /usr/libexec/tunlease/akc %u %t %k' 'authorizedkeyscommanduser _tunlease-akc' \
		'forcecommand /usr/sbin/nologin' 'maxsessions 1' 'permittty no' 'x11forwarding no' \
		'allowagentforwarding no' 'allowstreamlocalforwarding no' 'permittunnel no' 'gatewayports no' \
		'clientaliveinterval 15' 'passwordauthentication no'; do
		in_force "$login" "$line"
	done
done
in_force pfwd 'allowtcpforwarding local'
in_force pfwd 'permitlisten none'
in_force pfwd 'permitopen 127.0.0.1:* localhost:* [::1]:*'
in_force gw-tunnel 'allowtcpforwarding yes'
in_force gw-tunnel 'permitopen 127.0.0.1:12000 localhost:12000'
in_force gw-tunnel 'permitlisten 127.0.0.1:* localhost:*'
ok 'each login has the settings of its block'

# A member of the group that has no block of its own yet can forward nothing.
useradd -r -M -d /nonexistent -s /usr/sbin/nologin -g _tunnel -p '*' latecomer
in_force latecomer 'allowtcpforwarding no'
in_force latecomer 'permitopen none'
in_force latecomer 'authorizedkeysfile none'
key=$(new_key late)
leasectl grant late --login latecomer --key "$key.pub" --open 8009 >/dev/null
serve 8009
ATTEMPT_KEY=$key ATTEMPT_LOGIN=latecomer
refuse open open=127.0.0.1:8009
expect_exit 1 leasectl doctor
grep -q "latecomer" "$WORK/out" || fail 'doctor does not name it'
leasectl setup >"$WORK/out" || :
allow open open=127.0.0.1:8009
ok 'a member without a block forwards nothing until setup gives it one'

# Nobody else's settings change.
for user in li root; do
	effective "$user" >"$WORK/after"
	mv /etc/ssh/sshd_config.d/20-tunlease.conf "$WORK/dropin"
	effective "$user" >"$WORK/before"
	mv "$WORK/dropin" /etc/ssh/sshd_config.d/20-tunlease.conf
	cmp "$WORK/before" "$WORK/after" || fail "the settings of $user change"
done

# sshd accepts the blocks of other configurations.
accepts() { # LINES [LOGIN|SETTING...]: sshd accepts the blocks of a configuration of LINES, and each SETTING is in force
	printf '%b' "$1" >"$WORK/t.conf"; shift
	leasectl -c "$WORK/t.conf" sshd-config >/etc/ssh/sshd_config.d/20-tunlease.conf
	sshd -t || fail "sshd -t refuses: $(cat "$WORK/t.conf")"
	for check; do in_force "${check%%|*}" "${check#*|}"; done
}
accepts 'SessionRefusal silent\n' 'pfwd|maxsessions 0'
accepts 'AllowOpen pfwd 127.0.0.1:8009\nAllowOpen 10.0.0.5:80-90\n' \
	'pfwd|permitopen 127.0.0.1:8009 localhost:8009' 'latecomer|permitopen 10.0.0.5:*'
accepts 'AllowListen 0.0.0.0:20000-29999\nAllowListen 127.0.0.1:20000-20010\nAgentBindHost 0.0.0.0\n' \
	'gw-tunnel|gatewayports clientspecified' 'pfwd|gatewayports no'
accepts 'Listen unix:/run/leased.sock\n' 'gw-tunnel|permitopen none'
accepts 'Contact Ask li@example.com\n' 'pfwd|banner /etc/tunlease/banner'
ok 'sshd -t accepts the blocks of every configuration'
