#!/bin/bash
# SPDX-License-Identifier: ISC
# `make dist` makes the same bytes in a fresh clone as in an unpacked archive, whatever the umask, the time zone,
# the path and what was built there; it leaves nothing out that git has, and the build and the packages have
# all that they need: a dry run of `make` in the unpacked archive names the same files, and package/rpm and
# `make deb` build from such an archive.
# timeout: 60
set -eu
cd "$TOP"

fail() { echo "FAIL: $*"; exit 1; }
version=$(cat VERSION)
name=tunlease-$version
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset SOURCE_DATE_EPOCH

dist() { (cd "$1" && umask "$2" && TZ=$3 make -s NO_DEPS=1 BUILD=build dist >/dev/null); }

if [[ -e .git ]]; then
	git clone -q "file://$TOP" "$work/clone" 2>"$work/why" || { cat "$work/why"; fail 'git clone'; }
	dist "$work/clone" 022 UTC
	first=$work/clone/build/$name.tar.gz
	git -C "$work/clone" ls-files | sort >"$work/tracked"
	tar -tzf "$first" | sed "s,^$name/,," | sort >"$work/packed"
	diff "$work/tracked" "$work/packed" || fail 'it has other files than git'
else
	make -s NO_DEPS=1 BUILD="$work/first" dist >/dev/null
	first=$work/first/$name.tar.gz
fi

mkdir "$work/a path"
tar -C "$work/a path" -xzf "$first"
mkdir -p "$work/a path/$name/build/obj"
echo 'left over' >"$work/a path/$name/build/obj/main.o"
echo 'CFLAGS = -O1' >"$work/a path/$name/config.mak"
dist "$work/a path/$name" 077 Asia/Tokyo
cmp "$first" "$work/a path/$name/build/$name.tar.gz" || fail 'an unpacked archive makes another archive'

tar -tvzf "$first" | awk '$2 != "0/0" || $1 !~ /^[-l]rw[-x]r-[-x]r-[-x]$/ && $1 !~ /^l/' >"$work/odd"
[[ ! -s $work/odd ]] || { head -n 3 "$work/odd"; fail 'owners and modes that depend on who made it'; }

# What would be compiled, here and there.
compiles() { make -C "$1" -n -B QUIET=1 V=1 BUILD=/nowhere all 2>/dev/null | grep -o -E -e '-o [^ ]+' | sort; }
compiles . >"$work/here"
rm "$work/a path/$name/config.mak"
mv "$work/a path" "$work/path"
compiles "$work/path/$name" >"$work/there"
[[ -s $work/here ]] || fail 'make builds nothing'
[[ ! -e .git || -n $(git status --porcelain) ]] || diff "$work/here" "$work/there" || fail 'make would build other files'
echo "$(wc -l <"$work/packed" 2>/dev/null || tar -tzf "$first" | wc -l) files, the same bytes from a clone and from an archive"
