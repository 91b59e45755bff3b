#!/bin/bash
# SPDX-License-Identifier: ISC
# The gateway image: the same digest from two builds, and a container of it, run as a container's runtime runs it
# (namespaces, capabilities of Docker's default set, no new privileges, a root that is read-only), but by this script.
# From empty volumes it serves friends and an agent; leased and sshd come back when they die; it ends within
# seconds, and the next container has the leases and the host keys. With JoinLogin in its configuration a friend
# joins there; without, nobody does.
# timeout: 170
set -euo pipefail
. "$TOP/tests/bare_dev.sh"

# ---- inside the container's namespaces: what a runtime does before it starts the image's entry -------------------

# Those of Docker's default set that packaging/oci/README.md says are used.
capabilities=(chown dac_override fowner fsetid setgid setuid setpcap net_bind_service sys_chroot kill)
container_inside()
{
	local image=$1 volumes=$2 address=$3 root node
	root=$volumes/root
	while ! ip link show eth0 >/dev/null 2>&1; do sleep 0.02; done
	ip link set lo up
	ip address add "$address/24" dev eth0
	ip link set eth0 up
	hostname gateway.test
	mkdir -p "$root"
	mount --bind "$image" "$root"
	mount -o remount,bind,ro "$root"
	mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
	bare_dev "$root/dev"
	# As Docker's --tmpfs mounts them.
	for node in run tmp etc/ssh/sshd_config.d; do
		mount -t tmpfs -o mode=1777,nosuid,nodev,noexec tmpfs "$root/$node"
	done
	mount --bind "$volumes/store" "$root/var/lib/tunlease"
	mount --bind "$volumes/keys" "$root/etc/ssh/host_keys"
	mount --bind "$volumes/conf" "$root/etc/tunlease"
	mount -o remount,bind,ro "$root/etc/tunlease"
	exec chroot "$root" setpriv --bounding-set "-all$(printf ',+%s' "${capabilities[@]}")" --inh-caps -all --no-new-privs \
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin /usr/libexec/tunlease/start
}
[[ ${1-} != inside ]] || container_inside "${@:2}"

. "$TOP/tests/machine.sh"
machine_host "$@"

# ---- two builds ---------------------------------------------------------------------------------------------------

type -P buildah mmdebstrap >/dev/null || machine_skip 'needs buildah and mmdebstrap'
packages_built
export SOURCE_DATE_EPOCH
SOURCE_DATE_EPOCH=$(cd "$TOP" && packaging/dist --date)
build() # FILE
{
	nsenter --net="/proc/self/fd/$MACHINE_NET" "$TOP/packaging/oci/build" "$1" 0.0 "$(deb_of tunlease)" \
		"$(deb_of libpam-tunnel)" >"$1.digest" 2>"$1.err"
}
# In memory: most of a build's time is that of a disk.
# shellcheck disable=SC2154 # machine.sh has set it
fast=$machine_world/image
mkdir -p "$fast"/{first,second}
export TMPDIR=$fast/first
note 'the image'
mount -t tmpfs -o mode=0755 lists /var/lib/apt/lists
touch /var/lib/apt/lists/mirror_Release
build "$fast/first.tar" || { cat "$fast/first.tar.err"; machine_skip 'no Debian mirror, or buildah is refused'; }
[[ -e /var/lib/apt/lists/mirror_Release ]] || fail "the build empties the package lists of the host's apt"
# The second one meanwhile, elsewhere in the world.
(umask 077; export TZ=Asia/Tokyo LC_ALL=C.UTF-8 TMPDIR=$fast/second; build "$fast/second.tar") &
second=$!
at_exit "$second"
# What cannot be unpacked makes no image.
mkdir "$WORK/bin"
# shellcheck disable=SC2016 # the other shell's
printf '%s\n' '#!/bin/sh' 'for file; do :; done' 'echo no archive >"$file"' >"$WORK/bin/mmdebstrap"
chmod 0755 "$WORK/bin/mmdebstrap"
if PATH=$WORK/bin:$PATH build "$fast/broken.tar"; then fail "an image of nothing: $(cat "$fast/broken.tar.digest")"; fi
grep -q '^tar: ' "$fast/broken.tar.err" || fail "why there is no image: $(cat "$fast/broken.tar.err")"
[[ ! -e $fast/broken.tar ]] || fail 'an image is left of a build that failed'
[[ $(cat "$fast/first.tar.digest") == sha256:* ]] || fail "no digest: $(cat "$fast/first.tar.digest")"

