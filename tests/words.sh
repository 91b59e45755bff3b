# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# words.sh: no script that sources this fails without a word.
#
# With set -e a command that fails ends the script and says nothing; this says which one it was.
# Where set -e does not hold, as in $(...), the line that takes the result is the one that is told.
report_failure()
{
	local rc=$1 command=$2
	[[ $- == *e* ]] || return 0
	printf '%s:%s: exit status %s of: %s\n' "${BASH_SOURCE[1]-}" "${BASH_LINENO[0]}" "$rc" "$command" >&"$report_fd"
}
exec {report_fd}>&2 # the script's own: a function that died may have had another
set -E
trap 'report_failure "$?" "$BASH_COMMAND"' ERR
