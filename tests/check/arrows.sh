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
may() { # ROOM: in `allowed`
	case $1 in
	lib/base) allowed=lib/base ;;
	lib/lease|lib/session) allowed="$1 lib/base" ;;
	lib/conf) allowed='lib/conf lib/lease lib/base' ;;
	lib/store|lib/wire) allowed="$1 lib/conf lib/session lib/lease lib/base" ;;
	akc) allowed='akc lib/base lib/conf lib/session lib/lease lib/store' ;;
	pam_tunnel) allowed='pam_tunnel lib/base lib/conf lib/session' ;;
	tunnel-agent) allowed='tunnel-agent lib/base lib/lease lib/wire' ;;
	leased|leasectl) allowed="$1 lib/base lib/conf lib/session lib/lease lib/store lib/wire" ;;
	*) allowed='' ;;
	esac
}

# One process for all files, and none for each: on a busy machine a process is dear.
checked=0 last=''
while IFS=: read -r file include; do
	room=${file%/*} include=${include#\#include }
	name=${include:1} name=${name%%[\">]*}
	own=${file%.c}.h
	if [[ $file != "$last" && $file == *.c && -f $own && $name != "$own" ]]; then
		wrong "$file: its own header comes first, not $name"
	fi
	last=$file
	[[ $include == '"'* ]] || continue
	checked=$((checked + 1))
	[[ $name == */* ]] || continue # generated
	may "$room"
	[[ " $allowed " == *" ${name%/*} "* ]] || wrong "$file: may not include $name"
done < <(grep -HE '^#include ["<]' lib/*/*.[ch] akc/*.[ch] pam_tunnel/*.[ch] leased/*.[ch] leasectl/*.[ch] tunnel-agent/*.[ch])
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
