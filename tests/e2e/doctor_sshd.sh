#!/bin/bash
# SPDX-License-Identifier: ISC
# leasectl doctor on sshd, its drop-in and PAM: each thing that is broken here is named, and nothing
# else is; where the mend is a command, it is run, and the finding is gone. setup --undo, and what
# doctor says then.
# sandbox:
# timeout: 300
set -eu
. "$TOP/tests/lib.sh"
# shellcheck source=tests/doctor_lib.sh
. "$TOP/tests/doctor_lib.sh"

config=/etc/ssh/sshd_config dropins=/etc/ssh/sshd_config.d conf=/etc/tunlease/tunlease.conf
dropin=$dropins/20-tunlease.conf

# Prints what doctor found, one a line: result, check, what, why, mend. Not what this machine decides,
# such as its clock, nor what leased and the leases of this test do: e2e/doctor_host looks at those.
found() { found_but clock leased 'control port' ceiling service; }
# The next sees, or sees_nothing, shows that these two helped: the finding is gone.
run_mend()
{
	bash -ec "$mend" >"$WORK/out" 2>&1 || fail "the mend '$mend' fails: $(cat "$WORK/out")"
	wait_for 5 'sshd' test -s /run/sshd.pid
}
line_out() # does what "take line N out of 'FILE'" says
{
	[[ $mend =~ ^take\ line\ ([0-9]+)\ out\ of\ \'([^\']+)\' ]] || fail "no line is named: $mend"
	sed -i "${BASH_REMATCH[1]}d" "${BASH_REMATCH[2]}"
}
foreign=0
before() # LINE...: another file that sshd reads before our drop-in
{
	foreign=$((foreign + 1))
	file=$dropins/10-foreign$foreign.conf
	printf '%s\n' "$@" >"$file"
}

sed -i '/^Port /i PasswordAuthentication no' "$config"
expect_exit 0 leasectl setup
tail -n 1 "$WORK/out" >"$WORK/last"
grep -q '^next, start leased: leased -D (without it live tunnels outlive' "$WORK/last" || fail "setup's last words: $(cat "$WORK/last")"
ok "setup: $(cat "$WORK/last")"
sees_nothing 'on a healthy host'

note 'hardened as in many guides, by global lines before our drop-in'
harden_sshd
sees_nothing 'with that hardening'
expect_exit 0 leasectl verify
ok 'verify passes with it'
rm "$dropins/10-hardening.conf"

note 'a Match block of somebody else that wins'
before 'Match User pfwd' '    PermitTTY yes'
sees fail sshd "^for 'pfwd' permittty is 'yes', not 'no': '$file:2', below 'Match User pfwd' of line 1$"
line_out
before 'Match Address *,!127.0.0.1,!::1' '    X11Forwarding yes'
sees fail sshd "^for 'gw-tunnel', 'pfwd' from 192.0.2.1 x11forwarding is 'yes', not 'no': '$file:2'"
line_out
before 'Match Address 10.0.0.0/8,!10.3.0.0/16 User pfwd' '    PermitOpen any'
sees fail sshd "^for 'pfwd' from 10.0.0.1 permitopen is 'any'.*10-foreign[0-9]*.conf:2'"
line_out
before 'Match LocalPort 2222' '    GatewayPorts yes'
sees fail sshd "^for 'gw-tunnel', 'pfwd' to port 2222 gatewayports is 'yes'.*10-foreign[0-9]*.conf:2'"
leasectl grant port --key "$(new_key port).pub" --open 8009 >/dev/null || fail 'with such a Match line nothing can be granted'
line_out
# Found only because a lease may be used from there: the first address of the network is excluded.
before 'Match Address 198.51.0.0/16,!198.51.0.0/24' '    MaxSessions 10'
sees_nothing 'where no lease may be used'
leasectl set port --from 198.51.100.0/24 >/dev/null
sees fail sshd "^for 'pfwd' from 198.51.100.1 maxsessions is '10'.*10-foreign[0-9]*.conf:2'"
line_out
leasectl revoke port >/dev/null
before 'UseDNS yes' 'Match Host *.example.net' '    PermitUserRC yes'
sees fail sshd "from a host named 'x.example.net' permituserrc is 'yes'.*10-foreign[0-9]*.conf:3'"
rm "$file"
# An Include inside a Match block, and a Match block in what it includes.
mkdir /etc/ssh/more
printf 'Match User pfwd\n    PermitTunnel yes\nMatch User li\n    PermitTTY yes\n' >/etc/ssh/more/a.conf
before 'Match User li' '    Include more/*.conf' 'Match User pfwd' '    PermitTunnel yes'
sees fail sshd "^for 'pfwd' permittunnel is 'yes', not 'no': '$file:4', below 'Match User pfwd' of line 3$"
line_out
before 'Match LocalPort 22' '    Include more/*.conf'
sees fail sshd "^for 'pfwd' permittunnel is 'yes', not 'no': '/etc/ssh/more/a.conf:2', below 'Match User pfwd' of line 1$"
line_out
rm -r /etc/ssh/more
before 'Match User li' '    PermitTTY yes' 'Match Group nobody-here,root' '    X11Forwarding yes'
sees_nothing 'in Match blocks for others'
for number in {1..30}; do printf 'Match Address 10.9.%d.0/24 User li\n    PermitTTY no\n' "$number"; done >"$file"
found >"$WORK/found"
grep -q "^unknown.sshd.for 'pfwd' sshd was asked about [0-9]* kinds of connections, and not about [0-9]* more" "$WORK/found" || fail "$(cat "$WORK/found")"
ok 'what was not asked is said'
rm "$file"

note 'a foreign AuthorizedKeysCommand'
before 'Match Group _tunnel' '    AuthorizedKeysCommand /usr/bin/true'
sees fail sshd "^for 'gw-tunnel', 'pfwd' authorizedkeyscommand is '/usr/bin/true', not '/usr/libexec/tunlease/akc .*10-foreign[0-9]*.conf:2'"
grep -q 'another program decides who is let in' "$WORK/found" || fail "$(cat "$WORK/found")"
line_out

note 'the time until a vanished client is dropped, and what ends quiet tunnels'
before 'Match User gw-tunnel' '    ClientAliveInterval 300'
sees warning 'dead peer' "^for 'gw-tunnel' sshd drops a client that has vanished after up to 2400 s, not 120 s: .*10-foreign[0-9]*.conf:2'"
line_out
before 'Match User gw-tunnel' '    ClientAliveCountMax 0'
sees warning 'dead peer' "^for 'gw-tunnel' sshd never drops a client.*10-foreign[0-9]*.conf:2'"
line_out
before 'Match User gw-tunnel' '    ClientAliveInterval 5'
sees warning 'dead peer' "after up to 40 s, not 120 s"
line_out
before 'UnusedConnectionTimeout 5m' 'ChannelTimeout session:*=30 direct-tcpip=0'
sees_nothing 'where our blocks win, and where sessions alone are meant'
rm "$file"
before 'ChannelTimeout direct-tcpip=5m session:*=30'
sees warning idle "^ChannelTimeout closes connections .* quiet for 5m: '$file:1'$" \
	"^'ChannelTimeout direct-tcpip=0 forwarded-tcpip=0 direct-tcpip=5m session:\*=30' as line 1 of '$file'"
line=${mend#\'}
echo "${line%%\'*}" >"$file"
sees_nothing 'with that line'
rm "$file"

note 'the Match blocks stand in another file, and lack a line'
mv "$dropin" "$dropins/30-mine.conf"
sees_nothing 'where they stand elsewhere'
sed -i '/UnusedConnectionTimeout/d' "$dropins/30-mine.conf"
before 'UnusedConnectionTimeout 5m'
sees warning idle "^for 'gw-tunnel', 'pfwd' UnusedConnectionTimeout is '300', not 'none': '$file:1'$"
rm "$dropins"/10-foreign*
mv "$dropins/30-mine.conf" "$WORK/mine"
sees fail drop-in "^the Match blocks are not in force: '$dropin' is not there$" '^leasectl setup$'
run_mend

note 'UsePAM no'
sed -i 's/^UsePAM yes$/UsePAM no/' "$config"
sees fail sshd "^UsePAM is not yes: '$config:[0-9]*'$" "^'UsePAM yes' in line [0-9]* of '$config'"
sed -i 's/^UsePAM no$/UsePAM yes/' "$config"

note 'the drop-in'
sed -i 's/PermitTTY no/PermitTTY yes/' "$dropin"
sees fail drop-in "was edited by hand: line [0-9]* is 'PermitTTY yes', and setup would write 'PermitTTY no'$" '^leasectl sshd-config >'
run_mend
echo 'AllowOpen pfwd 127.0.0.1:8009' >>"$conf"
sees fail drop-in "is out of date: line [0-9]* is 'PermitOpen .*', and setup would write 'PermitOpen 127.0.0.1:8009 localhost:8009'$" '^leasectl setup$'
run_mend
cp "$config" "$WORK/config"
sed -i '/^Include/d' "$config"
sees fail drop-in "^sshd never reads '$dropin': no Include line of '$config' names it$" '^sed '
run_mend
sed -i '/^Include/d' "$config"
printf 'Match User li\n    PermitTTY yes\nInclude /etc/ssh/sshd_config.d/*.conf\n' >>"$config"
sees fail drop-in "^sshd reads '$dropin' only where 'Match User li' holds: its Include is line [0-9]* of '$config', below that Match of line [0-9]*$" '^sed '
run_mend
sed -i '/^Include/d' "$config"
printf 'Match User pfwd\nInclude /etc/ssh/sshd_config.d/*.conf\n' >>"$config"
sees fail drop-in "only where 'Match User pfwd' holds"
run_mend
cp "$WORK/config" "$config"

note 'room for all agents'
for name in db1 db2 db3; do leasectl agent add "$name" --key "$(new_key "$name").pub" >/dev/null; done
sees_nothing 'with three agents'
sed -i 's/^MaxStartups 100$/MaxStartups 2:30:60/' "$config"
before 'MaxStartups 1:30:60' # 9.2 takes the last line, and the mend must name the one that counts
sees warning 'sshd load' '^MaxStartups is [12]:30:60, and 3 agents come back at once' '^sed '
run_mend
sees_nothing 'with room for them'
rm "$file"
sed -i 's/^MaxStartups .*/MaxStartups 100/' "$config"
reload_sshd
serve_echo 8009
for name in db1 db2; do
	fwd_R "$WORK/$name" gw-tunnel "$(leasectl agents | awk -v n="$name" '$1 == n { print $2 }'):127.0.0.1:8009" || fail "$name: $(tail -n 3 "$WORK/ssh.err")"
done
two_sessions() { (($(leasectl sessions | wc -l) == 2)); }
wait_for 5 'two sessions' two_sessions
before 'PerSourceMaxStartups 1'
sees warning 'sshd load' '^PerSourceMaxStartups is 1, and 2 live sessions come from 127.0.0.1$' '^sed '
run_mend
rm "$file"
reload_sshd
# A stand-in for OpenSSH 9.8, the first with these penalties.
printf '#!/bin/bash\n/usr/sbin/sshd "$@" || exit\n[[ " $* " != *" -T "* ]] || cat /etc/ssh/penalties\n' >/usr/local/sbin/sshd-new
chmod 0755 /usr/local/sbin/sshd-new
printf 'persourcepenalties crash:90 authfail:5 noauth:1\npersourcepenaltyexemptlist none\n' >/etc/ssh/penalties
sed -i '1i Sshd /usr/local/sbin/sshd-new' "$conf"
sees note 'sshd load' '^PerSourcePenalties are on, and 2 live sessions come from 127.0.0.1$' "PerSourcePenaltyExemptList 127.0.0.1'"
sed -i 's/none$/127.0.0.1/' /etc/ssh/penalties
sees_nothing 'where the address is exempt'
sed -i 1d "$conf"

note 'other logins of this host'
before 'PasswordAuthentication yes'
sees note others "^PasswordAuthentication is 'yes' for people: '$file:1'$" "^'PasswordAuthentication no' in line 1 of '$file'"
printf 'Match Address 192.0.2.0/24 User *,!pfwd,!gw-tunnel\n    KbdInteractiveAuthentication yes\n' >"$file"
sees note others "^KbdInteractiveAuthentication is 'yes' for people: '$file:2', below"
echo 'PermitRootLogin yes' >"$file"
sees note others "^PermitRootLogin is 'yes' for root: '$file:1'$"
rm "$file"

note 'PAM'
cp -a /etc/pam.d "$WORK/pam.d"
restore() { cp -a "$WORK"/pam.d/* /etc/pam.d/; }
pam() { sed -i "$1" "/etc/pam.d/$2"; } # SCRIPT FILE
pam '1i account sufficient pam_permit.so' sshd
sees fail pam "^in the account stack of '/etc/pam.d/sshd', 'sufficient pam_permit.so' \(/etc/pam.d/sshd:1\) may end it before pam_tunnel \(/etc/pam.d/common-account:[0-9]*\)$" "^move line 1 of '/etc/pam.d/sshd'"
pam '1d; /^@include common-account/a account sufficient pam_permit.so' sshd
sees_nothing 'with that line moved behind'
restore
pam '/pam_tunnel/d' common-account
echo 'account [success=ignore ignore=ignore module_unknown=ignore default=die] pam_tunnel.so' >>/etc/pam.d/common-account
sees fail pam "new_authtok_reqd=done .*pam_unix.so' .* may end it before pam_tunnel" '^sed '
run_mend
pam '/pam_tunnel/i session [success=1 default=ignore] pam_permit.so' common-session
sees fail pam "session stack .*pam_permit.so' .* may skip pam_tunnel"
pam 's/success=1 default/success=ok default/' common-session
sees_nothing 'where it jumps over nothing'
restore
pam '/^@include common-session/i session substack jail' sshd
printf 'session sufficient pam_permit.so\nsession [default=4] pam_permit.so\n' >/etc/pam.d/jail
sees_nothing 'in a substack, which ends alone'
pam 's/substack/include/' sshd
sees fail pam "'sufficient pam_permit.so' \(/etc/pam.d/jail:1\) may end"
rm /etc/pam.d/jail; restore
pam '/pam_tunnel/i account required pam_permit.so' common-account
sees warning pam "account stack .* pam_tunnel .* stands behind pam_permit" '^sed '
run_mend
pam 's/.*pam_tunnel.*/session optional pam_tunnel.so/' common-session
sees fail pam "^pam_tunnel is 'optional' in the session stack: '/etc/pam.d/common-session:[0-9]*'$" '^sed '
run_mend
pam 's/pam_tunnel.so.*/& group=people/' common-session
sees fail pam "has pam_tunnel.so with 'group=people', and the configuration wants ''"
restore
pam '/pam_tunnel/d' common-account
sees fail pam "^the account stack of '/etc/pam.d/sshd' lacks pam_tunnel.so$" '^sed '
run_mend
pam '/common-session/d' sshd
sees fail pam "^the session stack of '/etc/pam.d/sshd' lacks pam_tunnel.so$" '^sed '
run_mend
pam '/pam_tunnel/d' common-session-noninteractive
sees fail pam "^/etc/pam.d/common-session-noninteractive lacks pam_tunnel.so$"
restore
pam 's/common-session/common-gone/' sshd
sees unknown pam "^the auth stack of '/etc/pam.d/sshd' cannot be followed: 'common-gone' cannot be read$"
restore
module=$(find /lib /usr/lib -name pam_tunnel.so)
mv "$module" "$module.away"
sees fail pam "^'$module' is missing$"
mv "$module.away" "$module"
sees_nothing 'at the end'

note 'a terminal gets one line that sums up'
script -qec 'leasectl doctor' /dev/null </dev/null >"$WORK/out"
tail -n 1 "$WORK/out" | tr -d '\r' >"$WORK/sum"
grep -Eqx '2 warnings, ([0-9]+ notes?, )?[0-9]+ ok: leases hold, and something is not as you expect' "$WORK/sum" || fail "$(cat "$WORK/sum")"
ok "$(cat "$WORK/sum")"
! leasectl doctor | some_line 'leases hold' || fail 'it is in a pipe, too'

note 'setup --undo: live tunnels are ended, or stay when that is asked for'
leasectl grant alice --key "$(new_key alice).pub" --open 8009 >/dev/null
tunnel "$WORK/alice" pfwd -L 18001:127.0.0.1:8009 || fail 'no login'
talk_to 18001
expect_exit 2 leasectl setup --keep-sessions
expect_exit 0 leasectl setup --undo --dry-run
grep -q '^would end 3 live sessions, which ' "$WORK/out" || fail "$(cat "$WORK/out")"
expect_exit 0 leasectl setup --undo --keep-sessions
grep -q "^3 live sessions stay up, and carry data: 'leasectl kill' ends one$" "$WORK/out" || fail "$(cat "$WORK/out")"
talks "$TALK" || fail 'the tunnel is gone'
login_refused "$WORK/alice" pfwd || fail 'a login succeeds after the undo'
assert_eq "$(leasectl doctor | grep -vc '^ok')" 1 'doctor says one thing after the undo'
sees fail setup '^setup was not run here, or it was undone' '^leasectl setup$'
expect_exit 0 leasectl setup
talks "$TALK" || fail 'setup ends tunnels'
expect_exit 0 leasectl setup --undo
grep -q '^ended 3 sessions in ' "$WORK/out" || fail "$(cat "$WORK/out")"
grep -q "no lease opens anything until 'leasectl setup' is run again" "$WORK/out" || fail "$(cat "$WORK/out")"
! talks "$TALK" || fail 'the tunnel is up after the undo'
assert_eq "$(leasectl sessions 2>/dev/null)" '' 'no session is left'

note 'setup --undo, with a connection that is in no registry'
expect_exit 0 leasectl setup
sed -i '/pam_tunnel/d' /etc/pam.d/common-*
tunnel "$WORK/alice" pfwd -L 18001:127.0.0.1:8009 || fail 'no login'
expect_exit 6 leasectl setup --undo
grep -q "still up: 1 connection of login 'pfwd'" "$WORK/err" || fail "$(cat "$WORK/err")"
[[ ! -e $dropin ]] || fail 'the rest was not undone'
fwd_stop
cp -a "$WORK"/pam.d/* /etc/pam.d/
leasectl setup --undo >/dev/null

note 'before the first setup'
userdel pfwd; userdel gw-tunnel; groupdel _tunnel
rm -r /var/lib/tunlease /run/tunlease
sees fail setup '^setup was not run here' '^leasectl setup$'
expect_exit 0 leasectl setup
