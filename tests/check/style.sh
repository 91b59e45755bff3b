#!/bin/bash
# SPDX-License-Identifier: ISC
# clang-format, shellcheck, the SPDX line of every source file, and no source file over 500 lines.
# timeout: 120
set -eu
cd "$TOP"
. tests/words.sh

mapfile -t sources < <(find akc join leasectl leased lib pam_tunnel tests tunnel-agent -name '*.[ch]' | sort)
clang-format --dry-run -Werror "${sources[@]}"
mapfile -t scripts < <(grep -lE '^#!/bin/(ba)?sh' -r tests packaging .ci | sort)
# SC2317: shellcheck takes a function that is called by a name in a variable for unreachable. With -x it would
# read lib.sh anew for each test, for a minute in all; without, it cannot know what lib.sh sets, uses and turns on.
mapfile -t tests < <(printf '%s\n' "${scripts[@]}" | grep '^tests/')
mapfile -t others < <(printf '%s\n' "${scripts[@]}" | grep -v '^tests/')
shellcheck -e SC1091,SC2317,SC2034,SC2153,SC2154,SC2164 "${tests[@]}"
shellcheck -x -e SC1091 -e SC2317 "${others[@]}"
bad=0
for file in "${sources[@]}" "${scripts[@]}" sql/*.sql sql/migrate/*.sql sql/embed.awk Makefile; do
	head -n 2 "$file" | grep -q 'SPDX-License-Identifier: ISC' || { echo "$file: no SPDX line"; bad=1; }
done
# A file that grows past 500 lines has become two things. Tests may be long.
while read -r lines file; do
	((lines <= 500)) || [[ $file == total || $file == tests/* ]] || { echo "$file: $lines lines, of 500"; bad=1; }
done < <(wc -l "${sources[@]}")
# lib.sh has some_line for it: the writer of such a pipe may end by SIGPIPE, and the whole pipe fails, now and then.
# The pipes of another shell (sh -c) are not under pipefail, and a test of the runner has one in a text.
if grep -rnIE '[^|]\|[[:space:]]*grep -[[:alpha:]]*q' tests | grep -vE "sh -c|^tests/check/(runner|style)\.sh"; then
	echo 'a pipe into grep -q, in a test: some_line reads all'
	bad=1
fi
((bad == 0)) && echo "${#sources[@]} sources and ${#scripts[@]} scripts are in style"
exit "$bad"
