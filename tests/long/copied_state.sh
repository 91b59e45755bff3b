#!/bin/bash
# SPDX-License-Identifier: ISC
# e2e/copied_state with a kill of the agent at many more steps.
# sandbox: --leased
# timeout: 600
TEST_STEPS='fsync:when=1 fsync:when=2 fsync:when=3 rename:when=1 rename:when=2 sendto:when=1 sendto:when=3
sendto:when=5 recvfrom:when=1 recvfrom:when=3 recvfrom:when=5' exec "$TOP/tests/e2e/copied_state.sh"
