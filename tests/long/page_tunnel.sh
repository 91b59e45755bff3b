#!/bin/bash
# SPDX-License-Identifier: ISC
# The page through a tunnel that sshd allows, since the key line has no options and the Match block cannot
# except a port: leased itself refuses it, and the browser shows nothing.
# sandbox: --no-keyopts
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/browser/lib.sh"
need_browser

gateway_up 'PublicHost gateway.test'
page_lease alice --open 8009
browser_up --lang=en
holds 'root sees it' open "$PAGE"
tunnel "$WORK/alice" pfwd -L 18001:127.0.0.1:12001
holds 'the holder of a lease does not' no_tunnel http://127.0.0.1:18001/
holds 'root still does' open "$PAGE"
