#!/bin/bash
# SPDX-License-Identifier: ISC
# The manners of leasectl's command line, for every command that `leasectl --help` names: help, version
# and JSON wherever they stand, mistyped words, no rights, no store, output that cannot be written, narrow
# terminals, names with every character that a name may have. Then with 100,000 leases.
# sandbox:
# timeout: 120
# shellcheck source=tests/lib.sh
. "$TOP/tests/lib.sh"

# A name of 64 characters, with each that is allowed.
name=Z09._@-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXY123456

store_with_alice
for key in bob every db1; do new_key "$key" >/dev/null; done
leasectl grant bob --key "$WORK/bob.pub" --open 8009 --open 8010 --open '[::1]:9000' --from 10.0.0.0/8,192.0.2.7 \
	--note 'für 日本 a note of many words, é' >/dev/null
leasectl agent add 550e8400-e29b-41d4-a716-446655440000 --key "$WORK/db1.pub" >/dev/null
leasectl login add a-login_1 >/dev/null
leasectl token create --name db2 >/dev/null
join_account
leasectl invite newcomer --open 8009 >/dev/null 2>&1
printf 'Moood good\n' >"$WORK/wrong.conf"
printf 'Database %s/none/none/leases.db\nRunDir %s/none/run\n' "$WORK" "$WORK" >"$WORK/no_store.conf"
chmod 755 "$WORK" # nobody reads the keys
tunnel "$WORK/alice" pfwd -L 18009:127.0.0.1:8009 || fail 'the session'
held=$FWD_PID
has_session() { [[ -n $(leasectl sessions "$1") ]]; }
wait_for 5 'the session is registered' has_session alice

cat >"$WORK/cli.py" <<'END'
import fcntl, os, pty, re, struct, subprocess, sys, termios

work, key = os.environ["WORK"], os.environ["WORK"] + "/alice.pub"
shown = 0

# What a command needs to get past its arguments, and how it then ends: bare as nobody, with the words as
# nobody, and with them and no store. None of it changes anything: where a command would, it is asked for a
# lease, login or token that does not exist. A command that is not here is run bare, and may end as it likes.
KNOWN = {"setup": ("--dry-run", 1, 0, 0), "grant": (f"none --key {key} --open 8009", 2, 7, 7),
         "run": (f"none --key {key} --open 8009 -- true", 2, 125, 2), "list": ("", 7, 7, 7), "show": ("alice", 2, 7, 7), "set": ("none --note x", 2, 7, 7), "renew": ("none", 2, 7, 7),
         "revoke": ("none", 2, 7, 7), "delete": ("none", 2, 7, 7), "key": (f"add none --key {key}", 2, 7, 7),
         "freeze": ("a-login_1", 7, 7, 7), "thaw": ("a-login_1", 7, 7, 7), "sessions": ("", 1, 1, 1), "kill": ("none", 2, 7, 7),
         "agent": ("reset none", 2, 7, 7), "agents": ("", 7, 7, 7), "token": ("list", 2, 7, 7), "invite": ("list", 2, 7, 7), "audit": ("", 7, 7, 7),
         "explain": (f"pfwd --key {key}", 2, 7, 7), "ssh-config": ("alice", 2, 7, 7), "verify": ("none", 1, 1, 7), "prove": ("--report /dev/null", 2, 1, 5), "login": ("list", 2, 0, 0),
         "import": (f"{key} --login pfwd", 2, 7, 7), "export": ("pfwd", 2, 7, 7),
         "lint": (key, 2, 1, 1),
         "backup": ("/root/none/x", 2, 1, 1), "restore": ("/root/none", 2, 1, 1),
         "sshd-config": ("", 0, 0, 0), "doctor": ("", 1, 1, 1), "help": ("", 0, 0, 0), "version": ("", 0, 0, 0)}

def words_of(verb):
    return [verb, *KNOWN.get(verb, ("",))[0].split()]

