#!/bin/bash
# SPDX-License-Identifier: ISC
# A client that offers a hundred keys: sshd asks akc for six of them at most, none of the others is let in by that, and
# a holder comes in meanwhile. Whose good key is among the first comes in, as always.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"

serve 8009
new_key alice >/dev/null
leasectl grant alice --key "$WORK/alice.pub" --open 8009 >/dev/null
new_key late >/dev/null
leasectl grant late --key "$WORK/late.pub" --open 8009 >/dev/null
eval "$(ssh-agent -s)" >/dev/null
at_exit "$SSH_AGENT_PID"
for i in {1..99}; do new_key "k$i" >/dev/null; done
with_agent=("${SSH[@]/#IdentitiesOnly=yes/IdentitiesOnly=no}")
with_agent=("${with_agent[@]/#IdentityAgent=none/IdentityAgent=$SSH_AUTH_SOCK}")
offers() { "${with_agent[@]}" -v -N -T "pfwd@$GATEWAY" </dev/null >/dev/null 2>"$WORK/offers"; }
asked() { grep -c 'akc.*: refused login=pfwd' "$SANDBOX_LOG" || :; }

note 'the good key is the last of a hundred'
ssh-add -q "$WORK"/k{1..99} "$WORK/late" 2>/dev/null
before=$(asked)
for i in {1..5}; do { offers || :; } & done
fwd_L "$WORK/alice" pfwd 18001:127.0.0.1:8009 || fail 'alice is kept out'
assert_eq "$(fetch http://127.0.0.1:18001/)" 'hello from 8009' 'alice comes in beside them'
fwd_stop
wait_idle
! offers || fail 'it is let in'
grep -q 'Too many authentication failures' "$WORK/offers" || fail "$(tail -n 3 "$WORK/offers")"
tried=$(($(asked) - before))
((tried > 0 && tried <= 36)) || fail "akc was asked $tried times by six connections"
ok "after 100 keys: refused; six connections had akc asked $tried times"
assert_eq "$(leasectl sessions)" '' 'and no session'

note 'the good key is the second'
ssh-add -q -D 2>/dev/null
ssh-add -q "$WORK/k1" "$WORK/late" "$WORK"/k{2..99} 2>/dev/null
offers & client=$!
at_exit "$client"
is_in() { [[ $(leasectl sessions | cut -f1) == late ]]; }
wait_for 10 'the holder to be in' is_in
ok 'it is let in, as the lease of that key'
