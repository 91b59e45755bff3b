#!/bin/bash
# SPDX-License-Identifier: ISC
# What reads a stranger's bytes on the way of a login has no undefined behaviour, whatever the bytes are:
# tests/proof/README.md.
# timeout: 900
set -eu
cd "$TOP"
command -v frama-c >/dev/null || { echo 'frama-c is missing: apt-get install frama-c-base'; exit 77; }
tests/proof/run
