#!/bin/bash
# SPDX-License-Identifier: ISC
# tunnel-agent with its default intervals on a line of 1 Mbit/s that an upload through the tunnel fills
# for two minutes: once with a queue of many seconds that loses nothing, so that no probe is answered in
# time, and once with a short queue that drops packets. Neither counts as dead. A cut in the middle does.
# sandbox:
# timeout: 600
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/agent_lib.sh"

skip_without tc
seconds=${TEST_LONG_SECONDS:-120}
far_web
slow_link latency 50ms || { echo 'needs a kernel with the tbf qdisc (CONFIG_NET_SCH_TBF)'; exit 77; }
slow_link_end
far_sink 8010

agent "${FAR_WORDS[@]}" -N -L 18009:127.0.0.1:8009 -L 18010:127.0.0.1:8010 --probe http:/ "root@$FAR"
wait_for 10 'the tunnel to be up' is "$FAR" up
ssh=$(ssh_of)

# saturated WHAT TBF-WORDS...
saturated()
{
	local what=$1 before slowest=0 ms end uploads; shift
	slow_link "$@"
	# ssh lets 2 MB of one channel be on their way, 16 s of this line.
	upload 18010; uploads=("$UPLOAD")
	upload 18010; uploads+=("$UPLOAD")
	upload 18010; uploads+=("$UPLOAD")
	before=$(arrived)
	end=$((SECONDS + seconds))
	while ((SECONDS < end)); do
		[[ $(ssh_of) == "$ssh" ]] || fail "$what: another ssh: $(field "$FAR" reason)"
		ms=$(field "$FAR" probe_ms)
		((ms <= slowest)) || slowest=$ms
		sleep 1
	done
	# 125,000 bytes a second, less what the headers, and ssh's, need.
	(($(arrived) - before > seconds * 90000)) || fail "$what: only $(($(arrived) - before)) bytes arrived: not saturated"
	assert_eq "$(field "$FAR" restarts)" 0 "$what: no restart in $seconds s"
	note "$what: the slowest answer took $slowest ms; $(said 'suspect' && echo suspect at times || echo never suspect)"
	kill "${uploads[@]}"
	slow_link_end
	wait_for 60 'answers again' is "$FAR" up
}
saturated 'a long queue' latency 60s
saturated 'a short queue' latency 50ms

# Bytes that are sent and no longer acknowledged do not keep a path alive.
slow_link latency 400ms
upload 18010
sleep 20
cut_link
start=${EPOCHREALTIME/./}
wait_for 25 'the cut under load to be found' gone "$ssh"
took_ms=$(((${EPOCHREALTIME/./} - start) / 1000))
((took_ms < 25000)) || fail "only after $took_ms ms"
heal_link
slow_link_end
wait_for 10 'data after healing' answers http://127.0.0.1:18009/ 8009
ok "cut under load: restarted after $took_ms ms"
agent_stop
