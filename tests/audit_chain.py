# SPDX-License-Identifier: ISC
"""The audit chain as lib/store/audit_hash.h documents it, without lib/store.

audit_chain.py check FILE           the JSON of `leasectl audit --json`: prints the head, if every row
                                    follows the one before; FILE - is standard input
audit_chain.py append STORE COUNT   adds rows with right hashes
audit_chain.py rewrite STORE SEQ    writes all rows from SEQ on anew, with right hashes, as somebody can
                                    who may write the store: the first of them gets another actor
"""
import hashlib
import json
import sqlite3
import struct
import sys

TRIGGERS = ("audit_insert", "audit_update", "audit_delete")
COLUMNS = "seq, time_s, actor, action, lease_id, lease, fingerprint, source, outcome, detail, anchor_seq"


def row_hash(previous, row):
    data = [previous]
    for field in row:
        text = b"" if field is None else str(field).encode()
        data += [struct.pack(">Q", len(text)), text]
    return hashlib.sha256(b"".join(data)).digest()


def check(path):
    from datetime import datetime, timezone
    previous = bytes(32)
    with (sys.stdin if path == "-" else open(path, encoding="utf-8")) as f:
        rows = json.load(f)
    for r in rows:
        at = datetime.strptime(r["at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
        row = (r["seq"], int(at.timestamp()), r["actor"], r["action"], r["lease_id"] or 0, r["lease"] or "",
               r["fingerprint"] or "", r["source"] or "", r["outcome"], r["detail"], r["anchor_seq"])
        previous = row_hash(previous, row)
        if previous.hex() != r["hash"]:
            sys.exit(f"row {r['seq']} does not follow")
    print(previous.hex())


def append(store, count):
    db = sqlite3.connect(store)
    seq, previous = db.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone() or (0, bytes(32))
    rows = []
    for seq in range(seq + 1, seq + count + 1):
        row = (seq, 1795802400 + seq, "uid=0 loginuid=1000 sudo=li", "grant", seq, f"holder-{seq}",
               "SHA256:" + "a" * 43, "", "ok", "login=pfwd open=127.0.0.1:8009 listen= from= max_sessions=0", None)
        previous = row_hash(previous, row)
        rows.append((*row, previous))
    # Its check looks at one row; a million of them take it seconds.
    trigger, = db.execute("SELECT sql FROM sqlite_schema WHERE name = 'audit_insert'").fetchone()
    db.execute("DROP TRIGGER audit_insert")
    db.executemany(f"INSERT INTO audit({COLUMNS}, hash) VALUES(?,?,?,?,?,?,?,?,?,?,?,?)", rows)
    db.execute(trigger)
    db.commit()


def rewrite(store, first):
    db = sqlite3.connect(store)
    for trigger in TRIGGERS:
        db.execute("DROP TRIGGER IF EXISTS " + trigger)
    found = db.execute("SELECT hash FROM audit WHERE seq = ?", (first - 1,)).fetchone()
    previous = found[0] if found else bytes(32)
    db.execute("UPDATE audit SET actor = 'uid=12345' WHERE seq = ?", (first,))
    for row in db.execute(f"SELECT {COLUMNS} FROM audit WHERE seq >= ? ORDER BY seq", (first,)).fetchall():
        previous = row_hash(previous, row)
        db.execute("UPDATE audit SET hash = ? WHERE seq = ?", (previous, row[0]))
    db.commit()


if __name__ == "__main__":
    what, path, *more = sys.argv[1:]
    {"check": check, "append": append, "rewrite": rewrite}[what](path, *map(int, more))
