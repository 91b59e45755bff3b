#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A stand-in for leased's control port (docs/protocol.md), for tests of tunnel-agent alone.

usage: gateway_stand_in.py DIR [PORT]

Keys that register are written to DIR/keys in the form of authorized_keys. If DIR/answer
exists, its `STATUS[:CODE] TEXT` answers every request ("403:revoked gone", "429 slow down"); if DIR/raw
exists, it is the body of every 200; while DIR/secret_only exists, a known agent must send its secret.
DIR/log gets a line for each request. With DIR/tls/cert.pem and key.pem it serves https. It makes
DIR/ready once it listens.
"""
import http.server, json, os, ssl, sys, threading

where = sys.argv[1]
port = int(sys.argv[2]) if len(sys.argv) > 2 else 12000
credential = "enrol-me-with-this-key"
CODES = {400: "bad_request", 401: "unauthorized", 403: "forbidden", 404: "not_found",
         409: "conflict", 410: "gone", 429: "rate_limited"}
agents = {}
lock = threading.Lock()


def name(path):
    return os.path.join(where, path)


def read(path, default=""):
    try:
        with open(name(path), encoding="utf-8") as f:
            return f.read().strip()
    except FileNotFoundError:
        return default


class Control(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def say(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def refuse(self, status, text, code=""):
        self.say(status, {"error": text, "code": code or CODES.get(status, "unavailable")})

    def do_GET(self):
        self.say(200, {"ok": True})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        with lock:
            with open(name("log"), "a", encoding="utf-8") as log:
                print(body["action"], body["agent_id"], body.get("port_b"), body.get("target"),
                      "secret" if token.startswith("secret-") else "enrol", file=log)
            forced = read("answer")
            if forced:
                status, text = forced.split(" ", 1)
                status, _, code = status.partition(":")
                return self.refuse(int(status), text, code)
            if read("raw"):
                return self.say(200, json.loads(read("raw")))
            known = agents.get(body["agent_id"])
            if known and os.path.exists(name("secret_only")) and token != known["secret"]:
                return self.refuse(401, "only its agent_secret is accepted for this agent")
            if token != credential and not (known and token == known["secret"]):
                return self.refuse(401, "no such credential")
            if body["action"] == "heartbeat":
                if not known:
                    return self.refuse(410, "the lease has expired")
                return self.say(200, {"agent_id": body["agent_id"], "port_b": known["port"],
                                      "lease_expires_at": "2030-01-02T03:04:05Z", "tunnel": "up"})
            if known and known["key"] != body["public_key"].split()[1]:
                return self.refuse(409, "this agent_id has another key")
            if not known:
                known = {"key": body["public_key"].split()[1],
                         "port": body.get("port_b") or int(read("port", "20001")) + len(agents),
                         "secret": "secret-" + body["agent_id"]}
                agents[body["agent_id"]] = known
                with open(name("keys"), "a", encoding="utf-8") as keys:
                    print(body["public_key"], file=keys)
            host_keys = [" ".join(read("host.pub").split()[:2])]
            self.say(200, {
                "agent_id": body["agent_id"], "port_b": known["port"], "ssh_user": "root",
                "ssh_host": read("ssh_host", "127.0.0.1"), "ssh_port": int(read("ssh_port", "22")),
                "jump_user": "li", "jump_host": "gateway.test", "reverse_bind_host": "127.0.0.1",
                "lease_expires_at": "2030-01-01T00:00:00Z", "lease_ttl_seconds": 604800,
                "heartbeat_interval_seconds": 1, "reconnect_after_ms": 0,
                "gateway_host_keys": host_keys, "agent_secret": known["secret"],
                "connect_hint": "ssh -J li@gateway.test -p %d li@localhost" % known["port"]})


server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Control)
server.daemon_threads = True
if os.path.exists(name("tls/cert.pem")):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(name("tls/cert.pem"), name("tls/key.pem"))
    server.socket = context.wrap_socket(server.socket, server_side=True)
open(name("ready"), "w").close()
server.serve_forever()
