#!/bin/bash
# SPDX-License-Identifier: ISC
# promtool accepts the alert rules and a real /metrics. Without promtool, only: every metric that a rule
# names is there.
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
cp "$rules" "$TOP/tests/check/rules_test.yml" "$WORK"
"$promtool" test rules "$WORK/rules_test.yml" >"$WORK/out" 2>&1 || fail "promtool test rules: $(cat "$WORK/out")"
ok 'promtool check rules, test rules'
