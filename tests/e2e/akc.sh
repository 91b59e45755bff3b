#!/bin/bash
# SPDX-License-Identifier: ISC
# akc run as sshd runs it: the exact line for a key that is admitted; no output and exit 0 for one
# that is not; no output, exit 1 and a reason in the log when the store cannot be asked.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"

akc() { setpriv --reuid=_tunlease-akc --regid=_tunlease --clear-groups /usr/libexec/tunlease/akc "$@"; }
sed -i '1i AllowOpen 10.1.2.3:5432\nAllowOpen [::1]:*\nAllowOpen 127.0.0.1:*\nAllowOpen db.example.com:*\nAllowListen 127.0.0.1:20000-29999\nAllowListen [::1]:20000-29999' /etc/tunlease/tunlease.conf
leasectl login add team >/dev/null
new_key alice >/dev/null
read -r type blob comment <"$WORK/alice.pub"
[[ $comment == alice ]]

line_of() { # LOGIN OPTIONS...: akc's line for a lease that is granted with them
	local login=$1; shift
	leasectl grant alice --login "$login" --key "$WORK/alice.pub" --until 2026-12-31T18:00:00Z "$@" >/dev/null
	akc "$login" "$type" "$blob"
	leasectl revoke alice >/dev/null
}
sed -i '1i MaxTTL none' /etc/tunlease/tunlease.conf
tail='expiry-time="20261231180000Z",command="/usr/sbin/nologin" '"$type $blob alice"

assert_eq "$(line_of pfwd --open 8009)" \
	'restrict,port-forwarding,permitopen="127.0.0.1:8009",permitopen="localhost:8009",permitlisten="NONE:1",'"$tail" 'a loopback port is permitted in both spellings'
assert_eq "$(line_of pfwd --open '[0:0::1]:8009' --open 10.1.2.3:5432 --open DB.example.com:5432 --from 192.0.2.77/24,2001:db8::1)" \
	'restrict,port-forwarding,permitopen="[::1]:8009",permitopen="10.1.2.3:5432",permitopen="db.example.com:5432",permitlisten="NONE:1",from="192.0.2.0/24,2001:db8::1",'"$tail" 'other hosts; the host bits of --from are cleared'
assert_eq "$(line_of team --listen 127.0.0.1:20001 --listen '[::1]:20002')" \
	'restrict,port-forwarding,permitopen="255.255.255.255:1",permitlisten="127.0.0.1:20001",permitlisten="localhost:20001",permitlisten="[::1]:20002",'"$tail" 'a lease that only listens'
assert_eq "$(line_of team --open 127.0.0.1:5001-5002 --listen 127.0.0.1:20003)" \
	'restrict,port-forwarding,permitopen="127.0.0.1:5001",permitopen="localhost:5001",permitopen="127.0.0.1:5002",permitopen="localhost:5002",permitlisten="127.0.0.1:20003",permitlisten="localhost:20003",'"$tail" 'a range, and both directions'

note 'what the user that akc runs as may read, and that it may write nothing'
as_akc() { setpriv --reuid=_tunlease-akc --regid=_tunlease --clear-groups "$@"; }
install -o _tunlease -g root -m 0400 /dev/null /etc/tunlease/leased.env
for file in /var/lib/tunlease/leases.db /run/tunlease/sessions; do
	as_akc test -r "$file" || fail "_tunlease-akc cannot read $file"
done
for file in /var/lib/tunlease /var/lib/tunlease/leases.db{,-wal,-shm} /run/tunlease{,/sessions} /etc/tunlease/tunlease.conf; do
	if as_akc test -w "$file"; then fail "_tunlease-akc can write $file"; fi
done
for file in /etc/tunlease/leased.env /run/tunlease/lock; do
	if as_akc test -r "$file"; then fail "_tunlease-akc can read $file"; fi
