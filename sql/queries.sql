-- SPDX-License-Identifier: ISC
-- Every statement that tunlease runs, by name. sql/embed.awk makes enum stmt_id of the names and
-- lib/store prepares each when it is first used. Values are always bound, never pasted.
-- A `part` is text that several statements share: {NAME} stands for it in those that come later.
-- `reader: akc` marks what the login path may run; make check proves that such a one writes
-- nothing and finds its rows by index.

-- name: version
-- reader: akc
-- What the tables mean: migrate/ counts.
PRAGMA user_version;

-- name: read_begin
-- reader: akc
-- Deferred: it waits for nobody.
BEGIN;

-- name: read_now
-- reader: akc
-- On a connection that was opened to read, IMMEDIATE takes the read lock at once, and no other.
BEGIN IMMEDIATE;

-- name: read_end
-- reader: akc
ROLLBACK;

-- name: key_find
-- reader: akc
-- At every login, twice: for the key itself, and with the fingerprint ! for a freeze of the login
-- or of all (*). Simple statements and no join, in one read transaction: preparing is most of what
-- a lookup costs, and planning a join costs more than both its halves.
SELECT lease_id FROM key WHERE fingerprint = :fingerprint AND login = :login AND live = 1;

-- name: lease_find
-- reader: akc
-- Whether it has expired is for the caller's clock.
SELECT name, open, listen, sources, max_sessions, expires_s
FROM lease WHERE id = :id AND live = 1;

-- name: key_history
-- reader: akc
-- Only for a login that key_find refused: all that was ever held with this key, for the reason.
SELECT l.id, l.name, k.login, l.expires_s, l.revoked_s, l.live
FROM key AS k JOIN lease AS l ON l.id = k.lease_id
WHERE k.fingerprint = :fingerprint
ORDER BY k.login = :login DESC, l.id DESC LIMIT 1;

-- name: agent_listen
-- reader: akc
-- Only for a lease that opens an agent: where that listens now.
SELECT listen FROM lease WHERE name = :name AND live = 1 AND kind = 'agent';

-- name: login_keys
-- reader: akc
-- `akc LOGIN` without a key: every key of the login. sshd never asks so; a person does.
SELECT l.id, k.type, k.base64
FROM lease AS l JOIN key AS k ON k.lease_id = l.id
WHERE l.login = :login AND l.live = 1 AND l.expires_s > :now_s
ORDER BY l.id;

-- part: lease_columns
-- As lib/store/leases.c reads them.
id, name, open, listen, sources, max_sessions, expires_s, login, note, created_s, renewed_s,
fixed_end, revoked_s, keep_sessions, last_login_s

-- name: lease_by_id
SELECT {lease_columns} FROM lease WHERE id = :id AND kind <> 'freeze';

-- name: lease_by_name
-- The live one, else the newest.
SELECT {lease_columns} FROM lease WHERE name = :name AND kind <> 'freeze'
ORDER BY live DESC, id DESC LIMIT 1;

-- name: lease_list
-- :all 1 adds expired and revoked ones; :login '' is any; :before_s bounds the end (list --expiring).
SELECT {lease_columns} FROM lease
WHERE kind <> 'freeze' AND (:login = '' OR login = :login) AND expires_s <= :before_s
  AND (:all OR (live = 1 AND expires_s > :now_s))
ORDER BY id;

-- name: lease_keys
SELECT type, base64, fingerprint, comment, added_s FROM key
WHERE lease_id = :lease_id ORDER BY added_s, fingerprint;

-- name: key_holder
-- Who keeps a key from being leased on this login again.
SELECT l.id, l.name, l.expires_s
FROM key AS k JOIN lease AS l ON l.id = k.lease_id
WHERE k.fingerprint = :fingerprint AND k.login = :login AND k.live = 1;

-- name: key_was_held
-- By a lease that was revoked since.
SELECT 1 FROM key WHERE fingerprint = :fingerprint AND login = :login AND live IS NULL LIMIT 1;

