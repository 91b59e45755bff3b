#!/bin/bash
# SPDX-License-Identifier: ISC
# `leasectl top` in a real terminal, tmux: sessions come and go, their bytes stay, it sorts, kills and
# revokes by a key and a question, fits the terminal, shows what it cannot read as unknown, and leaves the
# terminal as it was, whatever ends it.
# sandbox:
# timeout: 120
# shellcheck source=tests/lib.sh
. "$TOP/tests/lib.sh"

type -P tmux >/dev/null || { echo 'needs tmux'; exit 77; }
store=/var/lib/tunlease/leases.db
export TMUX_TMPDIR=$WORK
unset TMUX
panes=0
echo 'set -g status off' >"$WORK/tmux.conf"
tmux() { command tmux -f "$WORK/tmux.conf" -L "top$panes" "$@"; }

# ---- a terminal --------------------------------------------------------------------------------

# pane COLUMNS ROWS COMMAND: runs it in a new terminal. stty's settings before and after it are in
# $WORK/before and after, its exit status in $WORK/status.
pane()
{
	rm -f "$WORK/before" "$WORK/after" "$WORK/status"
	((panes == 0)) || tmux kill-server
	panes=$((panes + 1))
	tmux new-session -d -x "$1" -y "$2" "stty -g >$WORK/before; $3; echo \$? >$WORK/status.new
		stty -g >$WORK/after; mv $WORK/status.new $WORK/status; exec sleep 1000"
	at_exit "$(tmux display-message -p '#{pid}')"
}
screen() { tmux capture-pane -p; }
keys() { tmux send-keys "$@"; }
screen_has() { screen | some_line -e "$1"; }
screen_lacks() { ! screen_has "$1"; }
sees() { poll 8 screen_has "$1" || fail "no '$1' on the screen: $(screen)"; ok "it shows: $1"; }
sees_no() { poll 8 screen_lacks "$1" || fail "'$1' stays on the screen: $(screen)"; ok "it shows no more: $1"; }
top_pid() { pgrep -o -x leasectl; }
tty_state() { tmux display-message -p '#{alternate_on} #{cursor_flag} #{wrap_flag}'; }
has_ended() { [[ -e $WORK/status ]]; }
nothing_runs() { ! pgrep -x leasectl >/dev/null; }
# restored STATUS WHAT
restored()
{
	wait_for 8 "$2: the end" has_ended
	assert_eq "$(cat "$WORK/status") $(tty_state)" "$1 0 1 1" "$2: the status, and the screen from before"
	diff "$WORK/before" "$WORK/after" >/dev/null || fail "$2: stty differs"
	wait_for 8 "$2: no process is left" nothing_runs
}
# fits ROWS: the title is the first line, the help the last, and no line is wrapped.
fits()
{
	assert_eq "$(screen | wc -l) $(tmux capture-pane -p -J | wc -l)" "$1 $1" "$1 lines, none wrapped"
	[[ $(screen | head -n 1) == 'tunlease on '* && $(screen | tail -n 1) == 'q quit  ? help'* ]] || fail "$(screen)"
}

note 'where it cannot work it says so'
expect_exit 2 leasectl top
grep -q "^leasectl: top: standard output is no terminal: 'leasectl top --batch' prints text" "$WORK/err" || fail "$(cat "$WORK/err")"
expect_exit 2 leasectl --json top
for delay in 0 0.05 -1 1.55 3601 x ''; do expect_exit 2 leasectl top --batch --delay "$delay"; done
for count in 0 x; do expect_exit 2 leasectl top --batch --count "$count"; done
expect_exit 2 leasectl top alice
pane 80 24 'TERM=dumb leasectl top'
restored 2 'a terminal that cannot be redrawn'

# ---- sessions ----------------------------------------------------------------------------------

