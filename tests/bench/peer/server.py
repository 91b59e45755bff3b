# SPDX-License-Identifier: ISC
"""The control plane as most would write it today: FastAPI, pydantic and SQLite, in one file.

    API_KEY=... DATABASE=... uvicorn server:app --port N

register and heartbeat as in docs/protocol.md, for one shared key. It is no straw man: it keeps one
connection open, with a write-ahead log as durable as that of leased (synchronous FULL), statements
that use an index, and one commit for each request. Handlers are plain functions, as the framework
advises where they wait for a database; a lock lets one thread at a time use the connection."""
import hmac
import os
import sqlite3
import threading
import time
from datetime import datetime, timezone
from typing import List, Literal, Optional

from fastapi import FastAPI, Header, HTTPException
from pydantic import BaseModel, Field

API_KEY = os.environ["API_KEY"]
LEASE_TTL_S = 7 * 86400
FIRST_PORT, LAST_PORT = 20000, 29999

app = FastAPI(openapi_url=None)
lock = threading.Lock()
db = sqlite3.connect(os.environ["DATABASE"], check_same_thread=False, isolation_level=None)
db.execute("PRAGMA journal_mode = WAL")
db.execute("PRAGMA synchronous = FULL")
db.execute("CREATE TABLE IF NOT EXISTS agent (agent_id TEXT PRIMARY KEY, public_key TEXT NOT NULL, "
           "port_b INTEGER NOT NULL UNIQUE, user TEXT, expires_s INTEGER NOT NULL, heartbeat_s INTEGER)")


class Request(BaseModel):
    action: Literal["register", "heartbeat"]
    agent_id: str = Field(min_length=1, max_length=64)
    public_key: Optional[str] = None
    user: Optional[str] = None
    hostname: Optional[str] = None
    target: Optional[str] = None
    port_b: Optional[int] = Field(default=None, ge=1, le=65535)
    host_keys: List[str] = []
    api_key: Optional[str] = None


def rfc3339(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def register(request, now_s):
    if request.public_key is None:
        raise HTTPException(400, "public_key is missing")
    row = db.execute("SELECT public_key, port_b FROM agent WHERE agent_id = ?", (request.agent_id,)).fetchone()
    if row and row[0] != request.public_key:
        raise HTTPException(409, "agent_id is taken")
    if row:
        port_b = row[1]
    else:
        port_b = db.execute("SELECT coalesce(max(port_b) + 1, ?) FROM agent", (FIRST_PORT,)).fetchone()[0]
        if port_b > LAST_PORT:
            raise HTTPException(503, "no port is free")
    db.execute("INSERT INTO agent VALUES (?, ?, ?, ?, ?, NULL) ON CONFLICT (agent_id) DO UPDATE SET "
               "user = excluded.user, expires_s = excluded.expires_s",
               (request.agent_id, request.public_key, port_b, request.user, now_s + LEASE_TTL_S))
    return {"agent_id": request.agent_id, "port_b": port_b, "ssh_user": "gw-tunnel", "ssh_port": 22,
            "lease_expires_at": rfc3339(now_s + LEASE_TTL_S), "lease_ttl_seconds": LEASE_TTL_S}


def heartbeat(request, now_s):
    row = db.execute("UPDATE agent SET heartbeat_s = ?, expires_s = ? WHERE agent_id = ? AND expires_s > ? "
                     "RETURNING port_b", (now_s, now_s + LEASE_TTL_S, request.agent_id, now_s)).fetchone()
    if row is None:
        raise HTTPException(404, "no such agent")
    return {"agent_id": request.agent_id, "port_b": row[0], "lease_expires_at": rfc3339(now_s + LEASE_TTL_S),
            "tunnel": "up"}


@app.post("/")
def control(request: Request, authorization: str = Header(default=""), x_api_key: str = Header(default="")):
    given = authorization[7:] if authorization.startswith("Bearer ") else x_api_key or request.api_key or ""
    if not hmac.compare_digest(given.encode(), API_KEY.encode()):
        raise HTTPException(401, "a wrong key")
    now_s = int(time.time())
    with lock:
        db.execute("BEGIN IMMEDIATE")
        try:
            answer = (register if request.action == "register" else heartbeat)(request, now_s)
            db.execute("COMMIT")
        except BaseException:
            db.execute("ROLLBACK")
            raise
    return answer


@app.get("/rows")
def rows():
    return db.total_changes


@app.get("/healthz")
def healthz():
    return "ok"
