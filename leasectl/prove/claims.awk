# SPDX-License-Identifier: ISC
# Makes a C table of the claims of docs/security.md: each row of a table whose heading begins with
# "claim". So a report says of each claim what that page says, and none is forgotten.
#   awk -f leasectl/prove/claims.awk docs/security.md
# The last cell of a row names trials of leasectl prove, or says why there is none: `no: because ...`.

function quote(text)
{
    gsub(/`/, "", text)
    gsub(/\\/, "&&", text)
    gsub(/"/, "\\\"", text)
    return "\"" text "\""
}

function wrong(what)
{
    print FILENAME ":" FNR ": " what >"/dev/stderr"
    failed = 1
    exit 1
}

BEGIN {
    print "/* Made by leasectl/prove/claims.awk of docs/security.md. */"
    print "static const struct claim table[] = {"
}

/^## / { section = substr($0, 4) }

/^\| *claim *\|/ {
    if ($0 !~ /^\| claim \| held by \| tried by `leasectl prove` \|$/)
        wrong("a table of claims has the columns: claim, held by, tried by `leasectl prove`")
    in_table = 1
    next
}

!/^\|/ { in_table = 0 }

in_table && !/^\|---/ {
    if (split($0, cell, / *\| */) != 5)
        wrong("a claim has three cells: it, what holds it, and what of leasectl prove tries it")
    if (cell[4] ~ /^no: [^ ]/)
        trials = "NULL, " quote(substr(cell[4], 5))
    else if (cell[4] ~ /^(`[a-z-]+` )*`[a-z-]+`$/)
        trials = quote(cell[4]) ", NULL"
    else
        wrong("the last cell of a claim is the names of its trials, or `no: WHY`")
    print "    {" quote(section) ",\n     " quote(cell[2]) ",\n     " trials "},"
}

END {
    if (!failed)
        print "};"
}
