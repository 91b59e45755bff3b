#!/bin/bash
# SPDX-License-Identifier: ISC
# What leasectl prints for programs: every --json output is valid against its schema, with the same
# fields each time.
# sandbox:
# timeout: 120
# shellcheck source=tests/lib.sh
. "$TOP/tests/lib.sh"

/usr/bin/python3 -c 'import jsonschema' 2>/dev/null || { echo 'needs python3-jsonschema'; exit 77; }

# The fields of a lease as docs/schema/lease.json shows them, in its order.
lease_fields='id name login state keys open open_agents listen from max_sessions note created_at
renewed_at expires_at fixed_end revoked_at last_login_at sessions connect'
key_fields='type fingerprint comment added_at'

# The schemas that make install copied.
schemas=/usr/share/doc/tunlease/schema

# check.py answers what is written to the pipe $WORK/question: SCHEMA, a tab, and an EXPRESSION or
# nothing. $WORK/out must be one JSON value, on whole lines, valid against SCHEMA, without a duplicate
# field or an impossible time. The value of EXPRESSION, in which v is the JSON value, goes to
# $WORK/value, what is wrong to $WORK/why, and 0 or 1 to the pipe $WORK/answer. One process answers all
# questions: Python takes longer to load jsonschema than for all that it then checks.
cat >"$WORK/check.py" <<'END'
import datetime, json, re, sys
import jsonschema

def unique(pairs):
    names = [name for name, _ in pairs]
    if len(names) != len(set(names)):
        sys.exit("a field stands twice: %s" % names)
    return dict(pairs)

def times(node):
    if isinstance(node, dict):
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            times(child)
    elif isinstance(node, str) and re.match(r"\d{4}-\d\d-\d\dT", node):
        datetime.datetime.strptime(node, "%Y-%m-%dT%H:%M:%SZ")

def answer(name, expression, value, why):
    with open("%s/%s.json" % (schemas, name), encoding="utf-8") as f:
        schema = json.load(f)
    with open(work + "/out", encoding="utf-8", newline="") as f:
        text = f.read()
    if not text.endswith("\n") or "\r" in text:
        sys.exit("the output does not end in a newline, or holds a CR")
    v = json.loads(text, object_pairs_hook=unique)
    problems = list(jsonschema.Draft202012Validator(schema).iter_errors(v))
    for e in problems:
        print("%s: %s" % ("/".join(map(str, e.absolute_path)) or "the whole", e.message[:300]), file=why)
    if problems:
        return 1
    times(v)
    if expression:
        print(eval(expression, {"v": v, "json": json}), file=value)
    return 0

schemas, work = sys.argv[1:]
while True:
    with open(work + "/question", encoding="utf-8") as f:
        name, expression = f.read().split("\t", 1)
    with open(work + "/value", "w", encoding="utf-8") as value, open(work + "/why", "w", encoding="utf-8") as why:
        try:
            status = answer(name, expression, value, why)
        except (Exception, SystemExit) as e:
            print("%s: %s" % (type(e).__name__, e), file=why)
            status = 1
    with open(work + "/answer", "w", encoding="utf-8") as f:
        print(status, file=f)
END

mkfifo "$WORK/question" "$WORK/answer"
/usr/bin/python3 "$WORK/check.py" "$schemas" "$WORK" & at_exit "$!"

# ask SCHEMA [EXPRESSION]
ask()
{
	local status
	printf '%s\t%s' "$1" "${2-}" >"$WORK/question"
	read -r status <"$WORK/answer"
	return "$status"
}

# fits SCHEMA WHAT: the output of the last expect_exit is valid.
fits()
{
	ask "$1" || fail "$2 does not fit $1.json: $(head -n 3 "$WORK/why"): $(head -c 400 "$WORK/out")"
	ok "$2 fits $1.json"
}

# get SCHEMA EXPRESSION: its value for the last output.
get() { ask "$@" || { cat "$WORK/why" >&2; return 1; }; cat "$WORK/value"; }

