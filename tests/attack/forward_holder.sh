#!/bin/bash
# SPDX-License-Identifier: ISC
# A holder of ssh -L to one port, who wants more: the port by other spellings, other ports, port 0, names with
# bytes that no name has, a name that is turned to another address, and -R in all its forms. With both layers, and
# with each alone. sshd itself says of each attempt that it was not permitted; a user without restrictions gets
# through with the same words.
# sandbox:
# sandbox: --no-match
# sandbox: --no-keyopts
# timeout: 240
set -eu
. "$TOP/tests/lib.sh"

mode=${SANDBOX_MODE:- both}
for host in 127.0.0.1 ::1 127.0.0.2; do serve 8009 "$host"; done
serve 8010
serve 8010 127.0.0.2
serve 9090
cat >>/etc/tunlease/tunlease.conf <<'C'
AllowOpen pfwd 127.0.0.1:8009
AllowOpen pfwd db.test:8010
PublicHost gateway.test
C
[[ $mode == *no-match* ]] || { leasectl setup >/dev/null && reload_sshd; }
# Then ports below 1024 are no limit of their own.
echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start
name_is() { printf '%s\n' '127.0.0.1 localhost gateway.test' '::1 localhost gateway.test' "$1 db.test" >/etc/hosts; }
name_is 127.0.0.2

friend=$(new_key friend)
leasectl grant friend --key "$friend.pub" --open 8009 >/dev/null
named=$(new_key named)
leasectl grant named --key "$named.pub" --open db.test:8010 >/dev/null

# connect KEY LOGIN: one connection, for all attempts
connect() { tunnel "$1" "$2" -M -S "$WORK/master" -D 127.0.0.1:1080 || fail "$2 is not let in: $(tail -n 2 "$WORK/ssh.err")"; }
denied() { grep -c "to connect to host .*, but the request was denied" "$SANDBOX_LOG" || :; }
so_many() { (($(denied) - $2 == $1)); }
# reach WANT: each of the places on standard input is reached | refused, and the refused ones by sshd's permits
reach()
{
	local places before
	mapfile -t places
	before=$(denied)
	printf '%s\n' "${places[@]}" | python3 "$TOP/tests/attack/socks.py" 1080 >"$WORK/reach"
	diff <(printf '%s\n' "${places[@]/#/$1 }") "$WORK/reach" >"$WORK/diff" || fail "want all $1: $(cat "$WORK/diff")"
	[[ $1 == reached ]] || wait_for 5 'sshd to say of each that it was denied, and not by the network' so_many "${#places[@]}" "$before"
	ok "${#places[@]} places: $1"
}
listens() { ss -Hltn; ss -Hlx | awk '{ print $5 }'; }
listens_as() { [[ $(listens | sort) == "$1" ]]; }
# reverse WANT: each of the -R on standard input is taken | refused
reverse()
{
	local spec before rc
	before=$(listens | sort)
	while read -r spec; do
		rc=0
		ssh -F none -S "$WORK/master" -O forward -R "$spec:127.0.0.1:9090" "$GATEWAY" >"$WORK/out" 2>&1 || rc=$?
		[[ $1 == taken ]] || { ((rc != 0)) || fail "-R $spec is taken"; continue; }
		((rc == 0)) || fail "-R $spec is refused: $(cat "$WORK/out")"
		[[ $(listens | sort) != "$before" ]] || fail "-R $spec: nothing listens"
		ssh -F none -S "$WORK/master" -O cancel -R "$spec:127.0.0.1:9090" "$GATEWAY" >"$WORK/out" 2>&1 || fail "$(cat "$WORK/out")"
		wait_for 5 "the port of -R $spec to be given back" listens_as "$before"
		rm -f /tmp/holder.sock
	done
	[[ $1 == taken ]] || assert_eq "$(listens | sort)" "$before" 'and nothing listens that did not before'
}

# All of these are the permitted port, or one beside it.
respelled='127.1 8009
127.0.1 8009
0x7f000001 8009
0x7f.0.0.1 8009
2130706433 8009
017700000001 8009
0177.0.0.1 8009
127.0.0.01 8009
LOCALHOST 8009
Localhost 8009
gateway.test 8009
0 8009
0.0.0.0 8009
::1 8009
::ffff:127.0.0.1 8009
::FFFF:7f00:1 8009
0:0:0:0:0:ffff:127.0.0.1 8009
:: 8009
127.0.0.2 8009
127.0.0.1 9090
localhost 9090
localhost 8010'
# These are no address; what a pattern, a cut or a second word could make of them is.
odd='localhost. 8009
* 8009
127.0.0.* 8009
127.0.0.1:8009 8009
[127.0.0.1] 8009
127.0.0.1, 8009
127.0.0.1,127.0.0.2 8009
127.0.0.1\t 8009
127.0.0.1\n127.0.0.2 8009
\x20127.0.0.1 8009
127.0.0.1%lo 8009
127.0.0.1/8 8009
localhost\r 8009
localhost:8009\x20127.0.0.2 9090
/tmp/socket 8009
any 8009
none 8009
127.0.0.1 0
localhost 0
* 0
127.0.0.1 65535
NONE 1
255.255.255.255 8009'
away='20001
127.0.0.1:20001
127.0.0.1:0
0
*:20001
0.0.0.0:20001
[::]:20001
[::1]:20001
127.0.0.1:80
127.0.0.1:1'

note 'a user without restrictions'
connect /home/li/.ssh/id_ed25519 li
reach reached <<<"$respelled"$'\n127.0.0.1 8009\nlocalhost 8009\ndb.test 8010'
reverse taken <<<"$away"$'\n/tmp/holder.sock'
fwd_stop

note 'the holder of 127.0.0.1:8009'
connect "$friend" pfwd
reach reached <<<$'127.0.0.1 8009\nlocalhost 8009'
reach refused <<<"$respelled"
reach refused <<<"$odd"
# NONE:1 is what the key line of a lease without a listen permit names.
reverse refused <<<"$away"$'\nNONE:1\nnone:1\nlocalhost:1\n*:1\n127.0.0.1:8009\n127.0.0.1:8010'
# The key line cannot refuse a unix socket: e2e/pairs.
[[ $mode == *no-match* ]] || reverse refused <<<$'/tmp/holder.sock\n/run/tunlease/holder.sock'
reach reached <<<$'127.0.0.1 8009\nlocalhost 8009'
fwd_stop

note 'the holder of db.test:8010, who turns the name to where he likes'
others='DB.test 8010
db.test. 8010
db.test 9090
db.test 8009
db.test 22
127.0.0.1 8010
127.0.0.2 8010
localhost 8010
x.db.test 8010'
connect "$named" pfwd
reach reached <<<'db.test 8010'
reach refused <<<"$others"
for to in 127.0.0.1 ::1 0.0.0.0 ::ffff:127.0.0.1; do
	name_is "$to"
	reach refused <<<"$others"
done
ok 'while he is connected: the port stays the one that was permitted, and no address is permitted by the name'
name_is 127.0.0.2
reach reached <<<'db.test 8010'
fwd_stop
