#!/bin/bash
# SPDX-License-Identifier: ISC
# leasectl invite: what an admin hands on, what is refused, and the name that an open invite reserves.
# sandbox: --leased
set -eu
. "$TOP/tests/lib.sh"

store=/var/lib/tunlease/leases.db conf=/etc/tunlease/tunlease.conf
query() { sqlite3 -readonly "$store" "$1"; }
as_owner() { setpriv --reuid=_tunlease --regid=_tunlease --clear-groups "$@"; }
rows() { query 'SELECT coalesce(max(seq), 0) FROM audit'; }
# refused EXIT PATTERN WORD...: leasectl WORD... fails so, in one line, and changes nothing
refused()
{
	local before
	before=$(rows)
	expect_exit "$1" leasectl "${@:3}"
	grep -v '^leasectl: [a-z]*: warning: ' "$WORK/err" | some_line -e "$2" || fail "${*:3}: $(cat "$WORK/err")"
	[[ $(wc -l <"$WORK/err") == 1 && ! -s $WORK/out ]] || fail "${*:3}: $(cat "$WORK/err" "$WORK/out")"
	[[ $(rows) == "$before" ]] || fail "${*:3}: it was refused, and changed something"
	ok "${*:3}: $(cut -c 1-150 "$WORK/err")"
}
code_pattern='[2-9A-HJ-NP-Z]{4}(-[2-9A-HJ-NP-Z]{4}){3}'
code_of() { grep -Eo "$code_pattern" "$WORK/out" | sort -u; }
now() { date +%s; }
get() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$WORK/out" "$1"; }

leasectl token create >/dev/null # number 1 is no invite
new_key alice >/dev/null
new_key carol >/dev/null
expect_exit 0 leasectl grant carol --key "$WORK/carol.pub" --open 8009
host_key=$(sed -n 's/^host key *\(ssh-[^ ]* SHA256:[^ ]*\)$/\1/p' "$WORK/out")

note 'who can join'
refused 1 "JoinLogin is not set in $conf: 'leasectl setup --join'" invite alice --open 8009
for login in "pfwd:must be two logins" "root:user id of root" "nobody-here:setup --join' makes it" "_tunlease:is not the account that"; do
	echo "JoinLogin ${login%%:*}" >>"$conf"
	# leased and leasectl may refuse such a configuration as a whole.
	expect_exit 1 leasectl invite alice --open 8009
	grep -q "${login#*:}" "$WORK/err" || fail "$login: $(cat "$WORK/err")"
	sed -i '$d' "$conf"
done
ok 'an account that is not the one that setup makes: refused'
join_account

note 'a friend'
expect_exit 0 leasectl invite alice --open 8009 --for 30d
code=$(code_of)
until=$(sed -n 's/^Send alice this; it is good once, until \(20.*\):$/\1/p' "$WORK/out")
left=$(($(date -d "$until" +%s) - $(now)))
((left > 86400 - 120 && left <= 86400)) || fail "not a day: $until"
assert_eq "$(sed -n '2,4p' "$WORK/out")" $'\n'"  ssh join@gateway.test $code" 'one line to run, by itself'
assert_eq "$(sed -n 's/^host key *//p' "$WORK/out")" "$host_key" 'the host key, as grant prints it'
some_line -x 'no key     ssh-keygen -t ed25519' <"$WORK/out" || fail "$(cat "$WORK/out")"
assert_eq "$(query "SELECT hex(hash) FROM token WHERE name = '!alice'")" \
	"$(printf %s "$code" | sha256sum | cut -d ' ' -f 1 | tr a-f A-F)" 'the store has the hash of the code'

note 'the code is nowhere else'
as_owner sqlite3 "$store" 'PRAGMA wal_checkpoint' >/dev/null
leasectl backup "$WORK/backup.db" >/dev/null
{ leasectl audit; leasectl invite list; leasectl --json invite list; leasectl doctor || :; cat "$SANDBOX_LOG"; } >"$WORK/printed"
[[ -s $WORK/printed ]] || fail 'nothing was printed'
some_line -F 127.0.0.1:8009 <"$WORK/printed" || fail "the terms are not there, so this finds nothing: $(cat "$WORK/printed")"
for text in "$code" "${code//-/}" "${code,,}"; do
	! grep -r -i -a -l -e "$text" /var/lib/tunlease /run/tunlease /etc/tunlease /var/log "$WORK/backup.db" "$WORK/printed" ||
		fail "$text is in the files above"
done
# Nor in the arguments or the environment of a program that leasectl runs.
strace -f -qq -v -s 4096 -e trace=execve -o "$WORK/calls" leasectl invite traced --open 8009 >"$WORK/out" 2>/dev/null || fail 'strace'
[[ -n $(code_of) ]] || fail "$(cat "$WORK/out")"
! grep -F -e "$(code_of)" "$WORK/calls" || fail 'a program got the code'
ok 'neither a file, a log, the audit nor a process has it'

