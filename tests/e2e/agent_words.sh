#!/bin/bash
# SPDX-License-Identifier: ISC
# tunnel-agent says what a person must do: each failure is made for real, and its line has the words of
# ssh, what they mean, and the command that helps. Beside each refused tunnel stands one that comes up.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/agent_lib.sh"

FAR_SSHD_EXTRA='Port 22
Port 2222'
far_web
conf=$(quick)
host_pin=$(ssh-keygen -lf "$WORK/far/host.pub" | cut -d' ' -f2)
known=(-o "UserKnownHostsFile=$WORK/far/known_hosts")
start() { agent -c "$conf" -L 18009:127.0.0.1:8009 "$@"; }
# says TEXT WORD...: an agent with these words logs TEXT.
says()
{
	local text=$1; shift
	start "$@"
	wait_for 8 "'$text'" said_text "$text"
	agent_stop
	ok "$text"
}
# comes_up WORD...: with these words the tunnel works.
comes_up()
{
	start "$@"
	wait_for 8 "up with $*" answers http://127.0.0.1:18009/ 8009
	wait_for 2 'the line that says so' said ': up after [0-9]+ ms: 127\.0\.0\.1:18009 here leads to 127\.0\.0\.1:8009 at '
	agent_stop
}

note 'keys'
comes_up -i "$FAR_KEY" "${known[@]}" "root@$FAR"
cp "$FAR_KEY" "$WORK/mine"
chmod 0644 "$WORK/mine"
says "login refused: ssh says 'Permissions 0644 for '$WORK/mine' are too open'. It does not use an UNPROTECTED PRIVATE KEY FILE, which others can read: run 'chmod 600 $WORK/mine'" \
	-i "$WORK/mine" "${known[@]}" "root@$FAR"
chmod 600 "$WORK/mine"
comes_up -i "$WORK/mine" "${known[@]}" "root@$FAR"
ok 'and works after that command'
cp "$FAR_KEY.pub" "$WORK/broken"
chmod 600 "$WORK/broken"
says "ssh says 'Load key \"$WORK/broken\": error in libcrypto'. That file is no private key that ssh can read: 'ssh-keygen -y -f $WORK/broken'" \
	-i "$WORK/broken" "${known[@]}" "root@$FAR"
stranger=$(new_key stranger)
says "login refused: ssh says 'root@$FAR: Permission denied (publickey)'. It takes none of the keys that ssh offered for this login: $stranger. Send $stranger.pub to the host's admin, or name another key with -i" \
	-i "$stranger" "${known[@]}" "root@$FAR"
# status, on a terminal: a table as leasectl's, as wide as the terminal, which wraps the sentence. Piped:
# seven fields without a heading.
start -i "$stranger" "${known[@]}" "root@$FAR"
is_held() { is "$FAR" held; }
wait_for 8 'held' is_held
script -qec 'stty cols 100; tunnel-agent status' /dev/null </dev/null | tr -d '\r' >"$WORK/terminal" || :
{ tunnel-agent status || :; } >"$WORK/piped"
agent_stop
[[ $(head -n 1 "$WORK/terminal") =~ ^NAME\ +STATE\ +SINCE\ .*NOTE$ ]] || fail "the heading: $(cat "$WORK/terminal")"
(($(wc -L <"$WORK/terminal") <= 100 && $(wc -l <"$WORK/terminal") > 3)) || fail "wider than the terminal: $(cat "$WORK/terminal")"
grep -q "^$FAR  held  .*login refused:" "$WORK/terminal" || fail "$(cat "$WORK/terminal")"
[[ $(tr -s ' \n' '  ' <"$WORK/terminal") == *' name another key with -i ' ]] || fail "the sentence is cut: $(cat "$WORK/terminal")"
assert_eq "$(awk -F'\t' '{ print NF, $1, $2 }' "$WORK/piped") $(wc -l <"$WORK/piped")" "7 $FAR held 1" 'status, piped'
rm "$stranger.pub"
says "Send what 'ssh-keygen -y -f $stranger' prints" -i "$stranger" "${known[@]}" "root@$FAR"
says "There was no key to offer: 'ssh-keygen -t ed25519' makes one" "${known[@]}" "root@$FAR"

eval "$(ssh-agent -s)" >/dev/null
at_exit "$SSH_AGENT_PID"
for i in {1..7}; do
	ssh-keygen -q -t ed25519 -N '' -f "$WORK/agent$i" </dev/null
	ssh-add -q "$WORK/agent$i"
done
says "Too many authentication failures'. Its sshd ends a login after a few wrong keys (MaxAuthTries), and the ssh agent holds 7, which go first. Name the right one with -i FILE: then ssh offers no other" \
	"${known[@]}" "root@$FAR"
