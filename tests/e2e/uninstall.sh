#!/bin/bash
# SPDX-License-Identifier: ISC
# make uninstall while leased or an agent runs, or while sshd or PAM still call what it would remove: it
# removes nothing and says what to do first. After that nothing of the product is left.
# make install-agent copies nothing of the gateway, and uninstall-agent removes all of it.
# sandbox: --leased
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"

quiet_make() { expect_exit "$1" make -s -C "$TOP" NO_DEPS=1 "${@:2}"; }
files=(/usr/bin/leasectl /usr/bin/tunnel-agent /usr/sbin/leased /usr/libexec/tunlease/{akc,join} /usr/lib/systemd/system/leased.service)
all_there() { local file; for file in "${files[@]}"; do [[ -e $file ]] || fail "$file is gone"; done; }
# refused LINE...: uninstall removes nothing, and prints exactly these lines.
refused()
{
	quiet_make 2 uninstall
	all_there
	grep -qx 'nothing was removed, because tunlease is in use. First:' "$WORK/err" || fail "$(cat "$WORK/err")"
	assert_eq "$(sed -n 's/^  //p' "$WORK/err")" "$(printf '%s\n' "$@")" "refused: $1"
}
leased=$(pgrep -x -o leased)
leased_line="leased runs (pid $leased): systemctl disable --now leased.socket leased.service"
sshd_line='sshd asks /usr/libexec/tunlease/akc for keys (/etc/ssh/sshd_config.d/20-tunlease.conf): leasectl setup --undo'
pam_line="PAM calls pam_tunnel.so ($(echo /etc/pam.d/common-{account,auth,session,session-noninteractive})): leasectl setup --undo"
STATE_DIR=$WORK/state tunnel-agent -L 18009:127.0.0.1:8009 root@127.0.0.1 </dev/null 2>/dev/null &
agent=$!
at_exit $agent
wait_for 5 'the agent to run' test -e "$WORK/state/run"
refused "$leased_line" "tunnel-agent runs (pid $agent): stop its service, or kill $agent" "$sshd_line" "$pam_line"
quiet_make 2 uninstall-agent
[[ -e /usr/bin/tunnel-agent ]] || fail 'the agent that runs was removed'
kill $agent
wait_for 5 'the agent to end' is_gone $agent
refused "$leased_line" "$sshd_line" "$pam_line"
# The same after an upgrade, while the old one still runs.
cp /usr/sbin/leased "$WORK/leased"
mv "$WORK/leased" /usr/sbin/leased
refused "$leased_line" "$sshd_line" "$pam_line"
kill "$leased"
wait_for 5 'leased to end' is_gone "$leased"
refused "$sshd_line" "$pam_line"
expect_exit 0 leasectl setup --undo
quiet_make 0 uninstall
grep -qx 'kept: /etc/tunlease, and /var/lib/tunlease with the leases' "$WORK/out" || fail "$(cat "$WORK/out")"
[[ -e /etc/tunlease/tunlease.conf && -e /var/lib/tunlease/leases.db ]] || fail 'what is kept is not there'
for file in "${files[@]}"; do [[ ! -e $file ]] || fail "$file is still there"; done
left=$(find /usr /etc/systemd -xdev \( -name '*tunlease*' -o -name 'pam_tunnel*' -o -name 'leased*' -o -name 'tunnel-agent*' -o -name join.8 \) -not -path "$TOP/*" 2>/dev/null || :)
ok "after the last refusal is mended: removed; left: ${left:-nothing}"
[[ -z $left ]] || fail "left behind: $left"
expect_exit 0 sshd -t
ok 'sshd goes on'

quiet_make 0 install-agent
ours() { find /usr -xdev \( -path '*tunnel-agent*' -o -name '*tunlease*' -o -name 'leas*' -o -name 'akc*' \) -type f -newer "$WORK/err" -not -path "$TOP/*" | sort | tr '\n' ' '; }
assert_eq "$(ours)" "$(printf '/usr/%s ' bin/tunnel-agent lib/systemd/system/tunnel-agent{,@}.service lib/systemd/user/tunnel-agent.service \
	lib/sysusers.d/tunnel-agent.conf lib/tmpfiles.d/tunnel-agent.conf share/doc/tunnel-agent/examples/agent.env share/man/man1/tunnel-agent.1)" \
	'install-agent: these'
expect_exit 0 tunnel-agent --version
quiet_make 0 uninstall-agent
assert_eq "$(ours)" '' 'and uninstall-agent removes them'
# Into a package's directory nothing is asked: what runs is not in it.
quiet_make 0 install-agent "DESTDIR=$WORK/root"
quiet_make 0 uninstall "DESTDIR=$WORK/root"
[[ ! -e $WORK/root/usr/bin/tunnel-agent ]] || fail 'DESTDIR is not emptied'
ok 'DESTDIR'