-- name: lease_insert
INSERT INTO lease(kind, name, live, login, open, listen, sources, max_sessions, note, created_s,
  renewed_s, expires_s, fixed_end, revoked_s, keep_sessions, last_login_s, heartbeat_ms,
  secret_used, agent_facts)
VALUES(:kind, :name, 1, :login, :open, :listen, :sources, :max_sessions, :note, :created_s,
  0, :expires_s, :fixed_end, 0, 0, 0, 0, 0, '');

-- name: key_insert
INSERT INTO key(lease_id, fingerprint, login, live, type, base64, comment, added_s)
VALUES(:lease_id, :fingerprint, :login, 1, :type, :base64, :comment, :added_s);

-- name: lease_set
UPDATE lease SET open = :open, listen = :listen, sources = :sources, max_sessions = :max_sessions,
  note = :note
WHERE id = :id AND live = 1;

-- name: lease_renew
-- An expired one comes back; a revoked one never does.
UPDATE lease SET expires_s = :expires_s, fixed_end = :fixed_end, renewed_s = :now_s
WHERE id = :id AND live = 1;

-- name: lease_revoke
UPDATE lease SET live = NULL, revoked_s = :now_s, keep_sessions = :keep_sessions
WHERE id = :id AND live = 1;

-- name: lease_revoke_keys
UPDATE key SET live = NULL WHERE lease_id = :id;

-- name: lease_delete
-- Only what is dead: expired or revoked.
DELETE FROM lease WHERE id = :id AND kind <> 'freeze' AND (live IS NULL OR expires_s <= :now_s);

-- name: lease_delete_keys
DELETE FROM key WHERE lease_id = :id;

-- name: key_delete
DELETE FROM key WHERE lease_id = :lease_id AND fingerprint = :fingerprint;

-- name: freeze_by_name
SELECT id, created_s FROM lease WHERE name = :name AND live = 1 AND kind = 'freeze';

-- name: freeze_list
SELECT login, created_s FROM lease WHERE kind = 'freeze' AND live = 1 ORDER BY login;

-- name: freeze_end
-- The row stays, like a revoked lease's: when it was frozen, and until when.
UPDATE lease SET live = NULL, revoked_s = :now_s WHERE id = :id AND live = 1;

-- name: range_next
-- Some leases by number. Nothing else than the number is an index that akc does not pay for at every
-- login, so whoever has to look at all leases does it piece by piece (lib/store/walk.c).
SELECT coalesce(max(id), 0) FROM (SELECT id FROM lease WHERE id > :after ORDER BY id LIMIT :limit);

-- part: is_dead
-- Not a revoked agent: its name and keys stay refused until an admin forgets them.
id > :after AND id <= :last AND kind <> 'freeze' AND NOT (kind = 'agent' AND live IS NULL)
AND (expires_s < :before_s OR (live IS NULL AND revoked_s < :before_s))

-- name: dead_count
-- The four of one range, in this order: each finds the same leases.
SELECT count(*) FROM lease WHERE {is_dead};

-- name: expired_ports_free
UPDATE port SET freed_s = :now_s WHERE port BETWEEN :low AND :high AND freed_s = 0
  AND (SELECT live = 1 AND expires_s < :before_s FROM lease WHERE id = port.lease_id);

-- name: dead_ports_free
-- Those that leased has not seen expired before. Kept from now on: nobody knows what ran till now.
UPDATE port SET freed_s = :now_s
WHERE freed_s = 0 AND lease_id IN (SELECT id FROM lease WHERE {is_dead});

-- name: dead_keys_delete
DELETE FROM key WHERE lease_id IN (SELECT id FROM lease WHERE {is_dead});

-- name: dead_leases_delete
DELETE FROM lease WHERE {is_dead};

-- name: port_holder
SELECT lease_id, holder, freed_s FROM port WHERE port = :port;

-- name: port_list
SELECT port, freed_s FROM port WHERE port BETWEEN :low AND :high ORDER BY port;

