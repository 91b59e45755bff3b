#!/bin/bash
# SPDX-License-Identifier: ISC
# As e2e/friend_line, for two hundred random leases. TEST_SEED repeats a run.
# sandbox:
# timeout: 1800
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/agent_lib.sh"
. "$TOP/tests/friend_lines.sh"

friend_and_gateway
friend_lines 200
