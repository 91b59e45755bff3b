# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# prove_lib.sh: for the tests of leasectl prove, after lib.sh. It starts leased, grants a lease alice, and
# holds a tunnel of alice with data in it.
#
#   store, conf         the store's file, and tunlease.conf
#   query SQL           asks or changes the store
#   tells FILE EXPR     the report's JSON is valid; prints the value of EXPR, of r, trials, failed, not_run
#   verifies FILE       ssh-keygen alone takes the report's signature by `auditor` of $WORK/allowed
#   nothing_left WHAT   no file, lease, connection or process is left since remember, and alice's data goes on
#   remember            how it is now
/usr/bin/python3 -c 'import jsonschema' 2>/dev/null || { echo 'needs python3-jsonschema'; exit 77; }

# shellcheck disable=SC2034 # conf is for the test
conf=/etc/tunlease/tunlease.conf
store=/var/lib/tunlease/leases.db
query() { setpriv --reuid=_tunlease --regid=_tunlease --clear-groups sqlite3 "$store" "$1"; }
for key in alice auditor other; do new_key "$key" >/dev/null; done
echo 'API_KEY=an-enrolment-key-for-the-tests' >/etc/tunlease/leased.env
chown _tunlease:root /etc/tunlease/leased.env
chmod 0400 /etc/tunlease/leased.env
echo 'MetricsListen 127.0.0.1:12001' >>"$conf"
leased >"$WORK/leased.out" 2>&1 </dev/null &
at_exit "$!"
leased_answers() { fetch -o /dev/null http://127.0.0.1:12000/healthz; }
wait_for 10 'leased to answer' leased_answers
leasectl grant alice --key "$WORK/alice.pub" --open 8009 --for 3d --from 127.0.0.0/8 --note 'a "note"' >/dev/null 2>&1
serve_echo 8009
fwd_L "$WORK/alice" pfwd 9009:127.0.0.1:8009
talk_to 9009
talks "$TALK" || fail 'the tunnel of the holder carries nothing'

# The command of leasectl(1) and of the report.
json_of() { sed -n '/^-----BEGIN TUNLEASE REPORT JSON-----$/,/^-----END TUNLEASE REPORT JSON-----$/{//!p}' "$1"; }
verifies() # FILE
{
	sed '1,/^-----END SSH SIGNATURE-----$/d' "$1" |
		ssh-keygen -Y verify -f "$WORK/allowed" -I auditor -n tunlease-report -s "$1"
}
# tells FILE EXPRESSION: the report is valid against the installed schemas; the expression's value. Of r:
# the JSON; of failed and not_run: ids of trials.
tells()
{
	json_of "$1" >"$WORK/json"
	/usr/bin/python3 - "$WORK/json" "$2" <<-'END'
		import json, sys
		import jsonschema
		def unique(pairs):
		    names = [name for name, _ in pairs]
		    assert len(names) == len(set(names)), names
		    return dict(pairs)
		def schema(name):
		    with open("/usr/share/doc/tunlease/schema/" + name, encoding="utf-8") as f:
		        return json.load(f)
		with open(sys.argv[1], encoding="utf-8") as f:
		    r = json.load(f, object_pairs_hook=unique)
		lease = schema("lease.json")
		for value, against in [(r, schema("prove.json")), (r["doctor"], schema("doctor.json"))] + [(l, lease) for l in r["leases"]]:
		    for e in jsonschema.Draft202012Validator(against).iter_errors(value):
		        sys.exit("%s: %s" % ("/".join(map(str, e.absolute_path)), e.message[:300]))
		trials = [t for c in r["claims"] for t in c["trials"]]
		ids = lambda result: " ".join(sorted(t["id"] for t in trials if t["result"] == result))
		print(eval(sys.argv[2], {"r": r, "trials": trials, "failed": ids("fail"), "not_run": ids("not run")}))
	END
}
files() { find /tmp /run -not -path "$TOP/*" -not -path '/run/sandbox*' -not -path '/run/motd*' -not -path "$WORK*" \
	-not -path '/run/sudo*' -not -path '/run/tunlease/sessions/*' | sort; }
nothing_left()
{
	[[ $(files) == "$before" ]] || fail "files: $(diff <(echo "$before") <(files))"
	[[ $(leasectl list --all) == "$leases" ]] || fail "a lease is left: $(leasectl list --all)"
	[[ $(pgrep -u pfwd -x sshd | wc -l) == 1 ]] || fail 'a connection is left, or the one of the holder is gone'
	! pgrep -f leasectl-verify || fail 'a process is left'
	talks "$TALK" || fail "the holder's connection was cut"
	ok "$1: nothing is left, and the holder's data goes on"
}
remember() { before=$(files) leases=$(leasectl list --all); }
