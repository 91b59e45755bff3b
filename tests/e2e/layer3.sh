#!/bin/bash
# SPDX-License-Identifier: ISC
# pam_tunnel alone (layer 3): sshd has no Match block and no akc, and the tunnel login has an
# authorized_keys of its own with unrestricted keys. Without an active lease such a key can do
# nothing, and its connection ends at once.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"

for name in stranger alice lapsed; do new_key "$name" >/dev/null; done
pub() { echo "$WORK/$1.pub"; }
serve_echo 8009
serve_echo 8010
leasectl grant alice --key "$(pub alice)" --open 8009 >/dev/null
leasectl grant lapsed --key "$(pub lapsed)" --open 8009 >/dev/null
leasectl revoke lapsed >/dev/null

rm /etc/ssh/sshd_config.d/20-tunlease.conf
usermod -d /home/pfwd -s /bin/bash pfwd
install -d -o pfwd -m 700 /home/pfwd /home/pfwd/.ssh
cat "$(pub stranger)" "$(pub alice)" "$(pub lapsed)" >/home/pfwd/.ssh/authorized_keys
reload_sshd
! sshd_effective pfwd | some_line '^authorizedkeyscommand /' || fail 'akc is still asked'

as() { local name=$1; shift; timeout "$(slow 10)" "${SSH[@]}" -i "$WORK/$name" -l pfwd "$@"; }

# can_do_nothing KEY: tries everything that an unrestricted key may do.
can_do_nothing()
{
	local name=$1 rc start took_ms
	as "$name" "$GATEWAY" 'echo it-ran; touch /home/pfwd/ran' >"$WORK/out" 2>"$WORK/err" && fail "$name: a command succeeds"
	[[ ! -s $WORK/out && ! -e /home/pfwd/ran ]] || fail "$name: a command ran: $(cat "$WORK/out")"
	grep -qE 'closed by remote host|Broken pipe|Connection reset' "$WORK/err" || fail "$name: the connection was not ended: $(cat "$WORK/err")"
	echo 'echo it-ran; touch /home/pfwd/ran' | as "$name" -tt "$GATEWAY" >"$WORK/out" 2>&1 && fail "$name: a shell succeeds"
	[[ ! -e /home/pfwd/ran ]] || fail "$name: a shell ran"
	echo ls | timeout "$(slow 10)" sftp -b - -S ssh -F none -o IdentityFile="$WORK/$name" -o IdentityAgent=none \
		-o UserKnownHostsFile="$WORK/known_hosts" "pfwd@$GATEWAY" >"$WORK/out" 2>&1 && fail "$name: sftp succeeds"
	as "$name" -W 127.0.0.1:8009 "$GATEWAY" </dev/null >"$WORK/out" 2>"$WORK/err" && fail "$name: -W succeeds"
	[[ ! -s $WORK/out ]] || fail "$name: -W carries data"
	# The forwards are tried from before the connection is up until it has ended: none ever carries
	# a byte.
	start=${EPOCHREALTIME/./}
	rc=0
	as "$name" -N -v -L 18001:127.0.0.1:8009 -R 20001:127.0.0.1:8010 -D 18002 "$GATEWAY" 2>"$WORK/err" &
	FWD_PID=$!
	while kill -0 "$FWD_PID" 2>/dev/null; do
		for port in 18001 20001; do
			exec {fd}<>"/dev/tcp/127.0.0.1/$port" || continue
			! talks "$fd" || fail "$name: port $port carries data"
			exec {fd}>&-
		done 2>/dev/null
	done
	wait "$FWD_PID" || rc=$?
	took_ms=$(((${EPOCHREALTIME/./} - start) / 1000))
	((rc == 255)) || fail "$name: ssh -N exits $rc"
	grep -q '^Authenticated to' "$WORK/err" || fail "$name: sshd itself refuses the key: $(tail -n 2 "$WORK/err")"
	((took_ms < $(slow 5000))) || fail "$name: still connected after $took_ms ms"
	assert_eq "$(leasectl sessions)" '' "$name: could do nothing, and was ended after $took_ms ms"
}

note 'a key without a lease'
can_do_nothing stranger
wait_log 5 'pam_tunnel.sshd:session.: refused login=pfwd key=SHA256:.* source=127.0.0.1: the key holds no active lease'
note 'a key of a revoked lease'
can_do_nothing lapsed
wait_idle
[[ -z $(pgrep -u pfwd) ]] || fail 'a process of pfwd is left'
[[ -z $(ls /run/tunlease/sessions) ]] || fail 'an entry is left'

note 'a key of an active lease: the session opens; only layers 1 and 2 restrict what it may do'
as alice "$GATEWAY" 'echo it-ran' >"$WORK/out" 2>/dev/null || fail 'a command fails'
assert_eq "$(cat "$WORK/out")" it-ran 'an unrestricted line may run a command'
tunnel "$WORK/alice" pfwd -L 18001:127.0.0.1:8009 -L 18002:127.0.0.1:8010 || fail 'its tunnel fails'
talk_to 18001; permitted=$TALK
talk_to 18002; beyond=$TALK
{ talks "$permitted" && talks "$beyond"; } || fail 'no data'
ok 'its tunnel opens more than the lease permits'
assert_eq "$(leasectl sessions | cut -f1,2)" $'alice\tpfwd' 'the session is registered'
expect_exit 0 leasectl revoke alice
grep -q '^ended 1 session' "$WORK/out" || fail "$(cat "$WORK/out")"
{ ! talks "$permitted" && ! talks "$beyond"; } || fail 'the lease is revoked, and its tunnel carries data'
wait_for 5 'the client to go' is_gone "$FWD_PID"
can_do_nothing alice

note 'end=no: refused as well; the connection stays up and carries nothing'
sed -i '/pam_tunnel/s/$/ end=no/' /etc/pam.d/common-session
ssh_start "$WORK/stranger" pfwd '^debug1: Entering interactive' -L 18001:127.0.0.1:8009 || fail 'the connection did not come up'
talk_to 18001
! talks "$TALK" || fail 'its forward carries data'
as stranger "$GATEWAY" 'echo it-ran' >"$WORK/out" 2>/dev/null && fail 'a command succeeds'
[[ ! -s $WORK/out ]] || fail 'a command ran'
kill -0 "$FWD_PID" || fail 'the connection was ended'
fwd_stop
sed -i '/pam_tunnel/s/ end=no//' /etc/pam.d/common-session

note 'the counterproof: a person with the same key file, and the stranger without the module'
install -o li "$WORK/stranger.pub" /home/li/.ssh/authorized_keys
assert_eq "$("${SSH[@]}" -i "$WORK/stranger" -l li "$GATEWAY" 'echo it-ran')" it-ran 'li runs a command'
sed -i '/pam_tunnel/d' /etc/pam.d/common-*
assert_eq "$(as stranger "$GATEWAY" 'echo it-ran')" it-ran 'without the module the stranger runs a command'
tunnel "$WORK/stranger" pfwd -L 18001:127.0.0.1:8009 || fail 'without the module the tunnel fails'
talk_to 18001
talks "$TALK" || fail 'no data'
