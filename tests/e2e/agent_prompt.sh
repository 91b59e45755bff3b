#!/bin/bash
# SPDX-License-Identifier: ISC
# tunnel-agent on a terminal shows an unknown host key and asks once. After "yes" the tunnel comes up and
# the key is remembered, after "no" it is held. Without a terminal, or with -d, nobody is asked.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/agent_lib.sh"

far_host
far_serve 8009
conf=$(quick)
pin=$(ssh-keygen -lf "$WORK/far/host.pub" | cut -d' ' -f2)
# on_terminal ANSWER WORD...: tunnel-agent with a terminal; types ANSWER at the question, if one comes
# within 6 s. What the terminal showed is in $WORK/terminal; status, asked while it runs, in $WORK/seen.
on_terminal()
{
	python3 - "$WORK/terminal" "$WORK/seen" "$@" <<-'END'
		import json, os, pty, select, signal, subprocess, sys, time
		shown_file, seen_file, answer, *words = sys.argv[1:]
		pid, fd = pty.fork()
		if pid == 0:
		    os.execvp("tunnel-agent", ["tunnel-agent"] + words)
		shown, answered, seen, end = b"", False, "", time.monotonic() + 8
		while time.monotonic() < end and not seen:
		    if select.select([fd], [], [], 0.1)[0]:
		        try:
		            shown += os.read(fd, 4096)
		        except OSError:
		            break
		    if b"(yes/no) " in shown and not answered:
		        os.write(fd, answer.encode() + b"\n")
		        answered = True
		    if answered or time.monotonic() > end - 2:
		        said = subprocess.run(["tunnel-agent", "status", "--json"], capture_output=True, text=True).stdout
		        for tunnel in json.loads(said or "[]"):
		            if tunnel["state"] in ("up", "held"):
		                seen = tunnel["state"]
		os.kill(pid, signal.SIGTERM)
		try:
		    while more := os.read(fd, 4096):
		        shown += more
		except OSError:
		    pass
		_, status = os.waitpid(pid, 0)
		open(shown_file, "wb").write(shown)
		open(seen_file, "w").write("%s exit %d questions %d" % (seen, os.waitstatus_to_exitcode(status), shown.count(b"(yes/no)")))
	END
}
leg=(-c "$conf" -i "$FAR_KEY" -o IdentitiesOnly=yes -L 18009:127.0.0.1:8009 "root@$FAR")
shown() { grep -F -q -e "$1" "$WORK/terminal" || fail "not on the terminal: $1: $(cat "$WORK/terminal")"; }

on_terminal no "${leg[@]}"
assert_eq "$(cat "$WORK/seen")" 'held exit 0 questions 1' 'no: asked once, held'
shown "The host key of root@$FAR is not known yet."
shown "$pin"
[[ ! -e /root/.ssh/known_hosts ]] || fail "'no' was remembered: $(cat /root/.ssh/known_hosts)"
on_terminal y "${leg[@]}"
assert_eq "$(cat "$WORK/seen")" 'held exit 0 questions 1' 'only a whole yes is one'
on_terminal yes -d "${leg[@]}"
assert_eq "$(cat "$WORK/seen")" 'held exit 0 questions 0' 'under -d nobody is asked'
shown "run with --host-key $pin"
on_terminal yes "${leg[@]}"
assert_eq "$(cat "$WORK/seen")" 'up exit 0 questions 1' 'yes: up'
assert_eq "$(ssh-keygen -F "$FAR" -f /root/.ssh/known_hosts -l | sed -n 's/.* \(SHA256:[^ ]*\).*/\1/p')" "$pin" 'yes is remembered'
on_terminal no "${leg[@]}"
assert_eq "$(cat "$WORK/seen")" 'up exit 0 questions 0' 'the second time nobody is asked'
rm /root/.ssh/known_hosts
agent "${leg[@]}"
wait_for 8 'the unknown host key' said_text "run with --host-key $pin"
is "$FAR" held || fail 'not held without a terminal'
! said '\(yes/no\)' || fail 'a question that nobody can answer'
agent_stop
