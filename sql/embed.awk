# SPDX-License-Identifier: ISC
# queries.sql and migrate/*.sql -> one C header: enum stmt_id, the statements' texts, and the
# migrations in order. Comments and the blanks of indentation go: SQLite parses what is left.
#   awk -f sql/embed.awk sql/queries.sql sql/migrate/*.sql

function squeeze(line)
{
    sub(/ *--.*$/, "", line)
    sub(/^ +/, "", line)
    return line
}

function quote(text)
{
    gsub(/\\/, "\\\\", text)
    gsub(/"/, "\\\"", text)
    return "\"" text "\""
}

FNR == 1 {
    migrating = FILENAME ~ /\/migrate\//
    if (migrating)
        migrations++
}

!migrating && /^-- name: / { name = $3; names[++count] = name; next }

{
    line = squeeze($0)
    if (line == "")
        next
    if (migrating)
        # A line that ends inside a list needs no blank after it.
        migration[migrations] = migration[migrations] "\n    " quote(line (line ~ /[,(;]$/ ? "" : " "))
    else
        text[name] = text[name] "\n     " quote(line " ")
}

END {
    print "/* Made by sql/embed.awk. Included by lib/store only. */"
    print "enum stmt_id {"
    for (i = 1; i <= count; i++)
        print "    STMT_" toupper(names[i]) ","
    print "    STMT__MAX\n};\n"
    print "static const struct {\n    const char *name;\n    const char *sql;\n} stmt_table[STMT__MAX] = {"
    for (i = 1; i <= count; i++)
        print "    [STMT_" toupper(names[i]) "] = {" quote(names[i]) "," text[names[i]] "},"
    print "};\n"
    print "static const char *const migration_table[] = {"
    for (i = 1; i <= migrations; i++)
        print "   " migration[i] ","
    print "};"
}
