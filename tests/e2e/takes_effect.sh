#!/bin/bash
# SPDX-License-Identifier: ISC
# Grant, revoke and expiry take effect at the very next login, without a daemon, without a reload,
# and without a change in a file of sshd or of anybody's home.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"

key=$(new_key alice)
stranger=$(new_key stranger)
# The files that sshd reads, and the pid of its listener: they must be the same at the end.
state() { find /etc/ssh /etc/passwd /etc/group /home /root/.ssh -type f -printf '%p %s %i %C@\n' 2>/dev/null | sort; cat /run/sshd.pid; }
# Exit 6: a connection of the login was still up, which does not matter here.
revoke() { leasectl revoke "$@" >/dev/null || (($? == 6)); }
before=$(state)

login_refused "$key" pfwd || fail 'a key without a lease gets in'
leasectl grant alice --key "$key.pub" --open 8009 >/dev/null
login_works "$key" pfwd || fail 'the lease does not admit the very next login'
login_refused "$stranger" pfwd || fail 'a key without a lease gets in while another has one'
login_refused "$key" gw-tunnel || fail 'a lease on pfwd admits a login to gw-tunnel'
ok 'granted: admitted at the next login'

revoke alice
login_refused "$key" pfwd || fail 'a revoked lease admits a login'
wait_log 5 "refused login=pfwd key=SHA256:.* reason=revoked lease=alice"
ok 'revoked: refused at the next login, and the log says why'

leasectl grant alice --key "$key.pub" --open 8009 >/dev/null
login_works "$key" pfwd || fail 'name and key are not free after a revoke'
expire_soon alice
expired() { [[ $(leasectl --json show alice) == *'"state":"expired"'* ]]; }
wait_for 10 'the lease to expire' expired
login_refused "$key" pfwd || fail 'an expired lease admits a login'
wait_log 5 'reason=expired lease=alice'
ok 'expired: refused at the next login, by the clock alone'

# The key line contains the end as well, so that sshd refuses by itself (docs/sshd-facts.md 9).
end=$(leasectl --json show alice | sed 's/.*"expires_at":"\([^"]*\)".*/\1/' | tr -d ':-' | tr -d T)
revoke alice
leasectl grant alice --key "$key.pub" --open 8009 --for 1h >/dev/null
read -r type blob _ <"$key.pub"
line=$(setpriv --reuid=_tunlease-akc --regid=_tunlease --clear-groups /usr/libexec/tunlease/akc pfwd "$type" "$blob")
[[ $line =~ expiry-time=\"20[0-9]{12}Z\" ]] || fail "no expiry-time in $line"
[[ $end =~ ^[0-9]{14}Z$ ]] || fail "no end in JSON: $end"

[[ $(state) == "$before" ]] || fail "something was rewritten: $(diff <(echo "$before") <(state))"
ok 'nothing was rewritten, sshd was not reloaded'
