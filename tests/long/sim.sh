#!/bin/bash
# SPDX-License-Identifier: ISC
# check/sim with more seeds: more than 1,000 lease-years.
# sandbox:
# timeout: 1800
TEST_RUNS=700 exec "$TOP/tests/check/sim.sh"