comes_up -i "$FAR_KEY" "${known[@]}" "root@$FAR"
ok '-i FILE offers that key alone'
ssh-add -q -D
ssh-add -q "$WORK/agent1"
says "It takes none of the keys that ssh offered for this login: 1 of the ssh agent. Send the line of yours that 'ssh-add -L' prints" \
	"${known[@]}" "root@$FAR"
ssh-keygen -q -t ed25519 -N 'a passphrase' -f "$WORK/locked" </dev/null
says "the key $WORK/locked is locked by a passphrase: run 'ssh-add $WORK/locked'" -i "$WORK/locked" "${known[@]}" "root@$FAR"
! said 'No ssh agent' || fail 'there is one'
unset SSH_AUTH_SOCK
says "run 'ssh-add $WORK/locked'. No ssh agent is here (SSH_AUTH_SOCK), as in a service: let it use a key of its own without a passphrase" \
	-d -i "$WORK/locked" "${known[@]}" "root@$FAR"

note 'host keys'
other=$(new_key other)
other_pin=$(ssh-keygen -lf "$other.pub" | cut -d' ' -f2)
printf '# a comment\n%s %s\n' "$FAR" "$(cut -d' ' -f1,2 "$other.pub")" >"$WORK/hosts"
remove="ssh-keygen -f \"$WORK/hosts\" -R \"$FAR\""
says "wrong host key: ssh says 'Host key for $FAR has changed and you have requested strict checking'. Expected $other_pin ($WORK/hosts:2), the host shows $host_pin. If its admin confirms the new one, run '$remove' and start with --host-key $host_pin; if not, somebody is in between" \
	-i "$FAR_KEY" -o "UserKnownHostsFile=$WORK/hosts" "root@$FAR"
eval "$remove" >/dev/null 2>&1
! grep -q "$FAR" "$WORK/hosts" || fail 'the command removes nothing'
says "the host key of root@$FAR is not known: $host_pin (ssh-ed25519). If its admin confirms that one, run with --host-key $host_pin" \
	-i "$FAR_KEY" -o "UserKnownHostsFile=$WORK/hosts" "root@$FAR"
comes_up -i "$FAR_KEY" -o "UserKnownHostsFile=$WORK/hosts" --host-key "$host_pin" "root@$FAR"
ok 'both commands help'
says "wrong host key: expected $other_pin, the host shows $host_pin (ssh-ed25519). If its admin confirms the new one, run with --host-key $host_pin" \
	-i "$FAR_KEY" --host-key "$other_pin" "root@$FAR"

note 'a banner of the far side that speaks as ssh does'
# None of its words stands in a command. Those of ssh itself do, above.
mkfifo "$WORK/pipe"
banner() { printf '%s\n' "$@" >"$WORK/far/banner"; }
echo "Banner $WORK/far/banner" >>"$WORK/far/sshd_config"
far_sshd_stop
far_sshd
banner "Permissions 0644 for '/etc/x;reboot' are too open."
says "run 'chmod 600 FILE', if FILE is a key of yours" -i "$stranger" "${known[@]}" "root@$FAR"
banner "Load key \"/etc/shadow\": Permission denied"
says "chown 0 FILE' as root, if FILE is a key of yours" -i "$stranger" "${known[@]}" "root@$FAR"
ssh-keyscan -t ed25519 "$FAR" 2>/dev/null | sed "s/^$FAR/a/" >"$WORK/has_a_key"
changed() { banner "Offending ED25519 key in $1:1" "$2" "Host key for $3 has changed and you have requested strict checking."; }
says_no_command() { says "has changed and you have requested strict checking'. Ask the host's admin" -i "$stranger" "${known[@]}" "root@$FAR"; }
changed "$WORK/has_a_key" "$host_pin" "x\$(reboot)"
says_no_command
changed "$WORK/has_a_key" "SHA256:\$(reboot)" x
says_no_command
changed "$WORK/pipe" "$host_pin" x
says_no_command
changed "$WORK/has_a_key" "$host_pin" x
says "run 'ssh-keygen -f \"$WORK/has_a_key\" -R \"x\"' and log in to it once with ssh" -i "$stranger" "${known[@]}" "root@$FAR"
banner 'Authorized use only.'
says 'It takes none of the keys that ssh offered for this login' -i "$stranger" "${known[@]}" "root@$FAR"

note 'forwards'
printf 'restrict,port-forwarding,permitopen="127.0.0.1:8010" %s\n' "$(cat "$FAR_KEY.pub")" >"$WORK/far/keys"
says "the far side forbids the forward to 127.0.0.1:8009: ssh says 'open failed: administratively prohibited: open failed'. AllowTcpForwarding or PermitOpen of its sshd, or permitopen of this key, does not have it" \
	-i "$FAR_KEY" "${known[@]}" "root@$FAR"