# same_fields WHAT EXPRESSION: an object has the fields of the schema, no more and no fewer.
same_fields()
{
	local want
	want=$(tr -s ' \n' '\n' <<<"$lease_fields" | sort | tr '\n' ' ')
	assert_eq "$(get lease "' '.join(sorted($2)) + ' '")" "$want" "$1 has the documented fields"
}

# The validator itself must be able to refuse.
printf '{"id":1}\n' >"$WORK/out"
! (fits lease nonsense) 2>/dev/null || fail 'lease.json accepts anything'
printf '[{"login":"x","ok":true,"findings":["y"]}]\n' >"$WORK/out"
! (fits login nonsense) 2>/dev/null || fail 'login.json accepts anything'
ok 'the schemas refuse what is wrong'

# ---- grant -------------------------------------------------------------------------------------

new_key alice >/dev/null; new_key ci >/dev/null; new_key range >/dev/null; new_key short >/dev/null
ssh-keygen -q -t ecdsa -N '' -C 'späte Schlüssel "1" \ ' -f "$WORK/odd" </dev/null
serve 8009

expect_exit 0 leasectl --json list
assert_eq "$(cat "$WORK/out")" '[]' 'list without leases is an empty array'
fits lease 'an empty list'

expect_exit 0 leasectl --json grant alice --key "$WORK/alice.pub" --open 8009
fits lease grant
same_fields grant v
assert_eq "$(get lease "sorted(v['keys'][0]) == sorted('$key_fields'.split())")" True \
	'a key has the documented fields'
assert_eq "$(get lease "v['keys'][0]['fingerprint']")" \
	"$(ssh-keygen -lf "$WORK/alice.pub" | cut -d' ' -f2)" 'the fingerprint is what ssh-keygen says'
assert_eq "$(get lease "v['sessions'], v['max_sessions'], v['renewed_at'], v['last_login_at'], v['revoked_at']")" \
	'(0, None, None, None, None)' 'what is unknown, and what has not happened, is null'
cp "$WORK/out" "$WORK/grant.json"

day=$(date -u -d '+30 days' +%F)
expect_exit 0 leasectl --json grant ci --key "$WORK/ci.pub" --login gw-tunnel --listen auto \
	--from 192.0.2.7/24,2001:DB8::/32,127.0.0.1 --until "${day}T23:59:59+01:00"
fits lease 'grant with --listen, --from and --until'
assert_eq "$(get lease "v['fixed_end'], v['expires_at'], v['from']")" \
	"(True, '${day}T22:59:59Z', ['192.0.2.0/24', '2001:db8::/32', '127.0.0.1'])" 'end and sources are printed in their normal form'
expect_exit 0 leasectl --json grant range --key "$WORK/range.pub" --open 3000-3003 --open '[::1]:5432' \
	--for 1d12h
fits lease 'grant with a range and IPv6'
expect_exit 0 leasectl --json grant odd@x --key "$WORK/odd.pub" --open LOCALHOST:8010 \
	--note 'quotes " \ and ünïcode 𝄞 </script>'
fits lease 'grant with unusual texts'
assert_eq "$(get lease "v['note']")" 'quotes " \ and ünïcode 𝄞 </script>' 'the note is printed as it was given'
expect_exit 0 leasectl --json grant short --key "$WORK/short.pub" --open 8011 --for 1s
fits lease 'grant of one second'

# ---- show, list --------------------------------------------------------------------------------

expect_exit 0 leasectl --json show alice
fits lease show
same_fields show v
cp "$WORK/out" "$WORK/show.json"
cmp "$WORK/grant.json" "$WORK/show.json" || fail 'show differs from what grant printed'
expect_exit 0 leasectl --json show '#1'
cmp "$WORK/out" "$WORK/show.json" || fail 'show by number differs from show by name'

