#!/bin/bash
# SPDX-License-Identifier: ISC
# The packages are installed into an image in a chroot, where no systemd runs, policy-rc.d forbids every start, and
# the processes that /proc shows, an sshd on port 22 among them, are those of the host that makes the image. Nothing
# is started or reloaded, and the machine that then boots the image for the first time is a healthy gateway.
# timeout: 60
set -euo pipefail
. "$TOP/tests/machine.sh"
machine_host "$@"

packages_built
machine_make image
root=$(root_of image)

note "the host's sshd"
ssh-keygen -q -t ed25519 -N '' -f "$WORK/host_key"
mkdir -p /run/sshd
mount -t tmpfs -o mode=0755 sshd /run/sshd
/usr/sbin/sshd -D -e -f /dev/null -h "$WORK/host_key" -o ListenAddress=127.0.0.1:22 -o PidFile=none 2>"$WORK/sshd.log" &
at_exit "$!"
host_listens() { grep -q '^Server listening' "$WORK/sshd.log"; }
wait_for 5 "the host's sshd" host_listens

in_chroot() # COMMAND...
{
	# shellcheck disable=SC2016 # the other bash's
	unshare --mount --propagation private bash -ec '. "$TOP/tests/bare_dev.sh"
		mount -t proc proc "$1/proc"
		bare_dev "$1/dev"
		exec chroot "$@"' bash "$root" env -i HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}
quiet() # WHEN
{
	assert_eq "$(grep -c 'SIGHUP' "$WORK/sshd.log") $(pgrep -c -f '^/usr/s?bin/(leased|tunnel-agent)')" '0 0' "$1: nothing runs, and the host's sshd was told nothing"
}

note 'apt-get install in the chroot'
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 0755 "$root/usr/sbin/policy-rc.d"
put_debs image tunlease libpam-tunnel tunnel-agent
expect_exit 0 in_chroot apt-get -qq -y install "${PUT[@]}"
[[ -e $root/etc/ssh/sshd_config.d/20-tunlease.conf ]] || fail "it is not set up: $(cat "$WORK/err")"
quiet 'installed'
expect_exit 0 in_chroot apt-get -qq -y remove tunlease libpam-tunnel
[[ ! -e $root/etc/ssh/sshd_config.d/20-tunlease.conf ]] || fail 'the drop-in is left'
! grep -q pam_tunnel "$root"/etc/pam.d/* || fail 'PAM still names the module'
quiet 'removed'
expect_exit 0 in_chroot apt-get -qq -y install "${PUT[@]}"
quiet 'installed again'
rm "$root/usr/sbin/policy-rc.d"

note 'the first boot'
machine_start image
know_machine image
assert_eq "$(enter image systemctl is-active leased.socket leased.service | tr '\n' ' ')" 'active active ' 'leased runs'
doctor_finds_nothing image 'after the first boot'
expect_exit 0 enter image leasectl verify
new_key alice >/dev/null
echo_service image 8009
expect_exit 0 enter image leasectl grant alice --key - --open 8009 <"$WORK/alice.pub"
fwd_L "$WORK/alice" pfwd 18009:127.0.0.1:8009 || fail "no tunnel: $(tail -n 3 "$WORK/ssh.err")"
talk_to 18009
talks "$TALK" || fail 'no data through the tunnel'
assert_eq "$(machine_state image)" running 'systemctl is-system-running'

note 'the scripts for a root elsewhere, as dpkg --root may run them without chroot'
for script in tunlease.prerm:remove tunlease.postrm:remove tunlease.postrm:purge tunnel-agent.prerm:remove tunnel-agent.postrm:purge \
	"libpam-tunnel:$(dpkg --print-architecture).prerm:remove"; do
	expect_exit 0 enter image env DPKG_ROOT=/nowhere DPKG_MAINTSCRIPT_PACKAGE=tunlease "/var/lib/dpkg/info/${script%:*}" "${script##*:}"
done
talks "$TALK" || fail 'a tunnel of this root has ended'
for login in pfwd _tunnel-agent; do enter image getent passwd "$login" >/dev/null || fail "$login of this root was deleted"; done
doctor_finds_nothing image 'after that'

note 'the module for another architecture comes and goes'
dpkg-deb -R "$(deb_of libpam-tunnel)" "$WORK/i386"
sed -i 's/^Architecture: .*/Architecture: i386/' "$WORK/i386/DEBIAN/control"
dpkg-deb -Znone -b "$WORK/i386" "$root/root/i386.deb" >/dev/null
enter image dpkg --add-architecture i386
expect_exit 0 enter image dpkg -i --force-depends /root/i386.deb
expect_exit 0 enter image dpkg -P libpam-tunnel:i386
talks "$TALK" || fail 'a tunnel has ended'
doctor_finds_nothing image 'after that'