-- name: port_former
-- Of those that are kept, the one that was the holder's; else any, to know that there is one.
SELECT port, holder = :holder FROM port WHERE freed_s <> 0
ORDER BY holder = :holder DESC, freed_s DESC LIMIT 1;

-- name: port_take
-- Takes a free port, or one whose quarantine ended (the caller looked); a held one conflicts.
INSERT INTO port(port, lease_id, holder, freed_s) VALUES(:port, :lease_id, :holder, 0)
ON CONFLICT(port) DO UPDATE SET lease_id = excluded.lease_id, holder = excluded.holder, freed_s = 0
WHERE freed_s <> 0;

-- name: port_free
UPDATE port SET freed_s = :now_s WHERE lease_id = :lease_id AND freed_s = 0;

-- name: port_forget
DELETE FROM port WHERE lease_id = :lease_id;

-- name: audit_last_of
-- The newest row of an action on a lease: who revoked it, and when.
SELECT time_s, actor FROM audit WHERE lease_id = :lease_id AND action = :action
ORDER BY seq DESC LIMIT 1;

-- name: audit_head
SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1;

-- name: audit_insert
INSERT INTO audit(seq, time_s, actor, action, lease_id, lease, fingerprint, source, outcome, detail,
  anchor_seq, hash)
VALUES(:seq, :time_s, :actor, :action, :lease_id, :lease, :fingerprint, :source, :outcome, :detail,
  :anchor_seq, :hash);

-- name: audit_scan
SELECT seq, time_s, actor, action, lease_id, lease, fingerprint, source, outcome, detail,
  anchor_seq, hash
FROM audit ORDER BY seq;

-- name: audit_anchor
-- Where verification starts: what the newest anchor says of the rows that are gone.
SELECT anchor_seq, detail FROM audit WHERE anchor_seq IS NOT NULL ORDER BY seq DESC LIMIT 1;

-- name: audit_anchored
-- The last row that is gone; by the index, for there may be a million rows and no anchor.
SELECT coalesce(max(anchor_seq), 0) FROM audit;

-- name: audit_prune
DELETE FROM audit WHERE seq <= :anchor_seq;

-- name: audit_row_hash
SELECT hash FROM audit WHERE seq = :seq;

-- name: audit_newest_before
-- Among the next that would go: to look at all would cost more with every row there is.
SELECT coalesce(max(seq), 0) FROM audit
WHERE seq > :after AND seq <= :after + :limit AND time_s < :before_s;

-- part: agent_columns
-- As lib/store/agents.c reads them.
id, login, kind, live, listen, created_s, expires_s, last_login_s, heartbeat_ms, fixed_end,
secret_hash, secret_used, token_id, name

-- name: agent_find
-- The live one, else the newest.
SELECT {agent_columns} FROM lease WHERE name = :name AND live = 1;

-- name: agent_find_dead
SELECT {agent_columns} FROM lease WHERE name = :name AND live IS NULL ORDER BY id DESC LIMIT 1;

-- name: agent_list
SELECT {agent_columns} FROM lease WHERE kind = 'agent' AND (:all OR live = 1) ORDER BY name, id;

-- name: agent_facts
SELECT agent_facts FROM lease WHERE id = :id;

-- name: agent_key
SELECT 1 FROM key WHERE lease_id = :id AND fingerprint = :fingerprint;

-- name: agent_key_barred
-- Held by a revoked agent, and by nobody since.
SELECT l.id FROM key AS k JOIN lease AS l ON l.id = k.lease_id
WHERE k.fingerprint = :fingerprint AND k.login = :login AND l.kind = 'agent'
ORDER BY l.live DESC, l.id DESC LIMIT 1;

-- name: agent_update
-- What is not bound stays as it was.
UPDATE lease SET secret_hash = coalesce(:secret_hash, secret_hash), secret_used = :secret_used,
  token_id = :token_id, agent_facts = :facts,
  heartbeat_ms = coalesce(:heartbeat_ms, heartbeat_ms), expires_s = coalesce(:expires_s, expires_s)
