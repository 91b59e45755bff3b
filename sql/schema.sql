-- SPDX-License-Identifier: ISC
-- The lease store as it is at the newest version: to read, and what the tests hold the
-- migrations and the statements against. A store is made by running sql/migrate/ from nothing.
--
-- akc parses all of this at every login, so it is small on purpose: a table costs some 15,000
-- instructions a login, a CREATE INDEX as much again (docs/sqlite-facts.md 2). Uniqueness among
-- what is not revoked comes from `live`: 1 until the lease is revoked, then NULL, which UNIQUE
-- takes for different from every other NULL. Times are Unix seconds UTC, 0 for never. Texts are
-- checked again by whoever reads them.

CREATE TABLE lease(
  id INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again: the registry and the audit name it
  kind TEXT NOT NULL,                   -- grant, agent, freeze
  name TEXT NOT NULL,                   -- an agent's is its agent_id; a freeze's !LOGIN or !*
  live INTEGER,
  login TEXT NOT NULL,
  open TEXT NOT NULL,                   -- permits, one blank between
  listen TEXT NOT NULL,
  sources TEXT NOT NULL,                -- from=, comma-separated; empty: anywhere
  max_sessions INTEGER NOT NULL,        -- 0: no limit
  note TEXT NOT NULL,
  created_s INTEGER NOT NULL,
  renewed_s INTEGER NOT NULL,
  expires_s INTEGER NOT NULL,
  fixed_end INTEGER NOT NULL,           -- 1: an admin named this end, nothing else moves it
  revoked_s INTEGER NOT NULL,
  keep_sessions INTEGER NOT NULL,       -- 1: revoked, live sessions may stay until expires_s
  last_login_s INTEGER NOT NULL,
  heartbeat_ms INTEGER NOT NULL,        -- agents only, from here on
  secret_hash BLOB,                     -- SHA-256 of agent_secret
  secret_used INTEGER NOT NULL,
  token_id INTEGER,                     -- what admitted it
  agent_facts TEXT NOT NULL,            -- lines `key value`: hostname, user, target, host_key ...
  UNIQUE(name, live)
) STRICT;

CREATE TABLE key(
  lease_id INTEGER NOT NULL,
  fingerprint TEXT NOT NULL,            -- SHA256:...; a freeze has one row, with !
  login TEXT NOT NULL,                  -- the lease's; a freeze of all logins has *
  live INTEGER,                         -- the lease's
  type TEXT NOT NULL,
  base64 TEXT NOT NULL,
  comment TEXT NOT NULL,
  added_s INTEGER NOT NULL,
  PRIMARY KEY(lease_id, fingerprint),
  UNIQUE(fingerprint, login, live)
) STRICT, WITHOUT ROWID;

-- One owner for a listen port, whatever the address. A row outlives its lease by QuarantineTTL.
CREATE TABLE port(
  port INTEGER PRIMARY KEY,
  lease_id INTEGER NOT NULL,
  holder TEXT NOT NULL,                 -- the lease's name: it outlives the lease
  freed_s INTEGER NOT NULL              -- 0: held
) STRICT;

CREATE TABLE token(
  id INTEGER PRIMARY KEY,
  hash BLOB NOT NULL,                   -- SHA-256 of the token
  name TEXT NOT NULL,                   -- the only agent it admits; empty: any
  uses_left INTEGER NOT NULL,
  created_s INTEGER NOT NULL,
  expires_s INTEGER NOT NULL
) STRICT;

-- Heartbeats of a busy gateway that are not yet in their lease: a lease has a page of its own to be
-- written, and hundreds of these share one. leased puts the newest of each lease there within
-- seconds, and deletes these (lib/store/beats.h).
CREATE TABLE beat(
  seq INTEGER PRIMARY KEY,
  lease_id INTEGER NOT NULL,
  heartbeat_ms INTEGER NOT NULL,
  expires_s INTEGER NOT NULL            -- the end that it gives the lease
) STRICT;

-- Each row's hash is SHA-256 over the previous row's hash and its own fields (lib/store/audit.c).
CREATE TABLE audit(
  seq INTEGER PRIMARY KEY,
  time_s INTEGER NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  lease_id INTEGER NOT NULL,            -- 0: none
  lease TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  source TEXT NOT NULL,
  outcome TEXT NOT NULL,
  detail TEXT NOT NULL,
  anchor_seq INTEGER UNIQUE,            -- an anchor's: rows up to it may go, its detail has their hash
  hash BLOB NOT NULL
) STRICT;

CREATE TRIGGER audit_update BEFORE UPDATE ON audit BEGIN
  SELECT RAISE(ABORT, 'audit rows never change');
END;

CREATE TRIGGER audit_delete BEFORE DELETE ON audit
WHEN NOT EXISTS (SELECT 1 FROM audit WHERE anchor_seq >= OLD.seq) BEGIN
  SELECT RAISE(ABORT, 'audit rows above the newest anchor are kept');
END;
