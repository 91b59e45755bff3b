#!/usr/bin/python3 -I
# SPDX-License-Identifier: ISC
"""ask.py LOGIN FINGERPRINT: the same as ask.sh, with the sqlite3 module of Python."""
import sqlite3
import sys
import time

store = sqlite3.connect("file:/var/lib/tunlease/leases.db?mode=ro", uri=True)
row = store.execute(
    "SELECT open, expires_s, type, base64, name FROM key JOIN lease ON lease.id = key.lease_id "
    "WHERE fingerprint = ? AND key.login = ? AND key.live = 1 AND expires_s > ?",
    (sys.argv[2], sys.argv[1], int(time.time())),
).fetchone()
store.close()
if row:
    permit, expires_s, key_type, base64, name = row
    print(
        f'restrict,port-forwarding,permitopen="{permit}",'
        f'permitopen="{permit.replace("127.0.0.1", "localhost")}",permitlisten="NONE:1",'
        f'expiry-time="{time.strftime("%Y%m%d%H%M%SZ", time.gmtime(expires_s))}",'
        f'command="/usr/sbin/nologin" {key_type} {base64} {name}'
    )
