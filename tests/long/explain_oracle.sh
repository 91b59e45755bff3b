#!/bin/bash
# SPDX-License-Identifier: ISC
# e2e/explain_oracle with three hundred cases.
# sandbox:
# timeout: 1200
TEST_CASES=${TEST_CASES:-300} exec "$TOP/tests/e2e/explain_oracle.sh"
