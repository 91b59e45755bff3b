# SPDX-License-Identifier: ISC
"""What can be changed in a C file: one operator, constant, condition or call at a time.

Comments, texts and preprocessor lines are left alone, and so is what an assert() says. A change keeps the
number of lines, so that __LINE__ and the lines of a log stay as they were.
"""
import re

TOKEN = re.compile(r"""
    (?P<space>\s+|\\\n)
  | (?P<comment>/\*.*?\*/|//[^\n]*)
  | (?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
  | (?P<number>0[xX][0-9a-fA-F]+[uUlL]*|\d+(?:\.\d+)?[uUlL]*)
  | (?P<name>[A-Za-z_]\w*)
  | (?P<sign><<=|>>=|\.\.\.|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|.)
""", re.VERBOSE | re.DOTALL)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", re.MULTILINE)

# Each sign, and what it becomes: one change for each.
OPERATORS = {
    "<": ["<=", ">="], "<=": ["<", ">"], ">": [">=", "<="], ">=": [">", "<"], "==": ["!="], "!=": ["=="],
    "&&": ["||"], "||": ["&&"], "+": ["-"], "-": ["+"], "*": ["/"], "/": ["*"], "%": ["/"],
    "++": ["--"], "--": ["++"], "+=": ["-="], "-=": ["+="], "|=": ["&="], "&=": ["|="],
    "&": ["|"], "|": ["&"], "<<": [">>"], ">>": ["<<"],
}
KEYWORDS = {"if", "while", "for", "switch", "return", "sizeof", "do", "else", "case", "goto", "defined"}
LEFT_ALONE = {"assert", "static_assert", "_Static_assert", "__attribute__"}


class Token:
    def __init__(self, kind, text, at, line):
        self.kind, self.text, self.at, self.line = kind, text, at, line


def tokens_of(source):
    blank = DIRECTIVE.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), source)
    found, line = [], 1
    for match in TOKEN.finditer(blank):
        if match.lastgroup not in ("space", "comment"):
            found.append(Token(match.lastgroup, match.group(), match.start(), line))
        line += match.group().count("\n")
    return found


def closing(tokens, opening):
    """The index of the ) of the ( at that index."""
    depth = 0
    for i in range(opening, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[i].text, 0)
        if depth == 0:
            return i
    return len(tokens) - 1


def is_binary(before):
    """Whether a sign behind that token has an operand on its left."""
    return before is not None and (before.kind in ("number", "text") or before.text in (")", "]")
                                   or before.kind == "name" and before.text not in KEYWORDS)


def is_array_size(tokens, i):
    """char name[64]: one more of them changes nothing that anybody could notice."""
    return (i >= 3 and tokens[i - 1].text == "[" and tokens[i + 1].text == "]" and tokens[i - 2].kind == "name"
            and (tokens[i - 3].kind == "name" and tokens[i - 3].text not in KEYWORDS or tokens[i - 3].text == "*"))


def number_changes(text):
    digits = text.rstrip("uUlL")
    value, ending = int(digits, 0) if not digits.isdigit() else int(digits, 8 if digits[0] == "0" else 10), text[len(digits):]
    yield f"{value + 1}{ending}"
    if value > 1:
        yield f"{value - 1}{ending}"
    elif value == 1:
        yield f"0{ending}"


class Change:
    def __init__(self, file, line, kind, before, after, begin, end, text):
        self.file, self.line, self.kind = file, line, kind
        self.before, self.after = before, after
        self.begin, self.end, self.text = begin, end, text

    def said(self):
        def short(text):
            text = " ".join(text.split())
            return text if len(text) <= 70 else text[:67] + "..."
        return f"{self.kind}: {short(self.before)} -> {short(self.after)}"

    def applied(self, source):
        return source[:self.begin] + self.text + source[self.end:]


def lines_only(text):
    return "\n" * text.count("\n")


def changes_of(file, source):
    """All changes of a file, in its order."""
    tokens, skip_until, found = tokens_of(source), -1, []

    def add(kind, token, after, end=None, text=None):
        end = token.at + len(token.text) if end is None else end
        found.append(Change(file, token.line, kind, source[token.at:end], after, token.at, end, after if text is None else text))

    for i, token in enumerate(tokens):
        if i <= skip_until:
            continue
        before = tokens[i - 1] if i else None
        after = tokens[i + 1] if i + 1 < len(tokens) else None
        if token.text in LEFT_ALONE and after is not None and after.text == "(":
            skip_until = closing(tokens, i + 1)
        elif token.kind == "sign" and token.text in OPERATORS:
            # clang-format writes a pointer's * without a space behind it.
            pointer = token.text == "*" and not source[token.at + 1].isspace()
            if token.text in ("++", "--") or is_binary(before) and not pointer:
                for other in OPERATORS[token.text]:
                    add("operator", token, other)
        elif token.text == "!":
            add("operator", token, "", text="")
        elif token.kind == "number" and "." not in token.text and not is_array_size(tokens, i):
            for other in number_changes(token.text):
                add("constant", token, other)
        elif token.text in ("true", "false"):
            add("constant", token, "false" if token.text == "true" else "true")
        elif token.text in ("if", "while") and after is not None and after.text == "(":
            end = closing(tokens, i + 1)
            condition = source[after.at:tokens[end].at + 1]
            for word in ("!",) if token.text == "if" else ("0 && ",):
                add("condition", after, word + condition, tokens[end].at + 1, f"({word}{condition})")
        elif (token.kind == "name" and token.text not in KEYWORDS and after is not None and after.text == "("
              and before is not None and before.text in (";", "{", "}", ")", "else")):
            end = closing(tokens, i + 1)
            if end + 1 < len(tokens) and tokens[end + 1].text == ";":
                gone = source[token.at:tokens[end].at + 1]
                add("call", token, "no call", tokens[end].at + 1, "(void)0" + lines_only(gone))
    return found
