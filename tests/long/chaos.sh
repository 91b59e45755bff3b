#!/bin/bash
# SPDX-License-Identifier: ISC
# e2e/chaos ten times as long.
# sandbox:
# timeout: 900
TEST_CHAOS_TURNS=10000 TEST_CHAOS_SECONDS=10 exec "$TOP/tests/e2e/chaos.sh"
