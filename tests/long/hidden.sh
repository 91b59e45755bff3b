#!/bin/bash
# SPDX-License-Identifier: ISC
# e2e/hidden with each value of hidepid, and a check that the log repeats its lines each minute.
# sandbox: --leased
# timeout: 600
TEST_HIDEPID='1 2 4' TEST_MINUTE=1 exec "$TOP/tests/e2e/hidden.sh"