expired() { [[ $(leasectl list --all | awk '$2 == "short" { print $4 }') == expired ]]; }
wait_for 5 'the short lease expires' expired
expect_exit 0 leasectl --json list
fits lease list
assert_eq "$(get lease "[l['name'] for l in v]")" "['alice', 'ci', 'range', 'odd@x']" 'list has the active leases'
same_fields list 'v[0]'
assert_eq "$(get lease "all(sorted(l) == sorted(v[0]) for l in v)")" True 'all leases have the same fields'
assert_eq "$(get lease "v[0] == json.load(open('$WORK/show.json'))")" True 'list, show and grant agree'
# Into a pipe, list prints the columns of leasectl(1), with the values of the JSON.
get lease "'\n'.join('\t'.join([str(l['id']), l['name'], l['login'], l['state'], l['expires_at'],
	' '.join(l['open']), ' '.join(l['listen']), ','.join(l['from']), l['note']]) for l in v)" >"$WORK/want.tsv"
leasectl list | diff - "$WORK/want.tsv" || fail 'the table of list differs from its JSON'
ok 'the table of list agrees with its JSON'

expect_exit 0 leasectl --json list --all
fits lease 'list --all'
assert_eq "$(get lease "[l['state'] for l in v]")" "['active', 'active', 'active', 'active', 'expired']" \
	'list --all has the expired one'
expect_exit 0 leasectl --json list --login gw-tunnel
fits lease 'list --login'
assert_eq "$(get lease "[l['name'] for l in v]")" "['ci']" 'list --login'
expect_exit 0 leasectl --json list --expiring 2d
fits lease 'list --expiring'
assert_eq "$(get lease "[l['name'] for l in v]")" "['range']" 'list --expiring'

leasectl show alice | cut -f1 | tr '\n' ' ' >"$WORK/names"
assert_eq "$(cat "$WORK/names")" 'id name login state key open listen from max_sessions note created_at renewed_at expires_at fixed_end revoked_at last_login_at sessions connect ' \
	'show, into a pipe, prints its fields in order'
assert_eq "$(leasectl show alice | sed -n 's/^fixed_end\t//p') $(leasectl show ci | sed -n 's/^fixed_end\t//p')" 'no yes' \
	'show, into a pipe, says whether an admin named the end'

expect_exit 0 leasectl --json ssh-config alice
fits ssh-config 'ssh-config of a holder'
assert_eq "$(get ssh-config "v['kind'], v['hosts'], v['command'] == json.load(open('$WORK/show.json'))['connect']")" \
	"('holder', ['alice'], True)" 'its command is the connect of show'
expect_exit 2 leasectl --json ssh-config alice --only stanzas-and-more
assert_eq "$(cat "$WORK/out")" '' 'no JSON for a wrong --only'

# ---- verify ------------------------------------------------------------------------------------

expect_exit 0 leasectl --json verify alice
fits verify verify
assert_eq "$(get verify "sorted({r['check'] for r in v}), {r['result'] for r in v}")" \
	"(['A', 'B', 'C', 'D', 'E'], {'pass'})" 'verify passes A to E'
expect_exit 0 leasectl --json verify ci
fits verify 'verify of a lease that listens'
assert_eq "$(get verify "[r['result'] for r in v if r['check'] == 'B']")" "['pass']" 'check B is made with -R'
expect_exit 1 leasectl --json verify odd@x
fits verify 'verify without a service'
assert_eq "$(get verify "[r['result'] for r in v if r['check'] == 'B']")" "['not run']" \
	'check B is not run when the service is down'

# ---- doctor, setup -----------------------------------------------------------------------------

expect_exit 0 leasectl --json doctor
fits doctor doctor
assert_eq "$(get doctor "sorted({r['check'] for r in v})")" \
	"['admission', 'akc', 'audit', 'ceiling', 'clock', 'conf', 'control port', 'copies', 'dead peer', 'drop-in', 'leased', 'login', 'others', 'pam', 'ports', 'proc', 'public host', 'registry', 'service', 'space', 'sshd', 'store']" 'doctor makes all its checks'
get doctor "'\n'.join('\t'.join([r['result'].replace('fail', 'FAIL'), r['check'], r['detail'], r['why'] or '', r['mend'] or '']) for r in v)" \
	>"$WORK/want.tsv"
