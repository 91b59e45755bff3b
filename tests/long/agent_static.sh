#!/bin/bash
# SPDX-License-Identifier: ISC
# The file that `make agent-static` makes is an agent like the other: e2e/agent_link passes with it. And on a
# host of another release, with another OpenSSH and its own way to look up names, it finds names and holds a
# tunnel. That host is Debian 13, made by debootstrap.
# timeout: 1200
set -eu
cd "$TOP"

root=$TOP/build/trixie

if [[ -z ${SANDBOX_LOG-} ]]; then
	type -P debootstrap >/dev/null || { echo 'needs debootstrap'; exit 77; }
	agent=$TOP/build/static/$(uname -m)/bin/tunnel-agent
	make QUIET=1 agent-static >/dev/null
	printf '#!/bin/bash\ncp %q /usr/bin/tunnel-agent\nexec %q\n' "$agent" "$TOP/tests/e2e/agent_link.sh" >"$agent.link"
	chmod +x "$agent.link"
	tests/sandbox "$agent.link"
	echo 'e2e/agent_link passes with it'

	if [[ ! -e $root/made ]]; then
		rm -rf --one-file-system "$root"
		# systemd-resolved cannot be configured here, but its NSS module, which is what counts, is unpacked.
		debootstrap --variant=minbase --include=openssh-client,libnss-resolve trixie "$root" http://deb.debian.org/debian \
			>"$TOP/build/trixie.log" 2>&1 || :
		[[ -x $root/usr/bin/ssh && -e $(echo "$root"/usr/lib/*/libnss_resolve.so.2) ]] ||
			{ tail -n 2 "$TOP/build/trixie.log"; echo 'needs the packages of Debian 13'; exit 77; }
		: >"$root/made"
	fi
	install -m 0755 "$agent" "$root/usr/bin/tunnel-agent"
	printf 'hosts: resolve [!UNAVAIL=return] files dns\n' >"$root/etc/nsswitch.conf"
	printf '127.0.0.1 localhost\n127.0.0.1 gate.test\n' >"$root/etc/hosts"
	exec tests/sandbox "${BASH_SOURCE[0]}"
fi

. "$TOP/tests/lib.sh"
. "$TOP/tests/agent_lib.sh"
far_web
mount -t proc proc "$root/proc"
rm -rf "$root/root/work"
install -d -m 0700 "$root/root/work"
cp "$FAR_KEY" "$WORK/far/known_hosts" "$(quick)" "$root/root/work"
export STATE_DIR=$root/root/work/state
AGENT_IN=(chroot "$root" env HOME=/root STATE_DIR=/root/work/state)
! chroot "$root" ssh -V 2>&1 | some_line -F "$(ssh -V 2>&1)" || fail 'it is the same OpenSSH'
agent --insecure --endpoint http://gate.test:9 --token a-token-that-nobody-gave
wait_for 5 'a name that only its own files have' said_text 'cannot reach http://gate.test:9: Connection refused'
agent_stop
agent --insecure --endpoint http://nosuch.test:9 --token a-token-that-nobody-gave
wait_for 5 'a name that nobody has' said 'cannot reach http://nosuch.test:9: (Name does not resolve|Name has no|Try again)'
agent_stop
ok 'names are looked up'
agent -c /root/work/quick.conf -i "/root/work/${FAR_KEY##*/}" -o UserKnownHostsFile=/root/work/known_hosts \
	-L 18009:127.0.0.1:8009 "root@$FAR"
wait_for 8 'up' answers http://127.0.0.1:18009/ 8009
ssh=$(pgrep -x ssh)
kill -STOP "$ssh"
wait_for 20 'a frozen ssh is found' gone "$ssh"
wait_for 8 'up again' answers http://127.0.0.1:18009/ 8009
agent_stop
agent -c /root/work/quick.conf -o UserKnownHostsFile=/root/work/known_hosts -L 18009:127.0.0.1:8009 "root@$FAR"
wait_for 8 'and it still says what to do' said_text "There was no key to offer"
agent_stop
ok "a tunnel, with $(chroot "$root" ssh -V 2>&1)"
