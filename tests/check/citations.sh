#!/bin/bash
# SPDX-License-Identifier: ISC
# Every citation of a page of docs/, a manual page or a test leads to something that is there; and the
# check sees one that does not.
# timeout: 60
set -eu
cd "$TOP"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { printf 'FAIL: %s\n' "$*"; exit 1; }

mkdir -p "$work/docs" "$work/lib" "$work/tests/e2e"
touch "$work/tests/e2e/akc.sh"
# shellcheck disable=SC2016 # backquotes are meant
printf '# A page\n\n## 1. One\n\n### 1.2 Two\n\nSee (1.2), `tests/run akc` and `lib/good.c`.\n' >"$work/docs/page.md"
printf '/* docs/page.md 1.2, leasectl(1), docs/page.md\n * 1 */\n' >"$work/lib/good.c"
python3 tests/check/citations.py "$work" || fail 'a good tree is refused'

# found TEXT WORDS...: a tree with this text in it is refused with these words, and no others.
found()
{
	printf '%b' "$1" >"$work/lib/bad.c"
	! python3 tests/check/citations.py "$work" >"$work/out" || fail "not seen: $1"
	[[ $(<"$work/out") == "lib/bad.c:$2" ]] || fail "'$1': $(<"$work/out")"
	rm "$work/lib/bad.c"
}
found '/* one\n * docs/page.md 1.3 */' '2: docs/page.md has no heading 1.3'
found '/* docs/page.md\n * 7 */' '1: docs/page.md has no heading 7'
found '/* docs/page.md 1, 2 */' '1: docs/page.md has no heading 2'
found '/* docs/other.md 1 */' '1: there is no docs/other.md'
found '/* lib/gone.h */' '1: there is no lib/gone.h'
found '/* leasectl(8) */' '1: leasectl(8): it is leasectl(1)'
old=$(printf 'DESI%s' GN)
found "/* $old 4 */" "1: '$old' is no page of this tree"
old=$(printf 'fac%s' ts)
found "/* ($old 1.6) */" "1: '$old 1' is no page of this tree"
# shellcheck disable=SC2016
printf 'See (3), `tests/run nothing` and `lib/gone.c`.\n' >>"$work/docs/page.md"
! python3 tests/check/citations.py "$work" >"$work/out" || fail 'a page that is wrong is taken'
[[ $(wc -l <"$work/out") == 3 ]] || fail "of three: $(<"$work/out")"

python3 tests/check/citations.py || fail 'see above'
echo 'every citation leads somewhere'