for name in alice bob box zoe; do new_key "$name" >/dev/null; done
leasectl grant alice --key "$WORK/alice.pub" --open 8009 --for 3d --note 'a note' >/dev/null
leasectl grant bob --key "$WORK/bob.pub" --open 8009 --for 2d >/dev/null
leasectl grant zoe --key "$WORK/zoe.pub" --open 8009 --for 1h >/dev/null
leasectl grant box --login gw-tunnel --key "$WORK/box.pub" --listen 20001 >/dev/null
serve_echo 8009
# Sends 3,000,000 bytes within some two seconds to whoever comes, and closes.
python3 -c '
import socketserver, time
class Slow(socketserver.BaseRequestHandler):
    def handle(self):
        for _ in range(20):
            self.request.sendall(bytes(150000))
            time.sleep(0.1)
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
Server(("127.0.0.1", 8010), Slow).serve_forever()' & at_exit "$!"
leasectl set bob --open +8010 >/dev/null
serves() { ! port_free 8010; }
wait_for 10 'the service' serves

pane 80 24 'leasectl top --delay 0.2'
sees '^Leases    4 active, 0 of agents; 1 ends within a day$'
sees 'no session is up'
sees '^zoe .*never 8009'
assert_eq "$(screen | awk '$3 ~ /^[0-9]+[mhd]$/ { print $1 }' | xargs)" 'zoe bob alice box' 'leases: the soonest end first'
fits 24
fwd_L "$WORK/alice" pfwd 18001:127.0.0.1:8009; alice=$FWD_PID
sees '^alice  *pfwd  *127.0.0.1  *[0-9]*s  *0  *0 '
fwd_L "$WORK/bob" pfwd 18002:127.0.0.1:8010; bob=$FWD_PID
fwd_R "$WORK/box" gw-tunnel 20001:127.0.0.1:8009
sees '^Sessions  3; 0 connections, [12] listeners\?$'
talk_to 18001; talks "$TALK" || fail 'no data'
sees '^alice .* 8009$'
talk_to 20001; talks "$TALK" || fail 'no data'
sees '^box .* R20001x1$'
fits 24

# leased holds the lock of this file.
sees 'leased is down' >/dev/null
exec {lock}>>"$store-leased"; flock -x "$lock"
sees_no 'leased is down'
exec {lock}>&-
sees 'leased is down'

note 'bytes stay when their connection is closed'
cat </dev/tcp/127.0.0.1/18002 >/dev/null & pull=$!
sees '^bob .*/s 8010$'
wait "$pull"
sees '^bob .*0/s$'
row=$(screen | grep '^bob')
[[ $row =~ \ ([0-9.]+)M\ +[0-9]+ ]] || fail "no megabytes: $row"
awk -v m="${BASH_REMATCH[1]}" 'BEGIN { exit !(m > 1.5 && m < 3) }' || fail "not what was sent: $row"
ok "at least ${BASH_REMATCH[1]}M of 2.9M"
sees '^Traffic   down at least [0-9.]*M (.*/s), up at least '

note 'order, marks, forwards'
order() { screen | awk '$4 ~ /^[0-9]+[smh]$/ && $3 == "127.0.0.1" { print $1 }' | xargs; }
is_order() { [[ $(order) == "$1" ]]; }
sorted() { keys "$1"; poll 5 is_order "$2" || fail "key $1: $(screen)"; ok "key $1: $2"; }
assert_eq "$(order | cut -d' ' -f1)" bob 'most bytes first'
sorted n 'alice bob box'
sorted o 'box bob alice'
keys o
keys a; sees 's by age'
sorted e 'bob alice box'
keys n f
sees '^  -R 127.0.0.1:20001 from 127.0.0.1:[0-9+]*.* idle '
sees '^  -L 127.0.0.1:8009 '
keys f
sees_no '^  -L'
keys Tab n
leases() { screen | awk '$3 ~ /^[0-9]+[mhd]$/ && $1 != "tunlease" { print $1 }' | xargs; }
by_name() { [[ $(leases) == 'alice bob box zoe' ]]; }
poll 5 by_name || fail "$(screen)"
sees '^#1 until .*  note: a note$'
keys '?'
sees '^k  *kill: end the marked session'
keys x Tab
sees_no 'kill: end'

# ---- kill and revoke ---------------------------------------------------------------------------

