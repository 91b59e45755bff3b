#!/bin/bash
# SPDX-License-Identifier: ISC
# docs/security.md and leasectl prove agree in both directions: each claim of the page names trials that
# there are, or says why there is none, and each trial is of one claim. The check is tried first on pages
# that are wrong.
# timeout: 30
set -eu
cd "$TOP"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { printf 'FAIL: %s\n' "$*"; exit 1; }

page=docs/security.md
trials=leasectl/prove/trials.c

# compare PAGE TRIALS: prints each difference.
compare()
{
	awk -f leasectl/prove/claims.awk "$1" >"$work/claims" || return 0
	sed -n 's/^     "\([a-z -]*\)", NULL},$/\1/p' "$work/claims" | tr ' ' '\n' | sort >"$work/named"
	sed -n 's/^    {"\([a-z-]*\)",.*/\1/p' "$2" | sort >"$work/have"
	uniq -d "$work/named" | sed "s/.*/the trial '&' is of two claims/"
	uniq -d "$work/have" | sed "s/.*/there are two trials '&'/"
	comm -23 <(sort -u "$work/named") <(sort -u "$work/have") | sed "s/.*/a claim names the trial '&', which is not there/"
	comm -13 <(sort -u "$work/named") <(sort -u "$work/have") | sed "s/.*/no claim names the trial '&'/"
}

# finds WORDS SED-COMMAND [FILE]: a page, or a table of trials, that is changed by this is refused.
finds()
{
	local file=${3:-$page} words=$1
	sed -e "$2" "$file" >"$work/wrong"
	! cmp -s "$work/wrong" "$file" || fail "the sample '$2' changes nothing"
	if [[ $file == "$page" ]]; then compare "$work/wrong" "$trials"; else compare "$page" "$work/wrong"; fi >"$work/out" 2>&1
	grep -qF -e "$words" "$work/out" || fail "not found after '$2': $words: $(cat "$work/out")"
}
# shellcheck disable=SC2016 # backquotes are meant
{
	finds "a claim names the trial 'suu'" 's/| `su` /| `suu` /'
	finds "the trial 'su' is of two claims" 's/| `ends-alone` |/| `ends-alone` `su` |/'
	finds 'a claim has three cells' 's/ | `ends-alone` |/ |/'
	finds 'or `no: WHY`' 's/| `ends-alone` |/| ends alone |/'
	finds 'or `no: WHY`' 's/| no: the clock .*|/| no |/'
	finds 'a table of claims has the columns' '0,/^| claim | held by |.*/s//| claim | held by |/'
}
finds "no claim names the trial 'suu'" 's/^    {"su",/    {"suu",/' "$trials"
finds "there are two trials 'ends-alone'" 's/^    {"su",/    {"ends-alone",/' "$trials"

# What C reads of a claim is what stands there.
# shellcheck disable=SC2016 # backquotes are meant
sed '/ | `su` /s/ | /\\ | /' "$page" >"$work/wrong"
compare "$work/wrong" "$trials" >"$work/out" 2>&1
grep -qF '\\"' "$work/claims" || fail 'a backslash of a claim gets lost in C'

compare "$page" "$trials" >"$work/out" 2>&1
[[ ! -s $work/out ]] || { cat "$work/out"; fail "$page and $trials differ"; }
(($(wc -l <"$work/have") > 30)) || fail "only $(wc -l <"$work/have") trials were found"
echo "$(grep -c '^    {"' "$work/claims") claims, $(wc -l <"$work/have") trials: the page and the program agree"
