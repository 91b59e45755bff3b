#!/bin/bash
# SPDX-License-Identifier: ISC
# tunnel-agent with an ssh configuration that sets every keyword to yes that accepts it, among them all
# that would detach the connection, share it or remove its forwards.
# sandbox:
# timeout: 60
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/agent_lib.sh"

far_web
conf=$(quick)

# ---- keywords that accept yes, but not any word; candidates: what ssh -G prints, and the strings in ssh ----
accepted()
{
	local bad
	while read -r keyword; do echo "$keyword $1"; done >"$WORK/accepted"
	while ssh -F "$WORK/accepted" -G -N x >/dev/null 2>"$WORK/bad" || :; do
		bad=$(sed -nE 's/.* line ([0-9]+): .*/\1d/p' "$WORK/bad")
		[[ $bad ]] || break
		sed -i "$bad" "$WORK/accepted"
	done
	cut -d' ' -f1 "$WORK/accepted"
}
{ ssh -F none -G x | cut -d' ' -f1; grep -aoE '[a-z][a-z0-9]{3,40}' "$(type -P ssh)"; } | sort -u | accepted yes >"$WORK/yes"
accepted neither-this-nor-that <"$WORK/yes" >"$WORK/any"
comm -23 "$WORK/yes" "$WORK/any" >"$WORK/keywords"
echo forwardagent >>"$WORK/keywords" # it takes a path as well
for must in clearallforwardings controlmaster controlpersist proxyusefdpass tunnel permitlocalcommand; do
	grep -qx "$must" "$WORK/keywords" || fail "$must is not among the keywords that were found"
done
count=$(wc -l <"$WORK/keywords")
((count >= 35)) || fail "only $count keywords take yes"
mkdir -p /root/.ssh
{
	echo 'Host *'
	sed 's/$/ yes/' "$WORK/keywords"
	printf '%s\n' "ControlPath $WORK/master" 'LogLevel QUIET' "LocalCommand touch $WORK/ran" "RemoteCommand touch $WORK/ran"
} >/root/.ssh/config
ssh -o ClearAllForwardings=no -o ForkAfterAuthentication=no -G x >/dev/null || fail 'ssh does not take that configuration'
agent -d -c "$conf" "${FAR_WORDS[@]}" -L 18009:127.0.0.1:8009 "root@$FAR"
wait_for 8 'up with a configuration that sets all to yes' up_and_answering
sleep 2
assert_eq "$(ssh_of | wc -l) $(pgrep -x ssh | wc -l) $(field "$FAR" restarts)" '1 1 0' 'one ssh, a child of the agent'
[[ ! -e $WORK/ran && ! -e $WORK/master ]] || fail 'a command ran, or a master listens'
agent_stop
[[ -z $(pgrep -x ssh) ]] || fail "an ssh outlives the agent: $(pgrep -ax ssh)"
ok "$count keywords set to yes: up, one ssh, and none is left"
