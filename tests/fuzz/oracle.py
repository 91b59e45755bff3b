# SPDX-License-Identifier: ISC
"""Makes and mutates key files, and compares the answers of pubkey_parse_file and ssh-keygen.

usage: oracle.py JUDGE DIRECTORY SECONDS [SEED]

ssh-keygen -l -f must accept every file that we accept, with the same fingerprint; we may refuse more.
A UTF-8 byte order mark, which we drop, is dropped for ssh-keygen, too.
One difference is known and counted separately: a point that is not on its curve. To see that we would
need a bignum library. It is checked here, so that no other difference is mistaken for it.
"""
import base64
import os
import random
import struct
import subprocess
import sys
import time

CURVES = {  # p, b; a is -3 (SEC 2, sections 2.4 to 2.6)
    b"nistp256": (2**256 - 2**224 + 2**192 + 2**96 - 1,
                  0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B),
    b"nistp384": (2**384 - 2**128 - 2**96 + 2**32 - 1,
                  0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF),
    b"nistp521": (2**521 - 1,
                  0x0051953EB9618E1C9A1F929A21A0B68540EEA2DA725B99B315F3B8B489918EF109E156193951EC7E937B1652C0BD3BB1BF073573DF883D2C34F1EF451FD46B503F00),
}


def string(b):
    return struct.pack(">I", len(b)) + b


def strings(blob):
    out, at = [], 0
    while at + 4 <= len(blob):
        n = struct.unpack(">I", blob[at:at + 4])[0]
        out.append(blob[at + 4:at + 4 + n])
        at += 4 + n
    return out


def off_curve(blob):
    """True for an ecdsa blob whose point is not on its curve."""
    parts = strings(blob)
    if len(parts) < 3 or parts[1] not in CURVES or not parts[2].startswith(b"\4"):
        return False
    p, b = CURVES[parts[1]]
    half = (len(parts[2]) - 1) // 2
    x = int.from_bytes(parts[2][1:1 + half], "big")
    y = int.from_bytes(parts[2][1 + half:], "big")
    # A coordinate that is not reduced counts, too: it is on the curve, but in a second spelling.
    return x >= p or y >= p or (y * y - (x * x * x - 3 * x + b)) % p != 0


