#!/bin/bash
# SPDX-License-Identifier: ISC
# e2e/two_admins with more rounds.
# sandbox:
# timeout: 600
TEST_ROUNDS=400 TEST_KILLS=200 exec "$TOP/tests/e2e/two_admins.sh"
