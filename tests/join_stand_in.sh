# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# join_stand_in.sh: a gateway's join program that takes one code again and again; sourced after lib.sh, inside
# tests/sandbox.
#
#   join_stand_in     an sshd on 127.0.0.1:2222 that lets any key in as pfwd, and as join to the stand-in; its
#                     host key is PIN, and the code is CODE, in another spelling
# shellcheck disable=SC2016,SC2034 # texts for other shells; variables for the test

CODE=kq7p3xma9trewz2h

join_stand_in()
{
	local place=/run/join-stand-in
	mkdir -m 0755 "$place"
	id -u join >/dev/null 2>&1 || useradd -M -d / -s /bin/bash -p '*' join
	printf '%s\n' '#!/bin/sh' 'echo "restrict,port-forwarding $2 $3"' >"$place/akc"
	cat >"$place/join" <<-'END'
		#!/bin/bash
		IFS= read -r code
		fingerprint=$(sed -n 's/^publickey //p' "$SSH_USER_AUTH" | ssh-keygen -lf /dev/stdin | cut -d' ' -f2)
		[[ $code == KQ7P-3XMA-9TRE-WZ2H ]] || { echo 'no such invite' >&2; exit 3; }
		printf '{"name":"alice","login":"pfwd","open":["127.0.0.1:8009"],"expires_at":"2036-12-29T11:05:00Z","connect":"ssh -N x",'
		printf '"keys":[{"fingerprint":"%s"}]}\n' "$fingerprint"
	END
	chmod 0755 "$place/akc" "$place/join"
	cat >"$WORK/sshd.conf" <<-END
		Port 2222
		ListenAddress 127.0.0.1
		HostKey /etc/ssh/ssh_host_ed25519_key
		PidFile none
		UsePAM no
		AuthorizedKeysFile none
		AuthorizedKeysCommand $place/akc %u %t %k
		AuthorizedKeysCommandUser nobody
		ExposeAuthInfo yes
		Match User join
			ForceCommand $place/join
			DisableForwarding yes
	END
	/usr/sbin/sshd -D -f "$WORK/sshd.conf" 2>"$WORK/sshd.err" & at_exit $!
	is_listening() { ! port_free 2222; }
	wait_for 5 'the second sshd' is_listening
	PIN=$(ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub | cut -d' ' -f2)
}