def fail(why):
    sys.exit("FAIL: " + why)

def ok(what):
    global shown
    shown += 1
    print("ok -", what)

class Ran:
    def __init__(self, words, out=subprocess.PIPE, env=None, as_nobody=False):
        self.words = " ".join(words)
        start = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if as_nobody else []
        # Some words are names of files to a verb, such as backup.
        p = subprocess.run([*start, "leasectl", *words], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE, cwd="/tmp",
                           env={**os.environ, **(env or {})}, text=True)
        self.rc, self.out, self.err = p.returncode, p.stdout or "", p.stderr
        if not 0 <= self.rc <= 7 and not (self.rc == 125 and words[-2:] == ["--", "true"]): # run, of a command
            fail(f"{self.words}: exit status {self.rc}: {self.err}")
        if self.rc not in (0, 1) and self.out:
            fail(f"{self.words}: fails ({self.rc}), and prints {self.out!r}")
        for line in self.err.splitlines():
            if not line.startswith("leasectl: "):
                fail(f"{self.words}: an error in words of its own: {line}")
        if self.rc == 2 and self.err.count("\n") != 1:
            fail(f"{self.words}: wrong usage takes one line: {self.err}")

    def must(self, rc, words):
        if self.rc != rc or words not in self.err:
            fail(f"leasectl {self.words}: {self.rc} {self.err!r}, not {rc} '{words}'")

def on_terminal(words, columns, env=None):
    """What leasectl prints on a terminal of so many columns; 0: one that does not know."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 25, columns, 0, 0))
    p = subprocess.Popen(["leasectl", *words], stdin=slave, stdout=slave, stderr=subprocess.DEVNULL,
                         env={k: v for k, v in {**os.environ, **(env or {})}.items() if v is not None})
    os.close(slave)
    text = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        text += piece
    os.close(master)
    p.wait()
    return text.replace(b"\r\n", b"\n").decode()

def same_table(words, known_columns, columns, env):
    """A table says how far off a lease's end is: between two calls that may change, but not three times in a row."""
    return any(on_terminal(words, columns, env) == on_terminal(words, known_columns) for _ in range(3))

def width(line):
    import unicodedata
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)

overview = Ran(["--help"]).out
verbs = re.findall(r"^  ([a-z][a-z-]*)  ", overview, re.M)
if len(verbs) < 20:
    fail(f"only {verbs} are found")
version = Ran(["--version"]).out

# ---- help, version and JSON ----

for verb in verbs:
    text = Ran([verb, "--help"]).out
    if not text.startswith("usage: leasectl") or f" {verb}" not in text.split("\n")[0]:
        fail(f"{verb} --help: {text}")
    for words in ([verb, "-h"], ["--help", verb], ["-h", verb], ["help", verb], [verb, "--json", "--help"],
                  [verb, "some", "--help", "more"], [verb, "--bogus", "-h"], ["-c", work + "/wrong.conf", verb, "-h"]):
        if Ran(words).out != text:
            fail(f"{' '.join(words)} does not print the help of {verb}")
    for words in ([verb, "--version"], ["--version", verb], [verb, "none", "--version", "--help"]):
        if Ran(words).out != version:
            fail(f"{' '.join(words)} does not print the version")
    # As a word behind the command, too, unless it can be a name there.
    named = re.search(r"^usage: .*?\] " + verb + r"( \[--[a-z-]+( [^]]*)?\])* \[?[A-Z]", " ".join(text.partition("\n\n")[0].split()))
    for word, wanted in (("help", text), ("version", version)):
        if verb != "help" and (Ran([verb, word]).out == wanted) == bool(named):
            fail(f"{verb} {word}: {'a name' if named else 'no name'} is taken for another thing")
    ok(f"{verb}: help and version, wherever they stand{', but where a name stands' if named else ''}")

    # The usage, which tells what belongs to an option, and the parser must agree.
    usage = " ".join(text.partition("\n\n")[0].split()).replace("[-c FILE] [--json] ", "")
    found = re.findall(r"(?<=[ [|])--([a-z-]+)( (?:[^-[|\] ]|\[[A-Z:]+\][A-Z]))?", usage)
    for option, value in found:
        if value:
            Ran([verb, "--" + option]).must(2, f"'--{option}' needs a value")
            for asked in ("--help", "-h", "--version"):
                if Ran([*words_of(verb), "--" + option, asked]).out in (text, version):
                    fail(f"{verb} --{option} {asked}: the value is taken for a question")
        else:
            Ran([verb, f"--{option}=x"]).must(2, "this option takes no value")
        Ran([verb, "--" + option[0] + "~" + option[1:]]).must(2, f"'--{option}'") # asked back
    Ran([verb, "--bogus"]).must(2, "unknown option '--bogus'")
    if Ran([verb, "--", "--help"]).out == text:
        fail(f"{verb} -- --help: what is behind -- is taken for a question")
    ok(f"{verb}: {len(found)} options, and what is their value")

