#!/bin/bash
# SPDX-License-Identifier: ISC
# Manual pages and schemas say what the programs do: no option, keyword, code or word is missing.
# timeout: 60
set -euo pipefail

cd "${TOP:-$(dirname "${BASH_SOURCE[0]}")/../..}"
. tests/words.sh
build=${BUILD:-build}
leasectl=$build/bin/leasectl akc=$build/bin/akc agent=$build/bin/tunnel-agent
leasectl_page=leasectl/leasectl.1 akc_page=akc/akc.8 conf_page=lib/conf/tunlease.conf.5
problems=0 checked=0

skip() { printf 'manuals: %s\n' "$*"; exit 77; }
type -P mandoc >/dev/null || skip 'needs mandoc'
/usr/bin/python3 -c 'import jsonschema' 2>/dev/null || skip 'needs python3-jsonschema'
[[ -x $leasectl && -x $akc && -x $agent ]] || skip "needs $leasectl, $akc and $agent: run make"
agent_page=tunnel-agent/tunnel-agent.1

problem() { printf 'FAIL: %s\n' "$*"; problems=$((problems + 1)); }

# section PAGE NAME: the lines of .Sh NAME or .Ss NAME, up to the next of either. A .Sh also keeps
# the .Ss in it.
section()
{
	awk -v name="$2" '
		/^\.S[hs] / {
			if (inside == "Sh" ? $1 == ".Sh" : inside != "") inside = ""
			if (substr($0, 5) == name) { inside = substr($1, 2); next }
		}
		inside != ""' "$1"
}

# items SECTION-TEXT-ON-STDIN MACRO: the first word after `.It MACRO`, of several with commas each.
items() { sed -n "s/^\.It $1 //p" | sed 's/ *, */\n/g' | sed -E 's/[ ].*//' | sort -u; }

# same WHAT PAGE WANT HAVE: two sorted lists; none may be missing, and none more be there.
same()
{
	local what=$1 page=$2 word
	[[ -n $3 ]] || problem "$what: found nothing to look for in $page"
	for word in $(comm -23 <(printf '%s\n' "$3") <(printf '%s\n' "$4")); do
		problem "$page: $what '$word' is missing"
	done
	for word in $(comm -13 <(printf '%s\n' "$3") <(printf '%s\n' "$4")); do
		problem "$page: $what '$word' is not in the program"
	done
	checked=$((checked + $(wc -w <<<"$3")))
}

# ---- every page is clean -----------------------------------------------------------------------

pages=0
while IFS= read -r page; do
	pages=$((pages + 1))
	[[ -s $page ]] || { problem "$page is empty"; continue; }
	out=$(mandoc -T lint -W warning "$page" 2>&1) || problem "$page: mandoc: $out"
	[[ -z $out ]] || printf '%s\n' "$out"
done < <(find . \( -name .git -o -path "./$build" -o -path ./build \) -prune -o -type f -name '*.[1-9]' -print | sort)
((pages >= 3)) || problem "only $pages manual pages were found"
# What make install takes is what was looked at.
read -r -a listed < <(sed -n 's/^manuals = //p' Makefile)
for page in "${listed[@]}"; do
	[[ -f $page ]] || problem "$page is missing, and the Makefile names it"
done

# ---- leasectl.1: verbs and options -------------------------------------------------------------

# Options of a help text, as `key` for --key and `c` for -c; a value is no option.
help_options() { grep -oE '(^|[[ |])--?[a-z][a-z-]*' | sed -E 's/^[[ |]//; s/^--?//' | sort -u || :; }
# In mdoc -c is `Fl c` and --key is `Fl -key`.
page_options() { grep -oE '\bFl -?[a-z][a-z-]*' | sed -E 's/^Fl -?//' | sort -u || :; }
page_option_items() { sed -nE 's/^\.It Fl -?([a-z][a-z-]*).*/\1/p' | sort -u; }

