# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# lib.sh: builds fuzz targets; sourced by tests/fuzz/run and tests/check/fuzz_replay.sh.
#
#   fuzz_targets                     array of names: pubkey, permit, ...
#   fuzz_library CC DIR FLAG...      builds DIR/lib.a: the parts of the product that they need; CC may have words
#   fuzz_build CC DIR OUT FLAG... FILE...   builds the program OUT of FILEs and DIR/lib.a

# shellcheck disable=SC2034 # used by those who source this
fuzz_targets=(pubkey permit source duration conf keyline auth_info entry http_head authorized join
	packet answer tunnels_conf ssh_words rows)

fuzz_flags=(-std=c11 -D_GNU_SOURCE -I. -DLIBBSD_OPENBSD_VIS -DTUNLEASE_VERSION='"fuzz"'
	-DTUNLEASE_SYSCONFDIR='"/nowhere/etc"' -DTUNLEASE_LOCALSTATEDIR='"/nowhere/var"'
	-DTUNLEASE_RUNSTATEDIR='"/nowhere/run"' -DTUNLEASE_LIBEXECDIR='"/nowhere/libexec"'
	-g -Wall -Wextra -Werror -fno-omit-frame-pointer -fno-sanitize-recover=all)

fuzz_library()
{
	local cc dir=$2 file object objects=()
	read -r -a cc <<<"$1"
	shift 2
	mkdir -p "$dir/gen"
	awk -f sql/embed.awk sql/queries.sql sql/migrate/*.sql >"$dir/gen/store_sql.h"
	awk -v set=restore -f sql/embed.awk sql/restore.sql >"$dir/gen/restore_sql.h"
	for file in lib/base/*.c lib/lease/*.c lib/lease/authorized/*.c lib/conf/*.c lib/session/*.c lib/store/*.c lib/store/backup/*.c \
		lib/wire/*.c leased/http/http_head.c join/command.c join/http_answer.c \
		tunnel-agent/config/*.c tunnel-agent/ssh/{message,fixed_options}.c; do
		object=$dir/${file//\//_}.o
		objects+=("$object")
		"${cc[@]}" "${fuzz_flags[@]}" "-I$dir" "-I$dir/gen" "$@" -c -o "$object" "$file"
	done
	rm -f "$dir/lib.a"
	ar rcs "$dir/lib.a" "${objects[@]}"
}

fuzz_build()
{
	local cc dir=$2 out=$3
	read -r -a cc <<<"$1"
	shift 3
	"${cc[@]}" "${fuzz_flags[@]}" -o "$out" "$@" "$dir/lib.a" -lsqlite3 -ljansson -lbsd -lmd -lresolv -lm
}