for words in (["--help"], ["-h"], ["help"], ["--json", "-h"]):
    if Ran(words).out != overview:
        fail(f"{' '.join(words)} does not print the commands")
for words in (["list", "--json"], ["--json", "list"], ["list", "--all", "--json"], ["token", "--json", "list"],
              ["token", "list", "--json"], ["show", "--json", "alice"]):
    if Ran(words).out[:1] not in "[{":
        fail(f"{' '.join(words)} prints no JSON")
if Ran(["list", "--login", "--json"]).out != "":
    fail("list --login --json: the login is taken for an option")
Ran(["show", "--", "--json"]).must(2, "may not start with")
ok("--json wherever it stands, but as a value and behind --")

# ---- mistyped words: asked back, and nothing is run ----

for words, question in ((["grnat", "x"], "did you mean 'grant'?"), (["lst"], "did you mean 'list'?"),
                        (["agnet"], "did you mean 'agent'?"), (["sess"], "did you mean 'sessions'?"),
                        (["help", "tokne"], "did you mean 'token'?"), (["LIST"], "did you mean 'list'?"),
                        (["token", "crate"], "did you mean 'create'?"), (["token", "--uses", "3", "crate"], "'create'?"),
                        (["key", "ad", "alice"], "did you mean 'add'?"), (["--jsno", "list"], "did you mean '--json'?"),
                        (["login", "lsit"], "did you mean 'list'?"), (["list", "--halp"], "did you mean '--help'?"),
                        (["grant", "b", "--opne=8009"], "did you mean '--open'?"),
                        (["grant", "b", "-key", key], "did you mean '--key'?"),
                        (["list", "--l", "pfwd", "--expirng", "1d"], "did you mean '--expiring'?")):
    Ran(words).must(2, question)
for words in (["frobnicate"], ["token", "frobnicate"], ["list", "--frobnicate"]):
    if "did you mean" in Ran(words).err:
        fail(f"{words}: something is near to it")
ok("mistyped words are asked back")

# ---- no rights, no store ----

for verb in verbs:
    ran = (Ran([verb], as_nobody=True), Ran(words_of(verb), as_nobody=True),
           Ran(["-c", work + "/no_store.conf", *words_of(verb)]))
    codes = tuple(r.rc for r in ran)
    if codes != KNOWN.get(verb, ("", *codes))[1:]:
        fail(f"{verb}, bare as nobody, as nobody, without a store: {codes} {[r.err for r in ran]}")
    if [r for r in ran if r.rc != 0 and not r.err and verb not in ("doctor", "lint")]:
        fail(f"{verb}: fails without a word")
    ok(f"{verb}: without rights, and without a store")
for verb in ("freeze", "thaw"):
    Ran([verb], as_nobody=True).must(7, "leases.db': Permission denied: run this as root") # it is not "missing"

