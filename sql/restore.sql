-- SPDX-License-Identifier: ISC
-- The statements of leasectl restore: lib/store/backup/merge.c runs each once, in this order or in none.
-- main is the backup that becomes the store; old is the store that it replaces. Each statement takes
-- over from old what was taken away since the backup was made, so that nobody has more after a
-- restore than before it. `was` is a table of the active leases of the backup. The form is that of
-- queries.sql.

-- name: was_make
-- Before anything is changed.
CREATE TEMP TABLE was AS
SELECT id, name, login FROM lease WHERE live = 1 AND kind <> 'freeze' AND expires_s > :now_s;

-- part: same
-- The same lease in both stores. The numbers of two stores that have nothing in common may be equal.
o.id = l.id AND o.kind = l.kind AND o.name = l.name AND o.created_s = l.created_s

-- part: in_old
EXISTS (SELECT 1 FROM old.lease AS o WHERE {same})

-- part: live_in_old
EXISTS (SELECT 1 FROM old.lease AS o WHERE {same} AND o.live = 1)

-- ---- of the backup alone ----

-- name: beats_apply
UPDATE lease SET
  heartbeat_ms = max(heartbeat_ms, (SELECT max(heartbeat_ms) FROM beat WHERE lease_id = lease.id)),
  expires_s = CASE WHEN fixed_end OR live IS NULL THEN expires_s
    ELSE max(expires_s, (SELECT max(expires_s) FROM beat WHERE lease_id = lease.id)) END,
  turn = nullif(max(coalesce(turn, x''),
    coalesce((SELECT max(turn) FROM beat WHERE lease_id = lease.id), x'')), x'')
WHERE id IN (SELECT lease_id FROM beat);

-- name: beats_delete
DELETE FROM beat;

-- name: probes_delete
DELETE FROM lease WHERE id < 0;

-- name: keys_delete_left
-- Of leases that are not there any more.
DELETE FROM key WHERE lease_id NOT IN (SELECT id FROM lease);

-- name: sequence_begin
-- A store that never had a lease has no row.
INSERT INTO sqlite_sequence(name, seq)
SELECT 'lease', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'lease');

-- name: sequence_raise
UPDATE sqlite_sequence SET seq = seq + :by WHERE name = 'lease';

-- ---- what the old store is ----

-- name: audit_at
SELECT hash FROM audit WHERE seq = :seq;

-- name: old_audit_at
SELECT hash FROM old.audit WHERE seq = :seq;

-- name: old_audit_ends
SELECT coalesce(min(seq), 0), coalesce(max(seq), 0), coalesce(max(anchor_seq), 0) FROM old.audit;

-- name: old_sequence
UPDATE sqlite_sequence SET seq = max(seq, coalesce(
  (SELECT seq FROM old.sqlite_sequence WHERE name = 'lease'), 0)) WHERE name = 'lease';

-- ---- what was revoked since ----

-- name: revoke_same
UPDATE lease AS l SET live = NULL, revoked_s = o.revoked_s, keep_sessions = o.keep_sessions,
  expires_s = min(l.expires_s, o.expires_s)
FROM old.lease AS o WHERE {same} AND o.live IS NULL AND l.live = 1 AND l.kind <> 'freeze';

-- name: delete_deleted
-- Those that somebody ended, and that were deleted since. Others that old does not have come back.
-- :head: the last row of the audit that both have. :pruned: old no longer has all rows behind it.
DELETE FROM lease AS l WHERE live = 1 AND kind <> 'freeze' AND NOT {in_old} AND (:pruned OR id IN
  (SELECT lease_id FROM old.audit WHERE seq > :head
   AND action IN ('revoke', 'delete', 'renew', 'set', 'key_remove')));

