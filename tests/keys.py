#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Types into an interactive shell on a terminal of its own, and prints what its completion makes of it.

  keys.py bash|zsh    one case a line on standard input: ALL TEXT or TAB TEXT

For ALL, all completions of TEXT are inserted, and its last words are printed, sorted; for TAB, the whole
line after one TAB. Fails if leasectl says something on the terminal. The shell has no start files of its own; it loads completions from where they are
installed.
"""
import os
import pty
import select
import struct
import sys
import fcntl
import termios

DEADLINE_S = 60
COLUMNS = 20000 # no line wraps
# ^X and a letter: the kernel, which reads while the shell prints, gives them no meaning of its own.
ALL, SHOW, CLEAR = b"\x18a", b"\x18p", b"\x18k"
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], r"""
PS1=; bind 'set enable-bracketed-paste off'; bind 'set bell-style none'
. /usr/share/bash-completion/bash_completion
bind '"\C-xa": insert-completions'; bind '"\C-xk": kill-whole-line'; bind -x '"\C-xp": printf "%s%s%s\n" "<BUF" ">$READLINE_LINE<" "END>"'
"""),
    "zsh": (["zsh", "-f", "-i"], r"""
PS1=; unset zle_bracketed_paste; setopt no_beep no_list_beep
autoload -U compinit; compinit -D -u
zle -C all-matches complete-word _generic; bindkey '^Xa' all-matches; bindkey '^Xk' kill-whole-line
zstyle ':completion:all-matches::::' completer _all_matches _complete
zstyle ':completion:all-matches:*' insert true
show() { zle -I; print -r -- "<BUF""$(print -r -- ">$BUFFER<")""END>" }; zle -N show; bindkey '^Xp' show
"""),
}


class Terminal:
    def __init__(self, command):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="dumb", HISTFILE="/dev/null")
            os.execvp(command[0], command)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 1000, COLUMNS, 0, 0))
        self.seen = self.printed = b""

    def type(self, keys):
        os.write(self.fd, keys)

    def until(self, mark):
        """What came before mark. The rest is kept."""
        while mark not in self.seen:
            if not select.select([self.fd], [], [], DEADLINE_S)[0]:
                sys.exit(f"the shell does not answer; it printed: {self.seen[-2000:]!r}")
            more = os.read(self.fd, 65536)
            self.seen += more
            self.printed += more
        before, _, self.seen = self.seen.partition(mark)
        return before.decode()

    def line_after(self, keys):
        self.type(CLEAR + keys + SHOW)
        self.until(b"<BUF>")
        return self.until(b"<END>")


def main():
    command, setup = SHELLS[sys.argv[1]]
    terminal = Terminal(command)
    for line in setup.strip().split("\n"):
        terminal.type(line.encode() + b"\n")
    terminal.type(b"echo REA''DY\n")
    terminal.until(b"READY")
    for case in sys.stdin.read().splitlines():
        kind, _, text = case.partition(" ")
        line = terminal.line_after(text.encode() + (ALL if kind == "ALL" else b"\t"))
        # The words that took the place of the last one.
        print(line if kind == "TAB" else " ".join(sorted(line[text.rfind(" ") + 1:].split())), flush=True)
    if b"leasectl: " in terminal.printed: # so its errors begin
        sys.exit("TAB printed a message of leasectl")


if __name__ == "__main__":
    main()
