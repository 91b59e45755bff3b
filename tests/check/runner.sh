#!/bin/bash
# SPDX-License-Identifier: ISC
# tests/run and tests/lib.sh: every test that fails says why, whatever ended it; and deadlines grow
# with the slowness of the machine.
# timeout: 60
# shellcheck disable=SC2016  # the scripts are in quotes
set -eu
cd "$TOP"
. tests/words.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { printf 'FAIL: %s\n' "$*"; exit 1; }
mkdir -p "$work/tests/check"
cp tests/run tests/words.sh tests/pace.sh tests/lib.sh "$work/tests"

# a_test NAME WORDS: makes a test from the script on standard input; WORDS must be in its log.
names=()
a_test()
{
	local file=$work/tests/check/$1.sh
	names+=("$1")
	{ printf '#!/bin/bash\n'; cat; } >"$file"
	chmod +x "$file"
	printf '%s\n' "$2" >"$work/$1.want"
}
lib='set -eu; SANDBOX_LOG=/dev/null; . "$TOP/tests/lib.sh"'
a_test silent 'exit status 3' <<<'exit 3'
a_test nothing 'it said nothing at all' <<<'exit 1'
a_test signal 'killed by SIGKILL' <<<'kill -KILL $$'
a_test command 'check/command.sh:3: exit status 1 of: grep -q x' <<<"$lib"$'\necho y | grep -q x'
a_test hidden 'check/hidden.sh:3: exit status 1 of: false' <<<"$lib"$'\nf() { false; }; f 2>/dev/null'
a_test assigned 'check/assigned.sh:3: exit status 4 of: x=$(exit 4)' <<<"$lib"$'\nx=$(exit 4)'
a_test poll 'not within 0.2 s' <<<"$lib"$'\nwait_for 0.2 "the impossible" false'
a_test logged 'the gateway said so' <<<"${lib/=\/dev\/null/=\$TOP\/log}"$'\necho the gateway said so >$SANDBOX_LOG\nfalse'
a_test more_words 'FAIL: two moons' <<<$'echo FAIL: two moons\necho the agent said: nothing\nexit 1'
a_test hangs 'timeout: not done after 1 s' <<<$'# timeout: 1\nsleep 30'
if TEST_SLOW_PERCENT=100 "$work/tests/run" >"$work/out"; then fail 'tests that fail have passed'; fi
for name in "${names[@]}"; do
	grep -qF -- "$(cat "$work/$name.want")" "$work/build/test-logs/check/$name.log" ||
		fail "$name: $(cat "$work/build/test-logs/check/$name.log")"
	# Said again at the end, where a reader of a long output looks.
	tail -n $((${#names[@]} + 1)) "$work/out" | grep -F -- "failed: check/$name: " >"$work/again" ||
		fail "$name is not among the failed tests at the end: $(tail -n 12 "$work/out")"
done
grep -q '^failed: check/logged: .*check/logged.sh:4: exit status 1 of: false$' "$work/out" || fail "another reason: $(grep '^failed: ' "$work/out")"
grep -qx 'failed: check/more_words: FAIL: two moons' "$work/out" || fail "another reason: $(grep '^failed: ' "$work/out")"
grep -qx "0 passed, ${#names[@]} failed, 0 skipped" "$work/out" || fail "$(tail -n 1 "$work/out")"

# Where all are skipped, nothing was shown: that is neither a success nor a failure, and the reasons are summed up.
rm "$work"/tests/check/*.sh
rm -r "$work/build"
a_test one_skipped '' <<<'echo no moon; exit 77'
a_test two_skipped '' <<<'echo no moon; exit 77'
rc=0; "$work/tests/run" >"$work/out" || rc=$?
[[ $rc == 77 ]] || fail "all are skipped, and it exits $rc"
grep -qx 'left out: 2: no moon' "$work/out" || fail "$(cat "$work/out")"
a_test passes '' <<<'exit 0'
"$work/tests/run" >"$work/out" || fail "one passes, and it exits $?"
rm "$work"/tests/check/*_skipped.sh
names=("${names[@]:0:${#names[@]}-3}")

# With -a, a test that needs real programs gets a second run alone, and is then called unsteady; another does not.
mkdir -p "$work/tests/e2e" "$work/tests/attack"
at_first_only='[[ ! -e $0.ran ]] || exit 0; touch "$0.ran"; echo FAIL: too late; exit 1'
for file in e2e/late e2e/wrong attack/late; do
	printf '#!/bin/bash\n%s\n' "$at_first_only" >"$work/tests/$file.sh"
	chmod +x "$work/tests/$file.sh"
done
printf '#!/bin/bash\necho FAIL: wrong; exit 1\n' >"$work/tests/e2e/wrong.sh"
rc=0; "$work/tests/run" -a 'e2e/late' >"$work/out" || rc=$?
[[ $rc == 0 ]] || fail "unsteady, and it exits $rc: $(cat "$work/out")"
grep -qx 'unsteady: e2e/late: FAIL: too late' "$work/out" || fail "not called unsteady: $(cat "$work/out")"
[[ $(tail -n 1 "$work/out") == '1 passed, 0 failed, 0 skipped' ]] || fail "$(tail -n 1 "$work/out")"
grep -qx 'FAIL: too late' "$work/build/test-logs/e2e/late.first.log" || fail 'the log of the first run is gone'
rm -f "$work"/tests/*/*.ran
if "$work/tests/run" 'e2e/late' >"$work/out"; then fail 'a second run without -a'; fi
rm -f "$work"/tests/*/*.ran
if "$work/tests/run" -a 'e2e/*' 'attack/*' >"$work/out"; then fail 'what fails twice, or is an attack, has passed'; fi
[[ $(tail -n 1 "$work/out") == '1 passed, 2 failed, 0 skipped' ]] || fail "$(cat "$work/out")"
for line in 'unsteady: e2e/late: FAIL: too late' 'failed: e2e/wrong: FAIL: wrong' 'failed: attack/late: FAIL: too late'; do
	grep -qx "$line" "$work/out" || fail "no '$line': $(cat "$work/out")"
done
cp "$work/tests/e2e/wrong.sh" "$work/tests/e2e/wrong2.sh"
rm -f "$work"/tests/*/*.ran
if "$work/tests/run" -a 'e2e/*' 'attack/*' >"$work/out"; then fail 'four failed, and it has passed'; fi
[[ $(tail -n 1 "$work/out") == '0 passed, 4 failed, 0 skipped' ]] || fail "more than three are run again: $(cat "$work/out")"
rm -r "$work/tests/e2e" "$work/tests/attack"

# Half a second of a quiet machine is a second on one that is half as fast.
a_test waits '' <<<"$lib"$'\n[[ $(slow 5) == 10 ]]; start=${EPOCHREALTIME/./}; poll 0.5 false || :
	echo "took $(((${EPOCHREALTIME/./} - start) / 1000))"'
TEST_SLOW_PERCENT=200 "$work/tests/run" waits >"$work/out" || fail "$(cat "$work/out")"
took_ms=$(sed -n 's/^took //p' "$work/build/test-logs/check/waits.log")
((took_ms >= 1000)) || fail "a poll of half a second at 200 % took $took_ms ms"
echo "$((${#names[@]} - 1)) ways to fail have words, and deadlines are as long as the machine is slow"
