#!/bin/bash
# SPDX-License-Identifier: ISC
# e2e/outage with 1,000 lookups of each key under each writer that writes without a pause.
# sandbox:
# timeout: 1500
TEST_OUTAGE_SLOW=1000 exec "$TOP/tests/e2e/outage.sh"
