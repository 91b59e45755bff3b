#!/bin/bash
# SPDX-License-Identifier: ISC
# tunnel-agent join against a stand-in for the gateway's join program, behind a real sshd: answers that are
# lost, cut off or hostile, each exit status, which host key is believed, and what tunnels.conf is left as.
# sandbox: --bare
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/agent_lib.sh"

code=KQ7P-3XMA-9TRE-WZ2H
place=/run/join-stand-in
mkdir -m 0755 "$place" /run/sshd
install -d -m 0777 "$place/seen"
cat >"$place/akc" <<-'END'
	#!/bin/sh
	echo "restrict $2 $3"
END
# Says what "$place/answer" says, for as many connections as that has; the last one stays.
cat >"$place/join" <<-'END'
	#!/bin/bash
	cd /run/join-stand-in
	IFS= read -r code
	echo "$SSH_ORIGINAL_COMMAND|$code|$(wc -l <"$SSH_USER_AUTH")" >>seen/asked
	n=$(wc -l <seen/asked)
	[[ -e answer.$n ]] || n=last
	. "./answer.$n"
END
chmod 0755 "$place/akc" "$place/join"
useradd -M -d / -s /bin/bash -p '*' join
useradd -M -d / -s /bin/bash -p '*' pfwd
# shellcheck disable=SC2034 # for far_host
FAR_SSHD_EXTRA="
	ExposeAuthInfo yes
	Match User join,pfwd
		AuthorizedKeysFile none
		AuthorizedKeysCommand $place/akc %u %t %k
		AuthorizedKeysCommandUser nobody
	Match User join
		ForceCommand $place/join
		DisableForwarding yes
		PermitTTY no
		MaxSessions 1
		Banner $place/banner"
echo 'joining needs a key and an open invite' >"$place/banner"
sed -i 's/restrict /restrict,port-forwarding /' "$place/akc"
far_host
far_serve 8009
far_serve 8010
pin=$(ssh-keygen -lf "$WORK/far/host.pub" | cut -d' ' -f2)
# answer N LINE...: what the Nth connection runs, or `last`.
answer() { printf '%s\n' "${@:2}" >"$place/answer.$1"; }
afresh() { rm -rf "$place"/answer.* "$place/seen/asked"; answer last 'exit 3'; }
asked() { { wc -l <"$place/seen/asked"; } 2>/dev/null || echo 0; }
lease='"name":"alice","login":"pfwd","expires_at":"2036-12-29T11:05:00Z","connect":"ssh -N x"'
says() { printf "printf '%%s\\\\n' '%s'" "$1"; }
join() { tunnel-agent join --host-key "$pin" "$@" </dev/null; }
err_has() { grep -F -q -e "$1" "$WORK/err" || fail "not said: $1: $(cat "$WORK/err")"; }
err_lacks() { ! grep -F -q -e "$1" "$WORK/err" || fail "said: $1: $(cat "$WORK/err")"; }

# ---- wrong words: nothing is asked ----
afresh
for words in '' "$FAR" "$FAR $code more" "-x $FAR $code" "-L 8009 $FAR $code" "-p 0 $FAR $code" "-p 22 $FAR:22 $code" \
	"$FAR:0 $code" "-oProxyCommand=id $code" "join@-x $code" "--host-key SHA256:x $FAR $code" "--target x $FAR $code" \
	"$FAR a;id" "$FAR @/nowhere" "$FAR @/dev/null" "$FAR -" "-i $WORK/nowhere $FAR $code"; do
	# shellcheck disable=SC2086
	expect_exit 2 tunnel-agent join $words </dev/null
	assert_eq "$(grep -c . "$WORK/err")" 1 "one line: $words"
done
install -d -m 0700 "$STATE_DIR"
echo 'Tunnel' >"$STATE_DIR/tunnels.conf"
expect_exit 2 join "$FAR" "$code"
err_has 'tunnels.conf:1:'
rm "$STATE_DIR/tunnels.conf"
assert_eq "$(asked)" 0 'nobody was asked'
ok 'wrong words, no code, a key or a file that cannot be used: exit 2 before anybody is asked'

# ---- which host key is believed ----
expect_exit 1 tunnel-agent join "$FAR" "$code" </dev/null
err_has "run with --host-key $pin"
expect_exit 1 tunnel-agent join --host-key "SHA256:$(printf 'A%.0s' {1..43})" "$FAR" "$code" </dev/null
err_has 'wrong host key'
install -m 0700 -d /root/.ssh
printf '%s %s\n' "$FAR" "$(ssh-keygen -y -f "$FAR_KEY" | cut -d' ' -f1,2)" >/root/.ssh/known_hosts
expect_exit 1 tunnel-agent join "$FAR" "$code" </dev/null
err_has 'has changed'
assert_eq "$(asked)" 0 'the code is not shown to a host that is not proven'
[[ ! -e $STATE_DIR/tunnels.conf ]] || fail 'a tunnel of nobody'
ok 'an unknown host, a wrong --host-key and another known key are refused, and the code stays here'

