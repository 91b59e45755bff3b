# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# pace.sh: measures how slow this machine is at present.
#
#   TEST_SLOW_PERCENT   the time that this machine needs for what a quiet one does in 100: at least 100
#                       (exported; measured here if it is not set)
#   slow NUMBER         NUMBER seconds or milliseconds of a quiet machine, as time of this one, rounded up
#
# A test's deadline is `slow` of what it takes on a quiet machine. The product's own deadlines do not
# change with the machine; a test asserts that one is not over too early, and not later than `slow` of it.

# pace_measure: sets TEST_SLOW_PERCENT. It times what tests do: start processes, and run shell code.
# That takes 65 ms on a quiet machine with two cores; a faster machine counts as quiet.
pace_measure()
{
	local start=${EPOCHREALTIME/./} i
	for ((i = 0; i < 30; i++)); do /bin/true; done
	for ((i = 0; i < 20000; i++)); do :; done
	TEST_SLOW_PERCENT=$(((${EPOCHREALTIME/./} - start) / 650))
	((TEST_SLOW_PERCENT >= 100)) || TEST_SLOW_PERCENT=100
	export TEST_SLOW_PERCENT
}
# pace_slower: measures again; succeeds if the machine became slower. TEST_SLOW_PERCENT never falls.
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
