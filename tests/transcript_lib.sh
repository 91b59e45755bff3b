# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# transcript_lib.sh: compares what a demo prints with docs/transcript.md and with the commands in README.md;
# sourced inside tests/sandbox --bare.
#
#   transcript_is NAME DEMO     runs DEMO; its output must be the block after <!-- NAME --> there, apart from times,
#                               keys, codes, ports and process ids
#   readme_is_typed HEADING...  each line with a prompt (gateway#, friend$, db1$) below these headings of README.md
#                               must be typed in that demo
#
# What doctor says of the clock depends on the machine, and is left out.
#
# To renew a transcript, put what tests/sandbox --bare tests/demo prints into docs/transcript.md.

normal_transcript()
{
	sed -E -e 's/[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}( [A-Z]{3,4}| [+-][0-9:]+)?/TIME/g' \
		-e 's/SHA256:[A-Za-z0-9+\/]{43}/FINGERPRINT/g' -e 's/AAAA[A-Za-z0-9+\/]+/KEY/g' -e 's/[0-9a-f]{64}/TOKEN/g' \
		-e 's/[2-9A-HJ-NP-Z]{4}(-[2-9A-HJ-NP-Z]{4}){3}/CODE/g' \
		-e 's/(6d 23h|7d)/7d/g' -e 's/[0-9]+ ms/N ms/' -e '/^alice .* TIME /s/TIME  [0-9]+/TIME  PID/' \
		-e '/remote forward failure/s/[0-9]{4,5}/PORT/g' -e 's/[0-9]+s ago/Ns ago/' -e 's/[0-9]+ (notes?|ok)\b/N \1/g' -e 's/-HUP [0-9]+/-HUP PID/' -e 's/  +/  /g' \
		-e 's/[[:space:]]+$//' | sed -e '/^ok  clock/d' -e '/^note  clock/,+2d' | sed '/./,$!d'
}

transcript_is()
{
	bash "$2" >/tmp/demo.out || { cat /tmp/demo.out; fail "$2 fails"; }
	normal_transcript </tmp/demo.out >/tmp/demo.normal
	[[ $(wc -l </tmp/demo.normal) -gt 30 ]] || fail "$2 printed too little"
	awk -v name="<!-- $1 -->" '$0 == name { on = 1 } /^```$/ && on { if (++on == 3) exit; next } on == 2' \
		"$TOP/docs/transcript.md" | normal_transcript >/tmp/doc.normal
	diff -u /tmp/doc.normal /tmp/demo.normal || fail "docs/transcript.md is not what $2 prints"
	ok "docs/transcript.md is what $2 prints"
}

# What differs between a reader's machine and the demo: the gateway's name, and 8009 where the service itself has
# it; README.md leaves out what is written as `...`.
typed() { sed -E -e 's/gateway\.example\.com/gateway.test/g' -e 's/-L 18009:/-L 8009:/' -e 's/ +#.*//' -e 's/ +&$//' "$@"; }

readme_is_typed()
{
	local heading line pattern count=0
	typed /tmp/demo.out >/tmp/typed
	for heading; do
		while IFS= read -r line; do
			pattern=$(sed -E 's/[][\\.*^$+?(){}|/]/\\&/g; s/\\\.\\\.\\\./.*/g' <<<"$line")
			grep -Eqx -e "$pattern" /tmp/typed || fail "README.md, '$heading': the demo does not type: $line"
			count=$((count + 1))
		done < <(awk -v heading="## $heading" '/^## / { on = $0 == heading } on && /^    [a-z0-9]+[#$] / { print substr($0, 5) }' \
			"$TOP/README.md" | typed)
	done
	((count > 3)) || fail "README.md has $count commands below: $*"
	ok "the demo types all $count commands of README.md below: $*"
}
