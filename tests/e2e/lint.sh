#!/bin/bash
# SPDX-License-Identifier: ISC
# lint says what each line of an authorized_keys file allows: of each shape met in public, and of what
# people get wrong; and it reads any file in bounded time and memory, as anybody, without a host.
# sandbox:
# timeout: 60
set -eu
. "$TOP/tests/lib.sh"

shapes=$TOP/tests/authorized_keys.shapes
export TZ=UTC
key=$(cut -d' ' -f1,2 <<<"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAID0yHeel4IHSa8aJVewb+EujK0Lw1y6XzK/xKIV7t/Wh")

# ---- the shapes --------------------------------------------------------------------------------

expect_exit 1 leasectl lint "$shapes"
cp "$WORK/out" "$WORK/shapes"
# shape NUMBER FINDING...: these alone, in this order, of the line behind `# NUMBER SHAPE`.
shape()
{
	local number=$1 line got; shift
	line=$(awk -v n="$number" '$1 == "#" && $2 == n && $3 == "SHAPE" { at = 1; next } at && !/^# /{ print NR; exit }' "$shapes")
	got=$(awk -F'\t' -v n="$line" '$1 == n { print $2 }' "$WORK/shapes" | tr '\n' ' ')
	assert_eq "$got" "$(printf '%s ' "$@")" "shape $number"
}
says() { grep -q -P "^[0-9]+\t$1\t.*$2" "$WORK/shapes" || fail "no '$2' in: $(grep -P "\t$1\t" "$WORK/shapes")"; }
shape 1 allows any-listen exec
shape 2 allows any-listen agent user-rc
shape 4 allows options-behind-key
shape 5 dead
shape 6 allows any-listen agent user-rc
shape 7 allows spelling
shape 9 allows any-listen exec x11 user-rc dns local-time
shape 10 allows crlf
shape 11 allows authority any-listen exec pty agent x11 user-rc
shape 13 allows order exec
shape 15 dead
[[ -z $(awk -F'\t' '$1 == 50 || $1 == 51' "$WORK/shapes") ]] || fail 'a comment is no line'
shape 18 dead
shape 21 repeat
shape 22 dead
shape 24 over
says any-listen 'any -R is open'
says exec 'sftp is reachable where internal-sftp is configured'
says agent 'agent forwarding is open'
says options-behind-key 'the options stand behind the key and do nothing: unrestricted'
says dead 'other quotes.*double quotes'
says spelling '-R 127.0.0.1:20001 is refused by sshd today'
says dns 'from uses DNS'
says local-time 'expiry in local time'
says authority 'whoever holds the authority makes keys at will'
says order 'restrict takes port-forwarding back'
says dead 'DSA'
says dead 'protocol 1.*7\.6'
says repeat 'same key as line 6: never reached'
says dead "zos-key-ring-label"
says over 'over since 2020-01-01'
ok 'all shapes, with the reason'

# ---- single lines ------------------------------------------------------------------------------