leasectl doctor | diff - "$WORK/want.tsv" || fail 'the table of doctor differs from its JSON'
ok 'the table of doctor agrees with its JSON'
expect_exit 1 leasectl --json doctor --quick
fits doctor 'doctor --quick'
assert_eq "$(get doctor "sorted({r['check'] for r in v})")" "['leased', 'pam', 'proc', 'registry', 'sshd', 'store']" 'doctor --quick makes its checks'
chmod o+w /usr/libexec/tunlease/akc
expect_exit 1 leasectl --json doctor
chmod o-w /usr/libexec/tunlease/akc
fits doctor 'doctor with a finding'
assert_eq "$(get doctor "[r['check'] for r in v if r['result'] == 'fail']")" "['akc']" 'doctor names the failed check'
expect_exit 0 leasectl --json setup
fits doctor setup

# ---- login, sshd-config ------------------------------------------------------------------------

expect_exit 0 leasectl --json login list
fits login 'login list'
assert_eq "$(get login "[l['login'] for l in v]")" "['gw-tunnel', 'pfwd']" 'login list has both logins'
assert_eq "$(leasectl login list)" $'gw-tunnel\tAgentLogin\tok\npfwd\tForwardLogin\tok' 'the table of login list'
expect_exit 0 leasectl --json login check pfwd
fits login 'login check'
expect_exit 0 leasectl --json login add db
fits login 'login add'
expect_exit 0 leasectl setup --dry-run
grep -q '^would write ' "$WORK/out" || fail 'setup has nothing to do for the new login'
expect_exit 0 leasectl --json setup --dry-run
assert_eq "$(cat "$WORK/out")" '' 'setup --dry-run --json prints no sentences'
expect_exit 1 leasectl --json login check li
fits login 'login check with a finding'
usermod -s /bin/bash db
expect_exit 0 leasectl --json login list
fits login 'login list with a finding'
assert_eq "$(get login "[l['login'] for l in v if not l['ok']]")" "['db']" 'login list shows the login with a finding'

expect_exit 0 leasectl --json sshd-config
fits sshd-config sshd-config
path=$(get sshd-config "v['path']")
get sshd-config "v['text']" >"$WORK/text"
leasectl sshd-config >"$WORK/plain"
diff <(cat "$WORK/plain"; echo) "$WORK/text" || fail 'sshd-config --json has another text'
[[ -f $path ]] || fail "setup did not put the Match blocks at '$path'"
ok 'sshd-config --json has the same text'

# ---- revoke ------------------------------------------------------------------------------------

# A revoke that ends a session prints the same JSON; that it ended one is said on standard error.
fwd_L "$WORK/alice" pfwd 18009:127.0.0.1:8009 || fail 'the forward does not come up'
assert_eq "$(fetch http://127.0.0.1:18009/)" 'hello from 8009' 'a connection is up'
expect_exit 0 leasectl --json list
assert_eq "$(get lease "[l['sessions'] for l in v if l['name'] == 'alice']")" '[1]' 'a live session is counted'
expect_exit 0 leasectl --json sessions
fits sessions 'sessions'
pid=$(get sessions "v[0]['pid']")
for change in 'revoke alice' 'set alice --open -8009 --open +8010' 'freeze pfwd' 'kill alice' \
	"key remove alice $(ssh-keygen -lf "$WORK/alice" | cut -d' ' -f2)"; do
	# shellcheck disable=SC2086
	expect_exit 0 leasectl --json $change --dry-run
	fits dry-run "${change% SHA256*} --dry-run"
	assert_eq "$(get dry-run "[s['pid'] for s in v['sessions']]")" "[$pid]" 'it names the session'
done
expect_exit 0 leasectl --json delete short --dry-run
fits dry-run 'delete --dry-run'
assert_eq "$(get dry-run "v['sessions'], v['changes'][0]['before']['name'], v['changes'][0]['after']")" "([], 'short', None)" \
	'what is deleted is no more'
