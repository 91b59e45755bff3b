#!/bin/bash
# SPDX-License-Identifier: ISC
# 2,000 connections that send nothing, and a few that sent one request: each is closed 75 s after it
# was opened or after its last answer, and not before; other clients are answered as usual.
# sandbox: --bare
# timeout: 200
set -eu
. "$TOP/tests/lib.sh"

systemd-sysusers >/dev/null 2>&1 || :
leased -D </dev/null >"$WORK/leased.log" 2>&1 & at_exit $!
up() { curl -s -o /dev/null --max-time 1 http://127.0.0.1:12000/healthz; }
wait_for 5 "leased answers: $(cat "$WORK/leased.log")" up
python3 - <<'END2' || fail 'see above'
import http.client, selectors, socket, sys, time

IDLE_S, LATE_S, COUNT = 75, 3, 2000
selector, start = selectors.DefaultSelector(), time.monotonic()

def connect(name, wait_s):
    s = socket.create_connection(("127.0.0.1", 12000))
    if wait_s is not None:
        time.sleep(wait_s)
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: gw\r\n\r\n")
        data = b""
        while not data.endswith(b"\r\nok\n"):
            data += s.recv(4096)
    selector.register(s, selectors.EVENT_READ, (name, time.monotonic()))

for i in range(COUNT):
    connect("idle", None)
connect("answered once", 0)
later = socket.create_connection(("127.0.0.1", 12000))
took, closed, wrong = [], {}, []
asked = False
while selector.get_map() and time.monotonic() - start < 180:
    for key, _ in selector.select(0.25):
        name, since = key.data
        after = time.monotonic() - since
        if key.fileobj.recv(4096) != b"" or not IDLE_S - 1 < after < IDLE_S + LATE_S:
            wrong.append((name, round(after, 1)))
        closed[name] = closed.get(name, 0) + 1
        selector.unregister(key.fileobj)
        key.fileobj.close()
    if not asked and time.monotonic() - start > 40:  # an answer starts the 75 s again
        asked = True
        later.sendall(b"GET /healthz HTTP/1.1\r\nHost: gw\r\n\r\n")
        data = b""
        while not data.endswith(b"\r\nok\n"):
            data += later.recv(4096)
        selector.register(later, selectors.EVENT_READ, ("answered at 40 s", time.monotonic()))
    at = time.monotonic()
    c = http.client.HTTPConnection("127.0.0.1", 12000, timeout=10)
    c.request("GET", "/healthz")
    if c.getresponse().read() != b"ok\n":
        wrong.append("an honest client")
    c.close()
    took.append((time.monotonic() - at) * 1000)
took.sort()
print(f"# closed: {closed}; {len(took)} honest clients, 99 % within {took[len(took) * 99 // 100]:.1f} ms; wrong: {wrong[:5]}")
sys.exit(closed != {"idle": COUNT, "answered once": 1, "answered at 40 s": 1} or bool(wrong) or took[len(took) * 99 // 100] > 100)
END2
ok 'each connection was closed after 75 s'