def mpint(n):
    return n.to_bytes(n.bit_length() // 8 + 1, "big")


def real_keys(directory):
    keys = []
    for kind, bits in [("ed25519", 0), ("ecdsa", 256), ("ecdsa", 384), ("ecdsa", 521), ("rsa", 2048),
                       ("rsa", 1024), ("dsa", 1024)]:
        path = os.path.join(directory, "key-%s-%d" % (kind, bits))
        command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", kind, "-f", path]
        if not os.path.exists(path + ".pub"):
            if subprocess.run(command + (["-b", str(bits)] if bits else []),
                              stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0:
                continue  # later versions of OpenSSH make no DSA keys
        with open(path + ".pub", "rb") as f:
            words = f.read().split()
        keys.append((words[0], base64.b64decode(words[1])))
    return keys


def made_keys(rng):
    """Keys of kinds and sizes that ssh-keygen makes slowly or not at all."""
    ed = rng.randbytes(32)
    yield b"sk-ssh-ed25519@openssh.com", [ed, b"ssh:"]
    yield b"ssh-ed25519", [ed]
    for bits in (2047, 2048, 2049, 3072, 4096, 8192, 16383, 16384, 16385):
        n = rng.getrandbits(bits) | 1 << (bits - 1) | 1
        for e in (3, 65537, 1, 2, 2**rng.randrange(1, 300) + 1):
            yield b"ssh-rsa", [mpint(e), mpint(n)]


def mutate_blob(rng, blob):
    blob = bytearray(blob)
    for _ in range(rng.choice((0, 0, 1, 1, 2, 5))):
        at = rng.randrange(len(blob) + 1)
        what = rng.randrange(6)
        if what == 0 and at < len(blob):
            blob[at] ^= 1 << rng.randrange(8)
        elif what == 1 and at < len(blob):
            blob[at] = rng.choice((0, 1, 0x7f, 0x80, 0xff, 4))
        elif what == 2:
            blob[at:at] = rng.randbytes(rng.choice((1, 1, 2, 4, 33)))
        elif what == 3:
            del blob[at:at + rng.choice((1, 1, 2, 4, 33))]
        elif what == 4:
            del blob[at:]
        elif len(blob) >= 4:  # a length that is off by one
            blob[3] = (blob[3] + rng.choice((1, 255))) % 256
    return bytes(blob)


def mutate_text(rng, kind, text):
    blanks = (b" ", b" ", b" ", b"\t", b"  ", b" \t ", b"\x0b", b"\xc2\xa0", b"")
    comment = rng.choice((b"alice", b"alice@host", b"", b"a b", b'"quoted" \\', "ü é 私".encode(), b"\xff", b"\x1b[31m",
                          b"x" * 255, b"x" * 256, b"x" * 257, b"a\rb", b"# not", b"ssh-rsa AAAA"))
    before = rng.choice((b"",) * 12 + (b" ", b"\t", b"\n", b"# comment\n", b"\r\n", b"no-pty ", b'command="x" ',
                                       b"\xef\xbb\xbf", b"\0", b"-", b"1024 35 ", b"ssh-rsa "))
    after = rng.choice((b"\n",) * 8 + (b"", b"\r\n", b"\n\n", b"\n# c\n", b"\r", b" \n", b"\nx\n", b"\0", b"\n \t\n"))
    line = before + kind + rng.choice(blanks) + text + rng.choice(blanks) + comment + after
    for _ in range(rng.choice((0,) * 9 + (1, 1, 3))):
        line = line or b"\n"
        at = rng.randrange(len(line))
        what = rng.randrange(4)
        if what == 0:
            line = line[:at] + bytes([rng.randrange(256)]) + line[at + 1:]
        elif what == 1:
            line = line[:at] + rng.choice((b"\n", b"\r", b" ", b"=", b"A", b"\0", b"-", b"_")) + line[at:]
        elif what == 2:
            line = line[:at] + line[at + 1:]
        else:
            line = line[:at] or b"\n"
    return line


def candidate(rng, keys):
    if rng.randrange(3):
        kind, blob = rng.choice(keys)
    else:
        kind, fields = rng.choice(list(made_keys(rng)))
        blob = b"".join(map(string, [kind] + fields))
    if rng.randrange(2):
        blob = mutate_blob(rng, blob)
    if rng.randrange(12) == 0:
        kind = rng.choice(keys)[0]
    text = base64.b64encode(blob)
    if rng.randrange(12) == 0:  # unused bits in the last character, wrong padding
        text = rng.choice((text.rstrip(b"="), text + b"=", text + b"====", text[:-1] + b"B", text[:-3] + b"B=="))
    return mutate_text(rng, kind, text)


def main():
    judge_path, directory, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.SystemRandom().randrange(2**32)
    rng = random.Random(seed)
    os.makedirs(directory, exist_ok=True)
    keys = real_keys(directory)
    judge = subprocess.Popen([judge_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    path = os.path.join(directory, "candidate")
    tried = accepted = off = failed = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        text = candidate(rng, keys)
        judge.stdin.write(struct.pack(">I", len(text)) + text)
        judge.stdin.flush()
        verdict = judge.stdout.readline().decode().split()
        if not verdict:
            print("oracle: FAIL: the judge died of: %r" % text)
            failed += 1
            break
        tried += 1
        if verdict[0] != "ok":
            continue
        accepted += 1
        with open(path, "wb") as f:
            f.write(text.removeprefix(b"\xef\xbb\xbf"))
        said = subprocess.run(["ssh-keygen", "-l", "-f", path], capture_output=True, stdin=subprocess.DEVNULL)
        words = said.stdout.decode("latin-1").split()
        lines = said.stdout.count(b"\n")
        if said.returncode == 0 and lines == 1 and words[1] == verdict[1]:
            continue
        if said.returncode != 0 and off_curve(base64.b64decode(verdict[3])):
            off += 1
            continue
        failed += 1
        kept = os.path.join(directory, "differs-%d-%d" % (seed, failed))
        with open(kept, "wb") as f:
            f.write(text)
        print("oracle: differs: %s: we say %s, ssh-keygen says %s%s"
              % (kept, verdict[1], said.stdout, said.stderr))
        if failed == 10:
            break
    print("oracle    %7d key files, %d accepted, %d off their curve  %s (seed %d)"
          % (tried, accepted, off, "FAIL" if failed else "ok", seed))
    return 1 if failed or accepted < min(100, 2 * seconds) else 0


sys.exit(main())