overview=$("$leasectl" --help)
mapfile -t verbs < <(sed -nE 's/^  ([a-z][a-z-]*)  .*/\1/p' <<<"$overview")
((${#verbs[@]} > 0)) || problem "$leasectl --help names no command"
same option "$leasectl_page" \
	"$(sed -nE 's/^  --?([a-z][a-z-]*).*/\1/p' <<<"$overview" | sort -u)" \
	"$(section "$leasectl_page" OPTIONS | page_option_items)"
same command "$leasectl_page" "$(printf '%s\n' "${verbs[@]}" | sort)" \
	"$(section "$leasectl_page" COMMANDS | sed -n 's/^\.Ss //p' | sort)"
synopsis=$(section "$leasectl_page" SYNOPSIS)
for verb in "${verbs[@]}"; do
	help=$("$leasectl" "$verb" --help)
	[[ $help == "usage: leasectl "*" $verb"* ]] || problem "leasectl $verb --help is no help"
	# Without the options that stand before every command.
	help=${help/'[-c FILE] [--json] '/}
	text=$(section "$leasectl_page" "$verb")
	[[ -n $text ]] || continue
	want=$(help_options <<<"$help")
	[[ -z $want && -z $(page_option_items <<<"$text") ]] ||
		same "option of $verb:" "$leasectl_page" "$want" "$(page_option_items <<<"$text")"
	want=$(sed -n 1p <<<"$help" | help_options)
	have=$(awk -v verb="$verb" '/^\.Nm/ { on = 0 } $1 == ".Cm" && $2 == verb && was == ".Nm" { on = 1 }
		on { print } { was = $1 }' <<<"$synopsis")
	[[ -n $have ]] || problem "$leasectl_page: SYNOPSIS lacks $verb"
	[[ -z $want ]] || same "option in the SYNOPSIS of $verb:" "$leasectl_page" "$want" \
		"$(page_options <<<"$have")"
	# Commands of a command: two blanks, a word, then what it does.
	while read -r word; do
		grep -q "^\.It Cm $word\b" <<<"$text" || problem "$leasectl_page: '$verb $word' is missing"
		checked=$((checked + 1))
	done < <(sed 1d <<<"$help" | sed -nE 's/^  ([a-z]+)( [A-Z]+)?  .*/\1/p')
done

# ---- akc.8 -------------------------------------------------------------------------------------

help=$("$akc" --help)
same option "$akc_page" "$(sed -nE 's/^  --?([a-z][a-z-]*).*/\1/p' <<<"$help" | sort -u)" \
	"$(section "$akc_page" OPTIONS | page_option_items)"
for word in $(help_options <<<"$help"); do
	section "$akc_page" SYNOPSIS | page_options | grep -qx -e "$word" ||
		problem "$akc_page: SYNOPSIS lacks -$word"
done
# Reasons: what key_verdict_name() says of a refusal, and those that stand in a message.
same reason "$akc_page" \
	"$({ awk '/^const char \*key_verdict_name/, /^}/' lib/store/login.c | grep -oE '"[a-z_]+"' | tr -d '"' | grep -vx admitted
		sed -nE 's/.*log_refusal\(req, [&]?key, "([a-z_]+)".*/\1/p' akc/main.c; } | sort -u)" \
	"$(section "$akc_page" DIAGNOSTICS | items Cm)"
# The key line's options, in the order in which they are added to it.
want=$(awk '/^static void format_line/, /^}/' lib/lease/keyline.c |
	grep -oE 'restrict|port-forwarding|"permit[a-z]+"|"from=|expiry-time=|command=' | tr -d '"=' | tr '\n' ' ')
have=$(section "$akc_page" 'The line' | sed -n 's/^\.It Cm //p' | tr -d '=' | tr '\n' ' ')
[[ $want == "$have" ]] || problem "$akc_page: the line has '$want', the page '$have'"
checked=$((checked + $(wc -w <<<"$want")))

# ---- tunlease.conf.5 ---------------------------------------------------------------------------

same keyword "$conf_page" \
	"$(awk '/^} keywords\[\] = \{/, /^\};/' lib/conf/keywords.c | sed -nE 's/^    \{"([A-Za-z]+)", .*/\1/p' | sort -u)" \
	"$(section "$conf_page" KEYWORDS | items Cm)"
same 'name of leased.env' "$conf_page" \
	"$(grep -oE '"[A-Z]+(_[A-Z]+)+"' lib/conf/env_names.c | tr -d '"' | sort -u)" \
	"$(section "$conf_page" ENVIRONMENT | items Ev)"

# Its examples are files that leasectl takes; there is no store where it then looks.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
awk -v dir="$work" '/^\.Bd -literal/ { file = dir "/example" ++n; print "Database /nonexistent/leases.db" >file; next }
	/^\.Ed/ { file = "" } file != "" && !/^Database/ { print >file }' "$conf_page"
for file in "$work"/example*; do
	out=$("$leasectl" -c "$file" list 2>&1) && problem "$file: there was a store"
	[[ $out != *'cannot use the configuration'* ]] || problem "$conf_page: an example: $out"
	checked=$((checked + 1))
done

# ---- exit codes, environment -------------------------------------------------------------------

codes() { grep -oE 'EXIT_[A-Z_]+ = [0-9]+' | sed 's/.*= //' | sort -u; }
same 'exit code' "$leasectl_page" "$(awk '/^enum exit_code/, /^};/' leasectl/ctl.h | codes)" \
	"$(section "$leasectl_page" 'EXIT STATUS' | sed -n 's/^\.It //p' | sort)"
same 'exit code' "$akc_page" "$(codes <akc/main.c)" \
	"$(section "$akc_page" 'EXIT STATUS' | sed -n 's/^\.It //p' | sort)"
# TZ is read by the C library.
same 'environment variable' "$leasectl_page" \
	"$({ find leasectl -name '*.c' -exec cat {} + | grep -oE 'getenv\("[A-Z_]+"\)' | cut -d'"' -f2; echo TZ; } | sort -u)" \
	"$(section "$leasectl_page" ENVIRONMENT | items Ev)"

# ---- tunnel-agent.1 ----------------------------------------------------------------------------

help=$("$agent" --help)
same option "$agent_page" "$(sed -nE 's/^  --?([A-Za-z][a-z-]*).*/\1/p' <<<"$help" | sort -u)" \
	"$(section "$agent_page" OPTIONS | sed -nE 's/^\.It Fl -?([A-Za-z][a-z-]*).*/\1/p' | sort -u)"
for word in $(help_options <<<"$help"); do
	section "$agent_page" SYNOPSIS | page_options | grep -qx -e "$word" ||
		[[ $word == [piJolFCmbB] ]] || problem "$agent_page: SYNOPSIS lacks -$word"
done
same keyword "$agent_page" \
	"$({ echo Tunnel; sed -nE 's/^    \{"([A-Za-z]+)", offsetof.*/\1/p' tunnel-agent/config/settings.c
		awk '/^} tunnel_keywords\[\]/, /^};/' tunnel-agent/config/tunnels_conf.c | grep -oE '\{"[A-Za-z]+"' | tr -d '{"'; } | sort -u)" \
	"$(section "$agent_page" 'FILE FORMAT' | items Cm)"
