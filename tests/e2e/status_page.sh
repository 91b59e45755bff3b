#!/bin/bash
# SPDX-License-Identifier: ISC
# The page on MetricsListen and its data: which requests are answered with which headers, and which are
# refused.
# sandbox: --leased
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"

page=http://127.0.0.1:12001
log=$WORK/leased.log
said() { grep -E -q -e "$1" "$log"; }
up() { fetch -o /dev/null "$page/healthz"; }
start() # CONF-LINE...
{
	cp "$WORK/conf" /etc/tunlease/tunlease.conf
	printf '%s\n' "$@" >>/etc/tunlease/tunlease.conf
	leased -D </dev/null >>"$log" 2>&1 & daemon=$!
	at_exit "$daemon"
	wait_for 10 "leased answers: $(cat "$log")" up
}
stop() { kill -TERM "$daemon"; wait "$daemon" || fail 'SIGTERM: exit 0'; }
# code OPTION... PATH: the answer's status; its body is in $WORK/body and its head in $WORK/head
code() { fetch -o "$WORK/body" -D "$WORK/head" -w '%{http_code}' "${@:1:$#-1}" "$page${*: -1}"; }
answers() # STATUS WHAT OPTION... PATH
{
	local got
	got=$(code "${@:3}") || :
	[[ $got == "$1" ]] || fail "$2: $got, not $1: $(cat "$WORK/body")"
	ok "$2: $got"
}
# leased pauses after each turn, and a turn answers all who ask the same. So these ask at the same time,
# each with a directory of its own.
asking=()
elsewhere() { local WORK=$WORK/$BASHPID; mkdir "$WORK"; "$@"; }
together() { elsewhere "$@" & asking+=("$!"); }
all_did() { local pid; for pid in "${asking[@]}"; do wait "$pid" || exit 1; done; asking=(); }
header() { tr -d '\r' <"$WORK/head" | some_line -ix -e "$1" || fail "no '$1' in: $(cat "$WORK/head")"; }

cp /etc/tunlease/tunlease.conf "$WORK/conf"
kill "$(cat /run/leased.pid)"
wait_for 10 'the leased of the sandbox is gone' is_gone "$(cat /run/leased.pid)"
start 'MetricsListen 127.0.0.1:12001' 'PublicHost gateway.test'

note 'the page and its parts'
# PATH CONTENT-TYPE
part()
{
	local path=$1 size
	answers 200 "$path" "$path"
	header "Content-Type: $2"
	header "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
	header 'X-Content-Type-Options: nosniff'
	header 'Referrer-Policy: no-referrer'
	header 'Cross-Origin-Resource-Policy: same-origin'
	header 'Cache-Control: no-store'
	! grep -qi '^access-control' "$WORK/head" || fail 'a header of CORS'
	size=$(stat -c %s "$WORK/body")
	[[ $path == /status.json ]] || header "Content-Length: $size"
	answers 200 "HEAD $path" --head "$path"
	[[ $path == /status.json ]] || header "Content-Length: $size"
	answers 405 "PUT $path" -X PUT "$path"
	header 'Allow: GET, HEAD'
}
together part / 'text/html; charset=utf-8'
together part /page.css 'text/css; charset=utf-8'
together part /page.js 'text/javascript; charset=utf-8'
together part /status.json 'application/json'
all_did
fetch -o "$WORK/body" "$page/"
cmp -s "$WORK/body" leased/page/page.html || fail 'the page is another one than that in the tree'
fetch -o "$WORK/body" "$page/page.js"
cmp -s "$WORK/body" leased/page/page.js || fail 'the script is another one than that in the tree'
ok 'they are as they are in the tree'
answers 404 'another path' /page.htm
answers 404 'POST /' -X POST -H 'Content-Type: application/json' --data '{}' /

note 'whom it answers'
for host in 127.0.0.1 127.0.0.1:12001 '[::1]' '[::1]:12001' localhost LocalHost:80 gateway.test GATEWAY.test:12001 10.1.2.3; do
	together answers 200 "Host $host" -H "Host: $host" /status.json
done
all_did
for host in evil.example evil.example:12001 localhost.evil.example 127.0.0.1.evil.example gateway.test.evil.example \
	127.0.0.1:12001:1 '[::1' '[::1]x' '[evil]' 127.1 localhost: 0x7f000001; do
	answers 403 "Host $host" -H "Host: $host" /status.json
done
for path in / /page.js; do
	answers 403 "Host $host $path" -H "Host: $host" "$path"
	grep -q '"code":"forbidden"' "$WORK/body" || fail "$(cat "$WORK/body")"
