#!/bin/bash
# SPDX-License-Identifier: ISC
# tunnel-agent and the ssh it runs: a configuration that says yes to everything, an older ssh, and a
# ProxyCommand that freezes, closes, hangs and stays behind.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/agent_lib.sh"

far_host
far_serve 8009
mapfile -t words < <(far_words)
conf=$(quick)
up_and_answering() { is "$FAR" up && answers http://127.0.0.1:18009/ 8009; }

# ---- every keyword that takes yes, and no other word: what this ssh prints, and the words within it ----
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
agent -d -c "$conf" "${words[@]}" -L 18009:127.0.0.1:8009 "root@$FAR"
wait_for 8 'up with a configuration that says yes to everything' up_and_answering
sleep 2
assert_eq "$(ssh_of | wc -l) $(pgrep -x ssh | wc -l) $(field "$FAR" restarts)" '1 1 0' 'one ssh, a child of the agent'
[[ ! -e $WORK/ran && ! -e $WORK/master ]] || fail 'a command ran, or a master waits for others'
agent_stop
[[ -z $(pgrep -x ssh) ]] || fail "an ssh outlives the agent: $(pgrep -ax ssh)"
ok "$count keywords say yes: up, one ssh, and none is left"

# ---- an ssh that does not know the newer keywords ----
rm /root/.ssh/config
mkdir "$WORK/old"
cat >"$WORK/old/ssh" <<-'END'
	#!/bin/bash
	for word; do
	    case $word in
	    ForkAfterAuthentication=* | KnownHostsCommand=*)
	        echo "command-line: line 0: Bad configuration option: ${word%%=*}" >&2
	        exit 255 ;;
	    esac
	done
	exec /usr/bin/ssh "$@"
END
chmod +x "$WORK/old/ssh"
AGENT_IN=(env "PATH=$WORK/old:$PATH")
agent -d -c "$conf" -i "$FAR_KEY" -o IdentitiesOnly=yes --host-key "$(ssh-keygen -lf "$WORK/far/host.pub" | cut -d' ' -f2)" \
	-L 18009:127.0.0.1:8009 "root@$FAR"
wait_for 8 'up with an older ssh' up_and_answering
agent_stop
AGENT_IN=()
ok 'an older ssh is told only what it knows'

# ---- a ProxyCommand: freezes, closes, hangs, stays behind (long/agent_plugin: with real intervals) ----
far_plugin
mapfile -t plugin_words < <(plugin_words)
agent -d -c "$conf" "${words[@]}" "${plugin_words[@]}" "root@$FAR"
wait_for 8 'up through a plugin' up_and_answering
none_left() { [[ -z $(plugins) ]]; }
plugin_freezes
start=${EPOCHREALTIME/./}
# shellcheck disable=SC2046 # pids
kill -KILL $(plugins)
wait_for 3 'data after it closed, as some do each hour' answers http://127.0.0.1:18009/ 8009
note "closed: data after $(since_ms "$start") ms"
plugin_hangs hang
agent_stop
[[ -z $(plugins) ]] || fail 'a plugin outlives the agent'
# The same while it is asked for the host key.
plugin_mode hang
agent -d -c "$conf" -i "$FAR_KEY" -o IdentitiesOnly=yes "${plugin_words[@]}" \
	--host-key "$(ssh-keygen -lf "$WORK/far/host.pub" | cut -d' ' -f2)" "root@$FAR"
wait_for 4 'a plugin that hangs' test -e "$WORK/hung"
agent_stop
wait_for 2 'the plugin to end with the question' none_left
ok 'a plugin that freezes, closes, hangs: found, back, and none is left'
