#!/bin/bash
# SPDX-License-Identifier: ISC
# e2e/leased_crash ten times as long: 200 kills, 20,000 registers of 5,000 agents by 50 clients.
# sandbox:
# timeout: 900
TEST_CRASH_KILLS=200 TEST_CRASH_REGISTERS=20000 TEST_CRASH_AGENTS=5000 TEST_CRASH_CLIENTS=50 \
	exec "$TOP/tests/e2e/leased_crash.sh"