done
header "Content-Security-Policy: default-src 'none'.*"
answers 403 'HTTP/1.0 without a Host' --http1.0 -H 'Host:' /status.json
for path in /metrics /healthz; do
	answers 200 "$path by a foreign name, as ever" -H 'Host: scraped.example' -H 'Sec-Fetch-Site: cross-site' "$path"
done
for site in none same-origin; do
	together answers 200 "Sec-Fetch-Site $site" -H "Sec-Fetch-Site: $site" /status.json
done
all_did
for site in cross-site same-site CROSS-SITE nonsense ''; do
	answers 403 "Sec-Fetch-Site '$site'" -H "Sec-Fetch-Site;" -H "Sec-Fetch-Site: $site" /status.json
done
for path in / /page.css; do
	answers 403 "another site $path" -H 'Sec-Fetch-Site: cross-site' "$path"
done
answers 403 'two of Sec-Fetch-Site' -H 'Sec-Fetch-Site: cross-site' -H 'Sec-Fetch-Site: same-origin' /

note 'queries'
for query in '' '?' '?filter=' '?filter=%C3%A9+x&leases=100&agents=0&sessions=3&audit=10000000' '?x=%zz&y' "?filter=$(printf '%064d' 1)"; do
	together answers 200 "'$query'" "/status.json$query"
done
all_did
for query in '?filter=%' '?filter=%4' '?filter=%zz' '?filter=%00' '?filter=%ff' '?filter=%C3' "?filter=$(printf '%065d' 1)" \
	'?leases=' '?leases=-1' '?leases=x' '?audit=10000001' '?leases=1&leases=2' '?filter=a&filter=b'; do
	answers 400 "'$query'" "/status.json$query"
	grep -q '"code":"bad_request"' "$WORK/body" || fail "$(cat "$WORK/body")"
done

note 'the data'
# Reads lines QUERY, a tab, EXPRESSION; answers each with one line, empty if it is so. QUERY =: of the last answer.
cat >"$WORK/look.py" <<'END'
import datetime, json, sys, urllib.request
work, url = sys.argv[1:]
def unique(pairs):
    assert len(dict(pairs)) == len(pairs), pairs
    return dict(pairs)
names = lambda kind: [row.get("name", row.get("lease")) for row in v[kind]["rows"]]
lease = lambda name: next(row for row in v["leases"]["rows"] if row["name"] == name)
time = lambda text: datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").timestamp()
try:
    import jsonschema
    schema = jsonschema.Draft202012Validator(json.load(open("docs/schema/gateway-status.json")))
except ImportError:
    schema = None
def ask(query):
    with urllib.request.urlopen(url + query, timeout=30) as answer, open(work + "/body", "wb") as file:
        body = answer.read()
        file.write(body)
    value = json.loads(body.decode("utf-8"), object_pairs_hook=unique)
    if schema:
        schema.validate(value)
    return value
for line in sys.stdin:
    query, expression = line.rstrip("\n").split("\t")
    try:
        if query != "=":
            v = None
            v = ask(query)
        why = "" if eval(expression) else "it is %s" % json.dumps({k: v[k] for k in v if k not in ("history", "ends")}, ensure_ascii=False)[:3000]
    except Exception as error:
        why = repr(error)
    print(why and "not so: %s: %s" % (expression, why.replace("\n", " ")), flush=True)
END
coproc LOOK { exec /usr/bin/python3 "$WORK/look.py" "$WORK" "$page/status.json"; }
at_exit "$LOOK_PID"
look() # EXPRESSION QUERY
{
	printf '%s\t%s\n' "$2" "$1" >&"${LOOK[1]}"
	read -r -u "${LOOK[0]}" why || why='look.py has ended'
	[[ -z $why ]]
}
# shows WHAT EXPRESSION [QUERY]: without a QUERY it is about the last answer, which has it all.
shows()
{
	look "$2" "${3-=}" || fail "$1: $why"
	ok "$1"
}
# The store is read once a second at most.
soon() { poll 5 look "$2" '' || fail "$1: $why"; ok "$1"; }

