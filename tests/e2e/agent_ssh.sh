#!/bin/bash
# SPDX-License-Identifier: ISC
# tunnel-agent and the ssh it runs: an older ssh, a host that refuses, and a ProxyCommand that freezes,
# closes, hangs and does not end with ssh. (attack/agent_config: a configuration that sets all to yes.)
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/agent_lib.sh"

far_web
conf=$(quick)

# ---- an ssh that does not know the newer keywords ----
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
ok 'an older ssh gets only settings that it knows'

# ---- a host that refuses the connection before its pinned key is learned: the waits grow ----
mkdir "$WORK/counting"
cat >"$WORK/counting/ssh" <<-END
	#!/bin/bash
	[[ " \$* " != *PreferredAuthentications=none* ]] || echo >>"$WORK/asked"
	exec /usr/bin/ssh "\$@"
END
chmod +x "$WORK/counting/ssh"
AGENT_IN=(env "PATH=$WORK/counting:$PATH")
: >"$WORK/asked"
agent -d -c "$conf" --host-key SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA -L 18009:127.0.0.1:8009 -p 9 "root@$FAR"
count=0 last=${EPOCHREALTIME/./}
pause_of_3_s()
{
	local now=${EPOCHREALTIME/./} asked
	asked=$(wc -l <"$WORK/asked")
	((asked != count)) || return 1
	((count < 2 || now - last < 3000000)) || return 0
	count=$asked last=$now
	return 1
}
wait_for 40 'a pause of more than 3 s between two attempts' pause_of_3_s
said 'cannot learn the host key: .*Connection refused' || fail "$(cat "$WORK/agent.err")"
agent_stop
AGENT_IN=()
ok 'a host that refuses: the waits before its key is learned grow'

# ---- a ProxyCommand that freezes, closes, hangs, does not end with ssh (long/agent_plugin: with real intervals) ----
far_plugin
mapfile -t plugin_words < <(plugin_words)
agent -d -c "$conf" "${FAR_WORDS[@]}" "${plugin_words[@]}" "root@$FAR"
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
# The same while ssh learns the host key through it.
plugin_mode hang
agent -d -c "$conf" -i "$FAR_KEY" -o IdentitiesOnly=yes "${plugin_words[@]}" \
	--host-key "$(ssh-keygen -lf "$WORK/far/host.pub" | cut -d' ' -f2)" "root@$FAR"
wait_for 4 'a plugin that hangs' test -e "$WORK/hung"
agent_stop
wait_for 2 'the plugin to end with the query' none_left
ok 'a plugin that freezes, closes, hangs: found, back, and none is left'
