# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# bench/lib.sh: what the topics share. They source it, in tests/sandbox.
#
#   row NAME OURS PEER LIMIT UNIT N SPREAD COMMAND [RATIO]
#       Prints one figure and appends it to the topic's TSV. RATIO is OURS/PEER if it is not given. LIMIT (`<=X`,
#       `<=X/Y`, `>=X`, or - for no goal) is the goal for the ratio, or for OURS where PEER is -.
#   use_store COUNT     puts a store with COUNT leases of pfwd at /var/lib/tunlease; it is filled once in a run.
#                       STORE_KEY: type and base64 of its last key; STORE_MS: how long it took to fill
#   as_akc COMMAND...   runs it as sshd runs akc, by env(1) and setpriv(1)
#   in_turn ROUNDS LABEL :: COMMAND... [:: COMMAND...]...    build/tests/inturn: see inturn.c
#   start_leased [NAME PORT]    starts leased with /etc/tunlease/NAME.conf (tunlease), which listens on PORT (12000).
#                               LEASED_PIDS: the pids of engine and http; LEASED_READY, LEASED_HEALTHY:
#                               microseconds from exec until READY=1, until /healthz answers 200
#   stop_leased                 stops the one that was started last
#   rows_written PORT           how many rows the leased on PORT has written to its store since its start
#   heartbeats_since STORE SINCE_S    how many agents have a heartbeat since then in the store
#   time_login KEY [OPTION...]  US: microseconds of `ssh -N -L` as pfwd until its session is open; then ends it
#   pam_stack_without NAME PATTERN    makes the PAM service sshd-NAME, which is sshd's without the lines with PATTERN
#   plain_pam_stack             makes the PAM service sshd-plain, which is sshd's without pam_tunnel
#   column FILE N | median_of FILE N | spread_of FILE N    of $WORK/FILE, lines of build/tests/load: its column N
#                               sorted; its median; its least and greatest
#   start_agents COUNT          registers COUNT agents, each with a key of its own, in tests/bench/tunnels.py
#   agents WORD...              gives it a command and prints its answer
#   mib KIB                     prints KiB in MiB
#   AKC_IDS             UID:GID of the AuthorizedKeysCommandUser
#   seconds US | millis US      prints microseconds in seconds or milliseconds
. "$TOP/tests/lib.sh"

bench_tsv=${TEST_BENCH_TSV:?run me through tests/bench/run}
bench_dir=$TOP/build/bench
AKC_IDS=$(id -u _tunlease-akc):$(id -g _tunlease-akc)
STORE_KEY='' STORE_MS=''
chmod 0755 "$WORK"
BENCH_ENROL=an-enrolment-key-for-the-tests

progress() { [[ ! -t 2 ]] || printf '\r\033[K%s' "$*" >&2; }
seconds() { awk -v us="$1" 'BEGIN { printf "%.2f", us / 1e6 }'; }
millis() { awk -v us="$1" 'BEGIN { printf "%.2f", us / 1e3 }'; }

# result_of VALUE LIMIT
result_of()
{
	[[ $2 != - ]] || { echo -; return; }
	awk -v value="$1" -v limit="${2#[<>]=}" -v least="${2%%[!>]*}" 'BEGIN {
		if (split(limit, part, "/") == 2)
			limit = part[1] / part[2]
		print (least != "" ? value >= limit + 0 : value <= limit + 0) ? "ok" : "MISSED"
	}'
}

row()
{
	local name=$1 ours=$2 peer=$3 limit=$4 unit=$5 n=$6 spread=$7 command=$8 ratio=${9:--} judged=$2
	if [[ $peer != - ]]; then
		[[ $ratio != - ]] || ratio=$(awk -v a="$ours" -v b="$peer" 'BEGIN { print a / b }')
		judged=$ratio
		ratio=$(awk -v r="$ratio" 'BEGIN { printf r < 0.1 ? "%.4f" : "%.3f", r }')
	fi
	local result; result=$(result_of "$judged" "$limit")
	printf '%s\t' "$name" "$ours" "$peer" "$ratio" "$limit" "$unit" "$n" "$spread" "$result" >>"$bench_tsv"
	printf '%s\n' "$command" >>"$bench_tsv"
	progress ''
	local shown="$ours $unit"
	[[ $peer == - ]] || shown="$ours / $peer $unit = $ratio"
	[[ $limit == - ]] || shown+=", goal $limit"
	printf '%-6s %s: %s\n' "$result" "$name" "$shown"
}

# The store is below build/ and only mounted here: half a gigabyte would fill the sandbox's tmpfs,
# which is memory.
use_store()
{
	local dir=$bench_dir/store-$1 start
	if [[ ! -e $dir.key ]]; then
		progress "filling a store with $1 leases"
		rm -rf "$dir"
		install -d -o _tunlease -g _tunlease -m 2750 "$dir"
		start=${EPOCHREALTIME/./}
		"$TOP/build/tests/fill" "$dir/leases.db" "$1" pfwd >"$dir.new"
		echo $(((${EPOCHREALTIME/./} - start) / 1000)) >"$dir.ms"
		mv "$dir.new" "$dir.key"
	fi
	chown -R _tunlease:_tunlease "$dir"
	! mountpoint -q /var/lib/tunlease || umount /var/lib/tunlease
	mount --bind "$dir" /var/lib/tunlease
	# shellcheck disable=SC2034 # for the topics
	STORE_KEY=$(cat "$dir.key")
	# shellcheck disable=SC2034
	STORE_MS=$(cat "$dir.ms")
}

