# SPDX-License-Identifier: ISC
"""Random lines of authorized_keys: options in any order and case, quotes, commas, blanks, tabs, CRLF,
marks, keys of every type in every spelling, certificates, junk. Half of them are as people write them."""
import base64
import hashlib
import random
import struct

CURVES = {
    "nistp256": (2**256 - 2**224 + 2**192 + 2**96 - 1,
                 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b, 32),
    "nistp384": (2**384 - 2**128 - 2**96 + 2**32 - 1,
                 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef, 48),
    "nistp521": (2**521 - 1,
                 0x0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00, 66),
}


def string(b):
    return struct.pack(">I", len(b)) + b


def mpint(n, zeros=0):
    b = n.to_bytes(n.bit_length() // 8 + 1, "big")
    if b[0] == 0 and len(b) > 1 and not b[1] & 0x80:
        b = b[1:]
    return string(b"\0" * zeros + b)


def fingerprint(blob):
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


class Key:
    """A public key. fields: the blob behind its type, as functions of how oddly it is written."""

    def __init__(self, r, kind, private=None):
        self.private = private
        self.kind = kind
        self.type = {"ed25519": "ssh-ed25519", "rsa": "ssh-rsa", "short-rsa": "ssh-rsa", "dsa": "ssh-dss",
                     "sk-ed25519": "sk-ssh-ed25519@openssh.com",
                     "sk-ecdsa": "sk-ecdsa-sha2-nistp256@openssh.com"}.get(kind, "ecdsa-sha2-" + kind)
        if private:
            words = open(private + ".pub").read().split()
            self.blob = base64.b64decode(words[1])
            self.parts = [("s", self.blob[19:])]
        else:
            self.parts = self.make(r, kind)
            self.blob = self.write(self.type.encode(), None)
        self.fp = fingerprint(self.blob)
        self.pub = f"{self.type} {base64.b64encode(self.blob).decode()}"

    @staticmethod
    def make(r, kind):
        if kind == "ed25519":
            return [("s", r.randbytes(32))]
        if kind == "sk-ed25519":
            return [("s", r.randbytes(32)), ("t", r.choice([b"ssh:", b"ssh:x"]))]
        if kind in ("rsa", "short-rsa"):
            bits = r.choice([1024, 1025, 2048, 3072, 4096]) if kind == "rsa" else 1023
            return [("n", r.choice([3, 17, 65537])), ("n", r.getrandbits(bits) | 1 << bits - 1 | 1)]
        if kind == "dsa":
            return [("n", r.getrandbits(1024) | 1 << 1023 | 1), ("n", r.getrandbits(160) | 1),
                    ("n", r.getrandbits(1000)), ("n", r.getrandbits(1000))]
        name = "nistp256" if kind == "sk-ecdsa" else kind
        p, b, size = CURVES[name]
        while True:
            x = r.randrange(p)
            rhs = (x * x * x - 3 * x + b) % p
            y = pow(rhs, (p + 1) // 4, p)
            if y * y % p == rhs:
                break
        point = b"\4" + x.to_bytes(size, "big") + y.to_bytes(size, "big")
        more = [("t", b"ssh:")] if kind == "sk-ecdsa" else []
        return [("t", name.encode()), ("s", point)] + more

    def write(self, name, r):
        """The blob; r: with what sshd reads over, here and there."""
        def maybe():
            return r is not None and r.random() < 0.4
        out = string(name + (b"\0" if maybe() else b""))
        for what, value in self.parts:
            if what == "n":
                out += mpint(value, r.randrange(4) if maybe() else 0)
            else:
                out += string(value + (b"\0" if what == "t" and maybe() else b""))
        return out

    def odd(self, r):
        """`TYPE BASE64` in another spelling, or damaged."""
        words, alias = self.type, self.type.encode()
        how = r.randrange(12)
        if how == 0:
            words = {"ssh-rsa": r.choice(["rsa-sha2-256", "rsa-sha2-512"]),
                     "sk-ecdsa-sha2-nistp256@openssh.com": "webauthn-sk-ecdsa-sha2-nistp256@openssh.com"}.get(words, words)
        elif how == 1:
            words = r.choice([words.upper(), "ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", words + "x", words[:-1]])
        elif how == 2:
            alias = {"ssh-rsa": b"rsa-sha2-512", "ssh-ed25519": b"ed25519", "ssh-dss": b"DSA",
                     "sk-ssh-ed25519@openssh.com": b"ED25519-sk"}.get(words, b"ECDSA")
        elif how == 3 and words == "ssh-rsa":
            alias = b"RsA"
        blob = self.write(alias, r if how in (2, 3, 4, 5) else None)
        if how == 6:
            blob += b"\0"
        elif how == 7:
            blob = blob[:r.randrange(len(blob))]
        text = base64.b64encode(blob).decode()
        if how == 8:
            text = text.rstrip("=") + r.choice(["", "=", "==", "==="])
        elif how == 9:
            at = r.randrange(len(text))
            text = text[:at] + r.choice(["\r", "\v", "\f", "-", "=", "\\", "\x80", "A"]) + text[at:]
        elif how == 10:
            at = r.randrange(len(text))
            text = text[:at] + r.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") + text[at + 1:]
        elif how == 11:
            text = text.rstrip("=")[:-1] + "B" + "=" * (len(text) - len(text.rstrip("=")))
        return f"{words}{r.choice([' ', '  ', chr(9)])}{text}"


# A value of from=, and whether it admits 127.0.0.1. Names are not looked up (UseDNS no).
FROM = [("127.0.0.1", 1), ("127.0.0.0/8", 1), ("*", 1), ("127.*", 1), ("127.0.0.?", 1), ("127.1", 1), ("::1", 0), ("10.0.0.0/8", 0),
        ("!127.0.0.1,*", 0), ("*,!127.0.0.1", 0), ("!10.0.0.1", 0), ("!10.0.0.1,127.0.0.1", 1), ("127.0.0.1/8", 0), ("10.1.1.1/8,127.0.0.1", 0),
        ("127.0.0.1,10.1.1.1/8", 0), ("!127.0.0.1,10.1.1.1/8", 0), ("", 0), (",127.0.0.1", 0), ("127.0.0.1,", 0), ("!", 0), ("*.example.org", 0),
        ("*.example.org,127.0.0.1", 1), ("127.0.0.1/33", 0), ("127.0.0.1/129,127.0.0.1", 1), ("0.0.0.0/0", 1), ("::/0", 0), ("127.0.0.1 ", 0),
        ("localhost", 0), ("127.0.0.1/32", 1), ("127.0.0.0/8x", 0), ("fe80::1%lo", 0), ("LOCALHOST,127.0.0.1", 1), ("2130706433", 1)]
EXPIRY = ["20991231", "20991231Z", "209912312359", "209912312359utc", "20990701120000", "20990701120000z", "20200101", "20200101Z", "20991331", "20990231",
          "1893456000", "2099-12-31", "", "Z", "UTC", "20991231T", "2099 1 1", "19700101Z", "19691231", "99991231235959Z", "209912312460", "20991231235960Z",
          "20991231 ", " 20991231", "2099123123", "00010101", "forever", "20991231235961Z", "+9991231"]
PERMIT = ["127.0.0.1:8009", "localhost:8009", "127.0.0.1:8010", "[::1]:8009", "*:8009", "127.0.0.1:*", "*:*", "LOCALHOST:8009", "127.*:8009", "127.0.0.1:1",
          "localhost:20001", "127.0.0.1:20001", "*:20001", ":20001", "[::1]:20001", "localhost:*", "local*:20002", "NONE:1", "none:1", "127.0.0.?:20001",
          "127.0.0.1:http-alt", "127.0.0.1/8009", "[127.0.0.1]:8009", "127.0.0.1:08009", "127.0.0.1:+8009", "127.0.0.1: 8009", "[]:8009", "8009", "20001", "*", "http-alt"]
BAD_PERMIT = ["none", "", "any", "::1:8009", "[::1]", "[::1:8009", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:8009-8010", "127.0.0.1:8009,127.0.0.1:8010", "/run/x", "127.0.0.1:",
              "127.0.0.1:8009 ", "127.0.0.1:80x", "127.0.0.1:no-such-service", ":", "[::1]x:8009", "0", "-1", "x" * 1025 + ":1", "127.0.0.1:80:90", "70000", "[a]b]:1"]
FLAGS = ["restrict", "port-forwarding", "agent-forwarding", "X11-forwarding", "pty", "user-rc", "touch-required", "verify-required"]
UNKNOWN = ["zos-key-ring-label=\"x\"", "no-restrict", "no-cert-authority", "permit-open=\"a:1\"", "restricted", "no-", "command", "from", "no-command=\"x\"", "\"", "'", "=", "\"a\"",
           "permitopen", "expiry=\"20991231\"", "ssh-ed25519", "#", "no-no-pty", "pty=\"yes\"", "force-command=\"x\"", "\xa0restrict", "restrict\r", "\\\"restrict", "no touch"]
COMMENTS = ["", "", "me@laptop", "two words", "Ünï cödé # hash", "command=\"echo no\",no-pty", "\t tabs \t", "ssh-rsa AAAA", "\"", "a\\b", "\x01\x7f", "'quoted'", "restrict"]
JUNK = ["# a comment", "   # restrict ssh-ed25519 AAAA", "", "   ", "\t", "\r", "2048 65537 25195908475657893494 old@host", "restrict 1024 35 1234567 old", "---- BEGIN SSH2 PUBLIC KEY ----",
        "ssh-ed25519", "ssh-ed25519 ", "restrict", "restrict,", "command=\"x", "-----BEGIN OPENSSH PRIVATE KEY-----", "@cert-authority *.example.org ssh-ed25519 AAAA", "gateway ssh-ed25519 AAAA",
        "AAAAC3NzaC1lZDI1NTE5AAAA", "<html>", "ssh-ed25519 ssh-ed25519 AAAA", ",", "\"", "\\", "%", "\xff\xfe", "\ufeff", "\ufeff# comment", "ssh-ed25519  "]


class Lines:
    """Draws lines. After line() `text` is the line, and `key` the key meant, or None."""

    def __init__(self, seed, private_keys=(), authorities=()):
        self.r = random.Random(seed)
        self.authorities = [Key(self.r, "ed25519", path) for path in authorities]
        self.private = [Key(self.r, "ed25519", path) for path in private_keys]
        self.spare = list(self.private)
        self.old = []

    def case(self, text):
        how = self.r.randrange(4)
        if how == 0:
            return text.upper()
        if how == 1:
            return "".join(self.r.choice([c.upper(), c.lower()]) for c in text)
        return text

    def value(self, name, text, tidy):
        text = text.replace('"', '\\"')
        how = self.r.randrange(9 if not tidy and self.r.random() < 0.15 else 99999)
        quote = {0: ("'", "'"), 1: ("", ""), 2: ('"', ""), 3: ("", '"'), 4: ("\u201c", "\u201d"), 5: ('""', '""'), 6: ('"', '"x'), 7: (' "', '"')}.get(how, ('"', '"'))
        return self.case(name) + ("==" if how == 8 else "=") + quote[0] + text + quote[1]

    def option(self, tidy):
        r = self.r
        what = r.randrange(22)
        if what < 8:
            name = r.choice(FLAGS + ["restrict", "port-forwarding"])
            return self.case(("no-" if name != "restrict" and r.random() < 0.4 else "") + name)
        if what < 11:
            return self.value("permitopen", r.choice(PERMIT if tidy or r.random() < 0.8 else BAD_PERMIT), tidy)
        if what < 14:
            return self.value("permitlisten", r.choice(PERMIT if tidy or r.random() < 0.8 else BAD_PERMIT), tidy)
        if what == 14:
            return self.value("command", r.choice(["echo forced", "echo \"hi, there\"", "", "a\\b", "x # y", "/bin/false ", "%u \t=", "\u00e4", "echo \\\\", "\\"]), tidy)
        if what == 15 and self.from_admits is None:
            text, self.from_admits = r.choice([f for f in FROM if f[1]] if tidy and r.random() < 0.8 else FROM)
            return self.value("from", text, tidy)
        if what == 16:
            return self.value("expiry-time", r.choice(EXPIRY[:6] if tidy or r.random() < 0.5 else EXPIRY), tidy)
        if what == 17:
            return self.value("environment", r.choice(["A=b", "A=c", "B_1=", "LONG=" + "x" * 50, "C=a=b \"q\""] if tidy or r.random() < 0.5 else ["A", "=x", "A-B=c", "A B=c", "", "\u00e4=b", "A="]), tidy)
        if what == 18:
            return self.value("tunnel", r.choice(["0", "1", "any", "ANY", "2147483645", " 7", "+8"] if tidy or r.random() < 0.5 else ["x", "", "-1", "2147483646", "0:0", "3 "]), tidy)
        if what == 19 and not tidy and r.random() < 0.5:
            return self.value("principals", r.choice(["oracle", "a,b", ""]), tidy)
        if what == 20 and not tidy:
            return r.choice(UNKNOWN)
        if what == 21 and not tidy:
            return r.choice(["", self.case("cert-authority")])
        return self.case(r.choice(FLAGS))

    def options(self, tidy):
        r = self.r
        options = []
        for _ in range(r.choice([0, 1, 2, 3, 3, 4, 5, 8])):
            option = self.option(tidy)
            once = tidy and option.lower().startswith(("command", "from", "principals"))
            if not once or all(o[:4].lower() != option[:4].lower() for o in options):
                options.append(option)
        if tidy and r.random() < 0.6:
            options = ["restrict", "port-forwarding"] + options
        if not options:
            return ""
        text = options[0]
        for option in options[1:]:
            text += (r.choice([",", ",", ",", ",", ",", ",", ",,", " ,", ", ", "\t,", ";", ", \t"]) if not tidy and r.random() < 0.2 else ",") + option
        if r.random() < 0.08:
            text = r.choice([",", "", ""]) + text + ","
        return text + r.choice([" ", " ", " ", "\t", "  ", " \t "])

    def pick_key(self):
        r = self.r
        if self.old and r.random() < 0.05:
            return r.choice(self.old)
        key = Key(r, r.choice(["ed25519"] * 8 + list(CURVES) + ["rsa", "rsa", "sk-ed25519", "sk-ecdsa", "dsa", "short-rsa"]))
        self.old.append(key)
        return key

    def authority(self):
        """A line with cert-authority among its options, and of a key whose private half we have."""
        self.key = self.r.choice(self.authorities)
        options = self.options(True).strip(" \t") + "," + self.case("cert-authority")
        if self.r.random() < 0.6:
            options += "," + self.value("principals", self.r.choice(["oracle", "a,oracle", "a,b", "", "Oracle", "oracle,"]), True)
        return options.lstrip(",") + " " + self.key.pub

    def certificate(self):
        """A line with a certificate in place of a key."""
        key = Key(self.r, "ed25519")
        blob = string(b"ssh-ed25519-cert-v01@openssh.com") + string(b"n" * 32) + string(key.blob[19:]) + struct.pack(">QI", 1, 1) + b"\0" * 8
        self.key = key
        return "ssh-ed25519-cert-v01@openssh.com " + base64.b64encode(blob).decode()

    def mutate(self, text):
        r = self.r
        for _ in range(r.choice([1, 1, 2, 5])):
            at = r.randrange(len(text) + 1)
            byte = r.choice([b" ", b",", b'"', b"\\", b"=", b"\t", b"\r", b"\0", b"#", b"-", b"A", bytes([r.choice([1, 27, 127, 128, 255])])])
            text = r.choice([text[:at] + byte + text[at:], text[:at] + byte + text[at + 1:], text[:at] + text[at + 1:]])
        return text

    def line(self):
        """Draws one. A line of a private key is as people write it, and has no from= that refuses."""
        r = self.r
        self.key = self.from_admits = None
        if self.spare:
            self.key = self.spare.pop()
            while True:
                self.from_admits = None
                options = self.options(True)
                if self.from_admits != 0:
                    break
            self.text = (options + self.key.pub + " a comment\n").encode()
            return
        shape = r.random()
        if shape < 0.05:
            text = r.choice(JUNK)
        elif shape < 0.08:
            text = self.options(True) + self.certificate()
        elif shape < 0.13 and self.authorities:
            text = self.authority()
        else:
            tidy = r.random() < 0.65
            self.key = self.pick_key()
            text = r.choice(["", "", "", " ", "\t", " \t"]) + self.options(tidy)
            text += self.key.odd(r) if r.random() < 0.2 else self.key.pub
            text += r.choice([" ", " ", "\t", ""]) + r.choice(COMMENTS)
        line = text.encode("utf-8", "surrogatepass")
        if r.random() < 0.02:
            line = b"\xef\xbb\xbf" + line
        if r.random() < 0.08:
            line = self.mutate(line)
        self.text = line.replace(b"\n", b"") + (b"\r\n" if r.random() < 0.1 else b"\n")
