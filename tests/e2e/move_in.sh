#!/bin/bash
# SPDX-License-Identifier: ISC
# A gateway as a guide in public makes it, with a Match block that sorts before ours and an authorized_keys
# file: setup stops and says what to do; those very lines move it, and every friend is in at every moment, with
# the tunnels that were up and with new logins.
# sandbox: --bare
# timeout: 150
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/demo_lib.sh"

fresh_gateway
sed 's/^/127.0.0.1 /' /etc/ssh/ssh_host_*_key.pub >"$WORK/known_hosts"
serve 8009
serve 9090

note 'the gateway of the guide, with its own commands'
harden_sshd
adduser --quiet --disabled-password --gecos '' --shell /usr/sbin/nologin pfwd >/dev/null 2>&1
passwd -q -l pfwd
mkdir -p /home/pfwd/.ssh
chown pfwd:pfwd /home/pfwd/.ssh
chmod 700 /home/pfwd/.ssh
friends=(ann bob cy)
for friend in "${friends[@]}"; do
	ssh-keygen -q -t ed25519 -f "$WORK/$friend" -N '' -C pfwd-tunnel
	echo "restrict,port-forwarding,permitopen=\"127.0.0.1:8009\" $(cat "$WORK/$friend.pub")"
done >/home/pfwd/.ssh/authorized_keys
chown pfwd:pfwd /home/pfwd/.ssh/authorized_keys
chmod 600 /home/pfwd/.ssh/authorized_keys
cat >/etc/ssh/sshd_config.d/20-pfwd-only.conf <<-END
	Match User pfwd
	    # Second restriction layer — enforced by the daemon independently of key options.
	    ForceCommand /usr/sbin/nologin
	    PermitTTY no
	    AllowTcpForwarding local
	    PermitOpen 127.0.0.1:8009
	    X11Forwarding no
	    AllowAgentForwarding no
	    PermitTunnel no
	    AllowStreamLocalForwarding no
	    GatewayPorts no
	    PasswordAuthentication no
	    KbdInteractiveAuthentication no
	    AuthenticationMethods publickey
	Match all
END
reload_sshd
keys=/home/pfwd/.ssh/authorized_keys
block=/etc/ssh/sshd_config.d/20-pfwd-only.conf

# reaches KEY PORT: a new login gets data from it. What ssh says is in $err.
err=$WORK/w.err
reaches() { [[ $("${SSH[@]}" -i "$1" -W "127.0.0.1:$2" -l pfwd 127.0.0.1 </dev/null 2>"$err") == *"hello from $2" ]]; }

# Each friend holds a tunnel from now on.
port=18001 held=()
for friend in "${friends[@]}"; do
	fwd_L "$WORK/$friend" pfwd "$port:127.0.0.1:8009" || fail "$friend: $(tail -n 2 "$WORK/ssh.err")"
	held+=("$port $FWD_PID")
	port=$((port + 1))
done

# And one friend logs in again and again. Only while sshd reloads may nobody listen.
log_in_again()
{
	local err=$WORK/again.err
	while [[ ! -e $WORK/enough ]]; do
		if reaches "$WORK/ann" 8009; then echo in; elif grep -q 'Connection refused' "$err"; then echo reload; else cat "$err"; fi
	done
}
log_in_again >"$WORK/again" &
again=$!
at_exit "$again"

# tries WHEN FRIEND PORT: in the background
tries()
{
	local err=$WORK/$2.$3.err
	case $3 in
	8009) reaches "$WORK/$2" 8009 || fail "$1: $2 is locked out: $(cat "$err")" ;;
	*) ! reaches "$WORK/$2" "$3" || fail "$1: $2 reaches another port" ;;
	esac
}
all_in() { # WHEN
	local friend item pid pids=()
	for friend in "${friends[@]}"; do tries "$1" "$friend" 8009 & pids+=("$!"); done
	tries "$1" bob 9090 & pids+=("$!")
	for item in "${held[@]}"; do
		kill -0 "${item#* }" 2>/dev/null || fail "$1: a tunnel has ended"
		[[ $(fetch "http://127.0.0.1:${item% *}/") == 'hello from 8009' ]] || fail "$1: a tunnel carries nothing"
	done
	for pid in "${pids[@]}"; do wait "$pid" || exit 1; done
	ok "$1: every friend is in"
}
all_in 'before'