-- name: agents_delete_revoked
-- The id of an agent that was revoked since, with another number and key: a register that was never used
-- goes after an hour, and frees the id for the next.
DELETE FROM lease AS l WHERE live = 1 AND kind = 'agent' AND NOT {in_old}
AND EXISTS (SELECT 1 FROM old.lease AS o WHERE o.name = l.name AND o.kind = 'agent' AND o.live IS NULL
  AND o.revoked_s >= l.created_s)
AND NOT EXISTS (SELECT 1 FROM old.lease AS o WHERE o.name = l.name AND o.live = 1);

-- name: keys_delete_removed
DELETE FROM key AS k WHERE live = 1 AND EXISTS
  (SELECT 1 FROM lease AS l JOIN old.lease AS o ON {same}
   WHERE l.id = k.lease_id AND l.live = 1 AND l.kind <> 'freeze'
   AND NOT EXISTS (SELECT 1 FROM old.key AS x
     WHERE x.lease_id = o.id AND x.fingerprint = k.fingerprint));

-- part: row_of_old
-- All columns of a lease, in the order of the table. Under a new number where another lease has this one.
CASE WHEN EXISTS (SELECT 1 FROM lease AS l WHERE l.id = o.id) THEN NULL ELSE o.id END,
o.kind, o.name, o.live, o.login, o.open, o.listen, o.sources, o.max_sessions, o.note, o.created_s,
o.renewed_s, o.expires_s, o.fixed_end, o.revoked_s, o.keep_sessions, o.last_login_s,
o.heartbeat_ms, o.secret_hash, o.secret_used, o.token_id, o.agent_facts, o.turn

-- name: revoked_insert
-- So that keys and names of revoked agents stay refused.
INSERT INTO lease
SELECT {row_of_old} FROM old.lease AS o WHERE o.live IS NULL AND o.kind <> 'freeze' AND o.id > 0
AND NOT EXISTS (SELECT 1 FROM lease AS l WHERE {same});

-- name: revoked_keys_insert
INSERT OR IGNORE INTO key
SELECT l.id, k.fingerprint, k.login, NULL, k.type, k.base64, k.comment, k.added_s
FROM old.lease AS o JOIN old.key AS k ON k.lease_id = o.id
JOIN lease AS l ON l.name = o.name AND l.live IS NULL AND l.kind = o.kind
  AND l.created_s = o.created_s AND l.revoked_s = o.revoked_s
WHERE o.live IS NULL AND o.kind <> 'freeze';

-- name: keys_delete_revoked
-- A key that was revoked or removed, whichever lease of the backup has it.
DELETE FROM key AS k WHERE live = 1 AND fingerprint <> '!' AND (
  EXISTS (SELECT 1 FROM old.key AS x
    WHERE x.fingerprint = k.fingerprint AND x.login = k.login AND x.live IS NULL)
  OR fingerprint IN (SELECT fingerprint FROM old.audit
    WHERE seq > :head AND action IN ('revoke', 'key_remove')))
AND NOT EXISTS (SELECT 1 FROM old.key AS x
  WHERE x.fingerprint = k.fingerprint AND x.login = k.login AND x.live = 1);

-- name: keys_follow_leases
UPDATE key SET live = NULL WHERE live = 1 AND lease_id IN (SELECT id FROM lease WHERE live IS NULL);

-- name: revoke_without_keys
UPDATE lease SET live = NULL, revoked_s = :now_s, keep_sessions = 0
WHERE live = 1 AND kind <> 'freeze' AND id NOT IN (SELECT lease_id FROM key);

-- name: end_earlier
UPDATE lease AS l SET expires_s = o.expires_s, fixed_end = o.fixed_end
FROM old.lease AS o
WHERE {same} AND l.kind = 'grant' AND l.live = 1 AND o.live = 1 AND o.expires_s < l.expires_s;

-- name: terms_differ
-- The grants that both stores have with other terms, and the terms in the one that is replaced.
SELECT l.id, o.open, o.listen, o.sources, o.max_sessions
FROM lease AS l JOIN old.lease AS o ON {same}
WHERE l.kind = 'grant' AND l.live = 1 AND o.live = 1 AND (l.open <> o.open OR l.listen <> o.listen
  OR l.sources <> o.sources OR l.max_sessions <> o.max_sessions);

