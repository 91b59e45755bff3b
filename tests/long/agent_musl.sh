#!/bin/bash
# SPDX-License-Identifier: ISC
# tunnel-agent with another C library: builds with musl, without https and without any other program
# of this project, and holds a tunnel (e2e/agent_link). Its libraries are built from Debian's sources.
# timeout: 900
set -eu
cd "$TOP"

# PROGRAM:PACKAGE that has it
for need in musl-gcc:musl-tools dpkg-source:dpkg-dev autoreconf:autoconf libtoolize:libtool automake:automake; do
	type -P "${need%:*}" >/dev/null || { echo "needs ${need#*:}"; exit 77; }
done
work=$PWD/build/musl
mkdir -p "$work/src" "$work/lists/partial" "$work/prefix" "$work/kernel"
apt=(apt-get -q -o "Dir::Etc::SourceList=$work/src.list" -o Dir::Etc::SourceParts=/dev/null
	-o "Dir::State::Lists=$work/lists")
echo 'deb-src http://deb.debian.org/debian bookworm main' >"$work/src.list"
# The kernel's headers belong to no C library.
ln -sfn /usr/include/linux "$work/kernel/linux"
ln -sfn /usr/include/asm-generic "$work/kernel/asm-generic"
ln -sfn "/usr/include/$(gcc -print-multiarch)/asm" "$work/kernel/asm"

cd "$work/src"
if [[ ! -e $work/prefix/lib/libevent_core.a ]]; then
	{ "${apt[@]}" update && "${apt[@]}" source libmd libbsd jansson libevent; } >"$work/apt.log" 2>&1 ||
		{ tail -n 2 "$work/apt.log"; echo 'needs the sources of libmd, libbsd, jansson and libevent (apt-get source)'; exit 77; }
	export CC=musl-gcc CFLAGS="-O2 -fPIE -idirafter $work/kernel"
	for name in libmd libbsd jansson libevent; do
		dirs=("$work/src/$name"-*/)
		cd "${dirs[0]}"
		options=(--prefix="$work/prefix" --disable-shared --enable-static)
		[[ $name != libevent ]] || options+=(--disable-openssl --disable-samples --disable-libevent-regress)
		{
			case $name in libevent|jansson) autoreconf -fi ;; esac
			CPPFLAGS="-I$work/prefix/include" LDFLAGS="-L$work/prefix/lib" ./configure "${options[@]}"
			make -j2
			make install
		} >"$work/$name.log" 2>&1 || { tail -n 20 "$work/$name.log"; echo "FAIL: $name does not build"; exit 1; }
	done
	# A linker script that names a shared libmd, which is not there.
	rm -f "$work"/prefix/lib/*.so*
	unset CC CFLAGS
fi

cd "$TOP"
make -j2 QUIET=1 WERROR=1 "BUILD=$work/out" CC=musl-gcc HTTPS=0 "CPPFLAGS=-I$work/prefix/include -idirafter $work/kernel" \
	"LDFLAGS=-L$work/prefix/lib" bsd_libs='-lbsd -lmd' "$work/out/bin/tunnel-agent"
readelf -l "$work/out/bin/tunnel-agent" | grep -q ld-musl || { echo 'FAIL: it is not linked with musl'; exit 1; }
[[ $(find "$work/out/bin" -type f | wc -l) == 1 ]] || { echo 'FAIL: it needed another program'; exit 1; }

cat >"$work/run.sh" <<-END
	#!/bin/bash
	cp '$work/out/bin/tunnel-agent' /usr/bin/tunnel-agent
	exec '$TOP/tests/e2e/agent_link.sh'
END
chmod +x "$work/run.sh"
tests/sandbox "$work/run.sh"
echo 'built with musl, and it holds a tunnel'