note 'setup stops, and changes nothing for anybody'
expect_exit 5 leasectl setup --dry-run
[[ ! -e /var/lib/tunlease ]] || fail 'a dry run makes the store'
expect_exit 5 leasectl setup
cat "$WORK/err"
grep -q "3 of 3 keys that '$keys' lets in have no lease (line 1)" "$WORK/err" || fail "the keys are not named: $(cat "$WORK/err")"
grep -q "and '$block' has a Match block for it (line 1)" "$WORK/err" || fail 'the block is not named'
assert_eq "$(stat -c '%U:%G %a' /var/lib/tunlease)" '_tunlease:_tunlease 2750' 'the store is there for the import'
! id -nG pfwd | some_line -w _tunnel || fail 'the login was taken over'
[[ ! -e /etc/ssh/sshd_config.d/20-tunlease.conf ]] || fail 'the drop-in was written'
! grep -q pam_tunnel /etc/pam.d/common-* || fail 'PAM was changed'
all_in 'setup has stopped'
sed -n 's/^    //p' "$WORK/err" >"$WORK/steps"
assert_eq "$(sed 's/ *#.*//' "$WORK/steps")" "leasectl lint $keys
leasectl import $keys --login pfwd --dry-run
leasectl import $keys --login pfwd
mv $block $block.moved
leasectl setup
mv $keys $keys.moved" 'the steps'
assert_eq "$(awk '/^## / { on = $0 == "## Moving over from authorized_keys" } on && sub(/^    gateway# /, "")' "$TOP/README.md")" \
	"leasectl setup
$(sed 's/ *#.*//' "$WORK/steps")" 'they are those of README.md'

note 'setup again without the import stops again, also when the block alone is out of the way'
mv "$block" "$block.moved"
expect_exit 5 leasectl setup
assert_eq "$(grep -c '^    ' "$WORK/err")" 5 'the steps that are left'
mv "$block.moved" "$block"
all_in 'setup has stopped again'

note 'each step as it was printed'
while read -r command; do
	[[ $command != 'leasectl lint '* ]] || leasectl help lint >/dev/null 2>&1 || continue # not there yet
	if [[ $command == 'leasectl setup'* ]]; then # sshd asks a second file, too
		ssh-keygen -q -t ed25519 -f "$WORK/dee" -N '' -C dee
		echo "restrict,port-forwarding,permitopen=\"127.0.0.1:8009\" $(cat "$WORK/dee.pub")" >"${keys}2"
		expect_exit 5 leasectl setup
		grep -q "1 of 1 key that '${keys}2' lets in has no lease" "$WORK/err" || fail "the second file is not named: $(cat "$WORK/err")"
		rm "${keys}2"
		ln -s "${keys##*/}2" "${keys}2" # it cannot be opened, so nobody knows whom it lets in
		expect_exit 1 leasectl setup
		grep -q "cannot read '${keys}2'" "$WORK/err" || fail "a file that cannot be read counts as none: $(cat "$WORK/err")"
		rm "${keys}2"
		mkfifo "${keys}2" # which sshd does not read, and which must not hold setup up
	fi
	rc=0
	bash -c "$command" >"$WORK/out" 2>"$WORK/err" || rc=$?
	case $command in
	*lint*) ((rc <= 1)) || fail "'$command' exits $rc" ;;
	*'leasectl setup'*) ((rc <= 1)) || fail "'$command' exits $rc: $(cat "$WORK/err")"; cp "$WORK/out" "$WORK/setup.out" ;;
	*) ((rc == 0)) || fail "'$command' exits $rc: $(cat "$WORK/err")" ;;
	esac
	all_in "$command"
done <"$WORK/steps"
grep -q "^sshd does not ask '$keys' any more" "$WORK/setup.out" || fail "setup does not say what to do with the file: $(tail -n 3 "$WORK/setup.out")"
touch "$WORK/enough"
wait "$again"
! grep -v -x -e in -e reload "$WORK/again" || fail 'somebody was locked out in between'
note "$(grep -c -x in "$WORK/again") logins in between, $(grep -c -x reload "$WORK/again" || :) while sshd reloaded"

note 'and what is there now is ours'
assert_eq "$(leasectl list | cut -f2,3,6,7)" "pfwd-tunnel	pfwd	127.0.0.1:8009	
pfwd-tunnel-2	pfwd	127.0.0.1:8009	
pfwd-tunnel-3	pfwd	127.0.0.1:8009	" 'three leases'
grep -qx 'authorizedkeysfile none' <<<"$(sshd_effective pfwd)" || fail 'sshd still reads the file'
expect_exit 1 leasectl doctor
grep -q '^FAIL.registry.3 connections of tunnel logins are in no entry' "$WORK/out" || fail 'doctor does not name the tunnels of before'
for item in "${held[@]}"; do fwd_stop "${item#* }"; done
expect_exit 0 leasectl revoke pfwd-tunnel-2
login_refused "$WORK/bob" pfwd || fail 'a revoked friend is let in'
reaches "$WORK/cy" 8009 || fail 'another friend is locked out'
wait_idle
usermod --home / pfwd # as doctor says; usermod(8) waits for the last tunnel of before
expect_exit 0 leasectl setup
expect_exit 0 leasectl doctor
ok 'what doctor had said is mended, and setup has nothing more to do'
