# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# words.sh: a script that sources this prints which command failed.
#
# With set -e a failing command ends the script without a message; this prints its line and the
# command. Where set -e has no effect, as inside $(...), it prints the line that uses the result.
report_failure()
{
	local rc=$1 command=$2
	[[ $- == *e* ]] || return 0
	printf '%s:%s: exit status %s of: %s\n' "${BASH_SOURCE[1]-}" "${BASH_LINENO[0]}" "$rc" "$command" >&"$report_fd"
}
exec {report_fd}>&2 # the script's own stderr: that of a failed function may be redirected
set -E
trap 'report_failure "$?" "$BASH_COMMAND"' ERR