done
rm /etc/tunlease/leased.env
expect_exit 1 akc -c "$WORK/none.conf" team
[[ ! -s $WORK/out ]] || fail 'a configuration that is named and not there is taken for the default one'

note 'for an sshd before 9.1: a local time without Z, which OpenSSH reads as the end of the lease'
ssh-keygen -q -t ed25519 -N '' -f "$WORK/ca"
read_back() { # ZONE TEXT: how OpenSSH in ZONE reads this expiry-time, in UTC
	TZ=$1 ssh-keygen -q -s "$WORK/ca" -I x -V "always:$2" "$WORK/alice.pub"
	TZ=UTC ssh-keygen -L -f "$WORK/alice-cert.pub" | sed -n 's/.*Valid: before //p'
	rm "$WORK/alice-cert.pub"
}
for row in 'Europe/Berlin 2027-07-01T18:00:00 20270701190000' 'Europe/Berlin 2027-01-01T18:00:00 20270101190000' \
	'America/New_York 2027-03-14T07:30:00 20270314023000' 'Australia/Lord_Howe 2026-12-31T18:00:00 20270101043000' \
	'Europe/Dublin 2026-12-31T18:00:00 20261231190000' '- 2027-07-01T18:00:00 20270701180000'; do
	read -r zone end text <<<"$row"
	zone=${zone#-}
	leasectl grant alice --key "$WORK/alice.pub" --until "${end}Z" --open 8009 >/dev/null
	got=$(akc "--expiry-local=$zone" pfwd "$type" "$blob" | sed 's/.*expiry-time="\([^"]*\)".*/\1/')
	assert_eq "$got $(read_back "$zone" "$got")" "$text $end" "${zone:-an empty TZ}"
	leasectl revoke alice >/dev/null
done
ln -sf /usr/share/zoneinfo/Europe/Berlin /etc/localtime
leasectl grant alice --key "$WORK/alice.pub" --until 2027-07-01T18:00:00Z --open 8009 >/dev/null
assert_eq "$(akc --expiry-local pfwd | sed 's/.*expiry-time="\([^"]*\)".*/\1/')" 20270701190000 'the zone of /etc/localtime, in the lines for all keys of a login'
leasectl revoke alice >/dev/null
ln -sf /usr/share/zoneinfo/UTC /etc/localtime
expect_exit 2 akc --expiry-locally pfwd

note 'a key that is not admitted: no output, and exit 0'
expect_exit 0 akc pfwd "$type" "$blob"
[[ ! -s $WORK/out && ! -s $WORK/err ]] || fail "akc prints: $(cat "$WORK/out" "$WORK/err")"
wait_log 5 'akc.*refused login=pfwd key=SHA256:.* reason=revoked lease=alice'
leasectl grant alice --key "$WORK/alice.pub" --open 8009 >/dev/null
expect_exit 0 akc gw-tunnel "$type" "$blob"
[[ ! -s $WORK/out ]] || fail 'another login gets a line'
wait_log 5 'akc.*refused login=gw-tunnel key=SHA256:.* reason=login lease=alice'
new_key bob >/dev/null
read -r btype bblob _ <"$WORK/bob.pub"
expect_exit 0 akc pfwd "$btype" "$bblob"
[[ ! -s $WORK/out ]] || fail 'an unknown key gets a line'
wait_log 5 'reason=no_lease'
expect_exit 0 akc pfwd
[[ $(wc -l <"$WORK/out") == 1 && $(cat "$WORK/out") == *" $blob alice" ]] || fail 'akc LOGIN does not print all keys of the login'
for args in 'pfwd ssh-ed25519 AAAA' "pfwd ssh-rsa $blob" "../pfwd $type $blob" "pfwd ssh-ed25519-cert-v01@openssh.com $blob"; do
	# shellcheck disable=SC2086
	expect_exit 0 akc $args
	[[ ! -s $WORK/out ]] || fail "a line for $args"
done
expect_exit 2 akc
expect_exit 2 akc pfwd "$type"
expect_exit 2 akc -x pfwd

note 'the store cannot be asked: no output, exit 1, and the reason in the log'
could_not() { # PATTERN
	expect_exit 1 akc pfwd "$type" "$blob"
	[[ ! -s $WORK/out && ! -s $WORK/err ]] || fail "akc prints: $(cat "$WORK/out" "$WORK/err")"
	wait_log 5 "akc.*refused: .*$1"
	login_refused "$WORK/alice" pfwd || fail "a login succeeds while: $1"
}
store=/var/lib/tunlease/leases.db
mv "$store" "$store.away"
could_not "cannot use the store '$store': there is none"
mkfifo "$store"
could_not 'cannot use the store .*it is not a regular file'
rm "$store"; mkdir "$store"
could_not 'cannot use the store .*it is not a regular file'
rmdir "$store"; printf 'this is no database, only text that is long enough to be read\n%.0s' {1..40} >"$store"
could_not 'cannot use the store .*it is not a lease store, or corrupt'
mv "$store.away" "$store"

note 'the sqlite3 shell was the last to close the store, so the log is deleted: logins still work'
sqlite3 "$store" 'SELECT count(*) FROM lease' >/dev/null
[[ ! -e $store-wal && ! -e $store-shm ]] || fail 'the shell left the log in place, so this tests nothing'
login_works "$WORK/alice" pfwd || fail 'no login without the log'
login_refused "$WORK/bob" pfwd || fail 'without the log a stranger gets in'
# A log that is not empty must never be ignored: it may contain a revocation.
leasectl list >/dev/null # makes the log again
{ echo 'BEGIN; SELECT count(*) FROM lease;'; sleep 60; } | sqlite3 "$store" >"$WORK/reading" &
reader=$!
at_exit "$reader"
wait_for 5 'a reader has opened the store' test -s "$WORK/reading"
leasectl revoke alice >/dev/null || : # while the reader has the store open, leasectl does not write the log back
kill -9 "$reader"
[[ -s $store-wal ]] || fail 'the revocation is not in the log, so this tests nothing'
rm "$store-shm"
expect_exit 1 akc pfwd "$type" "$blob"
[[ ! -s $WORK/out ]] || fail 'a revoked key is admitted by the store without its log'
wait_log 5 "akc.*refused: .*leasectl list"
leasectl list >/dev/null
expect_exit 0 akc pfwd "$type" "$blob"
[[ ! -s $WORK/out ]] || fail 'a revoked key is admitted'
leasectl grant alice --key "$WORK/alice.pub" --open 8009 >/dev/null
login_works "$WORK/alice" pfwd || fail 'no login after leasectl repaired the log'
chmod 0600 "$store"
could_not 'cannot use the store .*(Permission denied|not readable)'
chmod 0640 "$store"
echo 'Database nowhere' >>/etc/tunlease/tunlease.conf
could_not "configuration '/etc/tunlease/tunlease.conf' names no usable"
sed -i '$d' /etc/tunlease/tunlease.conf
echo 'Datbase /typing/error' >>/etc/tunlease/tunlease.conf
login_works "$WORK/alice" pfwd || fail 'a typing error in another keyword locks people out'
expect_exit 1 leasectl renew alice
grep -q "tunlease.conf:[0-9]*: Datbase" "$WORK/err" || fail "leasectl does not name the line: $(cat "$WORK/err")"
sed -i '$d' /etc/tunlease/tunlease.conf
mv /etc/tunlease/tunlease.conf "$WORK/conf"
login_works "$WORK/alice" pfwd || fail 'without a configuration file the defaults are not used'
expect_exit 1 akc -c /etc/tunlease/typo.conf pfwd "$type" "$blob"
[[ ! -s $WORK/out ]] || fail 'the file named with -c is missing, and akc answers from the default store'
ok 'whatever is broken, akc refuses and logs the reason'