get dry-run "json.dumps(v['changes'][0]['before'])" >"$WORK/before"
mv "$WORK/before" "$WORK/out"
fits lease 'the lease before the change'
expect_exit 0 leasectl --json revoke alice
fits lease 'revoke of one'
grep -q '^ended 1 session in [0-9]* ms$' "$WORK/err" || fail "$(cat "$WORK/err")"
fwd_stop
nobody_up() { ! pgrep -u pfwd >/dev/null; }
wait_for 5 'the connection is gone' nobody_up
same_fields revoke v
assert_eq "$(get lease "v['name'], v['state']")" "('alice', 'revoked')" 'revoke of one prints one lease'
expect_exit 0 leasectl --json revoke ci '#3'
fits lease 'revoke of several'
assert_eq "$(get lease "[l['name'] for l in v]")" "['ci', 'range']" 'revoke of several prints an array'
assert_eq "$(sed 's/"id".*"connect".*"}/.../' "$WORK/out" | tr '\n' '|')" '[{...,|{...]|' 'one lease a line, as in list'
expect_exit 3 leasectl --json revoke nobody odd@x
fits lease 'revoke of several, one unknown'
assert_eq "$(get lease "[l['name'] for l in v]")" "['odd@x']" 'the array contains what was revoked'
expect_exit 0 leasectl --json list --all
fits lease 'list --all with revoked ones'

# ---- agents ------------------------------------------------------------------------------------

new_key db1 >/dev/null
expect_exit 0 leasectl --json agent add db1 --key "$WORK/db1.pub"
fits agent 'agent add'
expect_exit 0 leasectl --json ssh-config db1
fits ssh-config 'ssh-config of an agent'
assert_eq "$(get ssh-config "v['kind'], v['hosts'], v['systemd_unit'], v['launchd_plist']")" \
	"('agent', ['db1+gateway', 'db1'], None, None)" 'an agent has a pair of stanzas and no service'
new_key jumper >/dev/null
expect_exit 0 leasectl --json grant jumper --key "$WORK/jumper.pub" --open agent:db1
fits lease 'grant of an agent'
assert_eq "$(get lease "v['open_agents'], v['connect'].split('@')[0]")" "(['db1'], 'ssh -J pfwd')" 'the command of a lease that opens an agent alone'
expect_exit 0 leasectl --json agent reset db1
fits agent-reset 'agent reset'
expect_exit 0 leasectl --json agents
fits agents 'agents'

expect_exit 0 leasectl --json token create --uses 2 --name db2
fits token 'token create'
assert_eq "$(get token "v['name'], v['uses_left']")" "('db2', 2)" 'token create prints what was asked for'
expect_exit 0 leasectl --json token list
fits tokens 'token list'

join_account
for words in 'invited --open 8009' 'db3 --agent'; do
	# shellcheck disable=SC2086 # words
	expect_exit 0 leasectl --json invite $words
	fits invite "invite $words"
done
assert_eq "$(get invite "v['name'], v['kind'], v['command'].split()[:2]")" "('db3', 'agent', ['tunnel-agent', 'join'])" 'invite prints what was asked for'
expect_exit 0 leasectl --json invite list
fits invites 'invite list'

# ---- import ------------------------------------------------------------------------------------

new_key moved >/dev/null
{ echo '# a file'; echo "no-pty,permitopen=\"localhost:8009\",from=\"127.0.0.1\" $(cat "$WORK/moved.pub")"; echo 'no key'; } >"$WORK/keys"
expect_exit 0 leasectl --json import "$WORK/keys" --login pfwd --dry-run
fits import 'import --dry-run'
cp "$WORK/out" "$WORK/dry.json"
expect_exit 0 leasectl --json import "$WORK/keys" --login pfwd
fits import import
assert_eq "$(get import "[(l['line'], l['result'], l['name']) for l in v['lines']], v['count'], v['nothing'], v['lease'], v['dead']")" \
	"([(2, 'lease', 'moved'), (3, 'dead', None)], 3, 1, 1, 1)" 'import has each line, and counts them'
assert_eq "$(get import "v['lines'][0]['today'] == {'open': ['localhost:8009'], 'listen': ['any'], 'from': '127.0.0.1', 'until': None}, v['lines'][0]['lease']['open'], v['lines'][0]['lease']['from'], v['lines'][0]['lost']")" \
	"(True, ['127.0.0.1:8009'], '127.0.0.1', ['any -R'])" 'import has what sshd allows and what the lease allows'
assert_eq "$(get import "[{**l, 'id': None} for l in v['lines']] == json.load(open('$WORK/dry.json'))['lines']")" True 'the dry run had said the same'

# ---- explain, freeze, thaw ---------------------------------------------------------------------

expect_exit 0 leasectl --json explain gw-tunnel --key "$WORK/db1.pub"
fits explain 'explain'
expect_exit 1 leasectl --json explain pfwd --key "$WORK/db1.pub"
fits explain 'explain of a key that is refused'
expect_exit 0 leasectl --json freeze pfwd
fits freeze 'freeze'
assert_eq "$(get freeze "v['login'], v['frozen']")" "('pfwd', True)" 'freeze says what is frozen'
expect_exit 0 leasectl --json thaw pfwd
fits freeze 'thaw'
assert_eq "$(get freeze "v['frozen'], v['since']")" '(False, None)' 'thaw says what is frozen'

# ---- audit -------------------------------------------------------------------------------------

expect_exit 0 leasectl --json audit --lease alice
fits audit 'audit'
assert_eq "$(get audit "v[0]['action'], v[0]['lease'], v[0]['source'], v[0]['anchor_seq']")" "('grant', 'alice', None, None)" 'a row of the audit'
expect_exit 0 leasectl --json audit checkpoint --sign "$WORK/alice"
fits audit-checkpoint 'audit checkpoint'
get audit-checkpoint "v['signature'] + v['text']" >"$WORK/checkpoint"
expect_exit 0 leasectl --json audit verify --checkpoint "$WORK/checkpoint"
fits audit-verify 'audit verify'
assert_eq "$(get audit-verify "v['intact'], v['fault'], v['checkpoint']['result'], v['checkpoint']['signature']")" \
	"(True, None, 'agrees', 'unchecked')" 'audit verify agrees with the checkpoint'

expect_exit 0 leasectl --json backup "$WORK/backup.db"
fits backup 'backup'
expect_exit 0 leasectl --json restore "$WORK/backup.db" --dry-run
fits dry-run 'restore --dry-run'
expect_exit 0 leasectl --json restore "$WORK/backup.db"
fits restore 'restore'

# ---- lint --------------------------------------------------------------------------------------

expect_exit 1 leasectl --json lint "$TOP/tests/authorized_keys.shapes"
fits lint 'lint of all shapes'
assert_eq "$(get lint "len(v), [l['findings'][0]['finding'] for l in v if l['kind'] == 'dead']")" \
	"(15, ['dead', 'dead', 'dead', 'dead'])" 'a line of lint for each that is not blank'
assert_eq "$(get lint "v[0]['allows'], v[0]['key']['comment'], v[-1]['allows']")" \
	"('any -R; -L 127.0.0.1:8009; commands', 's01', None)" 'what a line of lint allows'
expect_exit 0 leasectl --json lint - </dev/null
assert_eq "$(cat "$WORK/out")" '[]' 'lint of nothing is an empty array'

# ---- errors ------------------------------------------------------------------------------------

# silent CODE ARGUMENT...: exits with CODE, one line on standard error and nothing on standard
# output.
silent()
{
	local code=$1; shift
	expect_exit "$code" leasectl --json "$@"
	assert_eq "$(wc -c <"$WORK/out") $(wc -l <"$WORK/err")" '0 1' "'$*' exits $code with one line and no JSON"
}
silent 2 show
silent 2 grant 'two words' --key "$WORK/alice.pub" --open 8009
silent 3 show nobody
silent 4 grant far --key "$WORK/alice.pub" --open 192.0.2.1:80
silent 5 revoke alice
mv /var/lib/tunlease/leases.db "$WORK/away"
expect_exit 1 leasectl -c "$WORK/missing.conf" --json list
assert_eq "$(cat "$WORK/out")" '' 'no JSON without a configuration'
silent 7 list
silent 7 show alice
