# SPDX-License-Identifier: ISC
"""What the programs have: their help texts, and words of their sources."""
import functools
import glob
import os
import re
import subprocess


@functools.lru_cache(maxsize=None)
def output_of(*command, given=None):
    """What a program prints on both outputs. Cached: the samples of manuals_try.py run it again."""
    # Each output by itself: mixed, one is cut into the other wherever a buffer of the program was full.
    done = subprocess.run(command, input=given, text=True, capture_output=True, check=False, timeout=60)
    return done.stdout + done.stderr


@functools.lru_cache(maxsize=None)
def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class Tree:
    """Files and help texts. changed replaces the text of some, so that a sample needs no copy of the tree."""

    def __init__(self, build, changed=None):
        self.build, self.changed = build, changed or {}
        self.problems, self.looked_up = [], 0

    def read(self, path):
        if path in self.changed:
            return self.changed[path]
        return text_of(path)

    def sources(self, *folders):
        paths = sorted(path for folder in folders
                       for path in glob.glob(os.path.join(folder, "**/*.c"), recursive=True))
        return "\n".join(self.read(path) for path in paths)

    def help(self, program, *verb):
        name = " ".join((program, *verb, "--help"))
        return self.changed.get(name) or output_of(os.path.join(self.build, "bin", program), *verb, "--help")

    def text(self, name):
        """Of a file, or of `PROGRAM [VERB] --help`."""
        return self.help(*name.split()[:-1]) if name.endswith(" --help") else self.read(name)

    def problem(self, text):
        self.problems.append(text)

    def same(self, what, page, have, written):
        """Neither set has a word that the other has not."""
        have, written = set(have), set(written)
        if not have:
            self.problem(f"{what}: found none to look for in {page}")
        for word in sorted(have - written):
            self.problem(f"{page}: {what} '{word}' is missing")
        for word in sorted(written - have):
            self.problem(f"{page}: {what} '{word}' is not in the program")
        self.looked_up += len(have)


def help_options(text):
    return set(re.findall(r"(?:^|(?<=[\[ |]))--?([a-z][a-z-]*)", text, re.M))


def help_items(text):
    """Options that begin a line of a help text."""
    return set(re.findall(r"^  --?([A-Za-z][a-z-]*)", text, re.M))


def long_options(source):
    return set(re.findall(r'\{"([a-z-]+)", (?:no|required|optional)_argument', source))


def codes(source, enum=""):
    body = re.search(rf"^enum {enum}.*?\}};", source, re.M | re.S) if enum else None
    return set(re.findall(r"EXIT_[A-Z_]+ = (\d+)", body.group() if body else source))


def environment(source):
    return set(re.findall(r'getenv\("([A-Z_]+)"\)', source))


def block(source, start):
    """A function or table: from the line that begins so to the one that closes it."""
    return re.search(rf"^{start}.*?^\}}", source, re.M | re.S).group()


def strings(source):
    """Texts in quotes. Those that the compiler joins are one."""
    return re.findall(r'"((?:[^"\\\n]|\\.)*)"', re.sub(r'(?<!\\)"\s+"', "", source))


def log_fields(source):
    """FIELD of each `FIELD=%s` in a text with blanks between such words."""
    return {word for text in strings(source)
            for word in re.findall(r"(?:^| )([a-z_]+)=(?=%| |\\\")", text)}