note 'terms'
refused 5 "reserved by the open invite #2 for 'alice': 'leasectl invite revoke 2'" invite alice --open 8009
refused 5 "taken by the lease 'carol'" invite carol --open 8009
refused 4 'AllowOpen' invite bob --open 192.0.2.9:22
refused 4 'on ForwardLogin nothing may listen' invite bob --listen auto
echo 'MaxTTL 60d' >>"$conf"
refused 4 'longer than MaxTTL' invite bob --open 8009 --for 61d
refused 4 'longer than MaxTTL' invite bob --open 8009 --until "$(date -d '+61 days' +%Y-%m-%d)"
sed -i '$d' "$conf"
refused 3 "no agent 'none'" invite bob --open agent:none
echo 'AllowOpen 127.0.0.1:8000-8999' >>"$conf"
many=(); for i in {1..64}; do many+=(--open "$((8000 + 2 * i))"); done
refused 2 'each agent is one of them' invite bob "${many[@]}" --open agent:none
refused 2 'each agent is one of them' grant bob --key "$WORK/alice.pub" --open agent:none "${many[@]}"
refused 3 "no agent 'none'" invite bob "${many[@]:2}" --open agent:none
sed -i '$d' "$conf"
refused 2 "the name '-x'" invite -- -x
refused 2 'no duration' invite bob --open 8009 --valid 0
refused 2 'no duration' invite bob --open 8009 --valid soon
for long in 30d1s 5w 36500d; do refused 2 "'$long' is too long: an invite is good for 30 days at most, and the lease lasts as long as --for says" invite bob --open 8009 --valid "$long"; done
expect_exit 0 leasectl --json invite bob --open 8009 --valid 30d
(($(date -d "$(get expires_at)" +%s) - $(now) > 30 * 86400 - 120)) || fail "30 days: $(cat "$WORK/out")"
expect_exit 0 leasectl invite revoke "$(get id)"
refused 2 'give one of them' invite bob --open 8009 --for 1d --until 2099-01-01
refused 2 'has passed' invite bob --open 8009 --until 2020-01-01
refused 2 'key' invite bob --open 8009 --key "$WORK/alice.pub"
refused 2 'for a friend' invite bob --open 8009 --port 20001
refused 2 'for an --agent' invite bob --open 8009 --replace
refused 2 'takes one NAME' invite
refused 2 'takes one NAME' invite list --open 8009
refused 2 'takes one NAME' invite bob carol
expect_exit 0 leasectl --json invite bob --open 8009 --until "$(date -d '+1 hour' +'%Y-%m-%d %H:%M')" --valid 2d --from 192.0.2.0/24 --max-sessions 2 --note 'of the "team"'
assert_eq "$(get name) $(get kind) $(get host_key_type) $(get host_key)" "bob friend $host_key" 'JSON'
assert_eq "$(get command)" "ssh join@gateway.test $(get code)" 'JSON: the command'
(($(date -d "$(get expires_at)" +%s) - $(now) <= 3600)) || fail 'an invite outlives the end of its lease'
bob_id=$(get id)
expect_exit 0 leasectl invite list
some_line -P "^$bob_id\tbob\tfriend\topen\t[^\t]*Z\t\t\tlogin pfwd, open 127\.0\.0\.1:8009, from 192\.0\.2\.0/24, max-sessions 2, until 20[^ ]*Z, note of the \"team\"\$" <"$WORK/out" ||
	fail "$(cat "$WORK/out")"
some_line -P $'^2\talice\tfriend\topen\t[^\t]*Z\t\t\tlogin pfwd, open 127.0.0.1:8009, for 30d$' <"$WORK/out" || fail "$(cat "$WORK/out")"
ok 'the list has the terms'
echo 'PublicPort 2222' >>"$conf"
expect_exit 0 leasectl invite dora --open 8009
some_line -E "^  ssh -p 2222 join@gateway\.test $code_pattern\$" <"$WORK/out" || fail "$(cat "$WORK/out")"
expect_exit 0 leasectl invite host --agent
some_line -E "^  tunnel-agent join gateway\.test:2222 $code_pattern --host-key SHA256:" <"$WORK/out" || fail "$(cat "$WORK/out")"
sed -i '$d' "$conf"
ok 'another port'

