#!/bin/bash
# SPDX-License-Identifier: ISC
# One look of the daemon at 1,000 live sessions of 10,000 agents: less than 20 ms of CPU, and not
# quadratic in the sessions.
# timeout: 60
set -eu
cd "$TOP"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { printf 'FAIL: %s\n' "$*"; exit 1; }
mkdir "$work/small" "$work/large"

# The least of several: the machine is others', too.
read -r fresh settled < <(build/tests/sweep "$work/small" 10000 1000 30)
printf '1000 sessions: %s ms of CPU, %s ms when all are new\n' "$settled" "$fresh"
awk -v ms="$settled" 'BEGIN { exit !(ms > 0 && ms < 20) }' || fail "$settled ms"
read -r fresh4 _ < <(build/tests/sweep "$work/large" 10000 4000 2)
printf '4000 sessions: %s ms when all are new\n' "$fresh4"
awk -v one="$fresh" -v four="$fresh4" 'BEGIN { exit !(four < 10 * one) }' || fail "$fresh4 ms for four times as many"
