#!/bin/bash
# SPDX-License-Identifier: ISC
# No login is lost while writers open, commit, close, die, vacuum, checkpoint and rebuild; and every
# grant and revocation holds for every akc started after its commit.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"

turns=${TEST_CHAOS_TURNS:-1000}
seconds=${TEST_CHAOS_SECONDS:-5}

gcc -std=c11 -D_GNU_SOURCE -DLIBBSD_OPENBSD_VIS -O1 -Wall -Wextra -I"$TOP" -I"$TOP/build/gen" -o "$WORK/chaos" \
	"$TOP/tests/fault/chaos.c" "$TOP"/build/lib/lib{store,lease,base}.a -lsqlite3 -lbsd -lmd -lresolv -lm ||
	fail 'tests/fault/chaos.c does not build'

store=/var/lib/tunlease/leases.db
chaos() { "$WORK/chaos" "$@" || { grep 'akc.*refused:' "$SANDBOX_LOG" | tail -n 5; fail "chaos $*"; }; }
chaos turns "$store" pfwd "$turns"
ok "$turns commits among dying writers: each holds for the next akc, and none is lost"

note 'commits that change the index under a reader who may not write it (facts 1.3)'
# On a tmpfs: the rarer the disk is waited for, the more often a reader meets one.
cp -a "${store%/*}" "$WORK/store"
mount -t tmpfs -o "mode=2750,uid=$(id -u _tunlease),gid=$(id -g _tunlease)" hammer "${store%/*}"
cp -a "$WORK"/store/. "${store%/*}/"
chaos hammer "$store" pfwd "$seconds"
ok "$seconds s under the hammer"
