-- SPDX-License-Identifier: ISC
-- Version 1: leases, keys, ports, tokens, and the audit chain. Meaning: sql/schema.sql.

CREATE TABLE lease(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  live INTEGER,
  login TEXT NOT NULL,
  open TEXT NOT NULL,
  listen TEXT NOT NULL,
  sources TEXT NOT NULL,
  max_sessions INTEGER NOT NULL,
  note TEXT NOT NULL,
  created_s INTEGER NOT NULL,
  renewed_s INTEGER NOT NULL,
  expires_s INTEGER NOT NULL,
  fixed_end INTEGER NOT NULL,
  revoked_s INTEGER NOT NULL,
  keep_sessions INTEGER NOT NULL,
  last_login_s INTEGER NOT NULL,
  heartbeat_ms INTEGER NOT NULL,
  secret_hash BLOB,
  secret_used INTEGER NOT NULL,
  token_id INTEGER,
  agent_facts TEXT NOT NULL,
  UNIQUE(name, live)
) STRICT;

CREATE TABLE key(
  lease_id INTEGER NOT NULL,
  fingerprint TEXT NOT NULL,
  login TEXT NOT NULL,
  live INTEGER,
  type TEXT NOT NULL,
  base64 TEXT NOT NULL,
  comment TEXT NOT NULL,
  added_s INTEGER NOT NULL,
  PRIMARY KEY(lease_id, fingerprint),
  UNIQUE(fingerprint, login, live)
) STRICT, WITHOUT ROWID;

CREATE TABLE port(
  port INTEGER PRIMARY KEY,
  lease_id INTEGER NOT NULL,
  holder TEXT NOT NULL,
  freed_s INTEGER NOT NULL
) STRICT;

CREATE TABLE token(
  id INTEGER PRIMARY KEY,
  hash BLOB NOT NULL,
  name TEXT NOT NULL,
  uses_left INTEGER NOT NULL,
  created_s INTEGER NOT NULL,
  expires_s INTEGER NOT NULL
) STRICT;

CREATE TABLE audit(
  seq INTEGER PRIMARY KEY,
  time_s INTEGER NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  lease_id INTEGER NOT NULL,
  lease TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  source TEXT NOT NULL,
  outcome TEXT NOT NULL,
  detail TEXT NOT NULL,
  anchor_seq INTEGER UNIQUE,
  hash BLOB NOT NULL
) STRICT;

CREATE TRIGGER audit_update BEFORE UPDATE ON audit BEGIN
  SELECT RAISE(ABORT, 'audit rows never change');
END;

CREATE TRIGGER audit_delete BEFORE DELETE ON audit
WHEN NOT EXISTS (SELECT 1 FROM audit WHERE anchor_seq >= OLD.seq) BEGIN
  SELECT RAISE(ABORT, 'audit rows above the newest anchor are kept');
END;
