#!/bin/bash
# SPDX-License-Identifier: ISC
# promtool accepts the alert rules, the queries of the dashboard and a real /metrics. Without promtool, only:
# every metric and label that they name is there.
# sandbox: --leased
# timeout: 60
set -eu
. "$TOP/tests/lib.sh"

rules=$TOP/packaging/prometheus/tunlease.rules.yml
key='X-API-Key: an-enrolment-key-for-the-tests'
curl -s -o /dev/null -H "$key" -H 'Content-Type: application/json' --data '{"action":"heartbeat","agent_id":"x"}' http://127.0.0.1:12000/
curl -s -H "$key" http://127.0.0.1:12000/metrics >"$WORK/metrics"
grep -o 'tunlease_[a-z_]*' "$rules" | sort -u | while read -r name; do
	grep -q "^${name}[ {]" "$WORK/metrics" || fail "a rule names $name, which /metrics does not have"
done
ok 'every metric that a rule names is there'
# The dashboard's queries as rules, with what Grafana puts in for its variables; and the labels that they choose by.
python3 - "$TOP/packaging/grafana/tunlease.json" "$WORK/metrics" "$WORK/dashboard.yml" <<'END' || fail 'see above'
import json, re, sys
panels = json.load(open(sys.argv[1]))["panels"]
metrics = open(sys.argv[2]).read()
exprs = [target["expr"] for panel in panels for target in panel.get("targets", [])]
bad = 0
for name, selector in re.findall(r"\b(tunlease_\w+)\{(.*?)\}", "\n".join(exprs)):
    for label, value in re.findall(r'(\w+)!?="(\w+)"', selector):
        if not re.search(rf'^{name}\{{.*\b{label}="{value}"', metrics, re.M):
            print(f"the dashboard asks for {name} with {label}={value}, which /metrics does not have")
            bad = 1
with open(sys.argv[3], "w") as out:
    fill = lambda e: e.replace("$__rate_interval", "5m").replace("$__range", "1d").replace("$instance", ".*")
    json.dump({"groups": [{"name": "g", "rules": [{"record": f"p{i}", "expr": fill(e)} for i, e in enumerate(exprs)]}]}, out)
sys.exit(bad or len(exprs) < 20)
END
ok 'every label that the dashboard chooses by is there'
start=$(sed -n 's/^process_start_time_seconds //p' "$WORK/metrics")
((start > $(date +%s) - 60 && start <= $(date +%s) + 1)) || fail "process_start_time_seconds is $start"
ok 'process_start_time_seconds is in Unix seconds'

# `make deps` puts it there.
promtool=${TEST_PROMTOOL-$(type -P promtool || echo "$TOP/build/prometheus/usr/bin/promtool")}
[[ -x $promtool ]] || { echo 'no promtool (package prometheus): the rules themselves were not tried'; exit 77; }
"$promtool" check metrics <"$WORK/metrics" >"$WORK/out" 2>&1 || fail "promtool check metrics: $(cat "$WORK/out")"
[[ ! -s $WORK/out ]] || fail "promtool check metrics: $(cat "$WORK/out")"
ok 'promtool check metrics'
"$promtool" check rules "$rules" >"$WORK/out" 2>&1 || fail "promtool check rules: $(cat "$WORK/out")"
"$promtool" check rules "$WORK/dashboard.yml" >"$WORK/out" 2>&1 || fail "promtool: a query of the dashboard: $(cat "$WORK/out")"
cp "$rules" "$TOP/tests/check/rules_test.yml" "$WORK"
"$promtool" test rules "$WORK/rules_test.yml" >"$WORK/out" 2>&1 || fail "promtool test rules: $(cat "$WORK/out")"
ok 'promtool check rules, test rules'