same 'exit code' "$agent_page" "$(codes <tunnel-agent/host/exit_code.h)" \
	"$(section "$agent_page" 'EXIT STATUS' | sed -n 's/^\.It //p' | sort)"
same 'environment variable' "$agent_page" \
	"$(find tunnel-agent -name '*.c' -exec cat {} + | grep -oE '(getenv|environment)\("[A-Z_]+"\)|\{"[A-Z_]+", offsetof' | cut -d'"' -f2 | sort -u)" \
	"$(section "$agent_page" ENVIRONMENT | items Ev)"
awk -v dir="$work" '/^\.Bd -literal/ { file = dir "/tunnels" ++n; next }
	/^\.Ed/ { file = "" } file != "" { print >file }' "$agent_page"
for file in "$work"/tunnels*; do
	out=$("$agent" check -c "$file" 2>&1) || (($? == 1)) || problem "$agent_page: an example: $out"
	checked=$((checked + 1))
done

# ---- schemas -----------------------------------------------------------------------------------

# Each field of each schema stands in the manual, in the item of that schema.
fields=$(/usr/bin/python3 - docs/schema <<'END'
import glob, json, os, sys
import jsonschema

def objects(node):
    if isinstance(node, dict):
        if node.get("type") == "object":
            yield node
        for child in node.values():
            yield from objects(child)
    elif isinstance(node, list):
        for child in node:
            yield from objects(child)

files = sorted(glob.glob(os.path.join(sys.argv[1], "*")))
if not files:
    print("! no schema in", sys.argv[1])
for path in files:
    try:
        with open(path, encoding="utf-8") as f:
            schema = json.load(f)
        if schema.get("$schema") != "https://json-schema.org/draft/2020-12/schema":
            raise ValueError("$schema is not draft 2020-12")
        jsonschema.Draft202012Validator.check_schema(schema)
        found = list(objects(schema))
        if not found:
            raise ValueError("it describes no object")
        for node in found:
            if node.get("additionalProperties") is not False:
                raise ValueError("an object takes any further field")
            if sorted(node.get("required", [])) != sorted(node["properties"]):
                raise ValueError("required does not name every property")
    except (ValueError, KeyError, AttributeError, jsonschema.SchemaError) as e:
        print("!", path + ":", str(e).split("\n")[0])
        continue
    for node in found:
        for name in node["properties"]:
            print(os.path.basename(path), name)
END
)
while read -r file name; do
	if [[ $file == '!' ]]; then
		problem "$name"
		continue
	fi
	page=$leasectl_page
	[[ $file != status.json ]] || page=$agent_page
	section "$page" OUTPUT |
		awk -v file="$file" '/^\.It Pa / { on = $3 == file } on' | grep -qE "^\.(It )?Ar $name( |$)" ||
		problem "$page: the field '$name' of $file is missing"
	checked=$((checked + 1))
done <<<"$fields"

printf '%d pages, %d words looked up, %d problems\n' "$pages" "$checked" "$problems"
((problems == 0))
