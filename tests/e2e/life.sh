#!/bin/bash
# SPDX-License-Identifier: ISC
# The rest of a lease's life: set, renew, delete, key, freeze and thaw, each of which applies to the
# very next login; and explain, which names the rule behind each refusal.
# sandbox:
# timeout: 180
set -eu
. "$TOP/tests/lib.sh"

for name in alice second third stranger; do new_key "$name" >/dev/null; done
pub() { echo "$WORK/$1.pub"; }
serve 8009
serve 8010
leasectl login add team >/dev/null
leasectl setup >/dev/null
leasectl grant alice --key "$(pub alice)" --open 8009 >/dev/null
# shellcheck disable=SC2034 # for allow and refuse
ATTEMPT_KEY=$WORK/alice ATTEMPT_LOGIN=pfwd
ln -s "$SANDBOX_LOG" /var/log/auth.log
explains() { # STATUS WORDS ARGS...
	local status=$1 words=$2; shift 2
	expect_exit "$status" leasectl explain "$@"
	grep -qE -- "$words" "$WORK/out" || fail "explain $*: no '$words' in: $(cat "$WORK/out")"
	ok "explain: $(sed -n 2p "$WORK/out")"
}
field() { leasectl --json show "$1" | python3 -c 'import json,sys; print(json.load(sys.stdin)[sys.argv[1]])' "$2"; }

note 'set: wider and narrower, from the next login on'
refuse open open=127.0.0.1:8010
expect_exit 0 leasectl set alice --open +8010
allow open open=127.0.0.1:8010
wait_idle
expect_exit 0 leasectl set alice --open -8009 --note moved
refuse open open=127.0.0.1:8009
allow open open=localhost:8010
assert_eq "$(field alice note)" moved 'the note'
explains 1 "may not open 127.0.0.1:8009: it may open 127.0.0.1:8010" pfwd --key "$(pub alice)" --open 127.0.0.1:8009
explains 0 "admits it" pfwd --key "$(pub alice)" --open localhost:8010
explains 1 "may not open LOCALHOST:8010" pfwd --key "$(pub alice)" --open LOCALHOST:8010
explains 1 "may not listen on localhost:20001: it may listen on nothing" pfwd --key "$(pub alice)" --listen 20001
wait_idle
expect_exit 0 leasectl set alice --from 192.0.2.0/24
login_refused "$WORK/alice" pfwd || fail 'a login from another address gets in'
explains 1 'may come only from 192.0.2.0/24, not from 127.0.0.1' pfwd --key "$(pub alice)" --addr 127.0.0.1
explains 0 'admits it' pfwd --key "$(pub alice)" --addr 192.0.2.7
expect_exit 0 leasectl set alice --from none
login_works "$WORK/alice" pfwd || fail 'no login after --from none'
wait_idle
before=$(leasectl --json list --all)
for bad in '--open 8011' '--open -8011' '--open -8010' '--open +10.0.0.1:22' '--listen +20001' '--note' ''; do
	# shellcheck disable=SC2086
	leasectl set alice $bad >"$WORK/out" 2>"$WORK/err" && fail "set alice $bad succeeds"
	[[ $(wc -l <"$WORK/err") == 1 ]] || fail "not one line: $(cat "$WORK/err")"
	ok "$(cat "$WORK/err")"
done
[[ $(leasectl --json list --all) == "$before" ]] || fail 'something changed'

note 'a listen port is held, quarantined and given back'
leasectl grant nas --login team --key "$(pub second)" --listen 20001 >/dev/null
expect_exit 0 leasectl set nas --listen +20002 --listen -20001
expect_exit 5 leasectl grant other --login team --key "$(pub third)" --listen 20002
grep -q "port 20002 is held by the lease 'nas'" "$WORK/err" || fail "$(cat "$WORK/err")"
expect_exit 5 leasectl grant other --login team --key "$(pub third)" --listen 20001
grep -q "kept for its former holder 'nas'" "$WORK/err" || fail "$(cat "$WORK/err")"
expect_exit 0 leasectl set nas --listen +20001
leasectl revoke nas >/dev/null
expect_exit 0 leasectl delete nas
expect_exit 5 leasectl grant other --login team --key "$(pub third)" --listen 20001
grep -q "former holder 'nas'" "$WORK/err" || fail "the port of a deleted lease is free at once: $(cat "$WORK/err")"
expect_exit 0 leasectl grant nas --login team --key "$(pub second)" --listen 20001

