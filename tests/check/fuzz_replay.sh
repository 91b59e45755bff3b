#!/bin/bash
# SPDX-License-Identifier: ISC
# The fuzz targets succeed on every input of their corpora, which include the inputs that once broke
# one: under gcc's sanitizers, without clang. tests/fuzz/run searches for more.
# timeout: 150
set -eu
cd "$TOP"
. tests/words.sh
. tests/fuzz/lib.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sanitize=(-O0 '-fsanitize=address,undefined')
fuzz_library gcc "$work" "${sanitize[@]}"
failed=0
for target in "${fuzz_targets[@]}"; do
	fuzz_build gcc "$work" "$work/$target" "${sanitize[@]}" "tests/fuzz/fuzz_$target.c" tests/fuzz/replay.c || { echo "fuzz_$target does not build"; exit 1; }
	count=$(find "tests/fuzz/corpus/$target" -type f | wc -l)
	((count >= 10)) || { echo "only $count seeds of $target"; failed=1; }
	printf '%-10s ' "$target"
	"$work/$target" "tests/fuzz/corpus/$target"/* || { echo "FAIL: fuzz_$target"; failed=1; }
done
exit "$failed"