# ---- output that cannot be written ----

def unread_pipe():
    r, w = os.pipe()
    os.close(r)
    return w

prints = [words_of(verb) for verb in
          ("setup", "list", "show", "sessions", "agents", "audit", "token", "login", "explain", "sshd-config", "help", "version")]
for words in prints + [[verb, "--help"] for verb in verbs]:
    for how, fd in (("a full device", os.open("/dev/full", os.O_WRONLY)), ("a pipe that nobody reads", unread_pipe())):
        ran = Ran(words, out=fd)
        os.close(fd)
        if ran.rc not in (1, 2) or "cannot write" not in ran.err:
            fail(f"{' '.join(words)} into {how}: {ran.rc} {ran.err}")
ok("what cannot be written is an error of every command")

# ---- terminals ----

tables = ["list", "list --all", "audit", "agents", "token list", "invite list", "login list", "sessions"]
for words in map(str.split, tables):
    piped = Ran(words, env={"COLUMNS": "20"})
    for row in piped.out.splitlines():
        if "  " in row or row.count("\t") != piped.out.splitlines()[0].count("\t"):
            fail(f"{words}: piped, a table is tab-separated: {row}")
    whole = on_terminal(words, 999).splitlines()[1:]
    shown_on = {columns: on_terminal(words, columns) for columns in (200, 80, 40, 20, 7, 1)}
    for columns, text in shown_on.items():
        wide = [line for line in text.splitlines() if width(line) > max(columns, 2)]
        # A heading is never broken.
        wide = [line for line in wide if not (columns < 12 and re.fullmatch("[A-Z]+", line))]
        if wide or not text.strip():
            fail(f"{words} on {columns} columns: {wide or 'nothing'}")
        if [line for line in text.splitlines() if line.endswith(" ")]:
            fail(f"{words} on {columns} columns: blanks at the end of a line")
        # All of it is there: the letters of each row, in any order.
        for row in whole:
            if lacks := set(row) - set(text) - {" "}:
                fail(f"{words} on {columns} columns lacks {lacks}")
    if not same_table(words, 80, 0, {"COLUMNS": None}):
        fail(f"{words}: 80 columns where none are known")
    if not same_table(words, 40, 0, {"COLUMNS": "40"}) or not same_table(words, 40, 40, {"COLUMNS": "999"}):
        fail(f"{words}: COLUMNS where the terminal does not know, and else the terminal")
    for env in ({"LC_ALL": "C"}, {"LC_ALL": "C.UTF-8"}, {"NO_COLOR": "1"}, {"TERM": "dumb"}):
        if not same_table(words, 40, 40, env):
            fail(f"{words}: another table with {env}")
    ok(f"{' '.join(words)}: as wide as the terminal, and never when piped")
text = on_terminal(["list", "--login", "pfwd"], 80)
if "LISTEN" in text or "FROM" not in text or text.count("127.0.0.1:8009\n") + text.count("127.0.0.1:8009 ") < 2:
    fail(f"list on 80 columns: empty columns go first, and words stay whole:\n{text}")
if not on_terminal(["list"], 20).startswith("ID       1\nNAME     alice\n"):
    fail("list on 20 columns has a block for each row:\n" + on_terminal(["list"], 20))
for words in (["doctor"], ["show", "alice"], ["list"]):
    if "\033" in on_terminal(words, 80, {"NO_COLOR": "1"}):
        fail(f"{words}: coloured with NO_COLOR")
ok("empty columns go first, then words are wrapped, then rows are blocks; NO_COLOR")
print(f"{shown} shown")
END
active=$(leasectl list --all)
python3 -u "$WORK/cli.py" || fail 'cli.py' # -u: why it fails comes behind what it has shown
assert_eq "$(leasectl list --all)" "$active" 'none of it changed anything'
fwd_stop "$held"

# ---- every character of a name -----------------------------------------------------------------