note 'a key and a question'
keys n Home k
sees "^Kill the session of 'alice' from 127.0.0.1 (pid [0-9]*)? \[y/N\]"
keys n
sees '^not killed$'
kill -0 "$alice" 2>/dev/null || fail 'the session is gone'
# What comes with the key is no answer.
keys -l ky
sees '^Kill the session'
keys Escape
sees '^not killed$'
keys k; sees '^Kill the session'; keys y
sees '^ended 1 session in [0-9]* ms$'
sees '^Sessions  2;'
wait_for 5 'the client ends' is_gone "$alice"
keys Tab n Home Down r
sees "^Revoke 'bob' (#2) for good? Its sessions end at once. \[y/N\]"
keys y
sees "^revoked 'bob' (#2); ended 1 session in [0-9]* ms$"
wait_for 5 'the client ends' is_gone "$bob"
sees '^Leases    3 active'
assert_eq "$(sqlite3 -readonly "$store" "SELECT count(*), max(actor LIKE 'uid=0%') FROM audit WHERE action = 'revoke'")" '1|1' 'the audit has it'
keys Home k
sees "^Kill all sessions of 'alice' (#1)?"
keys y
sees "leasectl: kill: 'alice' has no live session\|'#1' has no live session"

note 'sizes'
keys Home; sees_no 'no live session' # any key takes a message away
tmux resize-window -x 132 -y 40; sees '^LEASE  .*FORWARDS$'; fits 40
tmux resize-window -x 50 -y 10; sees '^tunlease on '
narrow() { (($(screen | wc -l) == 10 && $(screen | awk '{ print length }' | sort -n | tail -n 1) <= 50)); }
wait_for 5 'it fits' narrow
tmux resize-window -x 10 -y 2; sees '^too small'
tmux resize-window -x 80 -y 24; sees '^box  '; fits 24

# ---- what cannot be read -----------------------------------------------------------------------

note 'what cannot be read is unknown, and not empty'
mv "$store" "$store.away"
sees "^Leases    unknown: .*$store"
sees '^unknown: '
sees '^Sessions  1; 1 connection'
mv "$store.away" "$store"
sees '^Leases    3 active'
mkfifo "$store-wal.new"; rm -f "$store-shm"; mv "$store-wal.new" "$store-wal"
sees 'it is a FIFO'
rm "$store-wal"
sees '^Leases    3 active'
mv /run/tunlease/sessions /run/tunlease/sessions.away
sees '^Sessions  unknown: the session registry cannot be read: '
sees '^Traffic   unknown$'
mv /run/tunlease/sessions.away /run/tunlease/sessions
sees '^Sessions  1; '

note 'names and notes are text'
sqlite3 "$store" "UPDATE lease SET note = char(27) || ']0;changed' || char(7) || char(27) || '[2J' || char(155) || '31m' WHERE name = 'zoe'"
title=$(tmux display-message -p '#{pane_title}')
keys e Home
sees '^#3 until .*  note: \\x1b]0;changed\\x07\\x1b\[2J'
assert_eq "$(tmux display-message -p '#{pane_title}')" "$title" 'the title of the terminal is as it was'
fits 24

# ---- the end -----------------------------------------------------------------------------------

assert_eq "$(tty_state)" '1 0 0' 'the other screen, without a cursor'
keys q
restored 0 'q'
for signal in TERM HUP INT QUIT; do
	pane 80 24 'leasectl top --delay 0.2'
	sees '^box  ' >/dev/null
	kill -"$signal" "$(top_pid)"
	restored 0 "SIG$signal"
done
pane 80 24 'leasectl top --delay 0.2'
sees '^box  ' >/dev/null
keys C-c
restored 0 '^C'
# A terminal that takes nothing, as over a link that is down.
expect_exit 0 python3 - <<-'END'
	import os, pty, select, signal, sys, time
	pid, fd = pty.fork()
	if pid == 0:
	    os.environ["TERM"] = "xterm"
	    os.execvp("leasectl", ["leasectl", "top", "--delay", "0.1"])
	assert b"tunlease on" in os.read(fd, 4096) or b"tunlease on" in os.read(fd, 4096)
	import fcntl, struct, termios
	# Each new size draws all anew, until nothing more fits.
	for i in range(200):
	    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 200 + i, 400, 0, 0))
	    time.sleep(0.005)
	time.sleep(0.3)
	for _ in range(100):
	    os.kill(pid, signal.SIGTERM)
	    time.sleep(0.05)
	    done, status = os.waitpid(pid, os.WNOHANG)
	    if done:
	        break
	sys.exit(0 if done else 1)
