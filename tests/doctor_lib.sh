# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# doctor_lib.sh: what doctor finds, one thing at a time; sourced after lib.sh.
#
#   found                            prints what doctor found, one a line: result, check, what, why, mend. The
#                                    test defines it, or takes found_but.
#   found_but CHECK...               the same, without the findings of these checks
#   sees RESULT CHECK WHAT [MEND]    doctor finds this one thing, and nothing else. WHAT and MEND: extended
#                                    regular expressions. The mend stays in $mend.
#   sees_nothing [WHEN]              it finds nothing

found_but()
{
	leasectl --json doctor >"$WORK/doctor.json" 2>"$WORK/doctor.err" || :
	python3 - "$WORK/doctor.json" "$@" <<-'END'
		import json, sys
		for f in json.load(open(sys.argv[1])):
		    if f["result"] != "ok" and f["check"] not in sys.argv[2:]:
		        assert f["why"] and f["mend"], f
		        print(f["result"], f["check"], f["detail"], f["why"], f["mend"], sep="\t")
	END
}

sees()
{
	found >"$WORK/found"
	(($(wc -l <"$WORK/found") == 1)) || fail "not just '$3': $(cat "$WORK/found" "$WORK/doctor.err")"
	IFS=$'\t' read -r result check what _ mend <"$WORK/found"
	[[ $result == "$1" && $check == "$2" && $what =~ $3 && $mend =~ ${4-.} ]] || fail "not '$3': $(cat "$WORK/found")"
	ok "$result, $check: $what"
}

sees_nothing()
{
	found >"$WORK/found"
	[[ ! -s $WORK/found ]] || fail "doctor finds something${1:+ $1}: $(cat "$WORK/found")"
	ok "doctor finds nothing${1:+ $1}"
}
