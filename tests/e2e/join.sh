#!/bin/bash
# SPDX-License-Identifier: ISC
# An invite: one command of the admin, one line that a stranger runs with plain ssh and a key of his own, and
# data through the tunnel. Then each way in which joining is refused, with its exit status, beside what is
# allowed; and after each refusal that spends nothing, the same code still joins.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/join_lib.sh"

pub() { echo "$WORK/$1.pub"; }
for name in second third fourth fifth sixth; do new_key "$name" >/dev/null; done
join_gateway

note 'a stranger: two commands from invite to data'
invite alice --open 8009 --for 30d
grep -qF "host key" <<<"$INVITED" || fail "no host key: $INVITED"
line=$(sed -n 's/^ *\(ssh .*join@.*\)$/\1/p' <<<"$INVITED")
assert_eq "$line" "ssh join@gateway.test $CODE" 'the line to send is ssh, join@ and the code'
# li has a key where ssh looks for it, and knows the gateway.
sed 's/^[^ ]*/gateway.test/' "$WORK/known_hosts" >~li/.ssh/known_hosts
as_li() { setpriv --reuid=li --regid=li --clear-groups env -i HOME=/home/li PATH="$PATH" bash -c "$*"; }
as_li "$line" </dev/null >"$WORK/first" 2>"$WORK/err" || fail "joining: $(cat "$WORK/first" "$WORK/err")"
fingerprint=$(ssh-keygen -lf ~li/.ssh/id_ed25519.pub | cut -d' ' -f2)
first=$(head -n 1 "$WORK/first")
[[ $first == "joined as 'alice' with your key ssh-ed25519 $fingerprint until 20"* ]] || fail "the first line: $first"
for want in gateway.test pfwd 8009; do grep -qw "$want" "$WORK/first" || fail "not said: $want: $(cat "$WORK/first")"; done
serve 8009
typed=$(sed -n 's/^ *\(ssh -N .*pfwd@gateway.test\)$/\1/p' "$WORK/first")
as_li "exec ${typed/-L 8009:/-L 18009:}" </dev/null 2>"$WORK/ssh.err" &
tunnel=$!
at_exit "$tunnel"
up() { [[ $(fetch http://127.0.0.1:18009/) == 'hello from 8009' ]]; }
wait_for 10 "data through '$typed'" up
ok 'data through the printed line'
kill "$tunnel"
assert_eq "$(leasectl show alice | awk '/^state/ {print $2}')" active 'the lease is alice'
invite_open alice && fail 'the invite is still open'

note 'a lost answer costs nothing; the code is good for nobody else'
as_li "$line" </dev/null >"$WORK/again" 2>"$WORK/err" || fail "again: $(cat "$WORK/err")"
assert_eq "$(cat "$WORK/again")" "$(cat "$WORK/first")" 'the same code with the same key: the same answer'
invite bob --open 8009
start_ms=${EPOCHREALTIME/[.,]/}
joins 3 "$WORK/second" "${line##* }"
((${EPOCHREALTIME/[.,]/} - start_ms >= 1000000)) || fail 'a wrong code is answered within a second'
cp "$WORK/err" "$WORK/spent"
joins 3 "$WORK/second" KQ7P-3XMA-9TRE-WZ2H
assert_eq "$(cat "$WORK/err")" "$(cat "$WORK/spent")" 'a spent code and one that never was: the same words'
[[ ! -s $WORK/out ]] || fail "on standard output: $(cat "$WORK/out")"
joins 3 "$WORK/second" "$CODE-$CODE"
assert_eq "$(cat "$WORK/err")" "$(cat "$WORK/spent")" 'what is no code: the same words'

note 'how a code may be given'
lower=${CODE,,}
joins 0 "$WORK/second" "${lower//-/}"
says "joined as 'bob'"
invite carol --open 8009
printf '%s\n%s\n' "$CODE" 'more' >"$WORK/typed"
expect_exit 0 "${JOIN_SSH[@]}" -i "$WORK/third" "join@$GATEWAY" <"$WORK/typed"
says "joined as 'carol'"
ok 'lower case without hyphens, and on standard input'
leasectl revoke carol >/dev/null
invite dave --open 8009
joins 2 "$WORK/fourth" "$CODE" now
joins 2 "$WORK/fourth" "$CODE" --json "$CODE"
joins 2 "$WORK/fourth" "$CODE$CODE$CODE$CODE"
says 'ssh join@GATEWAY CODE [--json]'
joins 0 "$WORK/fourth" "$CODE" --json
assert_eq "$(field_of '["name"], v["open"], v["keys"][0]["fingerprint"]')" \
	"('dave', ['127.0.0.1:8009'], '$(ssh-keygen -lf "$(pub fourth)" | cut -d' ' -f2)')" 'JSON'
cp "$WORK/out" "$WORK/json"
joins 0 "$WORK/fourth" "$CODE" --json
assert_eq "$(field_of '["name"]')" dave 'and again'

note 'refused with a good code, and not spent'
invite erin --open 8009
joins 5 "$WORK/fourth" "$CODE"
says 'ssh -i FILE -o IdentitiesOnly=yes'
joins 5 "$WORK/third" "$CODE" # its lease was revoked
says 'ssh -i FILE -o IdentitiesOnly=yes'
invite_open erin || fail 'a key that holds a lease spent the invite'
ok 'a key that holds a lease, and one of a revoked lease: 5'
leased_stops
joins 7 "$WORK/fifth" "$CODE"
says 'Nothing was spent'
says 'leased does not answer'
leased_starts
leasectl freeze pfwd --yes >/dev/null
joins 7 "$WORK/fifth" "$CODE"
leasectl thaw pfwd >/dev/null
leasectl freeze --yes >/dev/null
joins 255 "$WORK/fifth" "$CODE"
leasectl thaw >/dev/null
invite_open erin || fail 'spent while leased was stopped, or frozen'
sed -i '/^AllowOpen/d' /etc/tunlease/tunlease.conf
echo 'AllowOpen 127.0.0.1:9000' >>/etc/tunlease/tunlease.conf
leased_stops; leased_starts
joins 4 "$WORK/fifth" "$CODE"
says 8009
sed -i '/^AllowOpen/d' /etc/tunlease/tunlease.conf
leased_stops; leased_starts
joins 0 "$WORK/fifth" "$CODE"
says "joined as 'erin'"
ok 'leased stopped, frozen, a lower ceiling: not spent, and then it joins'
invite frank --open 8009 --from 10.1.2.0/24
joins 4 "$WORK/sixth" "$CODE"
says 127.0.0.1
invite_open frank || fail 'an address outside --from spent the invite'
ok 'outside --from: 4, and it says from where'
invite gina --open 8009
# An open invite reserves its name. Here another hand has taken it.
sqlite3 /var/lib/tunlease/leases.db "UPDATE lease SET name = 'gina' WHERE name = 'bob'"
joins 5 "$WORK/sixth" "$CODE"
says gina
sqlite3 /var/lib/tunlease/leases.db "UPDATE lease SET name = 'bob' WHERE name = 'gina'"
joins 0 "$WORK/sixth" "$CODE"
ok 'a name that was taken meanwhile: 5, not spent'

note 'no invite is open'
leasectl invite revoke "$(leasectl invite list | awk '$2 == "frank" {print $1}')" >/dev/null
new_key seventh >/dev/null
joins 255 "$WORK/seventh" "$CODE"
grep -q 'Permission denied (publickey)' "$WORK/err" || fail "not sshd's refusal: $(cat "$WORK/err")"
says 'invite'
ok "sshd's refusal, and our Banner"
wait_for 10 'no connection of the login to be left' nobody_joins