END
ok 'SIGTERM ends it where the terminal takes nothing'
# A guard restores the screen and the settings, and may come a moment after the shell.
for signal in KILL SEGV; do
	pane 80 24 'leasectl top --delay 0.2; sleep 0.3'
	sees '^box  ' >/dev/null
	kill -"$signal" "$(top_pid)"
	restored 0 "SIG$signal"
done
pane 80 24 'leasectl top --count 2 --delay 0.1'
restored 0 'as many looks as asked for'
pane 80 24 'exec bash --norc --noprofile -i'
keys 'PS1=ready..; leasectl top --delay 0.2' Enter
sees '^box  ' >/dev/null
keys C-z
sees '^ready..'
assert_eq "$(tty_state)" '0 1 1' '^Z gives the terminal back'
keys fg Enter
sees '^box  '
assert_eq "$(tty_state)" '1 0 0' 'fg takes it again'
kill -STOP "$(top_pid)"
sees 'Stopped'
keys fg Enter
sees '^box  '
keys n; sees 's by name'
keys q
sees '^ready..'

# ---- the admin's own connection ----------------------------------------------------------------

note 'the question of the command itself'
ssh-keygen -q -t ed25519 -N '' -f "$WORK/root"
mkdir -p /root/.ssh; cat "$WORK/root.pub" >>/root/.ssh/authorized_keys
sqlite3 "$store" "UPDATE lease SET note = '' WHERE name = 'zoe'"
leasectl set zoe --open +22 >/dev/null
tunnel "$WORK/zoe" pfwd -L 2222:127.0.0.1:22
printf '%q ' "${SSH[@]}" -i "$WORK/root" -l root -o HostKeyAlias=127.0.0.1 -p 2222 -tt 127.0.0.1 'leasectl top --delay 0.2' >"$WORK/admin"
pane 80 24 ". $WORK/admin"
sees '^zoe  .* 22$'
keys e Home k; sees "^Kill the session of 'zoe'"; keys y
sees "^Your own connection runs through a session of 'zoe' (pid [0-9]*), which this"
sees '^.*Go on? \[y/N\]'
keys n
sees '^leasectl: kill: nothing was changed'
sees '^zoe  .* 22$'
keys k; sees "^Kill the session of 'zoe'"; keys y
sees '^Your own connection'
keys y
wait_for 8 'the connection ends' has_ended
assert_eq "$(leasectl sessions zoe)" '' 'a yes ends it'

note 'a command that has begun is finished, also where the terminal goes away meanwhile'
tunnel "$WORK/zoe" pfwd
zoe_is_up() { [[ $(leasectl sessions zoe) == zoe* ]]; }
wait_for 5 'the session' zoe_is_up
kill -STOP "$(pgrep -P "$(leasectl sessions zoe | cut -f5)")" # so that its end takes a while
pane 80 24 'leasectl top --delay 0.2'
keys e
sees '^zoe  '
keys Home r; sees "^Revoke 'zoe'"; keys y
sees '^\.\.\.$'
tmux kill-server
panes=0
all_ended() { [[ -z $(leasectl sessions zoe) && $(leasectl show zoe) == *revoked* ]] && nothing_runs; }
wait_for 8 'the revocation' all_ended
ok 'the lease is revoked and its session has ended'

# ---- others ------------------------------------------------------------------------------------

note 'who is not root, and to a file'
chmod 0755 "$WORK"
setpriv --reuid=li --regid=_tunlease --clear-groups leasectl top --batch --count 1 >"$WORK/out" || fail 'a reader cannot'
grep -q '^Traffic   unknown: only root sees listeners, forwards and bytes: sudo leasectl top$' "$WORK/out" || fail "$(cat "$WORK/out")"
grep -q '^box .*  ?  *?  *- ?$' "$WORK/out" || fail "$(cat "$WORK/out")"
ok 'a reader sees who is there, and ? for the rest'
leasectl top --batch --count 2 --delay 0.1 >"$WORK/out"
assert_eq "$(grep -c '^tunlease on ' "$WORK/out") $(grep -c '^box  ' "$WORK/out") $(grep -c $'\033' "$WORK/out" || :)" '2 4 0' \
	'--batch prints each look, without any sequence'
expect_exit 1 bash -c 'leasectl top --batch >/dev/full'
