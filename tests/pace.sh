# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# pace.sh: how slow this machine is now.
#
#   TEST_SLOW_PERCENT   what a second of a quiet machine takes here: 100, or more (exported; measured
#                       here where it is not set)
#   slow NUMBER         so much of seconds or milliseconds, in those of this machine, rounded up
#
# A deadline of a test is `slow` of what it takes on a quiet machine; the product's own deadlines stay
# what they are, and what a test asserts of them is: no less than that, no more than `slow` of it.

# pace_measure: sets TEST_SLOW_PERCENT by work like a test's own, starts of processes and a busy
# shell. The two take 65 ms on a quiet machine of two cores; no machine counts as faster than that.
pace_measure()
{
	local start=${EPOCHREALTIME/./} i
	for ((i = 0; i < 30; i++)); do /bin/true; done
	for ((i = 0; i < 20000; i++)); do :; done
	TEST_SLOW_PERCENT=$(((${EPOCHREALTIME/./} - start) / 650))
	((TEST_SLOW_PERCENT >= 100)) || TEST_SLOW_PERCENT=100
	export TEST_SLOW_PERCENT
}
# pace_slower: whether the machine has become slower since; it never counts as faster again.
pace_slower()
{
	local was=$TEST_SLOW_PERCENT
	pace_measure
	((TEST_SLOW_PERCENT <= was)) || return 0
	TEST_SLOW_PERCENT=$was
	return 1
}

[[ -n ${TEST_SLOW_PERCENT-} ]] || pace_measure

slow() { printf '%d\n' $((($1 * TEST_SLOW_PERCENT + 99) / 100)); }
