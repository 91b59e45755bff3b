#!/bin/bash
# SPDX-License-Identifier: ISC
# tunnel-agent with tunnels.conf and with wrong usage: check, ports that other programs hold, keys and
# host keys that need a person, a far side that forbids a forward, status and its schema, install.
# sandbox:
# timeout: 180
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/agent_lib.sh"

far_web
far_serve 8010
quick >/dev/null
one_line() { [[ $(wc -l <"$WORK/err") == 1 ]] || fail "not one line: $(cat "$WORK/err")"; }

# ---- bad input: one line, exit 2, nothing started ----
bad() { expect_exit 2 tunnel-agent "$@"; one_line; }
bad; bad -L 1:a:2; bad -L 18009:127.0.0.1:0 h; bad -L 99999:a:1 h; bad -L 1:a h; bad -L 18009:a:1 -- '-oProxyCommand=x'
bad -L 18009:a:1 'h;id'; bad -L 18009:a:1 h extra; bad -D 1080 -L 1:a:2 h; bad -R 1:a:2 h; bad -f -L 1:a:2 h
bad -i /nonexistent -L 18009:a:1 h; bad -p 0 -L 18009:a:1 h; bad -o NoSuchOption=1 -L 18009:a:1 h
bad -o LocalForward=1 -L 18009:a:1 h; bad -L 18009:a:1 -L 18009:b:1 h; bad --probe ftp -L 18009:a:1 h
bad --host-key MD5:00 -L 18009:a:1 h; bad --endpoint http://127.0.0.1 -L 18009:a:1 h; bad -c /nonexistent
bad check; bad check -c /nonexistent; bad status -x; bad key x; bad install --systemd -- -L 1 ; bad install -- -L 1:a:2 h
file()
{
	printf '%b\n' "$1" >"$WORK/bad.conf"
	bad -c "$WORK/bad.conf"
	grep -q "bad.conf:$2: " "$WORK/err" || fail "the message does not name line $2: $(cat "$WORK/err")"
}
file 'Tunnel a\n To h\n Forwrd 1' 3
file 'Tunnel a\n To h' 1
file 'Tunnel a\n Forward 18009\nTunnel b\n To h\n Forward 18010' 1
file 'To h' 1
file 'Tunnel a\n To h:0\n Forward 1' 2
file 'Tunnel a\n To h\n Forward 18009 18010' 3
file 'Tunnel a\n To h\n Forward 1-400' 3
file 'ProbeInterval soon\nTunnel a\n To h\n Forward 18009' 1
file 'Tunnel a\n To h\n Forward 18009\n Identity /nonexistent' 4
file 'Tunnel a\n To h\n Forward 18009\n "Probe tcp' 4
printf 'Tunnel a\n To h\n Forward 18009\nTunnel b\n To h\n Forward 18009\n' >"$WORK/bad.conf"
bad -c "$WORK/bad.conf"
chmod 0666 "$WORK/bad.conf"
bad -c "$WORK/bad.conf"
[[ -z $(pgrep -x ssh) ]] || fail 'an ssh was started'
ok 'bad input: one line, exit 2, nothing started'

# ---- check ----
mkdir -p /root/.ssh
cat >/root/.ssh/config <<-END
	Host far
	    HostName $FAR
	    User root
	    IdentityFile $FAR_KEY
	    IdentitiesOnly yes
	    UserKnownHostsFile $WORK/far/known_hosts
	Host far-too
	    HostName $FAR
	    LocalForward 18010 127.0.0.1:1
END
legs()
{
	cat "$WORK/quick.conf" - >"$WORK/tunnels.conf" <<-END
		Tunnel web
		    To far
		    Forward 18009:127.0.0.1:8009
		    Forward 18010:localhost:8010
		    Probe http:/
		Tunnel range
		    To root@$FAR:22
		    Identity $FAR_KEY
		    Option UserKnownHostsFile=$WORK/far/known_hosts
		    Forward 18100-18104:127.0.0.1:8006-8010
		    Probe none
	END
}
legs
expect_exit 0 tunnel-agent check -c "$WORK/tunnels.conf"
serve 18010
SQUATTER=${test_pids[-1]}
printf 'Tunnel more\n To far-too\n Forward 18102\n' >>"$WORK/tunnels.conf"
expect_exit 1 tunnel-agent check -c "$WORK/tunnels.conf"
grep -q "web: local port 18010 is taken (python3, pid $SQUATTER)" "$WORK/out" || fail "the holder: $(cat "$WORK/out")"
grep -q "range: local port 18102 is also that of tunnel 'more'" "$WORK/out" || fail "legs: $(cat "$WORK/out")"
grep -q "more: the ssh configuration of far-too has a LocalForward" "$WORK/out" || fail "alias: $(cat "$WORK/out")"
ok 'check finds collisions'

