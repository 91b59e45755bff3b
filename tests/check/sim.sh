#!/bin/bash
# SPDX-License-Identifier: ISC
# The simulation (docs/simulation.md): no failure in a few runs, and it finds each fault that is planted.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"

sim=$TOP/build/tests/sim/sim
"$sim" --runs "${TEST_RUNS:-10}" || fail 'the simulation fails: the seed is above'
ok 'no failure'
for fault in grant-lost revoke-lost renew-too-long freeze-lost thaw-lost unexplained-row; do
	expect_exit 1 "$sim" --plant "$fault" --runs 5
	grep -q '^shortest: [1-4] steps' "$WORK/out" || fail "$fault: $(cat "$WORK/out")"
	ok "found: $fault"
done
