#!/bin/bash
# SPDX-License-Identifier: ISC
# `make agent-static` makes one file of at most 1.5 MiB, for this processor and for another, which needs nothing
# of the host that it is copied to but ssh: it looks up names, registers at a real leased, holds a tunnel,
# finds a frozen ssh, and carries the licences of its parts. The other processor is emulated by qemu-user.
# timeout: 100
set -eu
cd "$TOP"

static=$TOP/build/static
archs=(x86_64 aarch64)

if [[ -z ${SANDBOX_LOG-} ]]; then
	# PROGRAM:PACKAGE that has it
	for need in x86_64-linux-gnu-gcc:gcc aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu qemu-aarch64:qemu-user dpkg-source:dpkg-dev; do
		type -P "${need%:*}" >/dev/null || { echo "needs ${need#*:}"; exit 77; }
	done
	for arch in "${archs[@]}"; do
		log=$static/$arch.make
		mkdir -p "$static"
		make -j2 QUIET=1 WERROR=1 NO_DEPS=1 agent-static ARCH="$arch" >"$log" 2>&1 || {
			tail -n 8 "$log"
			! grep -q 'cannot be had' "$log" || { echo 'needs the sources of Debian 12 (apt-get)'; exit 77; }
			echo "FAIL: it does not build for $arch"
			exit 1
		}
		agent=$static/$arch/bin/tunnel-agent
		[[ $(tail -n 1 "$log") == "build/static/$arch/bin/tunnel-agent" ]] || { echo 'FAIL: it does not say where the file is'; exit 1; }
		bytes=$(stat -c %s "$agent")
		((bytes <= 1536 * 1024)) || { echo "FAIL: $bytes bytes for $arch"; exit 1; }
		[[ $(readelf -lW "$agent") != *INTERP* ]] || { echo "FAIL: it needs a dynamic linker ($arch)"; exit 1; }
		[[ $(readelf -dW "$agent") != *NEEDED* ]] || { echo "FAIL: it needs a library ($arch)"; exit 1; }
		[[ $(readelf -hW "$agent") =~ Type:\ *DYN ]] || { echo "FAIL: it is always at one address ($arch)"; exit 1; }
		[[ $(readelf -SW "$agent") != *.debug* ]] || { echo "FAIL: it is not stripped ($arch)"; exit 1; }
		echo "$arch: $bytes bytes"
	done
	exec tests/sandbox --leased "${BASH_SOURCE[0]}"
fi

. "$TOP/tests/lib.sh"
. "$TOP/tests/agent_lib.sh"

# A host with ssh, the libraries that ssh needs, and nothing else. Not below WORK, which is removed with all that
# is in it: /proc is mounted here.
root=/run/host
empty=$WORK/empty
mkdir -p "$empty" "$root"/{proc,dev,etc,tmp,work,usr/bin}
cp "$static/x86_64/bin/tunnel-agent" "$empty"
cp "$static/x86_64/bin/tunnel-agent" "$root/usr/bin"
mapfile -t needed < <({ ldd /usr/bin/ssh; ldd /usr/bin/ssh-keygen; } | grep -o '/[^ ]*' | sort -u)
cp --parents /usr/bin/ssh /usr/bin/ssh-keygen "${needed[@]}" "$root"
mount -n -t proc proc "$root/proc"
mknod -m 0666 "$root/dev/null" c 1 3
mknod -m 0666 "$root/dev/urandom" c 1 9
printf 'root:x:0:0::/work:/bin/false\n' >"$root/etc/passwd"
printf '127.0.0.1 localhost\n127.0.0.1 gate.test gateway.test\n' >"$root/etc/hosts"
echo '127.0.0.1 gate.test' >>/etc/hosts
conf=$(quick)
printf '%s\n' 'Tunnel web' 'To friend@gate.example' 'Forward 18009:127.0.0.1:8009' >"$WORK/tunnels.conf"
cp "$conf" "$WORK/tunnels.conf" "$root/work"

# The other processor's file starts the ssh of this host.
printf '#!/bin/bash\nshift\nexec qemu-aarch64 %q "$@"\n' "$static/aarch64/bin/tunnel-agent" >"$WORK/emulated"
chmod +x "$WORK/emulated"

on_x86_64() { AGENT_IN=(chroot "$root" env -i PATH=/usr/bin HOME=/work STATE_DIR=/work/state) files=/work STATE_DIR=$root/work/state; }
on_aarch64() { AGENT_IN=("$WORK/emulated") files=$WORK STATE_DIR=$WORK/state.aarch64; }
in_host() { "${AGENT_IN[@]}" tunnel-agent "$@"; }
cp /usr/bin/env "$root/usr/bin"

says()
{
	local version licences part parts
	version=$(in_host --version)
	assert_eq "$(head -n 1 <<<"$version")" "$(tunnel-agent --version)" "$1: --version"
	assert_eq "$(in_host --help)" "$(tunnel-agent --help)" "$1: --help"
	licences=$(in_host --licences)
	grep -qF 'Copyright (c) 2026 The tunlease authors' <<<"$licences" || fail "$1: our own licence is missing"
	IFS=, read -ra parts <<<"${version##*with }"
	((${#parts[@]} == 5)) || fail "$1: its parts: $version"
	for part in "${parts[@]}"; do
		grep -qxF -e "---- ${part# }, as in Debian, which says of the whole of it:" <<<"$licences" || fail "$1: no licence of $part"
	done
	in_host check -c "$files/tunnels.conf" || fail "$1: check finds something in a good file"
	! in_host check -c "$files/nothing.conf" 2>/dev/null || fail "$1: check finds nothing in no file"
}

looks_up()
{
	agent --insecure --endpoint http://gate.test:9 --token a-token-that-nobody-gave
	wait_for 5 "$1: a name of its hosts" said_text 'cannot reach http://gate.test:9: Connection refused'
	agent_stop
	agent --insecure --endpoint http://nosuch.test:9 --token a-token-that-nobody-gave
	wait_for 10 "$1: a name that nobody has" said 'cannot reach http://nosuch.test:9: (Name does not|Name has no|Name or service|Try again)'
	agent_stop
}

serve 8022
reaches() { [[ $(fetch "http://127.0.0.1:$1/") == 'hello from 8022' ]]; }
holds()
{
	local port ssh
	agent -d -c "$files/${conf##*/}" --endpoint http://127.0.0.1:12000 --api-key an-enrolment-key-for-the-tests \
		--agent-id "on-$1" --target 127.0.0.1:8022
	wait_for 15 "$1: the tunnel to be up" is gateway up
	port=$(field gateway port_b)
	wait_for 5 "$1: data through it" reaches "$port"
	ssh=$(ssh_of)
	kill -STOP "$ssh"
	wait_for 20 "$1: a frozen ssh to be found" gone "$ssh"
	wait_for 15 "$1: data again" reaches "$port"
	agent_stop
	assert_eq "$(leasectl --json show "on-$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)["state"])')" active "$1: registered"
}

assert_eq "$(find "$empty" -type f | wc -l)" 1 'files on the empty host'
chroot "$empty" /tunnel-agent --version >/dev/null || fail 'it does not start on a host that has nothing'
for arch in "${archs[@]}"; do
	"on_$arch"
	says "$arch"
	looks_up "$arch"
	holds "$arch"
	ok "$arch: says what it is, looks up names, registers, holds a tunnel"
done