# finds LINE FINDING...: lint of that line alone.
finds()
{
	local line=$1 rc=0; shift
	printf '%b\n' "$line" | leasectl lint - >"$WORK/out" || rc=$?
	got=$(awk -F'\t' '$2 != "allows" { print $2 }' "$WORK/out" | tr '\n' ' ')
	[[ $got == "$*${*:+ }" ]] || fail "$line: found $got, not $*"
	((rc == ($# > 0))) || fail "$line: exit status $rc"
}
tight='restrict,port-forwarding,permitopen="127.0.0.1:8009",permitlisten="NONE:1",command="/usr/sbin/nologin"'
finds "$tight $key a"
grep -q -P '^1\tallows\t-L 127\.0\.0\.1:8009\ta\t$' "$WORK/out" || fail "$(cat "$WORK/out")"
finds "$key a" unrestricted
finds "$tight,expiry-time=\"20991231235959Z\" $key a"
finds "$tight,permitlisten=\"8080\" $key a" any-address
finds "$tight,permitlisten=\":8080\" $key a" any-address
finds "$tight,permitlisten=\"127.0.0.1:8080\" $key a" spelling
finds "$tight,permitlisten=\"127.0.0.1:8080\",permitlisten=\"localhost:8080\" $key a"
finds "$tight,permitlisten=\"localhost:*\" $key a" wide-listen
finds "$tight,permitlisten=\"Localhost:8080\" $key a" void-listen
finds "$tight,permitopen=\"*:22\" $key a" wide-open
finds "$tight,permitopen=\"127.*:22\" $key a" void-open
finds "$tight,permitopen=\"*:*\" $key a" any-open
finds "${tight/port-forwarding,/} $key a" no-forwarding
finds "${tight/restrict,port-forwarding/port-forwarding,no-port-forwarding,no-pty,no-agent-forwarding,no-x11-forwarding,no-user-rc} $key a" order
finds "${tight/\/usr\/sbin\/nologin/internal-sftp} $key a" sftp
finds "$tight,tunnel=\"0\" $key a" tunnel
finds "$tight,environment=\"LD_PRELOAD=x\" $key a" environment
finds "$tight,from=\"*\" $key a" from-any
finds "$tight,from=\"0.0.0.0/0,::/0\" $key a" from-any
finds "${tight/\/usr\/sbin\/nologin/\/bin\/sh} $key a" command
finds "${tight/\/usr\/sbin\/nologin/\/bin\/true; sh} $key a" command
finds "environment=\"A=b\",tunnel=\"0\" $key a" unrestricted tunnel environment
finds "$tight,from=\"10.0.0.1/8\" $key a" dead
finds "$tight,principals=\"a\" $key a" dead
finds "$tight ,pty $key a" dead
finds "$tight, $key a"
finds "\\xef\\xbb\\xbf$tight $key a" dead
finds "$tight $key\\0 a" nul
finds "$tight $key a\\n$tight $key b" repeat
finds "$tight,from=\"10.0.0.0/8\" $key a\\n$tight $key b" repeat
grep -q 'reached only where that line refuses' "$WORK/out" || fail "$(cat "$WORK/out")"
finds "$tight,expiry-time=\"20200101Z\" $key a\\n$tight $key b" over
finds '# restrict\n\n  \t' # nothing at all
[[ ! -s $WORK/out ]] || fail 'output for a file without lines'
ok 'findings of single lines'

# The lines of leases are clean.
store_with_alice
leasectl export pfwd | expect_exit 0 leasectl lint -
ok 'what export prints is clean'

# ---- who may run it, on what -------------------------------------------------------------------

chmod 755 "$WORK"
install -m 644 "$shapes" "$WORK/readable"
echo 'NoSuchKeyword yes' >>/etc/tunlease/tunlease.conf
rm -rf /var/lib/tunlease
expect_exit 1 setpriv --reuid=65534 --regid=65534 --clear-groups leasectl lint "$WORK/readable"
cmp "$WORK/out" "$WORK/shapes" || fail 'another answer to nobody'
[[ ! -s $WORK/err ]] || fail "it says: $(cat "$WORK/err")"
ok 'nobody, a wrong configuration, no store'

expect_exit 2 leasectl lint
expect_exit 2 leasectl lint a b
expect_exit 2 leasectl lint "$WORK/missing"
grep -q 'No such file' "$WORK/err" || fail "$(cat "$WORK/err")"
expect_exit 2 leasectl lint "$WORK"
grep -q 'a directory' "$WORK/err" || fail "$(cat "$WORK/err")"
mkfifo "$WORK/fifo"
expect_exit 2 leasectl lint "$WORK/fifo"
expect_exit 2 leasectl lint /dev/zero
install -m 600 "$shapes" "$WORK/secret"
expect_exit 2 setpriv --reuid=65534 --regid=65534 --clear-groups leasectl lint "$WORK/secret"
ok 'what cannot be read is 2'

iconv -f UTF-8 -t UTF-16 "$shapes" >"$WORK/utf16"
expect_exit 1 leasectl lint "$WORK/utf16"
assert_eq "$(cut -f2 "$WORK/out")" utf16 'a file in UTF-16 is said once'

# ---- large and hostile ones --------------------------------------------------------------------

bounded() { (ulimit -v 400000; timeout "$(slow 20)" leasectl lint "$1" >"$WORK/out" 2>"$WORK/err") || rc=$?; }
python3 - "$WORK/many" <<'END'
import base64, os, sys
with open(sys.argv[1], "w") as f:
    for i in range(100000):
        blob = b"\0\0\0\x0bssh-ed25519\0\0\0 " + os.urandom(32)
        f.write(f'restrict,port-forwarding,permitopen="127.0.0.1:{i % 9999 + 2}",permitlisten="NONE:1",command="/usr/sbin/nologin" ssh-ed25519 {base64.b64encode(blob).decode()} n{i}\n')
END
start_us=${EPOCHREALTIME/./}
rc=0 && bounded "$WORK/many"
took_ms=$(((${EPOCHREALTIME/./} - start_us) / 1000))
assert_eq "$rc $(wc -l <"$WORK/out")" '0 100000' '100,000 lines, in 400 MB'
note "in $took_ms ms"
((took_ms < $(slow 5000))) || fail 'in more than five seconds'
truncate -s 100M "$WORK/nul"
rc=0 && bounded "$WORK/nul"
assert_eq "$rc $(cut -f2 "$WORK/out")" '1 unread' 'a line of 100 MB of NUL'
{ head -c 5000000 /dev/zero | tr '\0' ' '; echo "$key"; echo "$tight $key b"; } >"$WORK/blank"
rc=0 && bounded "$WORK/blank"
assert_eq "$rc $(cut -f1,2 "$WORK/out" | tr '\t\n' '  ')" '1 1 unread 2 allows ' 'a long line is said, and the next one read'
truncate -s 1000M "$WORK/nul"
rc=0 && bounded "$WORK/nul"
assert_eq "$rc $(wc -c <"$WORK/out")" '2 0' 'a file of 1 GB'
