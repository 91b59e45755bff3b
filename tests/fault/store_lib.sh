# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# store_lib.sh: what the tests of fault/ share; sourced after tests/lib.sh. Not a test.
#
#   all of store_tools.sh
#   store_image NAME          saves the store as it is now
#   store_restore NAME        restores the store that was saved as NAME
#   lease_parts NAME          prints how many live leases, live keys, audit rows of grants and of revokes NAME has
#   system_calls COMMAND...   runs it, which must succeed; prints each system call that it makes once it has used the
#                             store: its name, the number of the first one of these, and of the last
#   injected FAULT COMMAND... runs it with this fault, as strace's -e inject= takes it; its exit status, and what it says
#                             to standard error in $WORK/err
#   store_is_whole WHEN       fails unless the store and its audit chain are intact, and steady can log in
#
# A lease "steady" with the key $WORK/steady is granted when this is sourced.

. "$TOP/tests/fault/store_tools.sh"
build_tool audit_check

store_image() { rm -rf "$WORK/image-$1"; mkdir "$WORK/image-$1"; cp -a "$STORE_DIR/." "$WORK/image-$1/"; }
store_restore() { rm -rf "$STORE" "$STORE"-*; cp -a "$WORK/image-$1/." "$STORE_DIR/"; }

lease_parts()
{
	query "SELECT (SELECT count(*) FROM lease WHERE name = '$1' AND live = 1) || ' ' ||
		(SELECT count(*) FROM key WHERE live = 1 AND lease_id IN (SELECT id FROM lease WHERE name = '$1')) || ' ' ||
		(SELECT count(*) FROM audit WHERE lease = '$1' AND action = 'grant') || ' ' ||
		(SELECT count(*) FROM audit WHERE lease = '$1' AND action = 'revoke')"
}

system_calls()
{
	strace -f -qq -o "$WORK/calls" "$@" >/dev/null 2>"$WORK/err" || fail "$* does not work by itself: $(tail -n 3 "$WORK/err")"
	awk '
		{ call = $2; sub(/\(.*/, "", call); if (call !~ /^[a-z_0-9]+$/) next; count[call]++ }
		/leases\.db/ { store = 1 }
		store && !(call in first) && call !~ /^exit/ { first[call] = count[call]; order[++calls] = call }
		END { for (i = 1; i <= calls; i++) print order[i], first[order[i]], count[order[i]] }' "$WORK/calls"
}

# In braces: bash says that what it ran was killed.
injected()
{
	{ strace -f -qq -o "$WORK/trace" -e "trace=${1%%:*}" -e "inject=$1" "${@:2}" >/dev/null 2>"$WORK/err"; } 2>/dev/null
}

new_key steady >/dev/null
leasectl grant steady --key "$WORK/steady.pub" --open 8009 >/dev/null
read -r steady_type steady_blob _ <"$WORK/steady.pub"

store_is_whole()
{
	local rc=0 got
	got=$(setpriv --reuid=_tunlease-akc --regid=_tunlease --clear-groups \
		/usr/libexec/tunlease/akc pfwd "$steady_type" "$steady_blob") || rc=$?
	[[ $rc == 0 && $got == restrict,*" $steady_blob steady" ]] || {
		grep 'akc.*refused:' "$SANDBOX_LOG" | tail -n 2
		fail "$1: steady's login: exit $rc, '$got'"
	}
	got=$(query 'PRAGMA integrity_check') || fail "$1: integrity_check fails"
	[[ $got == ok ]] || fail "$1: the store is damaged: $got"
	as_owner "$WORK/audit_check" "$STORE" >/dev/null || fail "$1: the audit chain is broken"
}
