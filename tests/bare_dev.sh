# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# bare_dev.sh: a /dev for a root without a udev. Sourced, also in namespaces where little else is there.
#
#   bare_dev DIR      mounts a tmpfs at DIR, with the nodes that programs expect, pts and shm
bare_dev()
{
	local node name major minor
	mount -n -t tmpfs -o mode=0755 dev "$1"
	for node in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
		IFS=: read -r name major minor <<<"$node"
		mknod -m 0666 "$1/$name" c "$major" "$minor"
	done
	mkdir "$1/pts" "$1/shm"
	mount -n -t devpts -o newinstance,gid=5,mode=0620,ptmxmode=0666 devpts "$1/pts"
	mount -n -t tmpfs -o mode=1777 shm "$1/shm"
	ln -s pts/ptmx "$1/ptmx"
	ln -s /proc/self/fd "$1/fd"
}