# ---- many legs; only the forward whose port is taken is left out, and added without a restart ----
legs
agent -d -c "$WORK/tunnels.conf"
wait_for 8 'web to be up' is web up
wait_for 8 'range to be up' is range up
answers http://127.0.0.1:18009/ 8009 || fail 'the forward next to the one that is left out'
answers http://127.0.0.1:18103/ 8009 || fail 'a port of the range'
said "web: local port 18010 is taken \(python3, pid $SQUATTER\)" || fail "$(cat "$WORK/agent.err")"
tunnel-agent status --json >"$WORK/status.json"
python3 - "$WORK/status.json" /usr/share/doc/tunlease/schema/status.json <<-'END' || fail 'status --json does not fit its schema'
	import json, sys, jsonschema
	v = json.load(open(sys.argv[1]))
	jsonschema.Draft202012Validator(json.load(open(sys.argv[2]))).validate(v)
	web = [t for t in v if t["name"] == "web"][0]
	assert [f["open"] for f in web["forwards"]] == [True, False], web
	assert "python3" in web["forwards"][1]["holder"], web
END
web=$(ssh_of | sort | tr '\n' ' ')
kill "$SQUATTER"
wait_for 8 'the free port to be forwarded' answers http://127.0.0.1:18010/ 8010
assert_eq "$(ssh_of | sort | tr '\n' ' ')" "$web" 'added without a restart'
expect_exit 0 tunnel-agent status
assert_eq "$(cut -f1,2 "$WORK/out" | sort | tr '\t\n' '  ')" 'range up web up ' 'status, piped'
agent_stop
expect_exit 1 tunnel-agent status

# All ports are taken: held, and no ssh is started.
serve 18009
SQUATTER=${test_pids[-1]}
agent -d -c "$WORK/quick.conf" "${FAR_WORDS[@]}" -L 18009:127.0.0.1:8009 "root@$FAR"
wait_for 5 'held' is "$FAR" held
[[ -z $(ssh_of) ]] || fail 'an ssh was started in vain'
kill "$SQUATTER"
wait_for 8 'up once the port is free' is "$FAR" up
answers http://127.0.0.1:18009/ 8009 || fail 'no data'
agent_stop
ok 'a taken port: held, its holder is named, and it is forwarded when free'

# ---- keys and host keys ----
ssh-keygen -q -t ed25519 -N 'a passphrase' -f "$WORK/locked" </dev/null
cat "$WORK/locked.pub" >>"$WORK/far/keys"
unset SSH_AUTH_SOCK
agent -d -c "$WORK/quick.conf" -i "$WORK/locked" -o IdentitiesOnly=yes -o "UserKnownHostsFile=$WORK/far/known_hosts" \
	-L 18009:127.0.0.1:8009 "root@$FAR"
wait_for 8 'the locked key' said_text "the key $WORK/locked is locked by a passphrase: run 'ssh-add $WORK/locked'"
is "$FAR" held || fail 'not held'
agent_stop
pin=$(ssh-keygen -lf "$WORK/far/host.pub" | cut -d' ' -f2)
agent -d -c "$WORK/quick.conf" -i "$FAR_KEY" -o IdentitiesOnly=yes -L 18009:127.0.0.1:8009 "root@$FAR"
wait_for 8 'the unknown host key' said_text "run with --host-key $pin"
agent_stop
agent -d -c "$WORK/quick.conf" -i "$FAR_KEY" -o IdentitiesOnly=yes --host-key "$pin" -L 18009:127.0.0.1:8009 "root@$FAR"
wait_for 8 'up with a pinned key' is "$FAR" up
agent_stop
printf '%s %s\n' "$FAR" "$(cut -d' ' -f1,2 "$FAR_KEY.pub")" >"$WORK/other_hosts"
agent -d -c "$WORK/quick.conf" -i "$FAR_KEY" -o IdentitiesOnly=yes -o "UserKnownHostsFile=$WORK/other_hosts" \
	-L 18009:127.0.0.1:8009 "root@$FAR"
wait_for 8 'the wrong host key' said 'wrong host key'
sleep 3
is "$FAR" held || fail 'a wrong host key does not hold'
agent_stop
ok 'locked key, unknown and wrong host key: held, and the log says what to do'

