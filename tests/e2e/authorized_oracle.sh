#!/bin/bash
# SPDX-License-Identifier: ISC
# The reader of authorized_keys and the real sshd agree: on random lines, which one admits a key, and
# what it then allows.
#
# TEST_LINES of them (100; tests/long/authorized_oracle makes two thousand), from TEST_SEED, which is
# printed; TEST_SAMPLE of the keys (4) are used for real forwards, terminals, agents and commands.
# sandbox: --bare
# timeout: 90
set -eu
. "$TOP/tests/lib.sh"

lines=${TEST_LINES:-100} seed=${TEST_SEED:-$((EPOCHSECONDS % 100000))} sample=${TEST_SAMPLE:-4}
note "seed $seed"
zones=(UTC Europe/Berlin America/New_York Asia/Kolkata)
export TZ=${zones[seed % 4]}
dir=$WORK/o login=oracle
mkdir "$dir"
chmod 755 "$WORK" "$dir"
useradd -m -s /bin/sh -p '*' "$login"
install -d -o "$login" "/home/$login/.ssh"
echo 'echo rc' >"/home/$login/.ssh/rc"
ssh-keygen -q -t ed25519 -N '' -f "$dir/host" </dev/null
for ((i = 0; i < sample; i++)); do ssh-keygen -q -t ed25519 -N '' -f "$dir/sample-$i" </dev/null; done
for i in 0 1 2; do ssh-keygen -q -t ed25519 -N '' -f "$dir/authority-$i" </dev/null; done
cat >"$dir/sshd_config" <<END
Port 2222
ListenAddress 127.0.0.1
HostKey $dir/host
PidFile none
UsePAM no
UseDNS no
LogLevel DEBUG
AuthorizedKeysFile $dir/keys
StrictModes no
PermitUserEnvironment yes
PermitTunnel no
MaxAuthTries 1000
LoginGraceTime 600
AuthenticationMethods publickey
END
mkdir -p /run/sshd
: >"$dir/keys"
: >"$dir/sshd.log"
"${SSHD:-/usr/sbin/sshd}" -D -f "$dir/sshd_config" -E "$dir/sshd.log" &
at_exit "$!"
wait_for 10 'sshd to listen' grep -q 'Server listening' "$dir/sshd.log"
serve 8009
serve 8009 ::1
serve 8010
eval "$(ssh-agent -s)" >/dev/null
at_exit "$SSH_AGENT_PID"

python3 "$TOP/tests/authorized_oracle.py" "$dir" sshd 2222 "$login" "$lines" "$seed" "$sample" ||
	fail "the reader and sshd differ (TEST_SEED=$seed)"
ok 'the reader and sshd agree'