cp "$FAR_KEY.pub" "$WORK/far/keys"
kill "$FAR_SERVICE"
says "nothing answers at 127.0.0.1:8009 of the far side: ssh says 'open failed: connect failed: Connection refused'. Start that service there" \
	-i "$FAR_KEY" "${known[@]}" "root@$FAR"
far_serve 8009
serve 18009
holder=${test_pids[-1]}
says "local port 18009 is taken (python3, pid $holder). It is forwarded once that program ends" -i "$FAR_KEY" "${known[@]}" "root@$FAR"
# Another user does not see who holds it, and may not take a low port.
AGENT_IN=(setpriv --reuid=nobody --regid=nogroup --clear-groups env "STATE_DIR=$WORK/nobody" "HOME=$WORK/nobody")
install -d -o nobody -m 0700 "$WORK/nobody"
chmod 755 "$WORK"
says "local port 18009 is taken (by another program, of another user): 'sudo ss -ltnp sport = :18009' shows which" "root@$FAR"
kill "$holder"
says "local port 81 is not ours to take (Permission denied): ports below 1024 are root's, so use a higher one, such as -L 8081:HOST:HOSTPORT" \
	-L 81:127.0.0.1:8009 "root@$FAR"
AGENT_IN=()
says 'local port 18019 cannot be taken at 192.0.2.9 (Cannot assign requested address)' -L 192.0.2.9:18019:127.0.0.1:8009 "${known[@]}" "root@$FAR"

note 'the way there'
says "ssh says 'ssh: Could not resolve hostname nosuch.invalid: Temporary failure in name resolution'. No name server answers: 'getent hosts'" nosuch.invalid
sed -i 's/^hosts:.*/hosts: files/' /etc/nsswitch.conf
says "nosuch.invalid: Name or service not known'. That name is in no name server, in no /etc/hosts and is no Host of your ssh configuration: 'ssh -G root@nosuch.invalid'" \
	root@nosuch.invalid
says "ssh: connect to host $FAR port 9: Connection refused'. The host is there, but nothing listens on that port" -p 9 "root@$FAR"
says "Network is unreachable'. This host has no way there now: 'ip route get'" root@192.0.2.1
nft 'add table inet wall; add chain inet wall out { type filter hook output priority 0; }; add rule inet wall out tcp dport 2223 drop'
says "port 2223: Connection timed out'. Nobody answers there" -p 2223 "root@$FAR"
serve 18021
says "ssh says 'kex_exchange_identification: " -p 18021 root@127.0.0.1
says 'or no sshd at all' -p 18021 root@127.0.0.1
says "no matching host key type found. Their offer: ssh-ed25519'. The two have no kind of host key in common" \
	-i "$FAR_KEY" "${known[@]}" -o HostKeyAlgorithms=ssh-rsa "root@$FAR"

note 'a jump host'
printf '[%s]:2222 %s\n' "$FAR" "$(cut -d' ' -f1,2 "$other.pub")" >"$WORK/hop_hosts"
ssh-keygen -q -H -f "$WORK/hop_hosts" >/dev/null 2>&1
hop() { printf '%s\n' 'Host hop' "HostName $FAR" 'Port 2222' 'User root' "IdentityFile $1" "UserKnownHostsFile $WORK/hop_hosts" >/root/.ssh/config; }
install -d -m 0700 /root/.ssh
hop "$FAR_KEY"
jump=(-J hop -i "$FAR_KEY" "${known[@]}")
remove="ssh-keygen -f \"$WORK/hop_hosts\" -R \"[$FAR]:2222\""
says "If its admin confirms the new one, run '$remove' and log in to it once with ssh; if not" "${jump[@]}" "root@$FAR"
eval "$remove" >/dev/null 2>&1
says "ssh says 'Host key verification failed'. Log in to the jump host once with ssh" "${jump[@]}" "root@$FAR"
printf '[%s]:2222 %s\n' "$FAR" "$(cut -d' ' -f1,2 "$WORK/far/host.pub")" >"$WORK/hop_hosts"
comes_up "${jump[@]}" "root@$FAR"
hop "$stranger"
says "Permission denied (publickey)'. That login was at the jump host, where -i does not count" "${jump[@]}" "root@$FAR"
hop "$FAR_KEY"
says "ssh says 'open failed: connect failed: Connection refused'. The jump host does not reach the next one" "${jump[@]}" -p 9 "root@$FAR"
printf 'restrict,port-forwarding,permitopen="127.0.0.1:8010" %s\n' "$(cat "$FAR_KEY.pub")" >"$WORK/far/keys"
says "administratively prohibited: open failed'. The jump host's sshd forbids to go on to that host" "${jump[@]}" "root@$FAR"
cp "$FAR_KEY.pub" "$WORK/far/keys"