# ---- a far side that forbids ----
printf 'restrict,port-forwarding,permitopen="127.0.0.1:8010" %s\n' "$(cat "$FAR_KEY.pub")" >"$WORK/far/keys"
agent -d -c "$WORK/quick.conf" "${FAR_WORDS[@]}" -L 18009:127.0.0.1:8009 "root@$FAR"
wait_for 8 'forbidden' said 'the far side forbids the forward to 127.0.0.1:8009'
assert_eq "$(field "$FAR" service) $(field "$FAR" restarts)" 'forbidden 0' 'forbidden, and not restarted for it'
agent_stop

# ---- install ----
HOME=$WORK/home expect_exit 0 tunnel-agent install --systemd-user --name legs --write -- -c "$WORK/tunnels.conf"
grep -q 'systemctl --user enable --now legs' "$WORK/out" || fail 'no enable line'
grep -q 'enable-linger' "$WORK/out" || fail 'lingering is not mentioned'
grep -qx "ExecStart=\"/usr/bin/tunnel-agent\" -d \"-c\" \"$WORK/tunnels.conf\"" "$WORK/home/.config/systemd/user/legs.service" ||
	fail "$(cat "$WORK/home/.config/systemd/user/legs.service")"
HOME=$WORK/home expect_exit 1 tunnel-agent install --systemd-user --name legs --write -- -L 18009:a:1 h
expect_exit 0 tunnel-agent install --launchd -- -L '18009:a:1' 'h'
python3 -c 'import plistlib, sys; print(plistlib.load(open(sys.argv[1], "rb"))["ProgramArguments"])' "$WORK/out" >/dev/null ||
	fail 'no plist'
# An agent that is configured by its environment: the service gets these variables, and nobody else can
# read its key.
key="it's\$a\"key\\ \`#"
env_of() { HOME=$WORK/home API_KEY=$key API_URL=http://127.0.0.1:12000 STATE_DIR=$WORK/s "$@"; }
expect_exit 0 env_of tunnel-agent install --systemd-user --name env --write --
unit=$WORK/home/.config/systemd/user/env.service file=$WORK/home/.config/tunnel-agent/env.env
assert_eq "$(grep -E "^(Env|Exec)" "$unit")" "$(printf 'EnvironmentFile=%s\nExecStart="/usr/bin/tunnel-agent" -d' "$file")" "the unit"
assert_eq "$(stat -c %a "$file")" 600 'its mode'
! grep -q "it's" "$unit" "$WORK/out" "$WORK/err" || fail 'the key is shown'
# shellcheck disable=SC1090,SC2016 # it is made here, for that shell
assert_eq "$(env -i sh -c 'set -a; . "$0"; exec env' "$file" | grep -E '^(API|STATE)' | sort)" \
	"$(printf '%s\n' "API_KEY=$key" API_URL=http://127.0.0.1:12000 "STATE_DIR=$WORK/s")" 'as a shell reads it'
expect_exit 0 env_of tunnel-agent install --systemd-user --name env --write --
key=another expect_exit 1 env_of tunnel-agent install --systemd-user --name env --write --
# What the command line gives is not in that file. Without a gateway there is nothing to install.
expect_exit 0 env_of tunnel-agent install --systemd-user --name line --write -- --api-key @/etc/key
! grep -q API_KEY "$WORK/home/.config/tunnel-agent/line.env" || fail 'the file has a key that is not used'
expect_exit 2 tunnel-agent install --systemd-user --
expect_exit 0 env_of tunnel-agent install --launchd --name env --
python3 - "$WORK/out" "$file" <<-'END' || fail "the plist: $(cat "$WORK/out")"
	import plistlib, sys
	words = plistlib.load(open(sys.argv[1], "rb"))["ProgramArguments"]
	assert words == ["/bin/sh", "-c", 'set -a; . "$0"; exec "$@"', sys.argv[2], "/usr/bin/tunnel-agent", "-d"], words
END
ok 'install: for exactly these arguments, and this environment'

# ---- the service manager ----
python3 - "$WORK/notify" "$WORK/quick.conf" "$FAR" <<-'END' || fail 'sd_notify'
	import os, socket, subprocess, sys
	s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
	s.bind(sys.argv[1]); s.settimeout(8)
	env = dict(os.environ, NOTIFY_SOCKET=sys.argv[1], WATCHDOG_USEC="2000000")
	p = subprocess.Popen(["tunnel-agent", "-d", "-c", sys.argv[2], "-L", "18009:127.0.0.1:8009", "far"], env=env, stderr=subprocess.DEVNULL)
	want = {"READY=1", "WATCHDOG=1", "STATUS=1 of 1 tunnels up"}
	while want:
	    want.discard(s.recv(4096).decode())
	p.terminate()
	sys.exit(p.wait())
END
ok 'READY, STATUS and WATCHDOG'
