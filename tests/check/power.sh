#!/bin/bash
# SPDX-License-Identifier: ISC
# The power is cut at each system call of the first grant, of another and of a revocation, in some hundred images of
# what the disk may hold then. And the tool finds a missing fsync. `make fault-power` does more.
# timeout: 60
set -eu
cd "$TOP"
tests/power/run --images 0 --random 1 --model strict --seed 1 new
