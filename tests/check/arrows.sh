#!/bin/bash
# SPDX-License-Identifier: ISC
# Which folder may include which: base <- lease, session <- conf, store, wire <- programs; and which
# folder may use which external library. The table is in includes.py.
# timeout: 60
set -eu
cd "$TOP"
python3 tests/check/includes.py --check
python3 tests/check/includes.py --draw | diff docs/includes.md - || {
	echo 'docs/includes.md is old: python3 tests/check/includes.py --draw >docs/includes.md'
	exit 1
}
