#!/bin/bash
# SPDX-License-Identifier: ISC
# Every statement of sql/ can be prepared on the schema; the migrations make that schema; statements of
# akc write nothing and find their rows by an index.
# timeout: 60
set -eu
cd "$TOP"
. tests/words.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { printf 'FAIL: %s\n' "$*"; exit 1; }

sqlite3 "$work/schema.db" <sql/schema.sql
cat sql/migrate/*.sql | sqlite3 "$work/migrated.db"

# Both schemas are the same, but for comments and blanks.
dump() {
	sqlite3 "$1" "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name" |
		sed -e 's/--.*$//' | tr -s ' \n' '  ' | sed -e 's/ \([),;]\)/\1/g' -e 's/( /(/g'
}
[[ $(dump "$work/schema.db") == "$(dump "$work/migrated.db")" ]] ||
	fail "sql/migrate does not end at sql/schema.sql: $(diff <(dump "$work/schema.db" | tr ',' '\n') <(dump "$work/migrated.db" | tr ',' '\n'))"

# Writes each statement to NAME.sql, and the names of akc's statements to a list.
awk -v dir="$work" -f sql/embed.awk sql/queries.sql || fail 'sql/embed.awk'
awk '/^-- name: / { name = $3 } /^-- reader: akc/ { print name }' sql/queries.sql >"$work/akc"
count=0
for file in "$work"/*.sql; do
	count=$((count + 1))
	name=$(basename "$file" .sql)
	{ echo '.bail on'; printf 'EXPLAIN '; cat "$file"; } | sqlite3 "$work/migrated.db" >"$work/plan" 2>&1 ||
		fail "$name does not prepare: $(cat "$work/plan")"
	if grep -qx "$name" "$work/akc" && grep -q OpenWrite "$work/plan"; then
		fail "$name writes, and akc runs it"
	fi
done
((count >= 20)) || fail "only $count statements were found"

# Those of restore: with the store that is replaced, and the list of what the backup has.
mkdir "$work/restore"
awk -v dir="$work/restore" -f sql/embed.awk sql/restore.sql || fail 'sql/embed.awk'
{
	printf ".bail on\nATTACH '%s' AS old;\n" "$work/migrated.db"
	cat "$work/restore/was_make.sql"
	for file in "$work"/restore/*.sql; do
		[[ $file == */was_make.sql ]] || { printf 'EXPLAIN '; cat "$file"; }
	done
} >"$work/restore.all"
sqlite3 "$work/schema.db" <"$work/restore.all" >/dev/null 2>"$work/plan" || fail "restore: $(cat "$work/plan")"
count=$((count + $(find "$work/restore" -name '*.sql' | wc -l)))

# What C reads of it is what stands there.
printf '%s\n' '-- name: sample' "SELECT '\\', \"name\";" >"$work/sample"
awk -f sql/embed.awk "$work/sample" >"$work/header"
grep -qF "SELECT '\\\\', \\\"name\\\";" "$work/header" || fail 'a backslash or a quote of a statement gets lost in C'

for name in key_find lease_find key_history; do
	grep -qx "$name" "$work/akc" || fail "$name is not marked as akc's"
	plan=$({ printf 'EXPLAIN QUERY PLAN '; cat "$work/$name.sql"; } | sqlite3 "$work/migrated.db")
	grep -q SEARCH <<<"$plan" || fail "$name searches nothing: $plan"
	! grep -q SCAN <<<"$plan" || fail "$name scans: $plan"
done
echo "$count statements prepare; akc's lookup uses indices"
