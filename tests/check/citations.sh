#!/bin/bash
# SPDX-License-Identifier: ISC
# Every citation of a page of docs/, a manual page or a test leads to something that is there, as does every
# test and commit of docs/found.md; and the check sees one that does not.
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

# page ROW... [-- TO-DO...]: docs/found.md with these rows of its table and lines of its list.
page()
{
	printf '%s\n' '| what was wrong | found by | shown again by | commit |' '|---|---|---|---|' >"$work/docs/found.md"
	while (($#)) && [[ $1 != -- ]]; do printf '| %s |\n' "$1" >>"$work/docs/found.md"; shift; done
	printf -- '- %s\n' "${@:2}" >>"$work/docs/found.md"
}
# refused WORDS: found.py prints this of the page, and no more.
refused()
{
	! python3 tests/check/found.py "$work" >"$work/out" || fail "not seen: $1"
	[[ $(<"$work/out") == "docs/found.md:$1" ]] || fail "'$1': $(<"$work/out")"
}
chmod +x "$work/tests/e2e/akc.sh"
git() { command git -C "$work" -c user.name=a -c user.email=a@localhost -c commit.gpgsign=false "$@"; }
git init -q
git commit -q --allow-empty -m one
one=$(git rev-parse --short=7 HEAD)
none=$([[ $one == 0000000 ]] && echo 1111111 || echo 0000000)
# shellcheck disable=SC2016
{
	page "A fault. | reading | \`e2e/akc\` | $one" "Two. | reading | no test | $one" -- "$one: Two."
	python3 tests/check/found.py "$work" || fail 'a good list of faults is refused'
	page "A fault. | reading | \`e2e/gone\` | $one"
	refused '3: there is no test `e2e/gone`'
	page "A fault. | reading | \`e2e/akc\` | $none"
	refused "3: no ancestor of this commit is '$none'"
	page "A fault. | reading | no test | $one"
	refused '3: it has no test, and is not in the list at the end'
	page "A fault. | reading | \`e2e/akc\` | $one" -- "$one: A fault."
	refused '4: no row without a test has this commit and text'
	page "A fault. | reading | \`e2e/akc\` | $one" "Two. | \`e2e/akc\` | $one"
	refused '4: a row has four cells'
	page "A fault. | reading | \`e2e/akc\` | $one" "Two. | reading | \`e2e/gone\` | $one"
	sed -i '4s/ |$/|/' "$work/docs/found.md"
	refused '4: a row has four cells'
}
unset -f git

python3 tests/check/citations.py || fail 'see above'
python3 tests/check/found.py || fail 'see above'
echo 'every citation leads somewhere'
