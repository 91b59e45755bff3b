#!/bin/bash
# SPDX-License-Identifier: ISC
# leasectl import and export: lines become leases that allow no more, what cannot be kept is named, a run that
# was killed goes on, and a way leads back.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"
STORE=/var/lib/tunlease/leases.db
lines=$WORK/lines

audit() { sqlite3 -readonly "$STORE" "$1"; }
# key_of NUMBER: an ed25519 key that nobody has the private half of.
key_of() { python3 -c '
import base64, hashlib, sys
print("ssh-ed25519", base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0 " + hashlib.sha256(sys.argv[1].encode()).digest()).decode())' "$1"; }
results() { cut -f1-3 "$WORK/out" | grep $'\t' || :; } # LINE RESULT LEASE
row() { grep -P "^$1\t" "$WORK/out" || fail "no row of line $1: $(cat "$WORK/out")"; }

note 'a dry run: line by line what sshd allows, and what the lease would'
cat >"$lines" <<END
# friends
restrict,port-forwarding,permitopen="127.0.0.1:8009" $(key_of 1) alice@laptop

no-pty,permitopen="localhost:8009",permitlisten="localhost:20001",command="/bin/echo no" $(key_of 2) bob b. bar
restrict,port-forwarding,permitopen="127.0.0.1:8009",permitlisten="127.0.0.1:1" $(key_of 3)
permitopen="127.0.0.1:8009",permitopen="127.0.0.1:8010",permitopen="[::1]:8009" $(key_of 4) alice@laptop
$(key_of 5) open
$(key_of 6) behind permitopen="127.0.0.1:8009",no-pty
cert-authority $(key_of 7) ca
permitopen='127.0.0.1:8009' $(key_of 8) dead
permitopen="127.0.0.1:8009",expiry-time="20200101" $(key_of 9) over
permitopen="127.0.0.1:9090" $(key_of 1) again
port-forwarding,restrict,permitopen="127.0.0.1:8009" $(key_of 10) closed
permitopen="127.0.0.1:8009",from="10.0.0.0/8,127.0.0.1" $(key_of 11) from
permitopen="127.0.0.1:8009",from="10.0.0.0/8,!10.0.0.1" $(key_of 12) negated
permitopen="127.0.0.1:8009" $(key_of 11) elsewhere
permitopen="db.internal:5432" $(key_of 13) beyond
permitopen="127.0.0.1:*" $(key_of 14) ports
permitlisten="20001",permitopen="127.0.0.1:1" $(key_of 15) reverse
END
expect_exit 1 leasectl import "$lines" --login pfwd --dry-run
assert_eq "$(results)" "2	lease	alice@laptop
4	lease	bob-b.-bar
5	lease	imported-5
6	lease	alice@laptop-2
7	refused	
8	refused	
9	refused	
10	dead	
11	over	
12	repeated	
13	closed	
14	lease	from
15	refused	
16	refused	
17	refused	
18	refused	
19	refused	" 'the results'
until_=$(date -d '+7 days' '+%F')
[[ $(row 2) == *$'\tany -R; -L 127.0.0.1:8009; commands\t-L 127.0.0.1:8009; until '"$until_"*'no more: any -R; -L localhost:8009 is let in, too; had no end: ends in 7d; --for gives another; commands are refused'* ]] || fail "$(row 2)"
[[ $(row 4) == *'-L 127.0.0.1:8009 is let in, too'* && $(row 4) == *'no more: -R localhost:20001: on ForwardLogin nothing may listen'* ]] || fail "$(row 4)"
[[ $(row 5) == *$'\t-L 127.0.0.1:8009; commands\t-L 127.0.0.1:8009; '* && $(row 5) != *'no more'* ]] || fail "$(row 5)"
[[ $(row 6) == *$'\t-L 127.0.0.1:8009-8010 [::1]:8009; '*"the name 'alice@laptop' is taken"* ]] || fail "$(row 6)"
for said in '7 any -L is open' '8 its options stand behind the key' '9 cert-authority' '10 sshd passes over it' '11 it is over' \
	'12 its key is in line 2' '13 takes it back' '15 from="10.0.0.0/8,!10.0.0.1"' '16 its key is in line 14, which names addresses' \
	"17 AllowOpen does not cover it: add 'AllowOpen db.internal:5432'" '18 127.0.0.1:*: a lease names each host and port' \
	'19 on ForwardLogin nothing may listen'; do
	[[ $(row "${said%% *}") == *"${said#* }"* ]] || fail "line ${said%% *} does not say '${said#* }': $(row "${said%% *}")"
done
[[ $(row 14) == *$'\t-L 127.0.0.1:8009; from 10.0.0.0/8,127.0.0.1; until '* ]] || fail "$(row 14)"
assert_eq "$(tail -n 1 "$WORK/out")" "would import 5 leases on login 'pfwd', skipped 1 dead, 1 over, 1 repeated, 1 without a port, left out 8 that let somebody in" 'the last line'
grep -q '^leasectl: import: 8 lines that let somebody in today would be left out' "$WORK/err" || fail "$(cat "$WORK/err")"
assert_eq "$(leasectl list --all)" '' 'a dry run changes nothing'

note 'the import'
expect_exit 1 leasectl import "$lines" --login pfwd
assert_eq "$(leasectl list | cut -f2,3,6,7,8)" "alice@laptop	pfwd	127.0.0.1:8009		
bob-b.-bar	pfwd	127.0.0.1:8009		
imported-5	pfwd	127.0.0.1:8009		
alice@laptop-2	pfwd	127.0.0.1:8009-8010 [::1]:8009		
from	pfwd	127.0.0.1:8009		10.0.0.0/8,127.0.0.1" 'the leases'
! grep -q -P '^5\t' "$WORK/out" || fail 'a line that is kept as it is has a row'
assert_eq "$(audit "SELECT lease, substr(detail, instr(detail, ' line=')) FROM audit WHERE action = 'import'" | head -n 2)" \
	"alice@laptop| line=2 file=$lines
bob-b.-bar| line=4 file=$lines" 'the audit names file and line'
[[ $(leasectl doctor) == *'the chain of 5 rows is whole'* ]] || fail 'the chain of the audit is broken'

note 'again: what is there is named, and nothing else happens'
expect_exit 1 leasectl import "$lines" --login pfwd
assert_eq "$(results | grep -c there)" 5 'each is there already'
assert_eq "$(leasectl list | wc -l) $(audit "SELECT count(*) FROM audit")" '5 5' 'nothing was added'
sed -i '7,$d' "$lines"
expect_exit 0 leasectl import "$lines" --login pfwd
assert_eq "$(tail -n 1 "$WORK/out")" "imported 0 leases on login 'pfwd', 4 are there already, left out 0 that let somebody in" 'without what is left out the status is 0'

note 'what other leases have'
sed -i 's/8009" ssh/8011" ssh/' "$lines"
expect_exit 5 leasectl import "$lines" --login pfwd
[[ $(row 2) == *"its key holds the lease 'alice@laptop' (#1), which opens something else" ]] || fail "$(row 2)"
leasectl revoke alice@laptop >/dev/null
expect_exit 5 leasectl import "$lines" --login pfwd
[[ $(row 2) == *'its key had a lease here that was revoked'* ]] || fail "an import brings back who was revoked: $(row 2)"
echo "permitopen=\"127.0.0.1:8009\" $(key_of 20) short" >"$lines"
leasectl import "$lines" --login pfwd --for 1s >/dev/null
is_over() { ! grep -q short <<<"$(leasectl list)"; }
wait_for 5 'the lease to end' is_over
expect_exit 5 leasectl import "$lines" --login pfwd
[[ $(row 1) == *"its key holds the expired lease 'short' "*"'leasectl renew short'" ]] || fail "$(row 1)"

note 'on a login that may listen'
cat >"$lines" <<END
restrict,port-forwarding,permitopen="127.0.0.1:1",permitlisten="localhost:20001" $(key_of 30) one
restrict,port-forwarding,permitlisten="20002" $(key_of 31) two
restrict,port-forwarding,permitlisten="*:20001",permitopen="255.255.255.255:1" $(key_of 32) same-port
permitopen="127.0.0.1:12000",permitopen="127.0.0.1:22",permitlisten="127.0.0.1:20003" $(key_of 33) control
permitlisten="localhost:80" $(key_of 34) beyond
END
expect_exit 1 leasectl import "$lines" --login gw-tunnel --dry-run
cp "$WORK/out" "$WORK/dry"
expect_exit 1 leasectl import "$lines" --login gw-tunnel
assert_eq "$(results | cut -f1,2)" "$(cut -f1,2 "$WORK/dry" | grep -v -P '^1\t' | grep $'\t')" 'the dry run had said it'
assert_eq "$(leasectl list --login gw-tunnel | cut -f2,6,7)" "one		127.0.0.1:20001
two		127.0.0.1:20002
control	127.0.0.1:12000	127.0.0.1:20003" 'the leases that listen'
[[ $(row 2) == *'no more: -R 20002 on any address but 127.0.0.1; any -L' ]] || fail "$(row 2)"
[[ $(row 3) == *"port 20001 is held by the lease 'one'"* ]] || fail "$(row 3)"
grep -q 'port 20001 is that of line 1' "$WORK/dry" || fail 'a dry run does not see that two lines have one port'
[[ $(row 4) == *'no more: -L 127.0.0.1:22: on AgentLogin only the control port'* ]] || fail "$(row 4)"
[[ $(row 5) == *"AllowListen does not cover it: add 'AllowListen 127.0.0.1:80'"* ]] || fail "$(row 5)"

note 'ends'
cat >"$lines" <<END
permitopen="127.0.0.1:8009",expiry-time="$(date -u -d '+3 days' +%Y%m%d)120000Z" $(key_of 40) three-days
permitopen="127.0.0.1:8009",expiry-time="20991231" $(key_of 41) far
permitopen="127.0.0.1:8009",expiry-time="$(date -d '+4 days' +%Y%m%d)" $(key_of 42) local
permitopen="127.0.0.1:8009" $(key_of 43) none
END
expect_exit 4 leasectl import "$lines" --login pfwd --for 91d
expect_exit 0 env TZ=America/Los_Angeles leasectl import "$lines" --login pfwd --for 30d # sshd has another zone
ends() { leasectl list | awk -F '\t' -v name="$1" '$2 == name { print $5 }'; }
assert_eq "$(ends three-days)" "$(date -u -d '+3 days' +%F)T12:00:00Z" 'the end of the line, in UTC'
assert_eq "$(ends local)" "$(date -u -d "@$(date -d "$(date -d '+4 days' +%F)" +%s)" +%FT%TZ)" 'the end of the line, in local time'
[[ $(ends far) == $(date -u -d '+90 days' +%F)* ]] || fail "MaxTTL: $(ends far)"
[[ $(ends none) == $(date -u -d '+30 days' +%F)* ]] || fail "--for: $(ends none)"
assert_eq "$(leasectl show three-days | sed -n 's/^fixed_end\t//p') $(leasectl show none | sed -n 's/^fixed_end\t//p')" 'yes no' 'an end of the line is fixed'
[[ $(row 2) == *'no more: any -R; the time after MaxTTL' ]] || fail "$(row 2)"
(cat /etc/tunlease/tunlease.conf; echo 'Sshd /usr/sbin/no-sshd') >"$WORK/no-sshd.conf"
expect_exit 1 leasectl -c "$WORK/no-sshd.conf" import "$lines" --login pfwd --for 30d --dry-run
[[ $(row 3) == *"refused"*"time zone is not known: write it in UTC"* ]] || fail "a local end in a zone that is not known: $(row 3)"
[[ $(cut -f1,2 <<<"$(row 1)") == $'1\tthere' && $(cut -f1,2 <<<"$(row 4)") == $'4\tthere' ]] || fail "an end in UTC is left out: $(cat "$WORK/out")"
(cat /etc/tunlease/tunlease.conf; echo 'MetricsListen 127.0.0.1:8009') >"$WORK/page.conf"
expect_exit 1 leasectl -c "$WORK/page.conf" import "$lines" --login pfwd --dry-run
[[ $(row 4) == *'no lease may open the port of MetricsListen' ]] || fail "advice that cannot help: $(row 4)"

note 'for whom it is refused'
for login in root li nobody-here; do expect_exit 2 leasectl import "$lines" --login "$login"; done
expect_exit 2 leasectl import "$lines"
expect_exit 2 leasectl import "$WORK/not-there" --login pfwd
expect_exit 2 leasectl import "$WORK" --login pfwd
mkfifo "$WORK/fifo"
expect_exit 2 leasectl import "$WORK/fifo" --login pfwd

note 'a key that no ssh can use is dead'
cat >"$lines" <<END
permitopen="127.0.0.1:8009" ecdsa-sha2-nistp256 $(python3 -c '
import base64
print(base64.b64encode(b"\0\0\0\x13ecdsa-sha2-nistp256\0\0\0\x08nistp256\0\0\0A\x04" + b"\x01" * 64).decode())') off-the-curve
permitopen="127.0.0.1:8009" $(ssh-keygen -q -t rsa -b 1024 -N '' -f "$WORK/rsa" </dev/null; cut -d' ' -f1,2 "$WORK/rsa.pub") rsa-1024
permitopen="127.0.0.1:8009" $(key_of 50) good
END
expect_exit 1 leasectl import "$lines" --login pfwd
assert_eq "$(results)" $'1\tdead\t\n2\trefused\t\n3\tlease\tgood' 'damaged and short keys'

note 'export, import into an empty store, export: the same bytes'
key_of 60 >"$WORK/60.pub"
leasectl grant range --key "$WORK/60.pub" --open 3000-3010 --open localhost:9 --from 192.0.2.0/24,2001:db8::/32 >/dev/null
key_of 61 >"$WORK/61.pub"
leasectl key add range --key "$WORK/61.pub" >/dev/null
mkdir "$WORK/private" "$WORK/private/run"
{ echo "Database $WORK/private/leases.db"; echo "RunDir $WORK/private/run"; } >"$WORK/private.conf"
for login in pfwd gw-tunnel; do
	leasectl export "$login" >"$WORK/export"
	expect_exit 0 leasectl -c "$WORK/private.conf" import "$WORK/export" --login "$login" --dry-run
	cp "$WORK/out" "$WORK/dry"
	expect_exit 0 leasectl -c "$WORK/private.conf" import "$WORK/export" --login "$login"
	assert_eq "$(leasectl -c "$WORK/private.conf" list --login "$login" | cut -f2 | sort)" "$(leasectl list --login "$login" | cut -f2 | sort)" "$login: the leases have their names"
	assert_eq "would $(tail -n 1 "$WORK/out" | sed 's/^imported/import/')" "$(tail -n 1 "$WORK/dry")" "$login: as the dry run says"
	leasectl -c "$WORK/private.conf" export "$login" | cmp - "$WORK/export" || fail "$login: the second export is another one"
	assert_eq "$(sort "$WORK/export")" "$(/usr/libexec/tunlease/akc "$login" | sort)" "$login: the lines are those of akc"
done
(($(wc -l <"$WORK/export") == 3)) || fail "$(cat "$WORK/export")"
expect_exit 3 leasectl export nobody-here
leasectl freeze pfwd >/dev/null
expect_exit 0 leasectl export pfwd
[[ ! -s $WORK/out && $(cat "$WORK/err") == *'warning: pfwd has been frozen since'* ]] || fail "a frozen login: $(cat "$WORK/out" "$WORK/err")"
leasectl thaw pfwd >/dev/null

note 'the export works on an sshd that knows nothing of tunlease'
serve 8009
serve 9090
leasectl grant friend --key "$(new_key friend).pub" --open 8009 >/dev/null
leasectl grant gone --key "$(new_key gone).pub" --open 8009 >/dev/null
leasectl revoke gone >/dev/null
leasectl export pfwd >/etc/ssh/exported
printf '%s\n' 'Port 2222' 'ListenAddress 127.0.0.1' 'AuthorizedKeysFile /etc/ssh/exported' 'UsePAM no' "PidFile $WORK/plain.pid" >"$WORK/plain.conf"
/usr/sbin/sshd -f "$WORK/plain.conf"
plain() { "${SSH[@]}" -o UserKnownHostsFile="$WORK/plain_hosts" -o StrictHostKeyChecking=no -p 2222 -i "$1" -W "127.0.0.1:$2" -l pfwd 127.0.0.1 </dev/null 2>"$WORK/w.err"; }
at_exit "$(cat "$WORK/plain.pid")"
[[ $(plain "$WORK/friend" 8009) == *'hello from 8009' ]] || fail "the friend is out: $(cat "$WORK/w.err")"
[[ $(plain "$WORK/friend" 9090 || :) != *hello* ]] || fail 'the friend reaches another port'
! plain "$WORK/gone" 8009 || fail 'a revoked key is in the export'
grep -q 'Permission denied' "$WORK/w.err" || fail "$(cat "$WORK/w.err")"
ok 'the way back'

note 'kill -9 in the middle leaves whole leases, and a second run goes on'
python3 -c '
import base64, os
for i in range(9000):
    key = base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0 " + os.urandom(32)).decode()
    print("restrict,port-forwarding,permitopen=\"127.0.0.1:8009\",permitlisten=\"127.0.0.1:1\" ssh-ed25519", key, "pfwd-tunnel")' >"$lines"
before=$(audit 'SELECT count(*) FROM lease')
leasectl import "$lines" --login pfwd >/dev/null 2>&1 &
import=$!
has_begun() { (($(audit 'SELECT count(*) FROM lease') > before)); }
wait_for 10 'the first leases' has_begun
kill -9 "$import"
wait "$import" 2>/dev/null || :
some=$(audit 'SELECT count(*) FROM lease')
((some > before && some < before + 9000)) || fail "not in the middle: $some"
whole() { audit "SELECT (SELECT count(*) FROM lease WHERE name LIKE 'pfwd-tunnel%'), (SELECT count(*) FROM key JOIN lease ON id = lease_id WHERE name LIKE 'pfwd-tunnel%'), (SELECT count(*) FROM audit WHERE lease LIKE 'pfwd-tunnel%')"; }
assert_eq "$(whole)" "$((some - before))|$((some - before))|$((some - before))" 'each lease has its key and its audit row'
expect_exit 0 script -qec "leasectl import '$lines' --login pfwd >'$WORK/done'" "$WORK/terminal"
grep -q '[0-9]00 of 9000 lines' "$WORK/terminal" || fail "a terminal is not told how far it is: $(cat "$WORK/terminal")"
assert_eq "$(tail -n 1 "$WORK/done")" "imported $((9000 - some + before)) leases on login 'pfwd', $((some - before)) are there already, left out 0 that let somebody in" 'the second run goes on'
assert_eq "$(whole)" '9000|9000|9000' 'and then all are there'

note 'no lease of 2,000 random lines allows more than its line, and a dry run says what an import does'
cat >"$WORK/lines.py" <<'END'
import base64, hashlib, random
r = random.Random(15)
options = ['restrict', 'port-forwarding', 'no-pty', 'permitopen="127.0.0.1:%d"', 'permitopen="LOCALHOST:%d"', 'permitopen="localhost:%d"',
           'permitlisten="%d"', 'permitlisten="localhost:%d"', 'permitlisten="*:%d"', 'from="10.0.0.0/8,::1"', 'from="*.x"',
           'expiry-time="20991231"', 'expiry-time="20200101Z"', 'command="a \\" b"', 'permitopen="[::1]:%d"', 'permitopen="*:%d"',
           'cert-authority', 'permitopen="127.0.0.1:*"', 'permitlisten="NONE:1"', 'verify-required', 'bogus', 'permitopen="127.0.0.1:1"']
for i in range(2000):
    number = r.randrange(900 if r.random() < 0.3 else 10**6)
    key = base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0 " + hashlib.sha256(b"r%d" % number).digest()).decode()
    words = [w % r.choice([8009, 8010, 9090, 20001 + i % 5000, 1]) if "%d" in w else w for w in r.choices(options, k=r.randint(0, 5))]
    print((",".join(words) + " " if words else "") + "ssh-ed25519", key, r.choice(["", "alice", "bob@x", "a b"]))
END
cat >"$WORK/compare.py" <<'END'
import datetime, json, sys
dry, real = (json.load(open(name)) for name in sys.argv[1:])
def end_s(lease):
    until = (lease or {}).get("until")
    return datetime.datetime.fromisoformat(until).timestamp() if until else 0
def terms(lease):
    return {k: v for k, v in (lease or {}).items() if k != "until"}
for d, r in zip(dry["lines"], real["lines"], strict=True):
    # The two runs are seconds apart, and so are the ends that are counted from now.
    if any(d[k] != r[k] for k in ("line", "result", "name")) or terms(d["lease"]) != terms(r["lease"]) or \
            not 0 <= end_s(r["lease"]) - end_s(d["lease"]) <= 60:
        sys.exit(f"a dry run says {d}, an import does {r}")
def ports(permits):
    for p in permits:
        host, port = p.rsplit(":", 1)
        low, _, high = port.partition("-")
        for n in range(int(low), int(high or low) + 1):
            yield host, n
def allowed(written, host, port):
    if written == ["any"]:
        return True
    return any(h.lower().replace("localhost", "127.0.0.1") in (host, "*") and int(n) == port for h, n in (w.rsplit(":", 1) for w in written if not w.endswith(":*")))
leases = 0
for l in real["lines"]:
    if l["result"] != "lease":
        continue
    leases += 1
    today, lease = l["today"], l["lease"]
    assert today["open"] != ["any"] or not lease["open"], l
    assert today["listen"] != ["any"] or not lease["listen"], l
    assert all(allowed(today["open"], h, p) for h, p in ports(lease["open"])), l
    assert all(allowed(today["listen"], h, p) and h == "127.0.0.1" for h, p in ports(lease["listen"])), l
    assert today["from"] == lease["from"], l
    assert today["until"] is None or lease["until"] <= today["until"], l
    assert lease["open"] or lease["listen"], l
print(leases)
END
python3 "$WORK/lines.py" >"$lines"
for login in pfwd gw-tunnel; do
	for mode in --dry-run ''; do
		rc=0
		# shellcheck disable=SC2086
		leasectl --json import "$lines" --login "$login" $mode >"$WORK/import$mode.json" 2>/dev/null || rc=$?
		((rc == 1)) || fail "exit $rc"
	done
	leases=$(python3 "$WORK/compare.py" "$WORK/import--dry-run.json" "$WORK/import.json") || fail "$login: $leases"
	((leases > 20)) || fail "$login: only $leases leases"
	ok "$login: $leases leases, none allows more"
done