-- name: freezes_insert
INSERT INTO lease
SELECT {row_of_old} FROM old.lease AS o WHERE o.live = 1 AND o.kind = 'freeze'
AND NOT EXISTS (SELECT 1 FROM lease AS l WHERE l.name = o.name AND l.live = 1);

-- name: freeze_keys_insert
INSERT OR IGNORE INTO key
SELECT id, '!', login, 1, '', '', '', created_s FROM lease WHERE live = 1 AND kind = 'freeze';

-- name: tokens_delete
-- Invites, too, in this and in the next.
DELETE FROM token WHERE hash NOT IN (SELECT hash FROM old.token);

-- ---- what lives on ----

-- name: tokens_spend
UPDATE token SET uses_left = min(token.uses_left, o.uses_left),
  invite = CASE WHEN o.uses_left < token.uses_left THEN o.invite ELSE token.invite END,
  expires_s = min(token.expires_s, o.expires_s)
FROM old.token AS o WHERE o.hash = token.hash;

-- name: agents_go_on
-- What an agent did since: its secret, its end, its heartbeats; so that it need not register again.
UPDATE lease AS l SET open = o.open, sources = o.sources, max_sessions = o.max_sessions,
  renewed_s = o.renewed_s, expires_s = o.expires_s, fixed_end = o.fixed_end,
  last_login_s = o.last_login_s, heartbeat_ms = o.heartbeat_ms, secret_hash = o.secret_hash,
  secret_used = o.secret_used, token_id = o.token_id, agent_facts = o.agent_facts, turn = o.turn
FROM old.lease AS o WHERE {same} AND l.kind = 'agent' AND l.live = 1 AND o.live = 1;

-- name: agents_keep_port
-- Unless another lease of the backup has the port that the agent has now.
UPDATE lease AS l SET listen = o.listen
FROM old.lease AS o WHERE {same} AND l.kind = 'agent' AND l.live = 1 AND o.live = 1
AND NOT EXISTS (SELECT 1 FROM old.port AS p JOIN port AS q ON q.port = p.port
  WHERE p.lease_id = l.id AND p.freed_s = 0 AND q.freed_s = 0 AND q.lease_id <> l.id);

-- name: agents_keep_keys
INSERT OR IGNORE INTO key
SELECT k.lease_id, k.fingerprint, k.login, k.live, k.type, k.base64, k.comment, k.added_s
FROM lease AS l JOIN old.lease AS o ON {same} JOIN old.key AS k ON k.lease_id = o.id
WHERE l.kind = 'agent' AND l.live = 1 AND o.live = 1;

-- name: logins_seen
UPDATE lease AS l SET last_login_s = o.last_login_s
FROM old.lease AS o WHERE {same} AND o.last_login_s > l.last_login_s;

-- name: beats_insert
INSERT INTO beat SELECT b.seq, b.lease_id, b.heartbeat_ms, b.expires_s, b.turn
FROM old.beat AS b JOIN lease AS l ON l.id = b.lease_id
WHERE l.kind = 'agent' AND {live_in_old};

-- name: ports_free_dead
UPDATE port SET freed_s = :now_s
WHERE freed_s = 0 AND lease_id NOT IN (SELECT id FROM lease WHERE live = 1);

-- name: ports_free_moved
-- The ports that agents had when the backup was made, and have no more.
UPDATE port AS q SET freed_s = :now_s WHERE freed_s = 0 AND EXISTS
  (SELECT 1 FROM lease AS l JOIN old.lease AS o ON {same}
   WHERE l.id = q.lease_id AND l.kind = 'agent' AND l.live = 1 AND o.live = 1 AND l.listen = o.listen)