new_key alice >/dev/null
new_key db1 >/dev/null
leasectl grant alice --key "$WORK/alice.pub" --open 8009 --open 8100-8109 --note '</script><img src=x onerror=alert(1)> "\u202e' --for 3d >/dev/null
soon 'a lease is there' 'names("leases") == ["alice"] and v["counts"]["active"] == 1'
shows 'as it is' 'lease("alice")["open"] == ["127.0.0.1:8009", "127.0.0.1:8100-8109"] and lease("alice")["kind"] == "grant" and lease("alice")["sessions"] == 0'
shows 'with what becomes of it' 'lease("alice")["next"] == {"what": "expires", "at": lease("alice")["expires_at"]}'
shows 'a note is text' 'lease("alice")["note"].startswith("</script><img src=x onerror=alert(1)> \"")'
shows 'it is on the time line' '[(d["count"], d["names"]) for d in v["ends"] if d["count"]] == [(1, ["alice"])] and [d["day"] for d in v["ends"] if d["count"]][0] == lease("alice")["expires_at"][:10]'
shows 'the audit has it' 'v["audit"]["rows"][0]["action"] == "grant" and v["audit"]["rows"][0]["lease"] == "alice" and v["counts"]["audit"] == v["audit"]["matching"]'
shows 'leased has just started' 'v["history"]["sessions"][:-3] == [None] * 285 and v["history"]["sessions"][-1] == 0 and 0 < time(v["history"]["end_at"]) - time(v["now"]) <= 300'
shows 'and all is well' 'v["problems"] == [] and v["host"] == "gateway.test" and v["filter"] == ""'
! grep -q "$(cut -d' ' -f2 "$WORK/alice.pub")\|SHA256" "$WORK/body" || fail 'a key is in it'

note 'tunnels come and go'
serve 8009
fwd_L "$WORK/alice" pfwd 18009:127.0.0.1:8009 || fail 'no forward'
alice=$FWD_PID
post() # JSON
{
	fetch -H 'Content-Type: application/json' -H 'X-API-Key: an-enrolment-key-for-the-tests' --data "$1" http://127.0.0.1:12000/ >"$WORK/answer"
}
post "{\"action\":\"register\",\"agent_id\":\"db1\",\"hostname\":\"h<b>1\",\"target\":\"127.0.0.1:22\",\"public_key\":\"$(cat "$WORK/db1.pub")\"}"
port=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["port_b"])' "$WORK/answer") || fail "$(cat "$WORK/answer")"
agent='v["agents"]["rows"][0]'
soon 'a session, and an agent without a tunnel' "names(\"sessions\") == [\"alice\"] and v[\"counts\"][\"sessions\"] == 1 and lease(\"alice\")[\"sessions\"] == 1 and names(\"agents\") == [\"db1\"] and ${agent}[\"tunnel\"] == \"down\" and ${agent}[\"port\"] == $port and v[\"counts\"][\"tunnels_down\"] == 1"
shows 'the session as it is' '[(s["login"], s["from"], s["seen"], s["listeners"]) for s in v["sessions"]["rows"]] == [("pfwd", "127.0.0.1", True, [])]'
shows 'what it said of itself is text' "(${agent}[\"hostname\"], ${agent}[\"target\"]) == (\"h<b>1\", \"127.0.0.1:22\")"
fwd_R "$WORK/db1" gw-tunnel "$port:127.0.0.1:8009" || fail 'no tunnel'
soon 'its tunnel is up' "${agent}[\"tunnel\"] == \"up\" and v[\"counts\"][\"tunnels_up\"] == 1"
soon 'and its session listens' "[s[\"listeners\"] for s in v[\"sessions\"][\"rows\"] if s[\"lease\"] == \"db1\"] == [[\"127.0.0.1:$port\"]]"
shows 'as leasectl says' "$(leasectl --json agents | python3 -c 'import json,sys; print(json.load(sys.stdin)[0]["tunnel"] == "up")') and v[\"counts\"][\"sessions\"] == $(leasectl --json sessions | python3 -c 'import json,sys; print(len(json.load(sys.stdin)))')"
fwd_stop
soon 'it is down again' "${agent}[\"tunnel\"] == \"down\" and names(\"sessions\") == [\"alice\"]"
leasectl revoke alice --yes >/dev/null
soon 'a revoked lease: its session has ended' 'names("sessions") == [] and lease("alice")["state"] == "revoked" and v["counts"]["revoked"] == 1'
shows 'and will be deleted' 'lease("alice")["next"]["what"] == "deleted" and time(lease("alice")["next"]["at"]) - time(lease("alice")["revoked_at"]) == 30 * 86400'
wait "$alice" || :
leasectl revoke db1 --yes >/dev/null
soon 'a revoked agent is kept' 'lease("db1")["next"] == {"what": "kept", "at": None} and names("agents") == []'
leasectl freeze pfwd >/dev/null
soon 'a frozen login is said' 'v["problems"] and v["problems"][0].startswith("login pfwd is frozen since ")'
leasectl thaw pfwd >/dev/null