mkdir "$fast/oci" "$fast/image"
tar -C "$fast/oci" -xf "$fast/first.tar"
blob() { python3 -c 'import json, sys
value = json.load(open(sys.argv[1]))
for word in sys.argv[2:]: value = value[int(word) if word.isdigit() else word]
print(value.replace("sha256:", "'"$fast"'/oci/blobs/sha256/"))' "$@"; }
manifest=$(blob "$fast/oci/index.json" manifests 0 digest)
assert_eq "$(blob "$(blob "$manifest" config digest)" config Entrypoint 0)" /usr/libexec/tunlease/start "the image's entry"
tar -C "$fast/image" -xpf "$(blob "$manifest" layers 0 digest)"
rm -r "$fast/oci" "$fast/first.tar"
left=$(cd "$fast/image" && find . -xdev \( -type f -perm /6000 -o -path './var/lib/tunlease/*' -o -name 'ssh_host_*' -type f -o -path './var/log/*' -type f \))
assert_eq "$left" '' 'no setuid program, key, store or log in the image'
today=$(awk -F: -v day=$((EPOCHSECONDS / 86400)) -v epoch=$((SOURCE_DATE_EPOCH / 86400)) '$3 != epoch' "$fast/image/etc/shadow")
assert_eq "$today" '' "accounts in /etc/shadow of another day than the source's"

# ---- a container ---------------------------------------------------------------------------------------------------

mkdir -p "$WORK"/gateway/{store,keys,conf}
printf '%s\n' 'PublicHost gateway.test' 'AllowOpen 127.0.0.1:8009' 'AllowOpen 127.0.0.1:20000-29999' \
	'Listen 127.0.0.1:120' 'Contact Ask li' >"$WORK/gateway/conf/tunlease.conf"
GATEWAY=10.77.0.7
log=$WORK/container.log
container_start()
{
	: >"$log"
	unshare --mount --net --pid --uts --ipc --cgroup --fork --kill-child --mount-proc --propagation private \
		"$0" inside "$fast/image" "$WORK/gateway" "$GATEWAY" </dev/null >"$log" 2>&1 &
	container=$!
	at_exit "$container"
	first=''
	container_has_child() { first=$(pgrep -P "$container"); }
	wait_for 5 'the first process' container_has_child
	ip link add "veth$first" type veth peer name eth0 netns "/proc/$first/ns/net"
	ip link set "veth$first" master machines up
	sshd_listens_or_not() { grep -q '^Server listening on 0.0.0.0' "$log" || is_gone "$container"; }
	wait_for 30 'sshd to listen' sshd_listens_or_not
	! is_gone "$container" || fail 'the container ends at once'
}
# As `docker exec` does it, with the container's own capabilities.
inside()
{
	nsenter -t "$first" -a --root --wd=/ setpriv --bounding-set "-all$(printf ',+%s' "${capabilities[@]}")" --inh-caps -all \
		env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}
trap 'rc=$?; ((rc == 0)) || { echo "# the log of the container:"; tail -n 30 "$log"; }; machine_cleanup "$rc"' EXIT
know_keys() { sed "s/^/$GATEWAY,gateway.test /" "$WORK"/gateway/keys/*.pub >"$WORK/known_hosts"; }

note 'the first start, with empty volumes'
container_start
know_keys
container_echo()
{
	local out
	exec {out}< <(exec nsenter -t "$first" -n python3 "$TOP/tests/echo.py" 127.0.0.1 8009)
	echo_pid=$!
	at_exit "$echo_pid"
	read -r <&"$out"
}
container_echo
leased_runs() { inside leasectl doctor | some_line '^ok.leased'; }
wait_for 10 'leased' leased_runs
expect_exit 0 inside leasectl doctor
# A runtime can allow the one, and keeps the host's clock.
left=$(grep -Ev '^(ok|note)' "$WORK/out" | cut -f 1,2)
assert_eq "$left" "$(printf 'unknown\tproc')" 'what doctor finds: it cannot look into processes without CAP_SYS_PTRACE'
inside leasectl verify >"$WORK/out" || :
assert_eq "$(cut -f 2,3 "$WORK/out" | grep -v '.pass$')" "$(printf 'a tun device with -w\tnot run')" \
	"what verify cannot show without /dev/net/tun, of $(wc -l <"$WORK/out") lines"

note 'a friend'
new_key alice >/dev/null
expect_exit 0 inside leasectl grant alice --key - --open 8009 <"$WORK/alice.pub"
friend() { fwd_L "$WORK/alice" pfwd 8009:127.0.0.1:8009 || fail "$(tail -n 3 "$WORK/ssh.err")"; alice=$FWD_PID; talk_to 8009; }
friend
talks "$TALK" || fail 'no data through the tunnel'
expect_exit 0 inside leasectl sessions
grep -q '^alice' "$WORK/out" || fail 'the session is not listed'
wait_for 5 'pam_tunnel in the log' grep -q 'pam_tunnel.*: opened login=pfwd lease=' "$log"
ok 'alice is connected, and the log of the container says so'

join() # NAME WORD...: as NAME, at the login that joins
{
	"${SSH[@]}" -T -i "$WORK/$1" "join@$GATEWAY" "${@:2}" </dev/null
}
new_key carol >/dev/null
expect_exit 1 inside leasectl invite carol --open 8009
some_line 'JoinLogin is not set' <"$WORK/err" || fail "$(cat "$WORK/err")"
expect_exit 255 join carol 2222-2222-2222-2222
some_line -F 'Permission denied (publickey)' <"$WORK/err" || fail "$(cat "$WORK/err")"
ok 'without JoinLogin nobody joins'

note 'an agent'
export STATE_DIR=$WORK/agent
expect_exit 0 "$TOP/build/bin/tunnel-agent" key
cp "$WORK/out" "$WORK/db1.pub"
expect_exit 0 inside leasectl agent add db1 --key - <"$WORK/db1.pub"
read -r -a words < <(sed -n 's/^ *tunnel-agent \(--gateway .*\)/\1/p' "$WORK/out")
"$TOP/build/bin/tunnel-agent" "${words[@]/gateway.test/$GATEWAY}" </dev/null >"$WORK/agent.log" 2>&1 &
agent=$!
at_exit "$agent"
agent_is_up() { inside leasectl agents | some_line '^db1.*active.*up'; }
wait_for 20 "the agent to be up" agent_is_up
port=$(inside leasectl agents | awk '$1 == "db1" { print $2 }')
ok "an agent holds port $port"

note 'what dies comes back, and no tunnel is cut'
of() { pgrep --ns "$first" --nslist pid -o -f "$1"; }
old=$(of '^/usr/sbin/leased')
kill -KILL "$old"
new_leased() { local now; now=$(of '^/usr/sbin/leased') && [[ $now != "$old" ]] && leased_runs; }
wait_for 10 'leased to come back' new_leased
old=$(of '^/usr/sbin/sshd -D|^sshd: /usr/sbin/sshd -D')
kill -TERM "$old"
sshd_is_back() { login_works "$WORK/alice" pfwd; }
wait_for 10 'sshd to come back' sshd_is_back
talks "$TALK" || fail "alice's tunnel is cut"
ok "leased and sshd came back, and alice's tunnel stayed"
zombies=$(pgrep --ns "$first" --nslist pid -r Z || :)
assert_eq "$zombies" '' 'no zombies'

note 'a revoke'
expect_exit 0 inside leasectl revoke alice
wait_for 2 'the tunnel to end' is_gone "$alice"
login_refused "$WORK/alice" pfwd || fail 'a revoked lease logs in'
wait_for 5 'akc in the log' grep -q 'akc.*: refused login=pfwd .*reason=revoked' "$log"
ok 'a revoke ends the tunnel, and the refusal is in the log'
new_key bob >/dev/null
expect_exit 0 inside leasectl grant bob --key - --open 8009 <"$WORK/bob.pub"

note 'the end, and the next container'
kill "$echo_pid" # or the network of this container would live on
begin=${EPOCHREALTIME/./}
kill -TERM "$first"
wait_for 10 'the container to end' is_gone "$container"
rc=0; wait "$container" || rc=$?
assert_eq "$rc" 0 'the exit status after SIGTERM'
ok "SIGTERM ended all of it in $(((${EPOCHREALTIME/./} - begin) / 1000)) ms"
keys=$(sha256sum "$WORK"/gateway/keys/*)
echo 'JoinLogin join' >>"$WORK/gateway/conf/tunlease.conf"
container_start
assert_eq "$(sha256sum "$WORK"/gateway/keys/*)" "$keys" 'the host keys of the next container'
container_echo
fwd_L "$WORK/bob" pfwd 8010:127.0.0.1:8009 || fail "$(tail -n 3 "$WORK/ssh.err")"
talk_to 8010
talks "$TALK" || fail "no data through bob's tunnel"
login_refused "$WORK/alice" pfwd || fail 'the next container lets a revoked lease in'
wait_for 60 'the agent to be back' agent_is_up
assert_eq "$(inside leasectl agents | awk '$1 == "db1" { print $2 }')" "$port" "the agent's port in the next container"
ok 'the next container has the leases, the host keys and the agent'

note 'a friend joins, and nothing of the root is written'
inside leasectl doctor >"$WORK/out" || :
assert_eq "$(grep -Ev '^(ok|note)' "$WORK/out" | cut -f 1,2)" "$(printf 'unknown\tproc')" 'what doctor finds with JoinLogin'
some_line -P "^note\tjoin\t'/etc/tunlease/join-banner' is not there" <"$WORK/out" || fail "the banner: $(grep -P '\tjoin\t' "$WORK/out")"
expect_exit 0 inside leasectl invite carol --open 8009
code=$(sed -n 's/^  ssh join@gateway.test //p' "$WORK/out")
[[ ! -s $WORK/err && -n $code ]] || fail "invite: $(cat "$WORK/out" "$WORK/err")"
expect_exit 3 join carol 2222-2222-2222-2222
expect_exit 0 join carol "$code"
some_line "^joined as 'carol' with your key" <"$WORK/out" || fail "$(cat "$WORK/out")"
wait_for 5 'pam_tunnel in the log' grep -q 'pam_tunnel.*: opened to join login=join' "$log"
fwd_L "$WORK/carol" pfwd 8011:127.0.0.1:8009 || fail "$(tail -n 3 "$WORK/ssh.err")"
talk_to 8011
talks "$TALK" || fail "no data through carol's tunnel"
ok 'a friend joins in a container whose root is read-only'

wait "$second" || fail "the second build: $(cat "$fast/second.tar.err")"
assert_eq "$(cat "$fast/second.tar.digest")" "$(cat "$fast/first.tar.digest")" 'the digest of the second build'
ok 'two builds have the same digest'
