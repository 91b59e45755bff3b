#!/bin/bash
# SPDX-License-Identifier: ISC
# A holder of ssh -R on one port, who wants more: the port on other addresses, another's port, any port, a port that
# a service of the host has or could have, a unix socket, and -L. With both layers, and with each alone; a user
# without restrictions gets all that is free.
# sandbox:
# sandbox: --no-match
# sandbox: --no-keyopts
# timeout: 240
set -eu
. "$TOP/tests/lib.sh"

mode=${SANDBOX_MODE:- both}
serve 9090
cat >>/etc/tunlease/tunlease.conf <<'C'
AllowListen 127.0.0.1:20001
AllowListen 127.0.0.1:20002
PublicHost gateway.test
C
[[ $mode == *no-match* ]] || { leasectl setup >/dev/null && reload_sshd; }
# Then ports below 1024 are no limit of their own.
echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start

for name in db1 db2; do new_key "$name" >/dev/null; done
leasectl grant db1 --login gw-tunnel --key "$WORK/db1.pub" --listen 127.0.0.1:20001 >/dev/null
leasectl grant db2 --login gw-tunnel --key "$WORK/db2.pub" --listen 127.0.0.1:20002 >/dev/null

connect() { tunnel "$1" "$2" -M -S "$WORK/master" -D 127.0.0.1:1080 || fail "$2 is not let in: $(tail -n 2 "$WORK/ssh.err")"; }
master() { ssh -F none -S "$WORK/master" -O "$1" -R "$2:127.0.0.1:9090" "$GATEWAY" >"$WORK/out" 2>&1; }
listens() { { ss -Hltn | awk '{ print $4 }'; ss -Hlx | awk '{ print $5 }'; } | sort; }
listens_as() { [[ $(listens) == "$1" ]]; }
denied() { grep -c 'to remote forward to host .*, but the request was denied' "$SANDBOX_LOG" || :; }
so_many() { (($(denied) - $2 == $1)); }
taken() # SPEC...: each, and given back
{
	local spec before
	for spec; do
		before=$(listens)
		master forward "$spec" || fail "-R $spec is refused: $(cat "$WORK/out")"
		[[ $(listens) != "$before" ]] || fail "-R $spec: nothing listens"
		master cancel "$spec" || fail "$(cat "$WORK/out")"
		wait_for 5 "the port of -R $spec to be given back" listens_as "$before"
		rm -f /tmp/holder.sock
	done
	ok "$# times -R"
}
refused() # SPEC...
{
	local spec before denied
	before=$(listens)
	denied=$(denied)
	for spec; do ! master forward "$spec" || fail "-R $spec is taken"; done
	assert_eq "$(listens)" "$before" "$# times -R: nothing listens that did not before"
	[[ $1 == /* ]] || wait_for 5 'sshd to say of each that it was denied' so_many $# "$denied"
}
reach() # WANT: as in forward_holder
{
	local places
	mapfile -t places
	printf '%s\n' "${places[@]}" | python3 "$TOP/tests/attack/socks.py" 1080 >"$WORK/reach"
	diff <(printf '%s\n' "${places[@]/#/$1 }") "$WORK/reach" >"$WORK/diff" || fail "want all $1: $(cat "$WORK/diff")"
	ok "${#places[@]} places: $1"
}

wider=('*:20001' ':20001' 0.0.0.0:20001 '[::]:20001' '[::1]:20001' 127.0.0.2:20001 127.1:20001
	gateway.test:20001)
any=(0 127.0.0.1:0 localhost:0 '*:0' '[::1]:0')
another=(127.0.0.1:20003 127.0.0.1:19999 20003 127.0.0.1:80 80 127.0.0.1:443 127.0.0.1:1 NONE:1)
in_use=(127.0.0.1:22 22 127.0.0.1:9090)

note 'a user without restrictions'
connect /home/li/.ssh/id_ed25519 li
taken "${wider[@]}" "${any[@]}" "${another[@]:0:7}" 127.0.0.1:20002 /tmp/holder.sock
reach reached <<<$'127.0.0.1 9090\nlocalhost 9090\n127.0.0.1 22'
fwd_stop

note 'the holder of 127.0.0.1:20001'
connect "$WORK/db1" gw-tunnel
# sshd compares the names of -R without regard to case.
taken 127.0.0.1:20001 localhost:20001 20001 LOCALHOST:20001
refused "${wider[@]}" localhost.:20001 '127.0.0.*:20001' '[::ffff:127.0.0.1]:20001'
refused "${any[@]}"
refused "${another[@]}" "${in_use[@]}"
# Of two leases of one login the Match block knows nothing, and the key line nothing of unix sockets: e2e/pairs.
[[ $mode == *no-keyopts* ]] || refused 127.0.0.1:20002 localhost:20002 20002
[[ $mode == *no-match* ]] || refused /tmp/holder.sock
note 'while the other holds his'
master forward 127.0.0.1:20001 || fail "$(cat "$WORK/out")"
first=$FWD_PID
tunnel "$WORK/db2" gw-tunnel -R 127.0.0.1:20002:127.0.0.1:9090 || fail "$(tail -n 2 "$WORK/ssh.err")"
! master forward 127.0.0.1:20002 || fail "another's port that is in use is taken"
# With the Match block alone sshd gives that to whoever is first.
[[ $mode == *no-keyopts* ]] || ! master forward localhost:20002 || fail "another's port is taken on the other family of addresses"
assert_eq "$(fetch http://127.0.0.1:20001/) $(fetch http://127.0.0.1:20002/)" 'hello from 9090 hello from 9090' 'both ports carry data'
# Another's port to open is another's tunnel: nobody who only listens may.
reach refused <<<$'127.0.0.1 9090\nlocalhost 9090\n127.0.0.1 22\n127.0.0.1 20001\n127.0.0.1 20002\nlocalhost 20002\n::1 22\n255.255.255.255 1\n127.0.0.1 0\n* 9090'
fwd_stop "$first"
assert_eq "$(fetch http://127.0.0.1:20002/)" 'hello from 9090' 'the other one stays when the first is gone'
