#!/bin/bash
# SPDX-License-Identifier: ISC
# clang-format, shellcheck, the SPDX line of every source file, and no source file over 500 lines.
# timeout: 120
set -eu
cd "$TOP"
. tests/words.sh

mapfile -t sources < <(find akc leasectl leased lib pam_tunnel tests tunnel-agent -name '*.[ch]' | sort)
clang-format --dry-run -Werror "${sources[@]}"
mapfile -t scripts < <(grep -lE '^#!/bin/(ba)?sh' -r tests packaging .ci | sort)
# SC2317: shellcheck takes a function that is called by a name in a variable for unreachable.
shellcheck -x -e SC1091 -e SC2317 "${scripts[@]}"
bad=0
for file in "${sources[@]}" "${scripts[@]}" sql/*.sql sql/migrate/*.sql sql/embed.awk Makefile; do
	head -n 2 "$file" | grep -q 'SPDX-License-Identifier: ISC' || { echo "$file: no SPDX line"; bad=1; }
done
# A file that grows past 500 lines has become two things. Tests may be long.
while read -r lines file; do
	((lines <= 500)) || [[ $file == total || $file == tests/* ]] || { echo "$file: $lines lines, of 500"; bad=1; }
done < <(wc -l "${sources[@]}")
((bad == 0)) && echo "${#sources[@]} sources and ${#scripts[@]} scripts are in style"
exit "$bad"
