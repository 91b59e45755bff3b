#!/bin/bash
# SPDX-License-Identifier: ISC
# The include arrows: base <- lease, session <- conf, store, wire <- programs, and which library is
# known where. The table is in includes.py.
# timeout: 60
set -eu
cd "$TOP"
python3 tests/check/includes.py --check
python3 tests/check/includes.py --draw | diff docs/includes.md - || {
	echo 'docs/includes.md is old: python3 tests/check/includes.py --draw >docs/includes.md'
	exit 1
}
