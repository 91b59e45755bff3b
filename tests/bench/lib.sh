# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# bench/lib.sh: what the topics share; sourced by them, in tests/sandbox.
#
#   row NAME OURS PEER LIMIT UNIT N SPREAD COMMAND [RATIO]
#       One figure, printed and appended to the topic's TSV. RATIO is OURS/PEER if it is not given;
#       LIMIT (`<=X`, `<=X/Y`, `>=X`, or - for no goal) is for the ratio, or for OURS where PEER is -.
#   use_store COUNT     /var/lib/tunlease is a store with so many leases of pfwd, made once in a run;
#                       STORE_KEY: type and base64 of its last key; STORE_MS: how long it took to fill
#   as_akc COMMAND...   as sshd would run it, by env(1) and setpriv(1)
#   in_turn ROUNDS LABEL :: COMMAND... [:: COMMAND...]...    build/tests/inturn: see inturn.c
#   AKC_IDS             UID:GID of the AuthorizedKeysCommandUser
#   seconds US | millis US
. "$TOP/tests/lib.sh"

bench_tsv=${TEST_BENCH_TSV:?run me through tests/bench/run}
bench_dir=$TOP/build/bench
AKC_IDS=$(id -u _tunlease-akc):$(id -g _tunlease-akc)
STORE_KEY='' STORE_MS=''
chmod 0755 "$WORK"

progress() { [[ ! -t 2 ]] || printf '\r\033[K%s' "$*" >&2; }
seconds() { awk -v us="$1" 'BEGIN { printf "%.2f", us / 1e6 }'; }
millis() { awk -v us="$1" 'BEGIN { printf "%.2f", us / 1e3 }'; }

# judge VALUE LIMIT
judge()
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
	local result; result=$(judge "$judged" "$limit")
	printf '%s\t' "$name" "$ours" "$peer" "$ratio" "$limit" "$unit" "$n" "$spread" "$result" >>"$bench_tsv"
	printf '%s\n' "$command" >>"$bench_tsv"
	progress ''
	local shown="$ours $unit"
	[[ $peer == - ]] || shown="$ours / $peer $unit = $ratio"
	[[ $limit == - ]] || shown+=", goal $limit"
	printf '%-6s %s: %s\n' "$result" "$name" "$shown"
}

# Below build/ and only mounted here: half a gigabyte does not belong into the sandbox's memory.
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