WHERE id = :id AND live = 1;

-- name: agent_beat
-- Thousands a second: by number, no audit row.
UPDATE lease SET heartbeat_ms = :heartbeat_ms, expires_s = :expires_s WHERE id = :id AND live = 1;

-- name: beat_insert
INSERT INTO beat(seq, lease_id, heartbeat_ms, expires_s)
VALUES(:seq, :lease_id, :heartbeat_ms, :expires_s);

-- name: beat_list
SELECT seq, lease_id, heartbeat_ms, expires_s FROM beat ORDER BY seq;

-- name: beat_settle
-- An end that was fixed, or a lease revoked, since the heartbeat stays as it is.
UPDATE lease SET heartbeat_ms = max(heartbeat_ms, :heartbeat_ms),
  expires_s = CASE WHEN fixed_end OR live IS NULL THEN expires_s ELSE max(expires_s, :expires_s) END
WHERE id = :id;

-- name: beat_delete
DELETE FROM beat WHERE seq <= :last;

-- name: agent_secret_used
UPDATE lease SET secret_used = 1 WHERE id = :id AND live = 1;

-- name: savepoint
SAVEPOINT part;

-- name: savepoint_undo
ROLLBACK TO part;

-- name: savepoint_release
RELEASE part;

-- name: login_seen
UPDATE lease SET last_login_s = :time_s WHERE id = :id AND last_login_s < :time_s;

-- name: agents_opening_other
SELECT id FROM lease WHERE id > :after AND id <= :last AND kind = 'agent' AND live = 1
  AND open <> :open AND expires_s > :now_s;

-- part: is_pending
-- What an admin added waits for its agent as long as its lease does.
kind = 'agent' AND live = 1 AND last_login_s = 0 AND agent_facts NOT LIKE 'admin 1%'

-- part: is_unused
id > :after AND id <= :last AND {is_pending} AND created_s < :before_s

-- name: unused_list
-- The four of one range, as above.
SELECT id, name FROM lease WHERE {is_unused} ORDER BY id;

-- name: unused_ports_delete
DELETE FROM port WHERE lease_id IN (SELECT id FROM lease WHERE {is_unused});

-- name: unused_keys_delete
DELETE FROM key WHERE lease_id IN (SELECT id FROM lease WHERE {is_unused});

-- name: unused_leases_delete
DELETE FROM lease WHERE {is_unused};

-- name: agents_pending
SELECT count(*) FROM lease WHERE {is_pending};

-- part: token_columns
-- As lib/store/tokens.c reads them.
id, name, uses_left, created_s, expires_s

-- name: token_insert
INSERT INTO token(hash, name, uses_left, created_s, expires_s)
VALUES(:hash, :name, :uses_left, :now_s, :expires_s);

-- name: token_find
SELECT {token_columns} FROM token WHERE hash = :hash;

-- name: token_use
UPDATE token SET uses_left = uses_left - 1 WHERE id = :id AND uses_left > 0;

-- name: token_delete
DELETE FROM token WHERE id = :id;

-- name: token_list
SELECT {token_columns} FROM token ORDER BY id;

-- name: data_version
PRAGMA data_version;

-- name: leases_ending
SELECT id, name, expires_s FROM lease
WHERE id > :after AND id <= :last AND live = 1 AND kind <> 'freeze' AND expires_s > :after_s
  AND expires_s <= :until_s;

-- name: count_leases
SELECT kind = 'agent', CASE WHEN live IS NULL THEN 2 WHEN expires_s <= :now_s THEN 1 ELSE 0 END,
  count(*), min(expires_s)
FROM lease WHERE id > :after AND id <= :last AND kind <> 'freeze' GROUP BY 1, 2;

-- name: count_ports
SELECT count(*) FILTER (WHERE freed_s = 0), count(*) FILTER (WHERE freed_s <> 0) FROM port;

-- name: count_audit
SELECT coalesce(max(seq), 0) - coalesce(min(seq), 1) + 1 FROM audit;