AND NOT EXISTS (SELECT 1 FROM old.port AS p
  WHERE p.port = q.port AND p.lease_id = q.lease_id AND p.freed_s = 0);

-- name: ports_take_over
-- A port of a lease that is there no more is quarantined, and no quarantine ends early.
INSERT INTO port
SELECT p.port, p.lease_id, p.holder, CASE WHEN p.freed_s <> 0 THEN p.freed_s WHEN EXISTS
  (SELECT 1 FROM lease AS l JOIN old.lease AS o ON {same}
   WHERE l.id = p.lease_id AND l.live = 1 AND o.live = 1 AND l.listen = o.listen) THEN 0
  ELSE :now_s END
FROM old.port AS p WHERE true
ON CONFLICT(port) DO UPDATE SET lease_id = excluded.lease_id, holder = excluded.holder,
  freed_s = excluded.freed_s
WHERE port.freed_s <> 0 AND (excluded.freed_s = 0 OR excluded.freed_s >= port.freed_s);

-- ---- the audit ----

-- name: audit_insert_newer
INSERT INTO audit SELECT seq, time_s, actor, action, lease_id, lease, fingerprint, source, outcome,
  detail, anchor_seq, hash FROM old.audit WHERE seq > :head ORDER BY seq;

-- name: audit_delete_pruned
DELETE FROM audit WHERE seq <= (SELECT coalesce(max(anchor_seq), 0) FROM audit);

-- ---- what changes ----

-- part: active
l.live = 1 AND l.kind <> 'freeze' AND l.expires_s > :now_s

-- part: active_in_old
o.live = 1 AND o.kind <> 'freeze' AND o.expires_s > :now_s

-- name: found_back
-- found_back, found_gone, found_kept and found_frozen return an id, a name and a login.
SELECT l.id, l.name, l.login FROM lease AS l
WHERE {active} AND NOT EXISTS (SELECT 1 FROM old.lease AS o WHERE {same} AND {active_in_old})
ORDER BY l.id;

-- name: found_gone
SELECT o.id, o.name, o.login FROM old.lease AS o
WHERE {active_in_old} AND o.id > 0
AND NOT EXISTS (SELECT 1 FROM lease AS l WHERE {same} AND {active})
AND NOT EXISTS (SELECT 1 FROM was AS w WHERE w.id = o.id AND w.name = o.name) ORDER BY o.id;

-- name: found_kept
-- In the backup it is active, but it ends, or stays ended, as in the store that is replaced.
SELECT w.id, w.name, w.login FROM was AS w
WHERE NOT EXISTS (SELECT 1 FROM lease AS l WHERE l.id = w.id AND {active}) ORDER BY w.id;

-- name: found_frozen
SELECT id, name, login FROM lease WHERE kind = 'freeze' AND live = 1 ORDER BY login;

-- name: found_active
-- In place of found_back, where there is no old store.
SELECT l.id, l.name, l.login FROM lease AS l WHERE {active} ORDER BY l.id;

-- ---- what a store has ----

-- name: contents
SELECT count(*) FILTER (WHERE kind = 'grant' AND live = 1), count(*) FILTER (WHERE kind = 'agent'
  AND live = 1), count(*) FILTER (WHERE kind = 'freeze' AND live = 1), count(*),
  (SELECT count(*) FROM key), (SELECT count(*) FROM port), (SELECT count(*) FROM token WHERE name NOT GLOB '!*')
FROM lease WHERE id > 0;

-- part: statistics
-- What ANALYZE makes. Known by its text and not by its name: a trigger may have any name, too.
type = 'table' AND sql IN ('CREATE TABLE sqlite_stat1(tbl,idx,stat)',
  'CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)')

-- name: schema
SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema
WHERE NOT coalesce({statistics}, 0) ORDER BY type, name;

-- name: old_schema
SELECT type, name, tbl_name, coalesce(sql, '') FROM old.sqlite_schema
WHERE NOT coalesce({statistics}, 0) ORDER BY type, name;
