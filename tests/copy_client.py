# SPDX-License-Identifier: ISC
"""An agent as leased sees one, for tests of copies: HTTP, a counter and a nonce.

   gateway = Gateway(port)
   a = Agent(gateway, "db1", key, credential)
   a.register() a.beat()      send the next request; a.status and a.answer are what came
   a.lose(action)             sends it, and forgets the answer: the next request repeats the pair
   b = a.clone()              another host with the same state
"""
import copy, http.client, json, os, secrets


class Gateway:
    def __init__(self, port, source=None):
        self.port, self.source, self.connection = port, source, None

    def post(self, body):
        for again in (True, False):
            try:
                if self.connection is None:
                    self.connection = http.client.HTTPConnection(
                        "127.0.0.1", self.port, timeout=10 * int(os.environ.get("TEST_SLOW_PERCENT", "100")) / 100,
                        source_address=(self.source, 0) if self.source else None)
                self.connection.request("POST", "/", json.dumps(body), {"Content-Type": "application/json"})
                answer = self.connection.getresponse()
                return answer.status, json.loads(answer.read())
            except (OSError, http.client.HTTPException):
                self.connection = None
                if not again:
                    raise


class Agent:
    def __init__(self, gateway, name, key, credential, sends=True):
        self.gateway, self.name, self.key, self.credential, self.sends = gateway, name, key, credential, sends
        self.counter, self.nonce = 0, None
        self.status, self.answer = 0, {}

    def clone(self):
        other = copy.copy(self)
        return other

    def send(self, action, **more):
        body = {"action": action, "agent_id": self.name, "api_key": self.credential, **more}
        if action == "register":
            body["public_key"] = self.key
        if self.sends and self.counter:
            self.nonce = self.nonce or secrets.token_hex(16)
            body |= {"counter": self.counter, "nonce": self.nonce} | more
        self.status, self.answer = self.gateway.post(body)
        return self.status

    def take(self):
        if self.status == 200:
            self.counter, self.nonce = self.answer["counter"], None
            self.credential = self.answer.get("agent_secret") or self.credential
        return self.status

    def register(self, **more):
        self.send("register", **more)
        return self.take()

    def beat(self, **more):
        self.send("heartbeat", **more)
        return self.take()

    def lose(self, action="heartbeat"):
        return self.send(action)
