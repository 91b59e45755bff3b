# SPDX-License-Identifier: ISC
"""Types a line into a shell on a terminal, as somebody does who was sent it.

usage: typist.py FINGERPRINT SHOWN COMMAND...

The first line of standard input is what is typed into COMMAND, a shell. Where ssh asks whether the host key is the
right one, FINGERPRINT is the answer, which was sent along; a wrong key is thus refused. What the terminal showed is
in the file SHOWN. The exit status is that of the line; when this program ends, so does the terminal.
"""
import os
import pty
import re
import signal
import sys
import termios

fingerprint, shown_file, *command = sys.argv[1:]
line = sys.stdin.readline().strip()
pid, terminal = pty.fork()
if pid == 0:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.execvp(command[0], command + ["-c", line])
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
settings = termios.tcgetattr(terminal)
settings[0] |= termios.ICRNL
termios.tcsetattr(terminal, termios.TCSANOW, settings)
seen = b""
with open(shown_file, "wb", buffering=0) as shown:
    while True:
        try:
            data = os.read(terminal, 4096)
        except OSError:
            break
        if not data:
            break
        shown.write(data.replace(b"\r", b""))
        seen += data
        if re.search(rb"\(yes/no/\[fingerprint\]\)\? $", seen):
            os.write(terminal, fingerprint.encode() + b"\n")
            seen = b""
        elif seen.endswith(b"or the fingerprint: "):  # it is another one
            os.write(terminal, b"no\n")
            seen = b""
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status) & 255)