as_akc()
{
	env -i PATH=/usr/local/bin:/usr/bin:/bin:/usr/games USER=_tunlease-akc LOGNAME=_tunlease-akc \
		HOME=/nonexistent LANG=C.UTF-8 \
		setpriv --reuid="${AKC_IDS%:*}" --regid="${AKC_IDS#*:}" --clear-groups "$@"
}

in_turn() { "$TOP/build/tests/inturn" "$@"; }

column() { cut -d' ' -f"$2" "$WORK/$1" | sort -n; }
median_of() { column "$1" "$2" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
spread_of() { printf '%s-%s' "$(column "$1" "$2" | head -n 1)" "$(column "$1" "$2" | tail -n 1)"; }

# ---- logins ----

# shellcheck disable=SC2034 # US is for the topics
time_login()
{
	local key=$1 start line out pid; shift
	start=${EPOCHREALTIME/./}
	exec {out}< <(exec "${SSH[@]}" -v -N -T "$@" -i "$key" -L 18009:127.0.0.1:8009 -l pfwd "$GATEWAY" 2>&1 </dev/null)
	pid=$!
	# What sshd says of the key's options comes after open_session.
	until read -r -u "$out" line && [[ $line == *'Remote: '*'key options'* ]]; do
		[[ -n $line ]] || fail "no login${*:+ with $*}"
	done
	US=$((${EPOCHREALTIME/./} - start))
	kill "$pid"
	wait "$pid" 2>/dev/null || :
	exec {out}<&-
}

# The name that sshd is called by is its PAM service: another one has a stack of its own.
pam_stack_without()
{
	local word file rest
	while read -r word file rest; do
		if [[ $word == @include ]]; then cat "/etc/pam.d/$file"; else printf '%s\n' "$word $file $rest"; fi
	done </etc/pam.d/sshd | grep -v "$2" >"/etc/pam.d/sshd-$1"
}
plain_pam_stack() { pam_stack_without plain pam_tunnel; }

# ---- agents ----

start_agents()
{
	local count=$1 said
	printf 'MaxStartups %d:30:%d\n' "$((count + 10))" "$((2 * count + 20))" >/etc/ssh/sshd_config.d/10-bench.conf
	reload_sshd
	# They register all before the first one connects, which a fleet does not.
	echo "MaxPendingAgents $((count + 1))" >>/etc/tunlease/tunlease.conf
	kill "$(cat /run/leased.pid)"
	wait_for 10 'leased ends' is_gone "$(cat /run/leased.pid)"
	leased </dev/null >/run/leased.out 2>&1 &
	echo "$!" >/run/leased.pid
	at_exit "$!"
	wait_for 10 'leased answers' fetch -o /dev/null http://127.0.0.1:12000/healthz
	mkdir "$WORK/keys"
	progress "making $count keys"
	seq "$count" | xargs -P 2 -I{} ssh-keygen -q -t ed25519 -N '' -C 'agent-{}' -f "$WORK/keys/{}"
	coproc AGENTS { exec tests/bench/tunnels.py "$WORK/keys" "$count" 16 "${SSH[@]}" -o ConnectTimeout=60; }
	# shellcheck disable=SC2153 # by coproc
	at_exit "$AGENTS_PID"
	progress "registering $count agents"
	said=$(agents "register 127.0.0.1:12000 $BENCH_ENROL")
	[[ $said =~ ^[0-9.]+$ ]] || fail "register: $said"
}
agents()
{
	local said=''
	echo "$*" >&"${AGENTS[1]}"
	read -r said <&"${AGENTS[0]}" || fail "the agents ended at '$*'"
	printf '%s\n' "$said"
}
mib() { awk -v kib="$1" 'BEGIN { printf "%.2f", kib / 1024 }'; }

# ---- leased ----

LEASED_PIDS=() LEASED_READY='' LEASED_HEALTHY=''

# shellcheck disable=SC2034,SC2120 # for the topics
start_leased()
{
	local name=${1:-tunlease} port=${2:-12000} pid
	echo "API_KEY=$BENCH_ENROL" >/etc/tunlease/leased.env
	chown _tunlease:root /etc/tunlease/leased.env
	chmod 0400 /etc/tunlease/leased.env
	"$TOP/build/tests/ready" "$port" "$WORK/$name.out" leased -c "/etc/tunlease/$name.conf" >"$WORK/ready" ||
		fail "$name: $(tail -n 3 "$WORK/$name.out" "$SANDBOX_LOG")"
	read -r pid LEASED_READY LEASED_HEALTHY <"$WORK/ready"
	at_exit "$pid"
	LEASED_PIDS=("$pid" "$(pgrep -P "$pid")")
}
stop_leased()
{
	kill "${LEASED_PIDS[0]}"
	wait_for 10 'leased ends' is_gone "${LEASED_PIDS[0]}"
}

rows_written()
{
	fetch -H "Authorization: Bearer $BENCH_ENROL" "http://127.0.0.1:$1/metrics" |
		sed -n 's/^tunlease_store_rows_changed_total{by="others"} //p'
}
heartbeats_since()
{
	sqlite3 -readonly -cmd '.timeout 5000' "$1" "SELECT count(DISTINCT id) FROM (
		SELECT id, heartbeat_ms FROM lease WHERE kind = 'agent'
		UNION ALL SELECT lease_id, heartbeat_ms FROM beat) WHERE heartbeat_ms >= ${2}000"
}