# ---- exit statuses: the gateway's own words, once ----
for status in 3 6; do
	afresh
	answer last "echo 'no: this is why $status' >&2; printf 'say\\033[31m \\n second line\\n' >&2; exit $status"
	expect_exit 1 join "$FAR" "$code"
	err_has "tunnel-agent: no: this is why $status"
	err_has 'say\x1b[31m'
	err_lacks 'joining needs'
	err_lacks 'Transferred'
	assert_eq "$(wc -l <"$WORK/err") $(asked)" '3 1' "status $status is final: $(cat "$WORK/err")"
done
assert_eq "$(cat "$place/seen/asked")" "--json|$code|1" 'the code comes on standard input, by one key'
afresh
answer 1 'echo "no answer came, so the invite may be spent or not" >&2; exit 7'
answer 2 'exit 7'
expect_exit 1 join "$FAR" "$code"
err_has 'the invite may be spent or not'
err_lacks 'Nothing is spent'
err_has 'The code stays good for this key: trying again'
assert_eq "$(asked)" 3 'not now: asked again, until another answer'
ok 'each refusal is shown in the words of the gateway; "not now" is tried again'

# ---- what a hostile gateway answers ----
while IFS=$'\t' read -r why text; do
	afresh
	answer last "$(says "$text")"
	expect_exit 1 join "$FAR" "$code"
	err_has "$why"
	assert_eq "$(asked)" 1 "final: $why"
done <<-END
	login	{"name":"a","login":"-oProxyCommand=touch /run/owned","expires_at":"2036-12-29T11:05:00Z"}
	open	{$lease,"open":["127.0.0.1:8009 To evil"]}
	another key	{$lease,"keys":[{"fingerprint":"$pin"}]}
	agent_secret	{$lease,"agent":{"agent_id":"alice","port_b":20001,"ssh_user":"gw-tunnel"}}
END
[[ ! -e /run/owned && ! -e $STATE_DIR/tunnels.conf && ! -e $STATE_DIR/agent_secret ]] || fail 'a hostile answer left something'
afresh
answer last "head -c 300000 /dev/zero | tr '\\0' x"
answer 2 'exit 3'
expect_exit 1 join "$FAR" "$code"
err_has 'is not a JSON object'
ok 'a hostile answer is refused whole, and leaves nothing'

