#!/bin/bash
# SPDX-License-Identifier: ISC
# leasectl is killed with SIGKILL at every system call of a grant and of a revocation, from its
# first use of the store on. Either all of the change is in the store or nothing, and the next
# change works.
# sandbox:
# timeout: 600
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/fault/store_lib.sh"

strace -o /dev/null true 2>/dev/null || { echo 'strace may not trace here'; exit 77; }

new_key bob >/dev/null
leasectl grant leaver --key "$WORK/bob.pub" --open 8010 >/dev/null
new_key carol >/dev/null
new_key next >/dev/null
store_image start

runs=0 bad=0 before_commit=0 after_commit=0
# kill_at WHAT BEFORE AFTER NAME ARGUMENT...
kill_at()
{
	local what=$1 before=$2 after=$3 name=$4 call n first rc parts; shift 4
	store_restore start
	system_calls leasectl "$@" >"$WORK/list"
	while read -r call first n; do
		for ((; first <= n; first++)); do
			store_restore start
			rc=0
			injected "$call:signal=KILL:when=$first" leasectl "$@" || rc=$?
			((rc == 137)) || continue # this run made fewer calls, which depends on the addresses of its memory
			runs=$((runs + 1))
			setpriv --reuid=_tunlease-akc --regid=_tunlease --clear-groups \
				/usr/libexec/tunlease/akc pfwd >"$WORK/akc.out" || {
				printf 'not ok - %s, killed at %s %s: nobody can log in: %s\n' "$what" "$call" "$first" \
					"$(grep 'akc.*refused:' "$SANDBOX_LOG" | tail -n 1)"
				bad=$((bad + 1))
			}
			parts=$(lease_parts "$name")
			case $parts in
			"$before") before_commit=$((before_commit + 1)) ;;
			"$after") after_commit=$((after_commit + 1)) ;;
			*) fail "$what, killed at $call $first: done in part: $parts" ;;
			esac
			expect_exit 0 leasectl grant next --key "$WORK/next.pub" --open 8011
			store_is_whole "$what, killed at $call $first"
		done
	done <"$WORK/list"
}
kill_at grant '0 0 0 0' '1 1 1 0' carol grant carol --key "$WORK/carol.pub" --open 8009
grants=$runs
kill_at revoke '1 1 1 0' '0 0 1 1' leaver revoke --keep-sessions leaver
((grants > 40 && runs - grants > 40)) || fail "only $grants kills of a grant and $((runs - grants)) of a revocation"
((before_commit > 20 && after_commit > 20)) || fail "$before_commit before, $after_commit after the commit"
((bad == 0)) || fail "nobody could log in after $bad of $runs kills"
ok "$runs kills: $before_commit before the commit, $after_commit after it, no change in part"
