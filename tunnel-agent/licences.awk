# SPDX-License-Identifier: ISC
# Makes one C header of the licences of what tunnel-agent consists of: ours, and those of the parts that are
# linked into it, of which a file has a line each, NAME VERSION FILE.
#   awk -f tunnel-agent/licences.awk LICENSE [PARTS]

function quote(text)
{
    gsub(/\\/, "&&", text)
    gsub(/"/, "\\\"", text)
    gsub(/\?/, "\\?", text) # or two of them could begin a trigraph
    return "\"" text "\""
}

BEGIN {
    print "/* Made by tunnel-agent/licences.awk. Included by tunnel-agent/licences.c only. */"
    print "static const char *const licence_lines[] = {"
}

FILENAME == ARGV[1] {
    print "    " quote($0) ","
    next
}

{
    parts = parts (parts == "" ? "" : ", ") $1 " " $2
    print "    \"\",\n    " quote("---- " $1 " " $2 ", as in Debian, which says of the whole of it:") ",\n    \"\","
    while ((got = (getline line <$3)) > 0)
        print "    " quote(line) ","
    if (got < 0) {
        print $3 ": cannot be read" >"/dev/stderr"
        exit 1
    }
    close($3)
}

END {
    if (parts != "") {
        print "    \"\",\n    \"---- The compiler may have added functions of its library, libgcc: GPL 3 with the\","
        print "    \"GCC Runtime Library Exception, which asks nothing of who passes this file on.\","
    }
    print "};"
    print "static const char licence_parts[] = " quote(parts) ";"
}
