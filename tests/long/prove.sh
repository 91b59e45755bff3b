#!/bin/bash
# SPDX-License-Identifier: ISC
# leasectl prove: more logins than are tried at once; killed at once; a gateway that is too slow for its
# minute; frozen; a ceiling without a port of this host; 10,000 leases; on a terminal; Match blocks without
# their settings, and PAM without the module.
# sandbox:
# timeout: 900
set -eu
. "$TOP/tests/lib.sh"
# shellcheck source=tests/prove_lib.sh
. "$TOP/tests/prove_lib.sh"
for login in team1 team2 team3; do
	leasectl login add "$login" >/dev/null 2>&1
	new_key "$login" >/dev/null
	leasectl grant "$login" --login "$login" --key "$WORK/$login.pub" --open 8010 >/dev/null 2>&1
done
leasectl setup >/dev/null
remember

note 'five logins'
expect_exit 0 leasectl prove --report "$WORK/five"
ok "$(cat "$WORK/out")"
nothing_left 'a run'
for login in pfwd gw-tunnel team1 team2 team3; do
	(($(tells "$WORK/five" "len([a for t in trials for a in t['attempts'] if a['what'].startswith('$login: ')])") > 20)) ||
		fail "verify did not try $login"
done
ok 'verify has tried each'

note 'killed with SIGKILL'
leasectl prove --report "$WORK/killed" >"$WORK/out" 2>"$WORK/err" & pid=$!
probes() { leasectl list --all | grep -c $'\tverify-' || :; }
both() { (($(probes) >= 2)); }
wait_for 10 'its leases' both
kill -KILL "$pid"
wait "$pid" 2>/dev/null || :
no_more() { ! pgrep -f leasectl-verify && [[ $(pgrep -u pfwd -x sshd | wc -l) == 1 ]]; } >/dev/null
wait_for 5 'its connections and processes to end' no_more
[[ ! -e $WORK/killed ]] || fail 'there is a report'
query "UPDATE lease SET expires_s = unixepoch() - 100 WHERE id < 0" # as a minute and a half later
find /tmp -maxdepth 1 -name 'leasectl-verify.*' -exec touch -d '1 minute ago' {} +
expect_exit 0 leasectl prove --report "$WORK/again"
nothing_left 'the next run'

note 'a gateway that is slow'
mv /usr/libexec/tunlease/akc /usr/libexec/tunlease/akc.real
# shellcheck disable=SC2016 # the shim's own words
printf '#!/bin/sh\n[ "$1" = --check ] || sleep 1.5\nexec /usr/libexec/tunlease/akc.real "$@"\n' >/usr/libexec/tunlease/akc
chmod 0755 /usr/libexec/tunlease/akc
start=$SECONDS
expect_exit 1 leasectl prove --report "$WORK/slow"
took=$((SECONDS - start))
((took <= 62 && took >= 44)) || fail "it took $took s"
assert_eq "$(tells "$WORK/slow" 'r["report"]["result"], failed')" "('incomplete', '')" "after $took s it is incomplete, and nothing failed"
grep -q 'out of time' "$WORK/slow" || fail 'the report does not say why'
mv /usr/libexec/tunlease/akc.real /usr/libexec/tunlease/akc
nothing_left 'a slow one'

for login in team1 team2 team3; do leasectl revoke "$login" >/dev/null; done

note 'a login that is frozen'
leasectl freeze gw-tunnel >/dev/null
expect_exit 1 leasectl prove --report "$WORK/frozen"
assert_eq "$(tells "$WORK/frozen" 'r["report"]["result"], failed')" "('incomplete', '')" 'nothing is called wrong for it'
grep -q 'gw-tunnel since 20.*Z$' "$WORK/frozen" || fail 'the report does not say that it is frozen'
grep -q 'gw-tunnel: it is frozen: nobody is let in' "$WORK/frozen" || fail 'nor why it was not tried'
leasectl thaw gw-tunnel >/dev/null

note 'a ceiling without a port of this host'
cp "$conf" "$WORK/conf"
echo 'AllowOpen 127.0.0.2:8009' >>"$conf"
leasectl setup >/dev/null 2>&1 || :
serve 8009 127.0.0.2
leasectl set alice --open +127.0.0.2:8009 --open -8009 >/dev/null 2>&1
new_tunnel() { fwd_L "$WORK/alice" pfwd 9010:127.0.0.2:8009; }
wait_for 10 'a login to the narrowed ceiling' new_tunnel
expect_exit 0 leasectl prove --report "$WORK/narrow"
grep -q 'pfwd: 127.0.0.2:8009 with -L: data came back' "$WORK/narrow" || fail "the lease's own permit was not tried"
cp "$WORK/conf" "$conf"
leasectl setup >/dev/null 2>&1 || :
leasectl set alice --open +8009 --open -127.0.0.2:8009 >/dev/null 2>&1

note 'on a terminal it says what it does'
script -qec "leasectl prove --report $WORK/seen" /dev/null </dev/null >"$WORK/typescript" || fail "$(cat "$WORK/typescript")"
grep -q ' s: a third session of a lease' "$WORK/typescript" || fail "no progress: $(cat "$WORK/typescript")"

note '10,000 leases'
setpriv --reuid=_tunlease --regid=_tunlease --clear-groups "$TOP/build/tests/fill" "$store" 11000 pfwd >/dev/null
expect_exit 0 leasectl prove --report "$WORK/many"
ok "$(cat "$WORK/out"): $(stat -c %s "$WORK/many") bytes in $(tells "$WORK/many" 'r["report"]["seconds"]') s"
assert_eq "$(tells "$WORK/many" 'r["active_leases"] == len(r["leases"]) > 10000')" True 'all are listed'
(($(tells "$WORK/many" 'r["report"]["seconds"]') <= 60)) || fail 'it takes longer than a minute'

note 'the Match blocks without their settings, and PAM without the module'
for file in /etc/pam.d/*; do sed -i '/pam_tunnel\.so/d' "$file"; done
printf 'Match Group _tunnel\n    AuthorizedKeysCommand /usr/libexec/tunlease/akc %%u %%t %%k\n    AuthorizedKeysCommandUser _tunlease-akc\nMatch all\n' \
	>/etc/ssh/sshd_config.d/20-tunlease.conf
reload_sshd
expect_exit 1 leasectl prove --report "$WORK/open"
for id in sshd-ceiling nothing-else stray-keys su pam-stacks revoked-session removed-key-session max-sessions; do
	[[ " $(tells "$WORK/open" 'failed') " == *" $id "* ]] || fail "$id does not fail: $(tells "$WORK/open" 'failed, not_run')"
done
ok "the trials that fail: $(tells "$WORK/open" 'failed')"
grep -q 'pfwd: su: a program ran as that login' "$WORK/open" || fail 'su'
