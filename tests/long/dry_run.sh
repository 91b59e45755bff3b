#!/bin/bash
# SPDX-License-Identifier: ISC
# e2e/dry_run with twenty times as many changes, half of them while leased runs.
# sandbox:
# timeout: 900
TEST_DRY_RUN_WORLDS=20 exec "$TOP/tests/e2e/dry_run.sh"
