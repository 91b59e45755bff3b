# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# store_tools.sh: what tests that work on the store without leasectl share; sourced after tests/lib.sh.
# Not a test.
#
#   STORE, STORE_DIR          the store of leasectl, and its directory
#   as_owner COMMAND...       runs it as _tunlease
#   query SQL                 asks the sqlite3 shell, which leaves -wal and -shm in place
#   build_tool NAME           builds $WORK/NAME, which every user can run, of tests/fault/NAME.c

STORE_DIR=/var/lib/tunlease
STORE=$STORE_DIR/leases.db

as_owner() { setpriv --reuid=_tunlease --regid=_tunlease --clear-groups "$@"; }
query() { as_owner sqlite3 -cmd '.timeout 5000' -cmd '.filectrl persist_wal 1' "$STORE" "$1" | tail -n +2; }

build_tool()
{
	gcc -std=c11 -D_GNU_SOURCE -DLIBBSD_OPENBSD_VIS -O1 -Wall -Wextra -I"$TOP" -I"$TOP/build/gen" -o "$WORK/$1" \
		"$TOP/tests/fault/$1.c" "$TOP"/build/lib/lib{store,lease,base}.a -lsqlite3 -lbsd -lmd -lresolv -lm ||
		fail "tests/fault/$1.c does not build"
	chmod 0755 "$WORK" "$WORK/$1"
}
