#!/bin/bash
# SPDX-License-Identifier: ISC
# A newcomer makes a gateway with two agents, and a friend jumps to one, with the commands of README.md, in a
# fresh sandbox; docs/transcript.md shows what they print.
# sandbox: --bare
# timeout: 90
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/transcript_lib.sh"

transcript_is gateway "$TOP/tests/demo_gateway"
readme_is_typed 'A gateway for private hosts in three commands'
