#!/bin/bash
# SPDX-License-Identifier: ISC
# e2e/move_gateway with 200 lines, and leasectl verify.
# sandbox: --bare
# timeout: 1200
TEST_MOVE_LINES=200 exec "$TOP/tests/e2e/move_gateway.sh"
