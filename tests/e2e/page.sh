#!/bin/bash
# SPDX-License-Identifier: ISC
# The page in a real browser: it loads without a complaint, shows what leasectl shows, follows a tunnel that
# comes and goes, and asks nobody else. long/page has the other cases.
# sandbox:
# timeout: 60
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/browser/lib.sh"
need_browser

same() { holds "$1" same_as_leasectl "$(leasectl list --all --json)" "$(leasectl agents --json)" "$(leasectl sessions --json)"; }

gateway_up 'PublicHost gateway.test'
page_lease alice --open 8009 --open 8010 --note 'works on <b>the wiki</b> & "more"'
page_lease bob --open 8009 --from 192.0.2.0/24 --max-sessions 2
page_lease carol --open 8011
leasectl revoke carol --yes >/dev/null
page_agent db1 db1.example
browser_up --lang=en
js open "$PAGE"
same 'leases, an agent and no session are as leasectl says'

fwd_L "$WORK/alice" pfwd 8009:127.0.0.1:8009
alice=$FWD_PID
fwd_R "$WORK/db1" gw-tunnel "127.0.0.1:$PORT:127.0.0.1:22"
holds 'a tunnel that came is up' tunnel_is db1 up
same 'so are two sessions'
fwd_stop
fwd_stop "$alice"
holds 'one that went is down' tunnel_is db1 down
holds 'no session is left' no_session
same 'after they have ended'
holds 'the audit has what was done' audit_has revoke

js said
assert_eq "$JS" '[]' 'no complaint, no violation of the policy, no script that threw'
js asked_elsewhere "$PAGE"
assert_eq "$JS" '[]' 'nothing was asked of anybody else'
