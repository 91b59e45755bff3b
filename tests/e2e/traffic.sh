#!/bin/bash
# SPDX-License-Identifier: ISC
# `leasectl sessions` says what goes through each session: two friends on one login who pull data at
# once are told apart, with the bytes of each connection in each direction. What cannot be seen is
# unknown, and never 0.
# sandbox:
# timeout: 90
# shellcheck source=tests/lib.sh
. "$TOP/tests/lib.sh"

# feed.py serve PORT: whoever sends a line "N" gets N bytes; and then waits for the other end.
# feed.py pull PORT DOWN UP: makes a connection, sends UP bytes, the line included, and reads DOWN.
# It says "done", and keeps the connection. On a line of standard input it ends its sending half, says
# "half", and keeps the connection again.
cat >"$WORK/feed.py" <<'END'
import socket, socketserver, sys

class Feed(socketserver.StreamRequestHandler):
    def handle(self):
        line = self.rfile.readline()
        left = int(line)
        while left > 0:
            n = min(left, 65536)
            self.wfile.write(b"d" * n)
            left -= n
        while self.request.recv(65536):
            pass
        self.server.halves.append(self.request.makefile("rb"))  # their end is closed, ours is not

class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    halves = []
    def shutdown_request(self, request):
        pass

if sys.argv[1] == "serve":
    server = Server(("127.0.0.1", int(sys.argv[2])), Feed)
    print("ready", flush=True)
    server.serve_forever()
port, down, up = map(int, sys.argv[2:])
s = socket.create_connection(("127.0.0.1", port))
line = b"%d\n" % down
s.sendall(line + b"u" * (up - len(line)))
while down > 0:
    down -= len(s.recv(min(down, 65536)))
print("done", flush=True)
sys.stdin.readline()
s.shutdown(socket.SHUT_WR)
print("half", flush=True)
sys.stdin.readline()
END
# feed ARGUMENT...: in the background, FEED its output, FEED_IN its input.
feed()
{
	local in
	in=$(mktemp -u "$WORK/in.XXXXXX"); mkfifo "$in"
	exec {FEED}< <(exec python3 "$WORK/feed.py" "$@" <"$in")
	at_exit "$!"
	exec {FEED_IN}>"$in"
}
says() { local line=''; read -r -t "$(slow 20)" line <&"$2" || :; [[ $line == "$1" ]] || fail "feed.py says '$line', not $1"; }

