#!/bin/bash
# SPDX-License-Identifier: ISC
# Joining with clients that are not OpenSSH: PuTTY's plink, and dropbear's dbclient. For each two commands from
# the invite to data through the tunnel, and its answer to a wrong code.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/join_lib.sh"

missing=''
for name in plink:putty-tools puttygen:putty-tools dbclient:dropbear-bin dropbearkey:dropbear-bin; do
	type -P "${name%:*}" >/dev/null || missing=${name#*:}
done
type -P plink dbclient >/dev/null || { echo "needs $missing"; exit 77; }

export HOME=$WORK
mkdir -m 700 "$WORK/.ssh"
# As dropbear writes them: it takes a comment for a part of the key.
awk '$2 == "ssh-ed25519" {print "gateway.test", $2, $3}' "$WORK/known_hosts" >"$WORK/.ssh/known_hosts"
host_key=$(ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub | cut -d' ' -f2)
join_gateway
serve 8009

# comes_in NAME WORD...: WORDs are a client with its options, which end in those for its key.
comes_in()
{
	local name=$1 login port=$((18009 + ${#tunnels[@]})) status=0; shift
	invite "$name" --open 8009
	"$@" join@gateway.test WRON-GCOD-EWRO-NGCO </dev/null >"$WORK/out" 2>"$WORK/err" || status=$?
	assert_eq "$status" 3 "$name: a wrong code"
	"$@" join@gateway.test "$CODE" </dev/null >"$WORK/out" 2>"$WORK/err" ||
		fail "$name: exit $?: $(cat "$WORK/out" "$WORK/err")"
	says "joined as '$name'"
	login=$(sed -n 's/.* \([a-z]*@gateway\.test\)$/\1/p' "$WORK/out" | head -n 1)
	"$@" -N -L "$port:127.0.0.1:8009" "$login" </dev/null >"$WORK/out" 2>"$WORK/err" &
	tunnels+=("$!")
	at_exit "$!"
	wait_for 10 "$name: data" eval "[[ \$(fetch http://127.0.0.1:$port/) == 'hello from 8009' ]]"
	ok "$name: two commands, and data"
}

tunnels=()
if type -P plink puttygen >/dev/null; then
	puttygen -q -t ed25519 -o "$WORK/plink.ppk" --new-passphrase /dev/null
	comes_in plink plink -batch -ssh -hostkey "$host_key" -i "$WORK/plink.ppk"
fi
if type -P dbclient dropbearkey >/dev/null; then
	dropbearkey -t ed25519 -f "$WORK/dropbear.key" >/dev/null 2>&1
	comes_in dbclient dbclient -i "$WORK/dropbear.key"
fi
[[ -z $missing ]] || { echo "the other client was not tried: needs $missing"; exit 77; }
