# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# demo_lib.sh: what the two demos share; they source it after lib.sh, inside tests/sandbox --bare.
#
#   fresh_gateway          an sshd with Debian's own sshd_config, as it is before anybody runs `leasectl setup`
#   person NAME            makes a user NAME who knows the gateway's host key
#   as NAME COMMAND        runs it as NAME, in his home directory
#   step TEXT              a heading
#   gateway | HOST COMMAND  prints `gateway# COMMAND`, runs it as root on a terminal, and shows what a person sees
#   types NAME PROMPT COMMAND  prints `PROMPT COMMAND`, and runs it as NAME

# Debian's sshd_config listens on all addresses; here that is loopback and the links to other namespaces.
fresh_gateway()
{
	cp /usr/share/openssh/sshd_config /etc/ssh/sshd_config
	ssh-keygen -A >/dev/null
	mkdir -p /run/sshd
	/usr/sbin/sshd
	wait_for 5 'sshd to listen' bash -c '</dev/tcp/127.0.0.1/22' 2>/dev/null
}

step() { printf '\n== %s\n\n' "$*"; }

# On a wide terminal, as a person would see it: on one of 80 columns the place where a line is broken depends
# on a port's number. Standard error is shown after standard output.
gateway()
{
	printf 'gateway# %s\n' "$*"
	script -qec "export NO_COLOR=1 COLUMNS=150; { $*; } 2>/tmp/stderr" /dev/null </dev/null | tr -d '\r'
	cat /tmp/stderr
}

person()
{
	id -u "$1" >/dev/null 2>&1 || useradd -m -s /bin/bash "$1"
	install -d -m 700 -o "$1" -g "$1" "/home/$1/.ssh"
	sed 's/^/gateway.test /' /etc/ssh/ssh_host_*_key.pub >"/home/$1/.ssh/known_hosts"
	chown "$1" "/home/$1/.ssh/known_hosts"
}

as()
{
	local name=$1; shift
	setpriv --reuid="$name" --regid="$name" --clear-groups env -i HOME="/home/$name" PATH="$PATH" LC_ALL=C bash -c "cd; $*"
}

types()
{
	local name=$1 prompt=$2; shift 2
	printf '%s %s\n' "$prompt" "$*"
	as "$name" "{ $*; } 2>&1"
}
