# SPDX-License-Identifier: ISC
# Makes one C header of queries.sql and migrate/*.sql: enum stmt_id, the texts of the statements, and
# the migrations in order. Comments and indentation are dropped, so that SQLite has less to parse.
#   awk -f sql/embed.awk sql/queries.sql sql/migrate/*.sql
# With -v set=NAME the enum is NAME_id, and no migrations are expected.
# With -v dir=DIR it writes each statement to DIR/NAME.sql instead, as SQLite will get it.

function squeeze(line)
{
    sub(/ *--.*$/, "", line)
    sub(/^ +/, "", line)
    return line
}

function quote(text)
{
    gsub(/\\/, "&&", text)
    gsub(/"/, "\\\"", text)
    return "\"" text "\""
}

# Puts in, for each {NAME}, what stands below `-- part: NAME`, which comes earlier in the file.
function fill(line,    at, len)
{
    while (match(line, /\{[a-z_]+\}/)) {
        at = RSTART
        len = RLENGTH
        wanted = substr(line, at + 1, len - 2)
        if (!(wanted in part)) {
            print FILENAME ":" FNR ": there is no part " wanted >"/dev/stderr"
            failed = 1
            exit 1
        }
        line = substr(line, 1, at - 1) part[wanted] substr(line, at + len)
    }
    return line
}

FNR == 1 {
    migrating = FILENAME ~ /\/migrate\//
    if (migrating)
        migrations++
}

!migrating && /^-- name: / { name = $3; names[++count] = name; in_part = 0; next }
!migrating && /^-- part: / { name = $3; in_part = 1; next }

{
    line = squeeze($0)
    if (line == "")
        next
    if (migrating)
        # A line that ends inside a list needs no blank after it.
        migration[migrations] = migration[migrations] "\n    " quote(line (line ~ /[,(;]$/ ? "" : " "))
    else if (in_part)
        part[name] = part[name] (part[name] == "" ? "" : " ") fill(line)
    else if (dir != "")
        print fill(line) >(dir "/" name ".sql")
    else
        text[name] = text[name] "\n     " quote(fill(line) " ")
}

END {
    if (failed)
        exit 1
    if (dir != "")
        exit 0
    print "/* Made by sql/embed.awk. Included by lib/store only. */"
    if (set == "")
        set = "stmt"
    prefix = toupper(set) "_"
    print "enum " set "_id {"
    for (i = 1; i <= count; i++)
        print "    " prefix toupper(names[i]) ","
    print "    " prefix "_MAX\n};\n"
    print "static const struct {\n    const char *name;\n    const char *sql;\n} " set "_table[" prefix "_MAX] = {"
    for (i = 1; i <= count; i++)
        print "    [" prefix toupper(names[i]) "] = {" quote(names[i]) "," text[names[i]] "},"
    print "};\n"
    if (migrations == 0)
        exit 0
    print "static const char *const migration_table[] = {"
    for (i = 1; i <= migrations; i++)
        print "   " migration[i] ","
    print "};"
}