note 'JoinLogin taken away meanwhile'
expect_exit 0 leasectl invite list
[[ ! -s $WORK/err ]] || fail "a warning, where all is well: $(cat "$WORK/err")"
cp "$WORK/out" "$WORK/list"
expect_exit 0 leasectl --json invite list
cp "$WORK/out" "$WORK/list.json"
sed -i.joins '/^JoinLogin/d' "$conf"
warned() # WORDS
{
	for as in '' --json; do
		# shellcheck disable=SC2086 # nothing, or one word
		expect_exit 0 leasectl $as invite list
		assert_eq "$(grep -c "warning: nobody can join this gateway: $1.*; an open invite is good again then, until it is over\$" "$WORK/err") $(wc -l <"$WORK/err")" '1 1' \
			"$(cat "$WORK/err")"
		cmp "$WORK/out" "$WORK/list${as:+.json}" || fail 'what is listed'
	done
}
warned "JoinLogin is not set in $conf: 'leasectl setup --join'"
echo 'JoinLogin _tunlease' >>"$conf"
warned "JoinLogin '_tunlease' .*is not the account that"
mv "$conf.joins" "$conf"
ok 'the list says that nobody can join, and that the invites stay'

note 'listen ports'
invited_port() { query "SELECT invite FROM token WHERE name = '!$1'" | sed -n 's/^listen .*:\([0-9]*\)$/\1/p'; }
for name in l1 l2; do expect_exit 0 leasectl invite "$name" --login gw-tunnel --listen auto; done
[[ -n $(invited_port l1) && $(invited_port l1) != "$(invited_port l2)" ]] || fail "$(invited_port l1) $(invited_port l2)"
new_key l3 >/dev/null
expect_exit 0 leasectl grant l3 --login gw-tunnel --listen auto --key "$WORK/l3.pub"
port=$(query "SELECT listen FROM lease WHERE name = 'l3'")
port=${port##*:}
[[ $port != "$(invited_port l1)" && $port != "$(invited_port l2)" ]] || fail "grant takes an invited port: $port"
refused 5 "port $port is held by the lease 'l3'" invite l4 --login gw-tunnel --listen "127.0.0.1:$port"
refused 5 'another open invite' invite l4 --login gw-tunnel --listen "127.0.0.1:$(invited_port l1)"
ok 'each gets a port of its own'

note 'a reserved name'
refused 5 "reserved by the open invite #2 for 'alice'" grant alice --key "$WORK/alice.pub" --open 8009
post()
{
	curl -s -o "$WORK/answer" -w '%{http_code}' --max-time "$(slow 10)" -H 'Content-Type: application/json' \
		-H 'Authorization: Bearer an-enrolment-key-for-the-tests' --data "$1" http://127.0.0.1:12000/
}
register() { post "{\"action\":\"register\",\"agent_id\":\"$1\",\"public_key\":\"$(cat "$WORK/alice.pub")\"}"; }
assert_eq "$(register alice)" 409 'register: 409'
some_line 'reserved by the open invite #2' <"$WORK/answer" || fail "$(cat "$WORK/answer")"
printf 'restrict,port-forwarding,permitopen="127.0.0.1:8009" %s alice\n' "$(cut -d ' ' -f 1,2 "$WORK/alice.pub")" >"$WORK/keys"
expect_exit 0 leasectl import "$WORK/keys" --login pfwd --dry-run
some_line "alice-2" <"$WORK/out" || fail "import: $(cat "$WORK/out")"
ok 'import names its lease otherwise'
refused 5 'reserved by the open invite' agent add alice --key "$WORK/alice.pub"
for words in 'revoke alice' 'delete alice' 'show alice' 'renew alice' 'set alice --note x'; do
	# shellcheck disable=SC2086 # words
	refused 3 "no lease 'alice' yet, only the open invite #2: 'leasectl invite revoke 2'" $words
done

note 'taken back'
refused 3 'no invite #1' invite revoke 1 # which is the token
refused 3 'no token #2' token revoke 2
refused 3 'no invite #99' invite revoke 99
refused 2 'no invite.s number' invite revoke alice
leasectl token list | some_line -P '^1\t' || fail 'the token has gone'
expect_exit 0 leasectl invite revoke '#2'
[[ ! -s $WORK/err ]] || fail "of one that was not spent: $(cat "$WORK/err")"
leasectl audit | some_line -P '\tinvite_revoke\talice\t.*\tinvite=2$' || fail "$(leasectl audit)"
refused 3 'no invite #2' invite revoke 2
refused 3 "no lease 'alice': see" revoke alice
expect_exit 0 leasectl grant alice --key "$WORK/alice.pub" --open 8009
ok 'the name is free again'
as_owner sqlite3 "$store" "UPDATE token SET expires_s = $(now) WHERE name = '!bob';
	UPDATE token SET uses_left = 0, expires_s = $(now), invite = invite || 'lease_id 7' || char(10) || 'fingerprint SHA256:x' || char(10) WHERE name = '!dora'"
expect_exit 0 leasectl invite list
some_line -P "\tbob\tfriend\tover\t" <"$WORK/out" || fail "$(cat "$WORK/out")"
some_line -P "\tdora\tfriend\tspent\t[^\t]*Z\t7\tSHA256:x\t" <"$WORK/out" || fail "$(cat "$WORK/out")"
expect_exit 0 leasectl invite revoke "$(query "SELECT id FROM token WHERE name = '!dora'")"
some_line "spent, and the lease #7 of who has joined with it stays: 'leasectl revoke \"#7\"' ends it" <"$WORK/err" || fail "$(cat "$WORK/err")"
for name in bob dora; do expect_exit 0 leasectl invite "$name" --open 8009; done
ok 'one that is over or spent is listed so, and reserves nothing'

refused 2 "'join' is JoinLogin, which asks for no lease" explain join --key "$WORK/alice.pub"
note 'a private host'
expect_exit 0 leasectl invite db1 --agent --port 20017 --for 3d
refused 3 "no agent 'db1' yet, only the open invite #[0-9]*: do this again when it has joined" grant li --key "$WORK/alice.pub" --open agent:db1
refused 3 "no agent 'db0': see 'leasectl agents'" grant li --key "$WORK/alice.pub" --open agent:db0
assert_eq "$(sed -n 's/^  tunnel-agent join gateway.test \(.*\) --host-key SHA256:[^ ]*$/\1/p' "$WORK/out")" "$(code_of)" 'a line for tunnel-agent'
assert_eq "$(sed -n 's/^  ssh join@gateway.test //p' "$WORK/out")" "$(code_of)" 'and one for ssh'
leasectl invite list | some_line -P '\tdb1\tagent\topen\t.*\tlogin gw-tunnel, listen 127.0.0.1:20017, for 3d$' || fail "$(leasectl invite list)"
for words in '--open 8009' '--listen auto' '--login gw-tunnel' '--from 192.0.2.1' '--max-sessions 2' '--note x'; do
	# shellcheck disable=SC2086 # words
	refused 2 'takes --port, --for or --until' invite db2 --agent $words
done
refused 4 AllowListen invite db2 --agent --port 80
refused 5 'another open invite' invite db2 --agent --port 20017
refused 3 "no agent 'db2' to --replace" invite db2 --agent --replace
refused 5 'is no agent' invite carol --agent --replace
rm "$WORK"/alice "$WORK"/alice.pub
new_key alice >/dev/null
assert_eq "$(register db3)" 200 'an agent registers'
port=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["port_b"])' "$WORK/answer")
[[ -n $port && $port != "$(invited_port l1)" && $port != "$(invited_port l2)" ]] || fail "it gets an invited port: $port"
refused 5 "taken by the agent 'db3'.*--replace" invite db3 --agent
refused 2 'keeps the agent.s port' invite db3 --agent --replace --port 20030
expect_exit 0 leasectl invite db3 --agent --replace
leasectl invite list | some_line -P '\tdb3\tagent\topen\t.*\treplace, login gw-tunnel, for ' || fail "$(leasectl invite list)"
assert_eq "$(register db3)" 200 'until somebody joins, the old one goes on'
refused 5 'reserved by the open invite' invite db3 --agent --replace
expect_exit 0 leasectl invite revoke "$(query "SELECT id FROM token WHERE name = '!db3'")"
expect_exit 0 leasectl revoke db3
for words in '' --replace; do
	# shellcheck disable=SC2086 # nothing, or one word
	refused 5 "is revoked.*'leasectl delete db3' first" invite db3 --agent $words
