#!/usr/bin/python3 -I
# SPDX-License-Identifier: ISC
"""http_raw.py ENGINE: sends leased's http process what strangers may send, byte by byte, and checks each
answer. ENGINE is build/tests/http_engine. Honest clients work all the while, and their latency is
checked too. Exit 1 if a check failed."""
import email.utils
import json
import os
import re
import resource
import socket
import subprocess
import sys
import threading
import time

ENGINE = sys.argv[1]
BODY_MAX = 65536
SLOW = int(os.environ.get("TEST_SLOW_PERCENT", "100")) / 100
HONEST_P99_MS = 100 * SLOW  # what users feel; the maximum below allows for a machine that others use too
HONEST_MAX_MS = 2000 * SLOW
RSS_MAX_KIB = 96 * 1024
HEARTBEAT = b'{"action":"heartbeat","agent_id":"db1"}'

failures = 0
checks = 0
lock = threading.Lock()


def check(name, good, evidence=""):
    global failures, checks
    with lock:
        checks += 1
        failures += not good
        print(f"{'ok' if good else 'FAIL'} - {name}{': ' + str(evidence)[:200] if evidence != '' else ''}", flush=True)


class Engine:
    def __init__(self, *options):
        self.process = subprocess.Popen([ENGINE, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        word, *numbers = self.process.stdout.readline().split()
        assert word == "ready"
        self.port, self.metrics_port, self.pid = map(int, numbers)

    def say(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()

    def reads(self, word):
        """It reads packets from now on (go), or none (pause)."""
        self.say(word)
        assert self.process.stdout.readline() == word + "\n"

    def end(self, word="end"):
        self.say(word)
        return self.process.wait(10 * SLOW)

    def status(self, key):
        with open(f"/proc/{self.pid}/status") as f:
            return int(re.search(rf"^{key}:\s*(\d+)", f.read(), re.M).group(1))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def has_read(self, count):
        """Whether http has so many connections and nothing waits in a socket of it."""
        with open("/proc/net/tcp") as f:
            rows = [line.split() for line in f.readlines()[1:]]
        mine = [(row[3], int(row[4].split(":")[1], 16)) for row in rows if int(row[1].split(":")[1], 16) == self.port]
        return sum(state == "01" for state, _ in mine) >= count and not any(waits for _, waits in mine)

    def processor_s(self):
        with open(f"/proc/{self.pid}/stat") as f:
            return sum(map(int, f.read().rsplit(")", 1)[1].split()[11:13])) / 100


def connect(port, timeout=15):
    s = socket.create_connection(("127.0.0.1", port), timeout=timeout * SLOW)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


class Reader:
    """Answers, one after the other. None: the end of the connection. A reset shows as 'reset'."""

    def __init__(self, s):
        self.s, self.data = s, b""

    def more(self):
        piece = self.s.recv(65536)
        self.data += piece
        return bool(piece)

    def answer(self, is_head=False):
        while b"\r\n\r\n" not in self.data:
            if not self.more():
                return None
        head, self.data = self.data.split(b"\r\n\r\n", 1)
        status = int(head[9:12])
        headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in head.decode().split("\r\n")[1:])}
        want = int(headers.get("content-length", 0)) if status != 100 and not is_head else 0
        while len(self.data) < want:
            if not self.more():
                return None
        body, self.data = self.data[:want], self.data[want:]
        return status, headers, body


def post(body=HEARTBEAT, *headers, path=b"/", method=b"POST", length=None, host=b"Host: gw", version=b"HTTP/1.1",
         kind=b"Content-Type: application/json"):
    lines = [b"%s %s %s" % (method, path, version)]
    lines += [h for h in (host, kind, *headers) if h]
    lines.append(b"Content-Length: %d" % (len(body) if length is None else length))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def get(path, *headers, method=b"GET", host=b"Host: gw", version=b"HTTP/1.1"):
    return b"\r\n".join([b"%s %s %s" % (method, path, version), *([host] if host else []), *headers]) + b"\r\n\r\n"


def heartbeat(**fields):
    return json.dumps({"action": "heartbeat", "agent_id": "db1", **fields}).encode()


def register(**fields):
    return json.dumps({"action": "register", "agent_id": "db1", "public_key": "ssh-ed25519 AAAA c", **fields}).encode()


KEY = b"Authorization: Bearer 0123456789"
CODES = {400: "bad_request", 401: "unauthorized", 404: "not_found", 405: "bad_request", 409: "conflict", 410: "gone",
         413: "too_large", 415: "unsupported", 431: "too_large", 501: "bad_request", 503: "unavailable",
         505: "bad_request"}

# name, bytes, status of the answer. After some of them the connection is closed.
ROWS = [
    # accepted
    ("heartbeat", post(HEARTBEAT, KEY), 200),
    ("X-API-Key", post(HEARTBEAT, b"X-API-Key: k"), 200),
    ("api_key in the body", post(heartbeat(api_key="k")), 200),
    ("register", post(register(port_b=20001, user="li", host_keys=["ssh-ed25519 AAAA"])), 200),
    ("unknown fields", post(heartbeat(more={"a": [1, 2]})), 200),
    ("charset", post(kind=b"content-TYPE:APPLICATION/json ; charset=utf-8"), 200),
    ("HTTP/1.0 without Host", post(version=b"HTTP/1.0", host=None), 200),
    ("a query", post(path=b"/?a=b"), 200),
    ("64 headers", get(b"/healthz", *[b"X-%d: y" % i for i in range(63)]), 200),
    ("the largest body", post(heartbeat(note="x" * (BODY_MAX - 60))[:-2].ljust(BODY_MAX - 2, b"x") + b'"}'), 200),
    ("bytes from 0x80 in a header", get(b"/healthz", b"X-Name: \xff\xfe"), 200),
    ("healthz", get(b"/healthz"), 200),
    ("HEAD", get(b"/healthz", method=b"HEAD"), 200),
    ("another scheme", post(HEARTBEAT, b"Authorization: Basic YTpi", b"X-API-Key: k"), 200),
    # engine's refusals
    ("a wrong credential", post(HEARTBEAT, b"Authorization: bearer wrong"), 401),
    ("unknown agent", post(heartbeat(agent_id="unknown")), 404),
    ("gone", post(heartbeat(agent_id="gone")), 410),
    ("conflict", post(register(agent_id="held")), 409),
    # lengths and codings
    ("two lengths, different", post(HEARTBEAT, b"Content-Length: 5"), 400),
    ("two lengths, equal", post(HEARTBEAT, b"Content-Length: %d" % len(HEARTBEAT)), 400),
    ("a list of lengths", b"POST / HTTP/1.1\r\nHost: gw\r\nContent-Length: 5, 5\r\n\r\nhello", 400),
    ("length +14", b"POST / HTTP/1.1\r\nHost: gw\r\nContent-Length: +14\r\n\r\n", 400),
    ("length -1", b"POST / HTTP/1.1\r\nHost: gw\r\nContent-Length: -1\r\n\r\n", 400),
    ("length 0x10", b"POST / HTTP/1.1\r\nHost: gw\r\nContent-Length: 0x10\r\n\r\n", 400),
    ("length empty", b"POST / HTTP/1.1\r\nHost: gw\r\nContent-Length:\r\n\r\n", 400),
    ("length of 30 digits", b"POST / HTTP/1.1\r\nHost: gw\r\nContent-Length: " + b"9" * 30 + b"\r\n\r\n", 400),
    ("length of 2^63 - 1", post(b"", length=2**63 - 1), 413),
    ("64 KiB + 1, all sent", post(b"x" * (BODY_MAX + 1)), 413),
    ("64 KiB + 1, nothing sent", post(b"", length=BODY_MAX + 1), 413),
    ("1 MiB, all sent", post(b"x" * 2**20), 413),
    ("no length", b"POST / HTTP/1.1\r\nHost: gw\r\nContent-Type: application/json\r\n\r\n" + HEARTBEAT, 400),
    ("an empty body", post(b""), 400),
    ("chunked", post(b"", b"Transfer-Encoding: chunked"), 501),
    ("chunked and a length", post(HEARTBEAT, b"transfer-encoding: identity"), 501),
    ("chunked in a hidden case", post(HEARTBEAT, b"TRANSFER-encoding:\tchunked"), 501),
    ("GET with a body", get(b"/healthz", b"Content-Length: 3") + b"abc", 400),
    # hosts
    ("no Host", post(host=None), 400),
    ("two Hosts", post(HEARTBEAT, b"Host: other"), 400),
    ("an empty Host", post(host=b"Host:"), 400),
    ("a list of Hosts", post(host=b"Host: a, b"), 400),
    ("a Host with a path", post(host=b"Host: a/b"), 400),
    # lines
    ("NUL in a header", post(HEARTBEAT, b"X-A: a\0b"), 400),
    ("NUL in the path", get(b"/\0healthz"), 400),
    ("a bare CR", post(HEARTBEAT, b"X-A: a\rb"), 400),
    ("bare LF throughout", post().replace(b"\r\n", b"\n"), 400),
    ("one bare LF", post(HEARTBEAT, b"X-A: a\nX-B: b"), 400),
    ("LF CR", post(HEARTBEAT, b"X-A: a\n\rX-B: b"), 400),
    ("a control character", post(HEARTBEAT, b"X-A: \x1b[2J"), 400),
    ("DEL", post(HEARTBEAT, b"X-A: \x7f"), 400),
    ("a folded header", post(HEARTBEAT, b"X-A: a\r\n b"), 400),
    ("a folded length", b"POST / HTTP/1.1\r\nHost: gw\r\nContent-Length:\r\n 5\r\n\r\nhello", 400),
    ("blank before the colon", post(HEARTBEAT, b"X-A : a"), 400),
    ("no colon", post(HEARTBEAT, b"X-A"), 400),
    ("no name", post(HEARTBEAT, b": a"), 400),
    ("a name with a bracket", post(HEARTBEAT, b"X[A]: a"), 400),
    ("an empty line first", b"\r\n" + post(), 400),
    ("65 headers", get(b"/healthz", *[b"X-%d: y" % i for i in range(64)]), 431),
    ("a header of 8 KiB", get(b"/healthz", b"X-A: " + b"a" * 8192), 431),
    ("a header of 1 MiB", get(b"/healthz", b"X-A: " + b"a" * 2**20), 431),
    ("a path of 9000", get(b"/" + b"a" * 9000), 431),
    # request lines
    ("HTTP/0.9", b"GET /\r\n", 400),
    ("HTTP/0.9 with an end", b"GET /healthz\r\n\r\n", 400),
    ("HTTP/1.2", get(b"/healthz", version=b"HTTP/1.2"), 505),
    ("HTTP/2.0", get(b"/healthz", version=b"HTTP/2.0"), 505),
    ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    ("http/1.1 in small letters", get(b"/healthz", version=b"http/1.1"), 400),
    ("two blanks", b"GET  /healthz HTTP/1.1\r\nHost: gw\r\n\r\n", 400),
    ("a blank at the end", b"GET /healthz HTTP/1.1 \r\nHost: gw\r\n\r\n", 505),
    ("a tab between", b"GET\t/healthz\tHTTP/1.1\r\nHost: gw\r\n\r\n", 400),
    ("absolute form", get(b"http://gw/healthz"), 400),
    ("asterisk form", get(b"*", method=b"OPTIONS"), 400),
    ("CONNECT", get(b"evil:22", method=b"CONNECT"), 400),
    ("TLS", bytes.fromhex("1603010200010001fc0303") + b"\r\n\r\n", 400),
    ("SSH", b"SSH-2.0-OpenSSH_9.2\r\n", 400),
    ("a method with a bracket", get(b"/healthz", method=b"G(T"), 400),
    # methods and paths
    ("GET /", get(b"/"), 405),
    ("PUT /", post(method=b"PUT"), 405),
    ("get in small letters", get(b"/healthz", method=b"get"), 405),
    ("POST /healthz", post(path=b"/healthz"), 405),
    ("TRACE", get(b"/healthz", method=b"TRACE"), 405),
    ("another path", get(b"/nothing"), 404),
    ("up and out", get(b"/../../etc/passwd"), 404),
    ("up and out, encoded", get(b"/%2e%2e/%2e%2e/etc/passwd"), 404),
    ("double slash", get(b"//healthz"), 404),
    ("healthz and more", get(b"/healthz/../metrics"), 404),
    # credentials
    ("two Authorization", post(HEARTBEAT, KEY, KEY), 400),
    ("two X-API-Key", post(HEARTBEAT, b"X-API-Key: a", b"X-API-Key: b"), 400),
    ("Authorization and X-API-Key", post(HEARTBEAT, KEY, b"X-API-Key: b"), 400),
    ("two schemes", post(HEARTBEAT, b"Authorization: Basic YTpi", KEY), 400),
    ("a credential of two words", post(HEARTBEAT, b"Authorization: Bearer a b"), 400),
    # types
    ("no type", post(kind=None), 415),
    ("a form", post(kind=b"Content-Type: application/x-www-form-urlencoded"), 415),
    ("nearly the type", post(kind=b"Content-Type: application/jsonp"), 415),
    ("two types", post(HEARTBEAT, b"Content-Type: text/plain"), 400),
    ("unknown Expect", post(HEARTBEAT, b"Expect: money"), 400),
    # JSON
    ("no JSON", post(b"hello"), 400),
    ("half of it", post(HEARTBEAT[:-1]), 400),
    ("more after it", post(HEARTBEAT + b"{}"), 400),
    ("a list", post(b"[]"), 400),
    ("a scalar", post(b"1"), 400),
    ("deep", post(b'{"action":' + b"[" * 30000 + b"]" * 30000 + b"}"), 400),
    ("deep, and never closed", post(b"[" * BODY_MAX), 400),
    ("a key twice", post(b'{"action":"heartbeat","agent_id":"a","agent_id":"b"}'), 400),
    ("bad UTF-8", post(b'{"action":"heartbeat","agent_id":"\xff\xfe"}'), 400),
    ("overlong UTF-8", post(b'{"action":"heartbeat","agent_id":"\xc0\xaf"}'), 400),
    ("half a surrogate", post(b'{"action":"heartbeat","agent_id":"\\ud800"}'), 400),
    ("\\u0000", post(b'{"action":"heartbeat","agent_id":"a\\u0000b"}'), 400),
    ("NUL after it", post(HEARTBEAT + b"\0"), 400),
    ("NaN", post(b'{"action":"register","agent_id":"a","port_b":NaN}'), 400),
    ("no action", post(b'{"agent_id":"a"}'), 400),
    ("another action", post(b'{"action":"exec","agent_id":"a"}'), 400),
    ("an action that is a number", post(b'{"action":1,"agent_id":"a"}'), 400),
    ("no agent_id", post(b'{"action":"heartbeat"}'), 400),
    ("an agent_id that is a number", post(heartbeat(agent_id=5)), 400),
    ("an agent_id of no byte", post(heartbeat(agent_id="")), 400),
    ("an agent_id of 1 byte", post(heartbeat(agent_id="a")), 200),
    ("an agent_id of 60 KiB", post(heartbeat(agent_id="a" * 61440)), 400),
    ("an agent_id of 1 MiB", post(heartbeat(agent_id="a" * 2**20)), 413),
    ("a port that is a string", post(register(port_b="20001")), 400),
    ("a port that is a fraction", post(register(port_b=20001.5)), 400),
    ("a negative port", post(register(port_b=-1)), 400),
    ("port 0", post(register(port_b=0)), 400),
    ("port 65536", post(register(port_b=65536)), 400),
    ("a port of 2^64 + 22", post(register(port_b=2**64 + 22)), 400),
    ("a port of 1e9999", post(b'{"action":"register","agent_id":"a","port_b":1e9999}'), 400),
    ("host_keys that are a string", post(register(host_keys="ssh-ed25519 AAAA")), 400),
    ("9 host_keys", post(register(host_keys=["k"] * 9)), 400),
    ("a host key of two lines", post(register(host_keys=["a\nb"])), 400),
    ("all texts too long together", post(register(public_key="k" * 4096, hostname="h" * 4096, user="u" * 4096,
                                                  target="t" * 4096)), 400),
]
GOES_ON = {"a wrong credential", "unknown agent", "gone", "conflict", "GET /", "PUT /", "POST /healthz", "TRACE",
           "get in small letters", "another path", "up and out", "up and out, encoded", "double slash",
           "healthz and more"}


def row(port, name, data, want):
    s = connect(port)
    writer = threading.Thread(target=send_quietly, args=(s, data))
    writer.start()
    try:
        reader = Reader(s)
        got = reader.answer(data.startswith(b"HEAD"))
    except OSError as e:
        got = (type(e).__name__, {}, b"")
    good = got is not None and got[0] == want
    if good and want != 200:
        body = json.loads(got[2])
        good = set(body) == {"error", "code"} and body["code"] == CODES[want] and "\n" not in body["error"]
        good = good and (want != 405 or "allow" in got[1]) and (want != 401 or "www-authenticate" in got[1])
    if good and (got[1]["cache-control"] != "no-store" or not is_now(got[1]["date"])):
        good = False
    if good and want != 200 and got[1].get("connection") == "close":
        # An orderly end and not a reset, which would lose an answer that was not read yet.
        try:
            good = reader.answer() is None
        except OSError as e:
            good, got = False, type(e).__name__
    elif good and version_goes_on(data):
        # Another request works, and none of these bytes was read as one.
        s.sendall(get(b"/healthz"))
        good = (reader.answer() or [0])[0] == 200
    if good and name in GOES_ON and got[1].get("connection") == "close":
        good = False
    check(name, good, got)
    s.close()
    writer.join()


def is_now(date):
    """An IMF-fixdate (RFC 9110 section 5.6.7) of now: http formats it once a second."""
    seconds = email.utils.parsedate_to_datetime(date).timestamp()
    return date == email.utils.formatdate(seconds, usegmt=True) and abs(time.time() - seconds) < 5 * SLOW


def version_goes_on(data):
    return b"HTTP/1.0" not in data[:40]


def send_quietly(s, data):
    try:
        s.sendall(data)
    except OSError:
        pass


class Honest(threading.Thread):
    """Measures heartbeats, by turns on one connection that stays open and on a new one."""

    def __init__(self, port):
        super().__init__()
        self.port, self.took_ms, self.wrong, self.stop = port, [], [], False

    def run(self):
        kept = connect(self.port)
        reader = Reader(kept)
        while not self.stop:
            self.heartbeat(kept, reader)
            start = time.monotonic()
            with connect(self.port) as fresh:
                self.heartbeat(fresh, Reader(fresh), start)
            time.sleep(0.005)

    def heartbeat(self, s, reader, start=None):
        start = start or time.monotonic()
        s.sendall(post())
        answer = reader.answer()
        self.took_ms.append((time.monotonic() - start) * 1000)
        if answer is None or answer[0] != 200:
            self.wrong.append(answer)

    def verdict(self, name):
        self.stop = True
        self.join()
        took = sorted(self.took_ms)
        p99, most = took[len(took) * 99 // 100], took[-1]
        check(f"honest clients {name}", len(took) >= 50 and not self.wrong and p99 < HONEST_P99_MS and most < HONEST_MAX_MS,
              f"{len(took)} answers, 99 % within {p99:.1f} ms, the slowest {most:.1f} ms{self.wrong[:1] or ''}")


def pipelining(port):
    with connect(port) as s:
        s.sendall(post(heartbeat(agent_id="a1")) + get(b"/nothing") + post(heartbeat(agent_id="a2")) +
                  get(b"/healthz", method=b"HEAD") + post(heartbeat(agent_id="a3"), b"Connection: x, Close") +
                  post(heartbeat(agent_id="a4")))
        reader = Reader(s)
        got = [reader.answer(is_head=i == 3) for i in range(6)]
    names = [json.loads(a[2]).get("agent_id") if a and a[2] else None for a in got]
    check("pipelined: in order, HEAD without a body, nothing after close",
          names == ["a1", None, "a2", None, "a3", None] and [a and a[0] for a in got] == [200, 404, 200, 200, 200, None],
          names)


def small_pieces(port):
    with connect(port) as s:
        reader = Reader(s)
        for data in (post(), get(b"/healthz")):
            for i in range(len(data)):
                s.sendall(data[i:i + 1])
        got = [reader.answer()[0], reader.answer()[0]]
    check("a byte at a time, quickly", got == [200, 200], got)


def half_closed(port):
    with connect(port) as s:
        s.sendall(post())
        s.shutdown(socket.SHUT_WR)
        got = Reader(s).answer()
    check("a client that ends its side first is answered", got and got[0] == 200, got)


def expect(port):
    with connect(port) as s:
        data = post(HEARTBEAT, b"Expect: 100-continue")
        s.sendall(data[:-len(HEARTBEAT)])
        reader = Reader(s)
        first = reader.answer()
        s.sendall(HEARTBEAT)
        second = reader.answer()
    check("Expect: 100-continue", first[0] == 100 and second[0] == 200, (first, second))
    with connect(port) as s:
        s.sendall(post(b"", b"Expect: 100-continue", length=BODY_MAX + 1))
        reader = Reader(s)
        first, end = reader.answer(), reader.answer()
    check("Expect: 100-continue with too large a body", first[0] == 413 and end is None, first)


def drip(port):
    s, start, got = connect(port, 20), time.monotonic(), None
    try:
        for byte in post():
            s.sendall(bytes([byte]))
            s.settimeout(1)
            try:
                got = s.recv(1)
                break
            except TimeoutError:
                pass
    except OSError:
        got = b""
    took = time.monotonic() - start
    check("a byte a second: closed after 5 s", got == b"" and 4.5 < took < 8 * SLOW, f"{took:.1f} s")


def body_drip(port):
    s, start = connect(port, 20), time.monotonic()
    s.sendall(post(b"{", length=100))
    try:
        got = s.recv(1)
    except OSError:
        got = b""
    took = time.monotonic() - start
    check("a body that never comes: closed after 5 s", got == b"" and 4.5 < took < 8 * SLOW, f"{took:.1f} s")


def silent(port):
    s, start = connect(port, 20), time.monotonic()
    s.sendall(post(heartbeat(agent_id="silent")) + post(heartbeat(agent_id="next")))
    reader = Reader(s)
    first, took, second = reader.answer(), time.monotonic() - start, reader.answer()
    check("no answer from the engine: 503 after 6 s, and the next request gets its own answer",
          first[0] == 503 and 5.5 < took < 9 * SLOW and json.loads(second[2])["agent_id"] == "next", f"{took:.1f} s {first}")


def deaf(engine):
    """Sends and never reads: that must fill the buffers of its socket, and not http's memory."""
    s, sent = connect(engine.port, 20), 0
    request = get(b"/healthz")
    s.settimeout(0.5)
    try:
        for _ in range(4000):
            sent += s.send(request * 100)
    except TimeoutError:
        pass
    rss = engine.status("VmRSS")
    check("a client that never reads stops itself", sent < 64e6, f"{sent >> 10} KiB sent, {rss} KiB resident")
    whole, rest = divmod(sent, len(request))
    s.settimeout(20 * SLOW)
    reader, answers = Reader(s), 0
    while answers < whole and (answer := reader.answer()):
        answers += answer[0] == 200
    s.close()
    check("and is answered when it does", answers == whole, f"{answers} of {whole} and {rest} bytes")


def deaf_metrics():
    engine = Engine()
    clients = [connect(engine.port) for _ in range(200)]
    for s in clients:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.sendall(get(b"/metrics") * 50)
    time.sleep(1)
    rss = engine.status("VmRSS")
    check("200 clients that do not read their 3 MB of metrics", rss < RSS_MAX_KIB, f"{rss} KiB resident")
    held, start = engine.descriptors(), time.monotonic()
    while (left := engine.descriptors()) > held - 200 and time.monotonic() < start + 20 * SLOW:
        time.sleep(0.1)
    took = time.monotonic() - start
    check("and are closed after 10 s", left <= held - 200 and took > 8, f"{held}, then {left} after {took:.1f} s")
    for s in clients:
        s.close()
    engine.end()


def metrics(engine):
    with connect(engine.port) as s:
        s.sendall(get(b"/metrics", KEY))
        got = Reader(s).answer()
    check("metrics of the largest size", got[0] == 200 and len(got[2]) == 60000 and
          got[1]["content-type"] == "text/plain; version=0.0.4", got[1])
    with connect(engine.metrics_port) as s:
        reader = Reader(s)
        s.sendall(get(b"/metrics") + post() + get(b"/metrics"))
        got = [reader.answer()[0] for _ in range(3)]
    check("MetricsListen serves no POST", got == [200, 404, 200], got)


def half_bodies(engine):
    """60 KiB of a body each, and never the rest: 60 MiB in all, and http may buffer 32."""
    honest = Honest(engine.port)
    honest.start()
    clients = []
    for _ in range(1000):
        s = connect(engine.port)
        send_quietly(s, post(b"x" * 61440, length=BODY_MAX))
        clients.append(s)
    rss = engine.status("VmRSS")
    time.sleep(1)
    honest.verdict("with 1,000 half bodies")
    check("1,000 half bodies of 60 KiB", rss < RSS_MAX_KIB, f"{rss} KiB resident")
    for s in clients:
        s.close()


def idle(engine):
    honest = Honest(engine.port)
    honest.start()
    clients = [connect(engine.port) for _ in range(2000)]
    for s in clients[::2]:
        s.sendall(b"POST / HTTP/1.1\r\nHost: ")
    time.sleep(1)
    honest.verdict("with 2,000 idle connections")
    for s in clients:
        s.close()


def flood(engine):
    honest = Honest(engine.port)
    honest.start()
    end = time.monotonic() + 2
    count = 0
    while time.monotonic() < end:
        with connect(engine.port) as s:
            s.sendall(ROWS[count % len(ROWS)][1][:4096])
        count += 1
    honest.verdict(f"during {count} broken connections")


def replay(port):
    """The same bytes get the same answer each time: http remembers nothing of a request."""
    data, answers = post(register(), KEY), set()
    for _ in range(50):
        with connect(port) as s:
            s.sendall(data)
            answers.add(re.sub(rb"T[0-9:]*Z", b"", Reader(s).answer()[2]))
    check("the same request 50 times", len(answers) == 1, len(answers))


def limit():
    """With room for 136 connections: the oldest idle one is dropped, one that waits for engine is not."""
    engine = Engine("-n", "200")
    busy = connect(engine.port, 20)
    busy.sendall(post(heartbeat(agent_id="silent")))
    time.sleep(0.2)
    clients = [connect(engine.port) for _ in range(400)]
    with connect(engine.port) as s:
        s.sendall(post())
        got = Reader(s).answer()
    check("a newcomer at the limit", got and got[0] == 200, got)
    clients[-1].sendall(post())
    got = Reader(clients[-1]).answer()
    check("the newest of the idle is still there", got and got[0] == 200, got)
    try:
        oldest = clients[0].recv(1)
    except OSError:
        oldest = b""
    check("the oldest was closed", oldest == b"", oldest)
    got = Reader(busy).answer()
    check("one with a whole request was not", got and got[0] == 503, got)
    check("SIGTERM ends it: exit 0", engine.end("stop") == 0)


BIG = dict(public_key="k" * 4000, hostname="h" * 4000, target="t" * 4000)
ENGINE_S = 5 # how long a request waits for an engine before its answer is 503


def full_engine(count):
    """count requests wait for an engine. None: this machine is too slow to send so many while none has waited for
    too long. Else the engine, its clients, their answers, and the processor time that waiting took."""
    engine = Engine()
    engine.reads("pause")
    clients = [connect(engine.port, 20) for _ in range(count)]
    start = time.monotonic()
    for i, s in enumerate(clients):
        s.sendall(post(register(agent_id=f"a{i}", **BIG)))
    while not engine.has_read(count) and time.monotonic() - start < ENGINE_S:
        time.sleep(0.02)
    before = engine.processor_s()
    time.sleep(0.5)
    spent = engine.processor_s() - before
    engine.reads("go")
    got = [Reader(s).answer() for s in clients]
    if time.monotonic() - start < ENGINE_S or count < 100:
        return engine, clients, got, spent
    for s in clients:
        s.close()
    engine.end()
    return None


def busy_engine():
    for count in (1000, 500, 250, 125, 62):
        if full := full_engine(count):
            break
    engine, clients, got, spent = full
    check(f"an engine that is full: {count} requests of 12 KB wait, and each gets its own answer",
          all(a and a[0] == 200 and json.loads(a[2])["agent_id"] == f"a{i}" for i, a in enumerate(got)),
          [a[0] if a else a for a in got if not a or a[0] != 200][:5])
    check("and cost no processor time meanwhile", spent < 0.1, f"{spent:.2f} s")
    engine.reads("pause")
    start = time.monotonic()
    for i, s in enumerate(clients):
        s.sendall(post(register(agent_id=f"b{i}", **BIG)))
    got = [Reader(s).answer() for s in clients]
    took = time.monotonic() - start
    check("an engine that stays away: 503", all(a and a[0] == 503 for a in got),
          [f"{took:.1f} s"] + [a[0] if a else a for a in got if not a or a[0] != 503][:5])
    engine.reads("go")
    with connect(engine.port) as s:
        s.sendall(post(heartbeat(agent_id="after")))
        got = Reader(s).answer()
    check("and nobody gets a late answer", got and json.loads(got[2]).get("agent_id") == "after", got)
    for s in clients:
        s.close()
    check("the end of the engine ends it: exit 0", engine.end() == 0)


def together(*jobs):
    threads = [threading.Thread(target=job, args=args) for job, *args in jobs]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def main():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384), hard))
    engine = Engine()
    port = engine.port
    slow = threading.Thread(target=together, args=((drip, port), (body_drip, port), (silent, port), (limit,),
                                                   (deaf_metrics,), (busy_engine,)))
    slow.start()
    honest = Honest(port)
    honest.start()
    for name, data, want in ROWS:
        row(port, name, data, want)
    pipelining(port)
    small_pieces(port)
    half_closed(port)
    expect(port)
    metrics(engine)
    replay(port)
    deaf(engine)
    slow.join()
    honest.verdict("during all of these")
    half_bodies(engine)
    idle(engine)
    flood(engine)
    row(port, "healthz, with another date than at the beginning", get(b"/healthz"), 200)
    rss, peak = engine.status("VmRSS"), engine.status("VmHWM")
    check("memory after it", rss < RSS_MAX_KIB, f"{rss} KiB resident, {peak} at most")
    check("the same process to the end, which is exit 0", engine.end() == 0)
    print(f"{len(ROWS)} raw requests, {checks} checks, {failures} failed")
    sys.exit(failures != 0)


main()