# ---- a lost answer is asked for again; the leg ----
afresh
answer 1 "$(says "{$lease")"
# shellcheck disable=SC2016 # the stand-in's own parent
answer 2 'kill -KILL $PPID; sleep 1'
answer last "$(says "{$lease,\"open\":[\"127.0.0.1:8009\",\"127.0.0.1:80\"]}")"
printf '%s\n' "$code" >"$WORK/code"
expect_exit 0 join --no-hold "$FAR" "@$WORK/code"
assert_eq "$(asked)" 3 'cut off, then the connection lost, then joined'
err_has 'The code gives the same answer to the same key again'
grep -E -q "^joined as 'alice' with the key SHA256:" "$WORK/out" || fail "$(cat "$WORK/out")"
grep -q '^127.0.0.1:10080 leads to 127.0.0.1:80 there' "$WORK/out" || fail "$(cat "$WORK/out")"
file=$STATE_DIR/tunnels.conf
assert_eq "$(stat -c %a "$file") $(grep -c '' "$file")" '600 8' "$(cat "$file")"
tunnel-agent check -c "$file" >"$WORK/out" || fail "check: $(cat "$WORK/out")"
cp "$file" "$WORK/before"
echo "$code" | expect_exit 0 tunnel-agent join --host-key "$pin" --no-hold "join@$FAR:22" -
assert_eq "$(grep -c '^Tunnel' "$file")" 2 'with a port it is another leg'
grep -q '^Tunnel alice-2$' "$file" || fail "$(cat "$file")"
grep -q 'Forward 127.0.0.1:8010:127.0.0.1:8009' "$file" || fail "a port twice: $(cat "$file")"
assert_eq "$(head -n 8 "$file")" "$(cat "$WORK/before")" 'the leg that was there is as it was'
expect_exit 0 join --no-hold "$FAR" "$code"
assert_eq "$(grep -c '^Tunnel' "$file")" 2 'the same again adds nothing'
answer last "$(says "{$lease,\"open\":[\"127.0.0.1:20001-20003\",\"127.0.0.1:20005\"]}")"
expect_exit 0 join --no-hold "$FAR" "$code"
assert_eq "$(grep ' leads to ' "$WORK/out" | tr '\n' ' ')" \
	'127.0.0.1:20001-20003 leads to 127.0.0.1:20001-20003 there 127.0.0.1:20005 leads to 127.0.0.1:20005 there ' 'a range is one line'
ok 'lost answers; @FILE and -; no name and no local port twice'

# ---- an agent's state directory is given to no other agent, and its key to none ----
afresh
answer last "$(says "{$lease,\"agent\":{\"agent_id\":\"alice\",\"port_b\":20001,\"ssh_user\":\"gw-tunnel\",\"agent_secret\":\"s1\"}}")"
new_key other >/dev/null
expect_exit 1 join --no-hold -i "$WORK/other" "$FAR" "$code"
err_has 'is not the one of -i'
[[ ! -e $STATE_DIR/agent_secret ]] || fail 'an agent with another key'
STATE_DIR=$WORK/copied expect_exit 0 join --no-hold -i "$WORK/other" "$FAR" "$code"
cmp "$WORK/copied/agent.pem" "$WORK/other" || fail 'the key of -i'
assert_eq "$(cat "$WORK/copied/agent_id" "$WORK/copied/agent_secret" | tr '\n' ' ')" 'alices1' 'an agent'
echo bob >"$WORK/copied/agent_id"
STATE_DIR=$WORK/copied expect_exit 1 join --no-hold "$FAR" "$code"
err_has "is of another agent, 'bob'"
assert_eq "$(cat "$WORK/copied/agent_id")" bob 'left as it is'
ok "an agent's state belongs to it alone"

# ---- a person at a terminal is asked for the code and about the host, once ----
# on_terminal ANSWER: what it showed is in $WORK/terminal
on_terminal()
{
	python3 - "$WORK/terminal" "$1" tunnel-agent join --no-hold "$FAR" - <<-END
		import os, pty, sys
		pid, fd = pty.fork()
		if pid == 0:
		    os.execvp(sys.argv[3], sys.argv[3:])
		shown, wanted = b"", [(b"invite: ", "$code"), (b"(yes/no) ", sys.argv[2])]
		try:
		    while more := os.read(fd, 4096):
		        shown += more
		        if wanted and wanted[0][0] in shown:
		            os.write(fd, wanted.pop(0)[1].encode() + b"\\n")
		except OSError:
		    pass
		open(sys.argv[1], "wb").write(shown)
		os._exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	END
}
shown() { grep -F -q -e "$1" "$WORK/terminal" || fail "not on the terminal: $1: $(cat "$WORK/terminal")"; }
rm "$file" /root/.ssh/known_hosts
afresh
answer last "$(says "{$lease,\"open\":[\"127.0.0.1:8009\"]}")"
expect_exit 1 on_terminal no
shown "$pin"
assert_eq "$(asked)" 0 'no: nothing is sent'
expect_exit 0 on_terminal yes
shown "joined as 'alice'"
assert_eq "$(grep -c HostKey "$file"; ssh-keygen -F "$FAR" -lf /root/.ssh/known_hosts | grep -c "$pin")" $'0\n1' 'yes: known to ssh from now on'
ok 'a person at a terminal is asked once'

# ---- held up; killed after the answer was lost, and run again ----
rm "$file"
afresh
answer 1 'touch seen/here; sleep 30'
answer last "$(says "{$lease,\"open\":[\"127.0.0.1:8009-8010\"]}")"
serve 8009
agent join --host-key "$pin" "$FAR" "$code"
wait_for 10 'the code to be there' test -e "$place/seen/here"
! pgrep -af "$code" | grep -v tunnel-agent || fail 'ps shows the code'
kill -KILL "$AGENT"
agent join --host-key "$pin" "$FAR" "$code"
wait_for 15 'up' is alice up
assert_eq "$(fetch http://127.0.0.1:8010/)" 'hello from 8010' 'data'
grep -q '^127.0.0.1:8011 leads to 127.0.0.1:8009 there' "$WORK/agent.out" || fail "$(cat "$WORK/agent.out")"
assert_eq "$(fetch http://127.0.0.1:8011/)" 'hello from 8009' 'another local port than that of a program here'
agent_stop
agent -c "$file"
wait_for 15 'up from the file' is alice up
agent_stop
[[ -z $(ls "$STATE_DIR/run") ]] || fail "left in run: $(ls "$STATE_DIR/run")"
ok 'held up, also after a kill; later from tunnels.conf alone'
