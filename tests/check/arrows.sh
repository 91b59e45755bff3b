#!/bin/bash
# SPDX-License-Identifier: ISC
# The include arrows of DESIGN 7: base <- lease, session <- conf, store, wire <- programs, and
# which library is known where.
# timeout: 60
set -eu
cd "$TOP"
. tests/words.sh

bad=0
wrong() { printf '%s\n' "$*"; bad=1; }

# conf stands above lease: a ceiling in the file is written as permits, and there is one grammar
# for them. pam_tunnel takes conf/paths alone, which needs base only.
may() {
	case $1 in
	lib/base) echo lib/base ;;
	lib/lease|lib/session) echo "$1 lib/base" ;;
	lib/conf) echo 'lib/conf lib/lease lib/base' ;;
	lib/store|lib/wire) echo "$1 lib/conf lib/session lib/lease lib/base" ;;
	akc) echo 'akc lib/base lib/conf lib/session lib/lease lib/store' ;;
	pam_tunnel) echo 'pam_tunnel lib/base lib/conf lib/session' ;;
	tunnel-agent) echo 'tunnel-agent lib/base lib/lease lib/wire' ;;
	leased|leasectl) echo "$1 lib/base lib/conf lib/session lib/lease lib/store lib/wire" ;;
	esac
}

checked=0
for file in lib/*/*.[ch] akc/*.[ch] pam_tunnel/*.[ch] leased/*.[ch] leasectl/*.[ch] tunnel-agent/*.[ch]; do
	[[ -f $file ]] || continue
	room=${file%/*}
	allowed=" $(may "$room") "
	while read -r include; do
		checked=$((checked + 1))
		[[ $include == */* ]] || continue # generated
		[[ $allowed == *" ${include%/*} "* ]] || wrong "$file: may not include $include"
	done < <(sed -n 's/^#include "\([^"]*\)".*/\1/p' "$file")

	own=${file%.c}.h
	if [[ $file == *.c && -f $own ]]; then
		first=$(sed -n 's/^#include ["<]\([^">]*\)[">].*/\1/p' "$file" | head -n 1)
		[[ $first == "$own" ]] || wrong "$file: its own header comes first, not $first"
	fi
done
((checked > 100)) || wrong "only $checked includes were seen: is this the tree?"
[[ $(sed -n 's/^#include "\([^"]*\)".*/\1/p' lib/conf/paths.[ch] | grep -v -e '^lib/base/' -e '^lib/conf/paths.h$') == '' ]] ||
	wrong 'lib/conf/paths may include lib/base only'

# known HEADER ROOM...: nowhere else.
known() {
	local header=$1 file; shift
	while read -r file; do
		[[ " $* " == *" ${file%/*} "* ]] || wrong "$file: may not include $header"
	done < <(grep -lE "^#include <$header>" lib/*/*.[ch] akc/*.[ch] leasectl/*.[ch] pam_tunnel/*.[ch] leased/*.[ch] tunnel-agent/*.[ch] 2>/dev/null)
}
known 'sqlite3\.h' lib/store
known 'jansson\.h' lib/wire
known 'event2?/.*' leased tunnel-agent
known 'security/.*' pam_tunnel

((bad == 0)) && echo "$checked includes follow the arrows"
exit "$bad"
