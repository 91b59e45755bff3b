#!/bin/bash
# SPDX-License-Identifier: ISC
# The demo runs, and prints the transcript in README.md, apart from times, keys and ports.
# sandbox:
# timeout: 60
set -eu

normal() {
	sed -E -e 's/[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}/TIME/g' -e 's/SHA256:[A-Za-z0-9+\/]{43}/FINGERPRINT/g' \
		-e 's/AAAA[A-Za-z0-9+\/]+/KEY/g' -e 's/in (6d 23h|7d) */in 7d  /' -e 's/\((6d 23h|7d)\)/(7d)/' -e 's/TIME UTC([+-][0-9:]{5})?/TIME UTC/' \
		-e 's/EXPIRES +OPEN/EXPIRES  OPEN/' -e 's/[0-9]+ ms/N ms/' -e '/^alice .* TIME /s/TIME  [0-9]+/TIME  PID/' \
		-e '/remote forward failure/s/[0-9]{4,5}/PORT/g' -e 's/[[:space:]]+$//' |
		sed '/./,$!d'
}
bash "$TOP/tests/demo" >/tmp/demo.out
normal </tmp/demo.out >/tmp/demo.normal
awk '/^<!-- demo -->/ { on = 1 } /^```$/ && on { if (++on == 3) exit; next } on == 2' "$TOP/README.md" |
	normal >/tmp/readme.normal
[[ $(wc -l </tmp/demo.normal) -gt 50 ]] || { echo 'the demo printed too little'; exit 1; }
# To renew the transcript, put what tests/sandbox tests/demo prints into README.md, after
# <!-- demo -->.
diff -u /tmp/readme.normal /tmp/demo.normal
