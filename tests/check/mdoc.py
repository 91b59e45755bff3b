# SPDX-License-Identifier: ISC
"""What a manual page in mdoc(7) says: its sections, items, options and literal blocks."""
import re


def section(text, name):
    """The lines of .Sh NAME or .Ss NAME, up to the next of either. A .Sh also keeps the .Ss in it."""
    kept, inside = [], ""
    for line in text.split("\n"):
        if line.startswith((".Sh ", ".Ss ")):
            if inside == "Ss" or (inside == "Sh" and line.startswith(".Sh")):
                inside = ""
            if line[4:].strip('"') == name:
                inside = line[1:3]
                continue
        if inside:
            kept.append(line)
    return "\n".join(kept)


def items(text, macro):
    """The words after `.It MACRO`: the first one, and each one after ` , `."""
    found = set()
    for line in re.findall(rf"^\.It {macro} (.*)$", text, re.M):
        found.update(word.split()[0] for word in line.split(" , "))
    return found


def item_text(text, item):
    """What stands below `.It ITEM`, up to the next item."""
    found = re.search(rf"^\.It {re.escape(item)}\n(.*?)(?=^\.It |\Z)", text, re.M | re.S)
    return found.group(1) if found else ""


def option_items(text):
    """Options that have an item: `key` for --key, `c` for -c."""
    return set(re.findall(r"^\.It Fl -?([A-Za-z][a-z-]*)", text, re.M))


def options_in(text):
    return set(re.findall(r"\bFl -?([A-Za-z][A-Za-z-]*)", text))


def statuses(text):
    return set(re.findall(r"^\.It (\d+)$", section(text, "EXIT STATUS"), re.M))


def literal_blocks(text):
    return re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed", text, re.M | re.S)


def log_fields(text):
    """FIELD of each FIELD=VALUE in literal blocks, and in `.Ql FIELD=`."""
    blocks = "\n".join(literal_blocks(text))
    return set(re.findall(r"(?:^| )([a-z_]+)=", blocks, re.M)) | \
        set(re.findall(r"^\.Ql ([a-z_]+)=\\\(dq", text, re.M))