note 'filters and pages'
python3 -c '
import base64, os, struct
part = lambda b: struct.pack(">I", len(b)) + b
for n in range(101, 231):
    key = base64.b64encode(part(b"ssh-ed25519") + part(os.urandom(32))).decode()
    with open("%s/keys.%d" % (os.environ["WORK"], n % 4), "a") as f:
        print(f"restrict,port-forwarding,permitopen=\"127.0.0.1:8{n}\",permitlisten=\"NONE:1\" ssh-ed25519 {key} Friend-{n}", file=f)'
for n in 0 1 2 3; do
	leasectl import "$WORK/keys.$n" --login pfwd --for "$((n * 10 + 5))d" >"$WORK/import" 2>&1 || fail "$(cat "$WORK/import")"
done
soon 'counts are of all' 'v["counts"]["active"] == 130 and v["leases"]["matching"] == 132'
shows 'the first hundred, by their end' 'len(v["leases"]["rows"]) == 100 and [l["expires_at"] for l in v["leases"]["rows"]] == sorted(l["expires_at"] for l in v["leases"]["rows"])'
shows 'the rest: revoked ones come last' 'len(v["leases"]["rows"]) == 32 and names("leases")[-2:] == ["db1", "alice"] and v["leases"]["offset"] == 100' '?leases=100'
shows 'the audit goes on' 'v["audit"]["rows"][0]["seq"] == v["counts"]["audit"] - 120 and len(v["audit"]["rows"]) == v["counts"]["audit"] - 120' '?audit=120'
shows 'beyond the end' 'names("leases") == [] and v["leases"]["matching"] == 132' '?leases=5000&agents=7&sessions=7&audit=7000'
shows 'a name, in any case' 'len(v["leases"]["rows"]) == 10 and all("riend-11" in n for n in names("leases")) and v["filter"] == "RIEND-11" and v["counts"]["active"] == 130' '?filter=RIEND-11'
shows 'of the audit, too' '[r["lease"] for r in v["audit"]["rows"]] == ["Friend-119"]' '?filter=friend-119'
shows 'a login' 'v["leases"]["matching"] == 131 and "db1" not in names("leases")' '?filter=pfwd'
shows 'a port' 'names("leases") == ["Friend-137"]' '?filter=8137'
shows 'a port within a range' 'names("leases") == ["Friend-105", "alice"]' '?filter=8105'
shows 'nothing' 'all(v[k]["matching"] == 0 and v[k]["rows"] == [] for k in ("leases", "agents", "sessions", "audit"))' '?filter=%3Cscript%3E'
shows 'what ends on a day' '[(d["count"], len(d["names"])) for d in v["ends"] if d["count"]] == [(32, 20), (33, 20), (33, 20)]' '?'

note 'whoever asks: the store is read once a second'
cat >"$WORK/crowd.py" <<'END'
import http.client, os, sys, threading, time
ticks = lambda: sum(map(int, open(f"/proc/{sys.argv[1]}/stat").read().rsplit(")", 1)[1].split()[11:13]))
seen, wrong = set(), []
def read(n):
    c = http.client.HTTPConnection("127.0.0.1", 12001, timeout=20)
    until = time.monotonic() + 1
    while time.monotonic() < until:
        c.request("GET", f"/status.json?filter=friend-{n}&leases={n}")
        answer = c.getresponse()
        body = answer.read()
        if answer.status not in (200, 429, 503): # too many, and too long in the queue
            wrong.append((answer.status, body[:200]))
        seen.add(answer.status)
before, since = ticks(), time.monotonic()
threads = [threading.Thread(target=read, args=(n,)) for n in range(12)]
for t in threads: t.start()
for t in threads: t.join()
took = time.monotonic() - since
share = (ticks() - before) / os.sysconf("SC_CLK_TCK") / took
print(f"# {sorted(seen)}, {100 * share:.0f} % of a processor")
sys.exit(bool(wrong) and str(wrong[:3]) or share > 0.25)
END
python3 "$WORK/crowd.py" "$daemon" || fail 'twelve readers cost more than they may'

note 'a store that is lost'
store=/var/lib/tunlease
mv "$store/leases.db" "$store/moved.db"
soon 'is said, with the age of what is shown' 'v["problems"] and v["problems"][0].startswith("the store cannot be used: ") and " are as of 20" in v["problems"][0] and v["counts"]["active"] == 130 and len(v["leases"]["rows"]) == 100'
answers 503 'what was not read before is not called empty' '/status.json?filter=friend-222'
grep -q '"error":"the store cannot be used: ' "$WORK/body" || fail "$(cat "$WORK/body")"
mv "$store/moved.db" "$store/leases.db"
soon 'it is back' 'v["problems"] == []'

note 'not on Listen'
page=http://127.0.0.1:12000
answers 405 '/' /
for path in /page.css /page.js /status.json; do
	answers 404 "$path" "$path"
done
stop