note 'words of the command line'
expect_exit 2 tunnel-agent -c aes128-ctr -L 18009:127.0.0.1:8009 "root@$FAR"
grep -q "'aes128-ctr' is a cipher, but -c names a file of tunnels here. For ssh's -c write: -o Ciphers=aes128-ctr" "$WORK/err" || fail "$(cat "$WORK/err")"
expect_exit 2 tunnel-agent -c aes128-nothing -L 18009:127.0.0.1:8009 "root@$FAR"
! grep -q 'cipher' "$WORK/err" || fail "$(cat "$WORK/err")"
comes_up -i "$FAR_KEY" "${known[@]}" -o Ciphers=aes128-ctr "ssh://root@$FAR:22"
said_text "tunnel-agent: ssh://root@$FAR:22: up after" || fail "the URL is not whole: $(cat "$WORK/agent.err")"
ok 'a cipher, a URL'


note 'a gateway'
# gateway_says TEXT WORD...: as says, of an agent of a gateway.
gateway_says()
{
	local text=$1; shift
	agent -c "$conf" "$@"
	wait_for 8 "'$text'" said_text "$text"
	agent_stop
	ok "$text"
}
gateway_on_link
wrong=a-token-that-nobody-gave
gateway_says 'cannot reach http://127.0.0.1:9: Connection refused. Nothing listens there: '\''systemctl status leased'\' \
	--endpoint http://127.0.0.1:9 --token "$wrong"
gateway_says "the gateway does not accept the key or token: " --agent-id db1 --endpoint http://127.0.0.1:12000 --token "$wrong"
gateway_says "on the gateway, 'leasectl agent reset db1'. If it is wrong, expired or used up: there, 'leasectl token create'" \
	--agent-id db1 --endpoint http://127.0.0.1:12000 --token "$wrong"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=elsewhere.test \
	-addext subjectAltName=DNS:elsewhere.test -keyout "$WORK/tls.key" -out "$WORK/tls.crt" 2>/dev/null
openssl s_server -quiet -www -accept 18443 -key "$WORK/tls.key" -cert "$WORK/tls.crt" </dev/null >/dev/null 2>&1 &
at_exit $!
wait_for 5 'a TLS server' bash -c ': </dev/tcp/127.0.0.1/18443' 2>/dev/null
https_says() { gateway_says "$1" --token "$wrong" --endpoint "https://127.0.0.1:$2"; }
https_says 'cannot reach https://127.0.0.1:18443: SSL certificate problem: self-signed certificate. This host does not know who signed it: put' 18443
cat "$WORK/tls.crt" >>/etc/ssl/certs/ca-certificates.crt
https_says "SSL: no alternative certificate subject name matches target host name '127.0.0.1'. The certificate is for another name" 18443
https_says 'wrong version number. That port speaks no TLS' 12000
gateway_says 'the answer is no HTTP. That port speaks something else: TLS needs https://' --endpoint http://127.0.0.1:18443 --token "$wrong"

agent -c "$conf" --agent-id db1 --endpoint http://127.0.0.1:12000 --api-key "$API"
wait_for 10 'up with the right key' said ': up after [0-9]+ ms: 127\.0\.0\.1:20000 at .* leads to 127\.0\.0\.1:22 here'
agent_stop
ok 'the right key, and what listens where'
cp "$STATE_DIR/known_hosts" "$WORK/right_hosts"
printf 'tunlease-gateway %s\n' "$(cut -d' ' -f1,2 "$other.pub")" >"$STATE_DIR/known_hosts"
sshd_pin=$(ssh-keyscan -t ed25519 127.0.0.1 2>/dev/null | ssh-keygen -lf - | cut -d' ' -f2)
gateway_says "Expected $other_pin ($STATE_DIR/known_hosts:1), the host shows $sshd_pin. If its admin confirms the new one, start with --host-key $sshd_pin" \
	--agent-id db1 --endpoint http://127.0.0.1:12000
agent -c "$conf" --agent-id db1 --endpoint http://127.0.0.1:12000 --host-key "$sshd_pin"
wait_for 10 'up with --host-key' is gateway up
agent_stop
mkdir -m 0700 "$WORK/fresh"
AGENT_IN=(env "STATE_DIR=$WORK/fresh")
gateway_says "Permission denied (publickey)'. On the gateway: 'leasectl renew db2' if the lease has expired; 'leasectl agent add db2 --key -' with the line that 'tunnel-agent key' prints" \
	--agent-id db2 --gateway "gw-tunnel@127.0.0.1" --host-key "$sshd_pin" --token "$wrong"
