#!/bin/bash
# SPDX-License-Identifier: ISC
# docs/picture.svg, which README.md shows, is what docs/picture.py draws.
set -euo pipefail
cd "${TOP:?run me through tests/run}"
python3 docs/picture.py | diff -u docs/picture.svg - || { echo 'FAIL: docs/picture.py >docs/picture.svg'; exit 1; }
python3 -c 'import sys, xml.dom.minidom as m; sys.exit(not m.parse("docs/picture.svg").getElementsByTagName("title"))'
echo 'ok - docs/picture.svg is what docs/picture.py draws'