done
expect_exit 0 leasectl delete db3
expect_exit 0 leasectl invite db3 --agent
ok 'a revoked name only after delete'

note 'leased'
socket=/run/tunlease-join/socket
if [[ ! -S $socket ]]; then
	mkdir -p "${socket%/*}"
	python3 -c 'import socket, sys; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); s.accept(); s.accept()' "$socket" &
	at_exit $!
	wait_for 5 'a socket' test -S "$socket"
fi
expect_exit 0 leasectl invite w1 --open 8009
[[ ! -s $WORK/err ]] || fail "a warning, where all is well: $(cat "$WORK/err")"
kill "$(cat /run/leased.pid)"
wait_for 5 'leased to end' is_gone "$(cat /run/leased.pid)"
rm -f "$socket"
expect_exit 0 leasectl invite w2 --open 8009
some_line 'warning: leased cannot be reached, so nobody can join yet: ' <"$WORK/err" || fail "$(cat "$WORK/err")"
[[ -n $(code_of) ]] || fail 'the code was not printed'
ok 'a warning where leased cannot be reached, and only there'

note 'a wrong line of the configuration'
echo 'MaxTTL never' >>"$conf"
expect_exit 1 leasectl invite x1 --open 8009
expect_exit 0 leasectl invite list
! grep 'nobody can join' "$WORK/err" || fail 'JoinLogin is set'
expect_exit 0 leasectl invite revoke "$(query "SELECT id FROM token WHERE name = '!w1'")"
ok 'list and revoke work all the same'
