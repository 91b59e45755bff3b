#!/bin/bash
# SPDX-License-Identifier: ISC
# The benches of capacity with fifty tunnels each: nothing fails, nothing is lost, and all is over in time. How long a
# login takes is not judged: that is for `make bench` on a quiet machine.
# timeout: 600
set -eu
cd "$TOP"

((EUID == 0)) || { echo 'needs root, for the sandbox'; exit 77; }
make -s QUIET=1 WERROR=1 bench-tools
mkdir -p build/bench
export TEST_BENCH_SESSIONS=50 TEST_BENCH_AGENTS=50 TEST_BENCH_MINUTES=0.2 TEST_BENCH_DOWN=5
for topic in thousand steady herd; do
	read -r -a options < <(sed -n '1,40s/^# sandbox:[[:space:]]*//p' "tests/bench/$topic") || :
	rows=build/bench/small-$topic.tsv
	rm -f "$rows"
	TEST_BENCH_TSV=$PWD/$rows tests/sandbox "${options[@]}" "tests/bench/$topic" || { echo "FAIL: $topic"; exit 1; }
	missed=$(awk -F '\t' '$9 == "MISSED" && $6 != "ms"' "$rows")
	[[ -s $rows && -z $missed ]] || { printf 'FAIL: %s\n' "$missed"; exit 1; }
	rm "$rows"
done
