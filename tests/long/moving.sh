#!/bin/bash
# SPDX-License-Identifier: ISC
# e2e/moving ten times as long, with more processes, so that a scan of /proc takes longer.
# sandbox: --leased
# timeout: 900
TEST_ROUNDS=48 TEST_CROWD=6000 exec "$TOP/tests/e2e/moving.sh"
