#!/bin/bash
# SPDX-License-Identifier: ISC
# The page in a real browser: hostile texts, the browser's own rules, other sites, a phone, a keyboard, a
# screen reader, contrast, a filter, pages of 100 rows, a leased that goes and comes back.
# sandbox:
# timeout: 300
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/browser/lib.sh"
need_browser

image='<img src=x onerror=alert(1)>'
quotes=$'"\'><script>alert(2)</script><b>'
day=$(date -u -d '+60 days' +%F)
endless=$(printf 'W%.0s' {1..256})

# A site of somebody else.
serve_site() # PORT
{
	mkdir "$WORK/site"
	echo '<!doctype html><title>another site</title>' >"$WORK/site/index.html"
	python3 -u -m http.server --directory "$WORK/site" --bind 127.0.0.1 "$1" >"$WORK/site.log" 2>&1 &
	at_exit "$!"
	wait_for 10 'another site answers' fetch -o /dev/null "http://127.0.0.1:$1/"
}

gateway_up 'PublicHost gateway.test'
page_lease alice --open 8009 --open 8010 --note "$image"
page_lease bob --open 8011 --note "$quotes" --from 192.0.2.0/24 --until "${day}T00:00:00Z"
page_lease carol --open 8012 --note $'e\xcc\x81t\xc3\xa9 \xf0\x9f\x94\x91' --for 3d
page_lease dave --open 8013 --note "$endless" --for 3d
page_lease "$(printf 'n%.0s' {1..64})" --open 8014
page_agent db1 "$image"
browser_up '--host-resolver-rules=MAP evil.example 127.0.0.1, MAP gateway.test 127.0.0.1'
js open "$PAGE" Asia/Kolkata

note 'hostile texts are text'
for text in "$image" "$quotes" "$endless"; do
	holds "as it is: ${text:0:40}" note_is "$text"
done
holds 'letters of others, too' note_is $'e\xcc\x81t\xc3\xa9 \xf0\x9f\x94\x91'
holds 'a host name, too' hostname_is "$image"
holds 'none of them made an element' no_foreign_elements
holds 'so is whatever a broken leased would send, in every field' hostile_answer "$PAGE"
js open "$PAGE" Asia/Kolkata
holds 'a time is local, with UTC behind it' local_time "$day 00:00:00 UTC" ', 05:30' Asia/Calcutta

note 'the browser itself'
js said
assert_eq "$JS" '[]' 'no complaint and no violation of the policy'
js asked_elsewhere "$PAGE"
assert_eq "$JS" '[]' 'nothing was asked of anybody else'
holds 'the policy holds for a script that got in: no style, script, image or request of its own' policy "$PAGE"
bytes=$(cat "$TOP"/leased/page/*.{html,css,js,svg} | wc -c)
((bytes < 40960)) || fail "the page has $bytes bytes"
ok "it has $bytes bytes"

note 'a refresh disturbs nobody'
holds 'focus, selection and rows stay, the live regions are silent, nothing moves' refresh_is_quiet
page_lease erin --open 8015 --for 1d
holds 'nor does a new first row' new_first_row erin

note 'a filter'
holds 'a name' filter bob bob
holds 'it is in the address, and a screen reader is told' filter_is_told '#filter=bob' 'Leases: 1 match'
holds 'a port' filter 8012 carol
holds 'a part of a name, in other letters' filter ALI alice
holds 'nothing' filter no-such ''
holds 'that is said' none_matches
holds 'a hostile one' filter "$image" ''
holds 'the address shows the same in another tab' filter_in_address "$PAGE" carol
holds 'a long one is cut to what leased takes' long_filter

note 'the keyboard alone'
holds 'TAB reaches everything in order, and what has the focus is seen' tab_order "$PAGE"
holds 'ENTER opens the table of the hours' hours_open
holds 'the first link skips to the leases' skips
holds 'SPACE on Pause pauses and goes on' pauses
holds 'a hidden page asks nothing' hidden_is_silent

note 'a screen reader'
holds 'landmarks, headings, tables and plots have names' names_for_readers gateway.test
holds 'on a phone the rows are still rows' rows_on_a_phone

note 'looks'
holds 'nothing is wider than the page' fits 1600 1280 1024 768 760 480 360 320
holds 'light: every text has a contrast of 4.5' contrast "$PAGE" light 'rgb(244, 246, 248)'
holds 'dark: too' contrast "$PAGE" dark 'rgb(16, 21, 26)'
holds 'who wants no motion has none' no_motion
holds 'without JavaScript it says what to use' without_script "$PAGE"

note 'pages of 100 rows'
runuser -u _tunlease -- "$TOP/build/tests/fill" /var/lib/tunlease/leases.db 250 gw-tunnel >/dev/null
total=$(leasectl list --all --json | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))')
holds 'the first' page_is "1–100 of $total" 100
holds 'the next, by keyboard' turn Later "101–200 of $total" 100
holds 'the last' turn Later "201–$total of $total" $((total - 200))
holds 'and no further' no_further Later
holds 'back' turn Earlier "101–200 of $total" 100
holds 'a filter begins at its first' filter alice alice
js filter_nothing
holds 'and so does none' page_is "1–100 of $total" 100

note 'leased goes and comes back'
js said
assert_eq "$JS" '[]' 'no complaint until here'
gateway_down
holds 'that there is no answer is said, with the time of the last' lost
holds 'it asks less often' asks_less
gateway_up 'PublicHost gateway.test'
holds 'it is back by itself' back
js forget_said

note 'other sites'
serve_site 8099
for site in http://evil.example:8099/ http://127.0.0.1:8099/; do
	holds "a page of $site reads, loads and frames nothing" other_site "$site" "$PAGE"
done
for path in '' status.json page.js; do
	holds "by a foreign name that points here: /$path" refused_at "http://evil.example:12001/$path" 403
done
holds 'by PublicHost it is answered' open http://gateway.test:12001/
js said
assert_eq "$JS" '[]' 'without a complaint'

note 'a lease, and the login of somebody who may'
expect_exit 4 leasectl set alice --open +127.0.0.1:12001
ok 'no lease is given its port'
tunnel "$WORK/alice" pfwd -L 18001:127.0.0.1:12001
holds 'through a lease it cannot be reached' unreachable http://127.0.0.1:18001/
fwd_stop
gateway_down
gateway_up "MetricsListen unix:/run/page.sock"
tunnel /home/li/.ssh/id_ed25519 li -L 18002:/run/page.sock
holds 'from a unix socket, through ssh -L' open http://localhost:18002/