note 'renew'
end=$(field alice expires_at)
expect_exit 0 leasectl renew alice --for 1h
grep -q 'kept' "$WORK/out" || fail "$(cat "$WORK/out")"
assert_eq "$(field alice expires_at)" "$end" 'renew --for never shortens a lease'
expect_exit 0 leasectl renew alice --for 30d
[[ $(field alice expires_at) > $end ]] || fail 'not renewed'
expire_soon alice
assert_eq "$(field alice fixed_end)" True 'an end that an admin named is fixed'
expired() { [[ $(field alice state) == expired ]]; }
wait_for 10 'the lease to expire' expired
login_refused "$WORK/alice" pfwd || fail 'the lease is expired, and its key gets in'
explains 1 "'alice' \(#1\) expired [0-9]+s ago" pfwd --key "$(pub alice)"
grep -qx '  mend: leasectl renew alice' "$WORK/out" || fail "explain does not say how to mend it: $(cat "$WORK/out")"
explains 1 "expired [0-9]+s ago" --last pfwd
# sshd's own log lines quote the name that a client gave, which may look like a line of akc.
logger -t 'sshd[1]' -p authpriv.info "Invalid user akc: refused login=pfwd key=SHA256:$(printf 'A%.0s' {1..43}) reason=no_lease lease="
wait_log 5 'Invalid user akc: refused'
explains 1 "expired [0-9]+s ago" --last pfwd
expect_exit 4 leasectl renew alice --for 91d
expect_exit 0 leasectl renew alice
login_works "$WORK/alice" pfwd || fail 'no login after renew'
wait_idle

note 'key: one is added, and the old one is removed'
login_refused "$WORK/third" pfwd || fail 'a key gets in before it is added'
expect_exit 0 leasectl key add alice --key "$(pub third)"
login_works "$WORK/third" pfwd || fail 'an added key does not get in'
login_works "$WORK/alice" pfwd || fail 'the old key does not get in any more'
wait_idle
old=$(ssh-keygen -lf "$(pub alice)" | cut -d' ' -f2)
expect_exit 0 leasectl key remove alice "$old"
login_refused "$WORK/alice" pfwd || fail 'a removed key gets in'
explains 1 'no lease holds this key' pfwd --key "$(pub alice)"
expect_exit 3 leasectl key remove alice "$old"
expect_exit 5 leasectl key add alice --key "$(pub third)"
expect_exit 2 leasectl key remove alice SHA256:short
expect_exit 0 leasectl key add alice --key "$(pub alice)"
login_works "$WORK/alice" pfwd || fail 'a key that was added again does not get in'
wait_idle

note 'freeze and thaw'
expect_exit 0 leasectl freeze pfwd
login_refused "$WORK/alice" pfwd || fail 'the login is frozen, and a key gets in'
login_works "$WORK/second" team || fail 'another login is frozen as well'
explains 1 'the login has been frozen for' pfwd --key "$(pub alice)"
wait_log 5 'reason=frozen lease=alice'
expect_exit 0 leasectl freeze pfwd
# As a reboot does it: everything below /run is deleted, and tmpfiles.d makes it again.
rm -rf /run/tunlease
systemd-tmpfiles --create /usr/lib/tmpfiles.d/tunlease.conf || fail 'systemd-tmpfiles fails'
login_refused "$WORK/alice" pfwd || fail 'a freeze does not survive a reboot'
expect_exit 0 leasectl thaw pfwd
login_works "$WORK/alice" pfwd || fail 'no login after thaw'
wait_idle
expect_exit 0 leasectl freeze
for login in pfwd team; do
	[[ $login == pfwd ]] && key=$WORK/alice || key=$WORK/second
	login_refused "$key" "$login" || fail "$login: all logins are frozen, and a key gets in"
done
explains 1 'all tunnel logins have been frozen' pfwd --key "$(pub alice)"
leasectl list >/dev/null 2>"$WORK/err"
grep -q "all tunnel logins have been frozen since" "$WORK/err" || fail 'list does not say that all logins are frozen'
leasectl doctor | some_line '^warning.freeze' || fail 'doctor does not say that all logins are frozen'
expect_exit 0 leasectl thaw
login_works "$WORK/alice" pfwd || fail 'no login after thaw of all'
expect_exit 3 leasectl freeze li
wait_idle

note 'delete, and that a revoke is final'
expect_exit 5 leasectl delete alice
expect_exit 0 leasectl revoke alice
explains 1 "'alice' \(#1\) was revoked [0-9]+s ago .* by uid=0" pfwd --key "$(pub alice)"
explains 1 'which is on another login' pfwd --key "$(pub second)"
explains 1 'no lease holds this key' pfwd --key "$(pub stranger)"
for verb in 'set alice --note x' 'renew alice' "key add alice --key $(pub stranger)"; do
	# shellcheck disable=SC2086
	expect_exit 5 leasectl $verb
	grep -q 'which is final' "$WORK/err" || fail "$(cat "$WORK/err")"
done
expect_exit 0 leasectl delete alice
expect_exit 3 leasectl show alice
expect_exit 2 leasectl explain pfwd
expect_exit 2 leasectl explain pfwd --key "$(pub alice)" --addr nowhere
