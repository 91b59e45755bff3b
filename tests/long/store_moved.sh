#!/bin/bash
# SPDX-License-Identifier: ISC
# e2e/store_moved, with twenty times as many moves under load.
# sandbox: --leased
# timeout: 600
TEST_TURNS=20 TEST_SEED=7 exec "$TOP/tests/e2e/store_moved.sh"
