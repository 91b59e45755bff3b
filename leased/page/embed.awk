# SPDX-License-Identifier: ISC
# Makes one C header of the files of the page: a table of path, type and text.
#   awk -f leased/page/embed.awk leased/page/page.html ...
# page.html is served at /, every other file at its own name.

function type_of(name)
{
    if (name ~ /\.html$/) return "text/html; charset=utf-8"
    if (name ~ /\.css$/) return "text/css; charset=utf-8"
    if (name ~ /\.js$/) return "text/javascript; charset=utf-8"
    if (name ~ /\.svg$/) return "image/svg+xml"
    print name ": what type is this?" >"/dev/stderr"
    failed = 1
    exit 1
}

BEGIN {
    print "/* Made by leased/page/embed.awk. Included by leased/http/page_parts.c only. */"
    print "static const struct page_part parts[] = {"
}

FNR == 1 {
    if (NR != 1)
        print "    )},"
    name = FILENAME
    sub(/^.*\//, "", name)
    print "    {\"" (name == "page.html" ? "/" : "/" name) "\", \"" type_of(name) "\", TEXT("
}

{
    gsub(/\\/, "&&")
    gsub(/"/, "\\\"")
    gsub(/\?/, "\\?") # or two of them could begin a trigraph
    print "     \"" $0 "\\n\""
}

END {
    if (!failed)
        print "    )},\n};"
}
