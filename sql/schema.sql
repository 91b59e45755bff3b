-- SPDX-License-Identifier: ISC
-- The tables of the lease store at the newest version, for people to read. The tests compare the
-- migrations with it, and prepare the statements on it. A store itself is made by sql/migrate/.
--
-- akc parses the whole schema at every login, so it is kept small: a table costs some 15,000
-- instructions a login, a CREATE INDEX as much again (docs/sqlite-facts.md 2). `live` makes names and
-- keys unique among leases that are not revoked: it is 1 until the lease is revoked, and then NULL;
-- for UNIQUE, each NULL differs from every other. A lease with a negative id is a probe of leasectl
-- verify (lib/store/probes.h). Times are Unix seconds UTC, 0 for never. Readers
-- check all texts again.

CREATE TABLE lease(
  id INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice: the registry and the audit refer to it
  kind TEXT NOT NULL,                   -- grant, agent, freeze
  name TEXT NOT NULL,                   -- of an agent its agent_id, of a freeze !LOGIN or !*
  live INTEGER,
  login TEXT NOT NULL,
  open TEXT NOT NULL,                   -- permits, separated by one blank
  listen TEXT NOT NULL,
  sources TEXT NOT NULL,                -- from=, comma-separated; empty: anywhere
  max_sessions INTEGER NOT NULL,        -- 0: no limit
  note TEXT NOT NULL,
  created_s INTEGER NOT NULL,
  renewed_s INTEGER NOT NULL,
  expires_s INTEGER NOT NULL,
  fixed_end INTEGER NOT NULL,           -- 1: an admin set expires_s, only an admin changes it
  revoked_s INTEGER NOT NULL,
  keep_sessions INTEGER NOT NULL,       -- 1: revoked, but live sessions may stay until expires_s
  last_login_s INTEGER NOT NULL,
  heartbeat_ms INTEGER NOT NULL,        -- from here on for agents only
  secret_hash BLOB,                     -- SHA-256 of agent_secret
  secret_used INTEGER NOT NULL,
  token_id INTEGER,                     -- the token that admitted the agent
  agent_facts TEXT NOT NULL,            -- lines `key value`: hostname, user, target, host_key ...
  turn BLOB,                            -- of the agent's last request, which finds copies of the agent:
                                        -- its counter, 8 bytes, the highest first, and its nonce, 16
  UNIQUE(name, live)
) STRICT;

CREATE TABLE key(
  lease_id INTEGER NOT NULL,
  fingerprint TEXT NOT NULL,            -- SHA256:...; a freeze has one row, with ! here
  login TEXT NOT NULL,                  -- as in the lease; * for a freeze of all logins
  live INTEGER,                         -- as in the lease
  type TEXT NOT NULL,
  base64 TEXT NOT NULL,
  comment TEXT NOT NULL,
  added_s INTEGER NOT NULL,
  PRIMARY KEY(lease_id, fingerprint),
  UNIQUE(fingerprint, login, live)
) STRICT, WITHOUT ROWID;

-- Who has a listen port, or had it: one lease a port, whatever the address. A row stays until
-- QuarantineTTL after its lease.
CREATE TABLE port(
  port INTEGER PRIMARY KEY,
  lease_id INTEGER NOT NULL,
  holder TEXT NOT NULL,                 -- the name of the lease, which may be deleted first
  freed_s INTEGER NOT NULL              -- 0: held
) STRICT;

-- Tokens, with which agents register over HTTP, and invites, with which a friend or a private host joins
-- over ssh. One table, since each costs akc. What has no NOT NULL is cheap: a DEFAULT costs as much again.
CREATE TABLE token(
  id INTEGER PRIMARY KEY,
  hash BLOB NOT NULL,                   -- SHA-256 of the token, or of the invite's code
  name TEXT NOT NULL,                   -- the agent_id that it admits, empty: any; of an invite !NAME,
                                        -- for the lease to be: an open invite reserves it
  uses_left INTEGER NOT NULL,
  created_s INTEGER NOT NULL,
  expires_s INTEGER NOT NULL,
  invite TEXT                           -- of an invite, lines `key value`: the terms of the lease, and
                                        -- once it is spent, by which key and into which lease
) STRICT;

-- Pending heartbeats of a busy gateway. To write one into its lease costs a page, and a page has room
-- for hundreds of these rows. Within seconds leased writes the newest of each lease into it, and
-- deletes the rows (lib/store/beats.h).
CREATE TABLE beat(
  seq INTEGER PRIMARY KEY,
  lease_id INTEGER NOT NULL,
  heartbeat_ms INTEGER NOT NULL,
  expires_s INTEGER NOT NULL,           -- the new end of the lease
  turn BLOB                             -- as in the lease
) STRICT;

-- Each row's hash is SHA-256 over the previous row's hash and its own fields (lib/store/audit_hash.h).
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
  anchor_seq INTEGER UNIQUE,            -- of an anchor: rows up to it may be deleted, and its
                                        -- detail has the hash of the last of them
  hash BLOB NOT NULL
) STRICT;

CREATE TRIGGER audit_update BEFORE UPDATE ON audit BEGIN
  SELECT RAISE(ABORT, 'audit rows never change');
END;

CREATE TRIGGER audit_delete BEFORE DELETE ON audit
WHEN NOT EXISTS (SELECT 1 FROM audit WHERE anchor_seq >= OLD.seq) BEGIN
  SELECT RAISE(ABORT, 'audit rows above the newest anchor are kept');
END;

-- INSERT OR REPLACE deletes the row with the same number or anchor_seq, and fires no DELETE trigger for
-- it. One SELECT without WHEN: it is what akc parses fastest.
CREATE TRIGGER audit_insert BEFORE INSERT ON audit BEGIN
  SELECT RAISE(ABORT, 'audit rows are only added behind the newest')
  FROM audit WHERE seq >= NEW.seq OR anchor_seq >= NEW.anchor_seq;
END;
