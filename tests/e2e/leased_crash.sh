#!/bin/bash
# SPDX-License-Identifier: ISC
# Kills leased's processes with kill -9 at random moments, under registers and heartbeats: what was
# acknowledged is in the store, no port is given twice, the audit chain is whole, and leased answers
# again at once.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/fault/store_lib.sh"

echo 'API_KEY=an-enrolment-key-for-the-tests' >/etc/tunlease/leased.env
chmod 0600 /etc/tunlease/leased.env
echo 'MaxPendingAgents 100000' >>/etc/tunlease/tunlease.conf

python3 "$TOP/tests/fault/hammer.py" "${TEST_CRASH_KILLS-20}" "${TEST_CRASH_REGISTERS-500}" \
	"${TEST_CRASH_AGENTS-1000}" "${TEST_CRASH_CLIENTS-20}" || {
	tail -n 5 "$WORK/leased.log" "$SANDBOX_LOG"
	fail 'see above'
}
[[ $(query 'PRAGMA integrity_check') == ok ]] || fail 'the store is damaged'
as_owner "$WORK/audit_check" "$STORE" >/dev/null || fail 'the audit chain'
ok 'nothing acknowledged was lost'
