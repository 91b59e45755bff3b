#!/bin/bash
# SPDX-License-Identifier: ISC
# Two thousand lines of e2e/authorized_oracle, in each of four time zones.
# sandbox: --bare
# timeout: 600
set -eu
for ((i = 0; i < 4; i++)); do
	seed=$((EPOCHSECONDS / 4 % 25000 * 4 + i))
	TEST_LINES=500 TEST_SAMPLE=20 TEST_SEED=$seed bash "$TOP/tests/e2e/authorized_oracle.sh" || exit 1
	userdel -r oracle 2>/dev/null
done