feed serve 8009; says ready "$FEED"
feed serve 8010; says ready "$FEED"
for name in alice bob box; do new_key "$name" >/dev/null; done
leasectl grant alice --key "$WORK/alice.pub" --open 8009 --open 8010 >/dev/null
leasectl grant bob --key "$WORK/bob.pub" --open 8009 >/dev/null
leasectl grant box --login gw-tunnel --key "$WORK/box.pub" --listen 20001 >/dev/null
tunnel "$WORK/alice" pfwd -L 18001:127.0.0.1:8009 -L 18003:127.0.0.1:8010 || fail 'alice does not come in'
fwd_L "$WORK/bob" pfwd 18002:127.0.0.1:8009 || fail 'bob does not come in'
fwd_R "$WORK/box" gw-tunnel 20001:127.0.0.1:8010 || fail 'the agent does not come in'
get() { leasectl --json sessions "${@:2}" | python3 -c 'import json, sys; v = json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"; }
by_lease='{s["lease"]: (s["bytes_down"], s["bytes_up"]) for s in v}'

note 'nothing has gone through yet'
assert_eq "$(get "$by_lease")" "{'alice': (0, 0), 'bob': (0, 0), 'box': (0, 0)}" 'each session has 0 bytes'
assert_eq "$(leasectl sessions --port 8009)" '' 'nobody uses 8009'

note 'both pull at once, on one login'
feed pull 18001 30000000 200; alice_out=$FEED alice_in=$FEED_IN
feed pull 18002 7000000 5000; bob_out=$FEED
feed pull 18003 1000 100000; more_out=$FEED
says 'done' "$alice_out"; says 'done' "$bob_out"; says 'done' "$more_out"
counted() { [[ $(get "$by_lease" --port 8009) == "{'alice': (30000000, 200), 'bob': (7000000, 5000)}" ]]; }
poll 5 counted || fail "got $(get "$by_lease" --port 8009)"
ok '--port 8009 tells them apart, to the byte'
assert_eq "$(leasectl sessions --port 8009 | cut -f1,2,8,9)" \
	$'alice\tpfwd\t30000000\t200\nbob\tpfwd\t7000000\t5000' 'the table says the same'
assert_eq "$(get "$by_lease" --port 8010)" "{'alice': (1000, 100000)}" '--port 8010 counts the other forward alone'
assert_eq "$(get "$by_lease" alice)" "{'alice': (30001000, 100200)}" 'without --port both count'
assert_eq "$(leasectl sessions alice --forwards | cut -f1,5,6,7,8 | sort)" \
	$'alice\t-L 127.0.0.1:8009\t\t30000000\t200\nalice\t-L 127.0.0.1:8010\t\t1000\t100000' '--forwards: a row for each'

note 'one end of a connection is closed: it is still open'
echo >&"$alice_in"; says half "$alice_out"
half() { [[ -n $(ss -Htn state fin-wait-2 dport = :8009) ]]; }
poll 5 half || fail "no end is closed: $(ss -tn dport = :8009)"
assert_eq "$(get '[c["bytes_up"] for s in v for c in s["connections"]]' alice --port 8009)" '[200]' \
	'it is listed, and its end is no byte'

note 'a listener'
assert_eq "$(leasectl sessions --port 20001 | cut -f1,8,9)" $'box\t0\t0' 'it listens, and has no connection'
feed pull 20001 60000 2000; says 'done' "$FEED"
client=$(ss -Htn dport = :20001 | awk '{ print $4 }')
listened() { [[ $(leasectl sessions --port 20001 --forwards | cut -f1,5,6,7,8) == $'box\t-R 127.0.0.1:20001\t'"$client"$'\t2000\t60000' ]]; }
poll 5 listened || fail "$(leasectl sessions --port 20001 --forwards)"
ok 'what came in to it is listed with the client; what the holder sends is up'
assert_eq "$(get '[(c["kind"], c["listener"], c["peer"]) for s in v for c in s["connections"]]' box)" \
	"[('listen', '127.0.0.1:20001', '$client')]" 'and in JSON'
assert_eq "$(leasectl sessions --port "${client##*:}")" '' 'the port of a client is not what --port means'

note 'who is not root, and where the kernel does not tell'
chmod 0755 "$WORK"
reader() { setpriv --reuid=li --regid=_tunlease --clear-groups leasectl "$@"; }
assert_eq "$(reader sessions 2>"$WORK/err" | cut -f1,6-9)" $'alice\t?\t?\t?\t?\nbob\t?\t?\t?\t?\nbox\t?\t?\t?\t?' \
	'a user sees who is there, and ? for the rest'
grep -q 'only root sees listeners, forwards and their bytes' "$WORK/err" || fail "$(cat "$WORK/err")"
assert_eq "$(reader --json sessions bob 2>/dev/null | python3 -c 'import json, sys; s = json.load(sys.stdin)[0]; print(s["connections"], s["bytes_down"], s["bytes_up"])')" \
	'None None None' 'in JSON it is null, and not 0'
# A system call filter, as of a container: socket(2) answers EAFNOSUPPORT for netlink.
cat >"$WORK/no_netlink.py" <<'END'
import ctypes, os, struct, sys
LD, JEQ, RET, NETLINK, SOCKET = 0x20, 0x15, 0x06, 16, {"x86_64": 41, "aarch64": 198}[os.uname().machine]
program = [(LD, 0, 0, 0), (JEQ, 0, 3, SOCKET), (LD, 0, 0, 16), (JEQ, 0, 1, NETLINK),
           (RET, 0, 0, 0x00050000 | 97), (RET, 0, 0, 0x7FFF0000)]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *p) for p in program))
libc = ctypes.CDLL(None, use_errno=True)
header = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(program), ctypes.addressof(code)))
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, header, 0, 0) == 0
os.execvp(sys.argv[1], sys.argv[1:])
END
python3 "$WORK/no_netlink.py" leasectl sessions bob >"$WORK/out" 2>"$WORK/err" || fail "$(cat "$WORK/err")"
assert_eq "$(cut -f1,7-9 "$WORK/out")" $'bob\t127.0.0.1:8009\t?\t?' 'without netlink the forward is listed, and its bytes are unknown'
grep -q 'the kernel does not tell its counters (sock_diag)' "$WORK/err" || fail "$(cat "$WORK/err")"
