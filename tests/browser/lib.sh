# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# browser/lib.sh: what the tests of the page share; they source it after lib.sh, inside tests/sandbox.
#
#   PAGE                          the page's address
#   need_browser                  ends the test with 77 where Chromium, node or puppeteer-core is not there
#   gateway_up CONF-LINE...       leased with the sandbox's tunlease.conf, these lines and MetricsListen, which
#                                 is at PAGE unless they have one; its pid is in LEASED
#   gateway_down                  and its end
#   page_lease NAME OPTION...     grants it; the key is $WORK/NAME
#   page_agent NAME HOSTNAME      registers it; the key is $WORK/NAME, the port in PORT
#   browser_up [CHROMIUM-OPTION...]   starts tests/browser/drive.js
#   js CASE ARG...                tries a case of tests/browser/cases.js; its value is in JS, as JSON; fails if it throws
#   holds WHAT CASE ARG...        the same; prints `ok - WHAT`

PAGE=http://127.0.0.1:12001/
LEASED=''

need_browser()
{
	export BROWSER_MODULES=$TOP/build/browser/node_modules
	BROWSER=$(type -P chromium || type -P chromium-browser || type -P google-chrome) || { echo 'needs chromium'; exit 77; }
	export BROWSER
	type -P node >/dev/null || { echo 'needs node'; exit 77; }
	[[ -d $BROWSER_MODULES/puppeteer-core ]] || { echo 'needs puppeteer-core: make deps (npm, and its registry)'; exit 77; }
}

leased_answers() { fetch -o /dev/null http://127.0.0.1:12000/healthz; }
gateway_up()
{
	[[ " $* " == *'MetricsListen '* ]] || set -- 'MetricsListen 127.0.0.1:12001' "$@"
	[[ -e $WORK/conf ]] || cp /etc/tunlease/tunlease.conf "$WORK/conf"
	{ cat "$WORK/conf"; printf '%s\n' "$@"; } >/etc/tunlease/tunlease.conf
	if [[ ! -e /etc/tunlease/leased.env ]]; then
		echo 'API_KEY=an-enrolment-key-for-the-tests' >/etc/tunlease/leased.env
		chown _tunlease:root /etc/tunlease/leased.env
		chmod 0400 /etc/tunlease/leased.env
	fi
	leased </dev/null >"$WORK/leased.out" 2>&1 &
	LEASED=$!
	at_exit "$LEASED"
	wait_for 10 "leased answers: $(cat "$WORK/leased.out")" leased_answers
}
gateway_down()
{
	kill -TERM "$LEASED"
	wait "$LEASED" || fail "leased exits $?"
}

page_lease()
{
	new_key "$1" >/dev/null
	leasectl grant "$1" --key "$WORK/$1.pub" "${@:2}" >/dev/null
}
page_agent()
{
	new_key "$1" >/dev/null
	python3 -c 'import json, sys
name, key, hostname = sys.argv[1:]
print(json.dumps({"action": "register", "agent_id": name, "public_key": key, "hostname": hostname, "target": "127.0.0.1:22"}))' \
		"$1" "$(cat "$WORK/$1.pub")" "$2" |
		fetch -o "$WORK/answer" -H 'Authorization: Bearer an-enrolment-key-for-the-tests' -H 'Content-Type: application/json' \
			--data @- http://127.0.0.1:12000/
	# shellcheck disable=SC2034 # for the test
	PORT=$(sed -n 's/.*"port_b": *\([0-9]*\).*/\1/p' "$WORK/answer")
	[[ -n $PORT ]] || fail "register $1: $(cat "$WORK/answer")"
}

browser_up()
{
	local node
	coproc DRIVE { TEST_SLOW_PERCENT=${TEST_SLOW_PERCENT-100} exec node "$TOP/tests/browser/drive.js" "$@" 2>"$WORK/browser.err"; }
	node=$!
	at_exit "$node"
	js_answer || fail "Chromium does not start: $JS"
	note "$JS"
}
js_answer()
{
	local line=''
	IFS= read -r -t "$(slow 60)" line <&"${DRIVE[0]}" || { JS="no answer from drive.js: $(tail -n 3 "$WORK/browser.err")"; return 1; }
	# shellcheck disable=SC2034 # for the test
	JS=${line#* }
	[[ $line == ok\ * ]]
}
js()
{
	{ printf '%s\x1f' "$@"; printf '\0'; } >&"${DRIVE[1]}"
	js_answer || fail "$JS"
}
holds()
{
	local what=$1; shift
	{ printf '%s\x1f' "$@"; printf '\0'; } >&"${DRIVE[1]}"
	js_answer || fail "$what: $JS"
	ok "$what"
}
