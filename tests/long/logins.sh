#!/bin/bash
# SPDX-License-Identifier: ISC
# e2e/logins with three hundred logins at once.
# sandbox:
# timeout: 600
TEST_LOGINS=300 exec "$TOP/tests/e2e/logins.sh"
