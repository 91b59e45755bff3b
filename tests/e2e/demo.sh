#!/bin/bash
# SPDX-License-Identifier: ISC
# A newcomer shares a service, proves it and revokes it with the commands of README.md, in a fresh sandbox;
# docs/transcript.md shows what they print.
# sandbox: --bare
# timeout: 90
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/transcript_lib.sh"

transcript_is share "$TOP/tests/demo"
readme_is_typed 'The two commands' 'Share a service in three commands'