((${#name} == 64)) || fail "the name has ${#name} characters"
leasectl grant "$name" --login a-login_1 --key "$WORK/every.pub" --open 8009 >"$WORK/out"
grep -qF -- "verify $name" "$WORK/out" || fail "grant's line: $(cat "$WORK/out")"
leasectl set "$name" --note x >/dev/null
leasectl renew "$name" >/dev/null
assert_eq "$(leasectl list --login a-login_1 | cut -f2,9)" "$name"$'\t'x 'list has the name, and what set changed'
[[ $(leasectl show "$name") == *"$name"* && $(leasectl show --json "$name") == *"\"name\":\"$name\""* ]] || fail 'show'
[[ $(leasectl explain a-login_1 --key "$WORK/every.pub") == *"$name"* ]] || fail 'explain'
tunnel "$WORK/every" a-login_1 -L 18009:127.0.0.1:8009 || fail 'no tunnel with it'
wait_for 5 'sessions has it' has_session "$name" # sshd registers it after ssh is up
[[ $(leasectl sessions "$name") == "$name"$'\t'a-login_1$'\t'* ]] || fail 'the row of its session'
leasectl kill "$name" >/dev/null
leasectl revoke "$name" >/dev/null
leasectl delete "$name" >/dev/null
expect_exit 3 leasectl show "$name"
for wrong in -x .x 'a b' a/b a:b ä "${name}x" ''; do expect_exit 2 leasectl show -- "$wrong"; done
ok 'a name with every character is taken by every command; others are wrong usage'

# ---- 100,000 leases ----------------------------------------------------------------------------

runuser -u _tunlease -- "$TOP/build/tests/fill" "$STORE" 100000 pfwd >"$WORK/last"
echo "$(cat "$WORK/last") x" >"$WORK/last.pub"
tunnel "$WORK/alice" pfwd -L 18009:127.0.0.1:8009 || fail 'no tunnel beside 100,000 leases'
wait_for 5 'its session is registered' has_session alice
# bounded KB COMMAND...: leasectl in so much address space; what it prints is in $WORK/out
bounded()
{
	local kb=$1; shift
	# shellcheck disable=SC2016 # bash expands it
	expect_exit 0 bash -c 'ulimit -v "$1"; shift; exec leasectl "$@"' - "$kb" "$@"
}
bounded 40000 show holder-99999
grep -q "^name.holder-99999$" "$WORK/out" || fail 'show'
bounded 40000 explain pfwd --key "$WORK/last.pub" --open 127.0.0.1:8009
bounded 40000 sessions
assert_eq "$(cut -f1 "$WORK/out")" alice 'sessions'
bounded 40000 sessions holder-7
[[ ! -s $WORK/out ]] || fail 'a session of a lease that has none'
bounded 40000 list --json
assert_eq "$(grep -c '"name":"holder-' "$WORK/out")" 100000 'list --json'
bounded 80000 list
assert_eq "$(wc -l <"$WORK/out")" 100003 'list, piped'
bounded 40000 list --login a-login_1
[[ ! -s $WORK/out ]] || fail 'leases of a login that has none'
# Where memory ends it says so, and prints no half of a table.
rc=0
(ulimit -v 40000; exec leasectl list) >"$WORK/out" 2>"$WORK/err" || rc=$?
[[ $rc != 0 && ! -s $WORK/out && $(<"$WORK/err") == *'out of memory'* ]] || fail "list in 40 MB: $rc, $(cat "$WORK/err")"
bounded 40000 revoke holder-5 holder-6
bounded 40000 revoke alice
is_gone "$FWD_PID" || wait_for 5 'the revoked session is gone' is_gone "$FWD_PID"
assert_eq "$(leasectl list --all | cut -f4 | sort | uniq -c | tr -s ' \n' ' ')" ' 100000 active 3 revoked ' 'revoke, of three alone'
ok '100,000 leases: show, explain, sessions, list and revoke, in bounded memory'
