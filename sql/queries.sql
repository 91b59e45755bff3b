-- SPDX-License-Identifier: ISC
-- All statements that tunlease runs, by name. sql/embed.awk makes enum stmt_id of the names, and
-- lib/store prepares each statement when it is first used. Values are always bound, never pasted.
-- A `part` is text that several statements share: later statements include it as {NAME}.
-- Only statements marked `reader: akc` may run on the login path; make check proves that they write
-- nothing and find their rows by an index.

-- name: version
-- reader: akc
-- The version of the tables: the number of the last file in migrate/ that was run.
PRAGMA user_version;

-- name: snapshot_begin
-- reader: akc
-- Deferred: takes no lock, so it waits for nobody.
BEGIN;

-- name: snapshot_begin_now
-- reader: akc
-- On a read-only connection IMMEDIATE takes the read lock at once, and no other lock.
BEGIN IMMEDIATE;

-- name: snapshot_end
-- reader: akc
ROLLBACK;

-- name: key_find
-- reader: akc
-- At every login: for the key itself, and with the fingerprint ! for a freeze of the login and of all
-- logins (*). Two simple statements in one read transaction, not a join: most of the cost of a
-- lookup is to prepare it, and to plan a join costs more than to prepare both of its halves.
SELECT lease_id FROM key WHERE fingerprint = :fingerprint AND login = :login AND live = 1;

-- name: lease_find
-- reader: akc
-- Expired ones, too: the caller compares expires_s with its own clock.
SELECT name, open, listen, sources, max_sessions, expires_s
FROM lease WHERE id = :id AND live = 1;

-- name: key_history
-- reader: akc
-- Only after key_find found nothing, to say why: the lease that this key is or was in, first of all
-- one on this login.
SELECT l.id, l.name, k.login, l.expires_s, l.revoked_s, l.live
FROM key AS k JOIN lease AS l ON l.id = k.lease_id
WHERE k.fingerprint = :fingerprint
ORDER BY k.login = :login DESC, l.id DESC LIMIT 1;

-- name: agent_listen
-- reader: akc
-- Only for a lease that opens an agent: the port on which the agent listens now.
SELECT listen FROM lease WHERE name = :name AND live = 1 AND kind = 'agent';

-- name: login_keys
-- reader: akc
-- For `akc LOGIN` without a key, which a person runs and sshd never does: all keys of the login.
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
-- The one that is not revoked, else the newest.
SELECT {lease_columns} FROM lease WHERE name = :name AND kind <> 'freeze'
ORDER BY live DESC, id DESC LIMIT 1;

-- name: lease_list
-- :all 1: expired and revoked ones, too; :login '': of any login; :before_s: the latest end (list
-- --expiring).
SELECT {lease_columns} FROM lease
WHERE kind <> 'freeze' AND (:login = '' OR login = :login) AND expires_s <= :before_s
  AND (:all OR (live = 1 AND expires_s > :now_s))
ORDER BY id;

-- name: lease_briefs
-- leasectl top: those that are active, as lib/store/briefs.c reads them.
SELECT id, kind, name, login, open, listen, expires_s, last_login_s, note FROM lease
WHERE kind <> 'freeze' AND live = 1 AND expires_s > :now_s
ORDER BY id;

-- name: lease_keys
SELECT type, base64, fingerprint, comment, added_s FROM key
WHERE lease_id = :lease_id ORDER BY added_s, fingerprint;

-- name: key_holder
-- The lease that has the key on this login: no other lease there can have it.
SELECT l.id, l.name, l.expires_s
FROM key AS k JOIN lease AS l ON l.id = k.lease_id
WHERE k.fingerprint = :fingerprint AND k.login = :login AND k.live = 1;

-- name: key_was_held
-- Whether a lease that is now revoked had this key.
SELECT 1 FROM key WHERE fingerprint = :fingerprint AND login = :login AND live IS NULL LIMIT 1;

-- name: lease_insert
-- :id is NULL but for a probe.
INSERT INTO lease(id, kind, name, live, login, open, listen, sources, max_sessions, note, created_s,
  renewed_s, expires_s, fixed_end, revoked_s, keep_sessions, last_login_s, heartbeat_ms,
  secret_used, agent_facts)
VALUES(:id, :kind, :name, 1, :login, :open, :listen, :sources, :max_sessions, :note, :created_s,
  0, :expires_s, :fixed_end, 0, 0, 0, 0, 0, '');

-- name: key_insert
INSERT INTO key(lease_id, fingerprint, login, live, type, base64, comment, added_s)
VALUES(:lease_id, :fingerprint, :login, 1, :type, :base64, :comment, :added_s);

-- name: lease_set
UPDATE lease SET open = :open, listen = :listen, sources = :sources, max_sessions = :max_sessions,
  note = :note
WHERE id = :id AND live = 1;

-- name: lease_renew
-- Makes an expired lease active again. A revoked one stays revoked.
UPDATE lease SET expires_s = :expires_s, fixed_end = :fixed_end, renewed_s = :now_s
WHERE id = :id AND live = 1;

-- name: lease_prolong
-- leasectl run: another minute, if nobody gave the lease another end meanwhile.
UPDATE lease SET expires_s = :expires_s WHERE id = :id AND live = 1 AND expires_s = :before_s;

-- name: lease_revoke
UPDATE lease SET live = NULL, revoked_s = :now_s, keep_sessions = :keep_sessions
WHERE id = :id AND live = 1;

-- name: lease_revoke_keys
UPDATE key SET live = NULL WHERE lease_id = :id;

-- name: lease_delete
-- Only if it is expired or revoked.
DELETE FROM lease WHERE id = :id AND kind <> 'freeze' AND (live IS NULL OR expires_s <= :now_s);

-- name: lease_delete_keys
DELETE FROM key WHERE lease_id = :id;

-- name: probes_abandoned
-- When a store is opened to write: what a killed leasectl verify has left. The id is negative.
SELECT id FROM lease WHERE id < 0 AND expires_s < :before_s ORDER BY id LIMIT :limit;

-- name: key_delete
DELETE FROM key WHERE lease_id = :lease_id AND fingerprint = :fingerprint;

-- name: freeze_by_name
SELECT id, created_s FROM lease WHERE name = :name AND live = 1 AND kind = 'freeze';

-- name: freeze_list
SELECT login, created_s FROM lease WHERE kind = 'freeze' AND live = 1 ORDER BY login;

-- name: freeze_end
-- Like a revoked lease, the row stays, and says from when to when the login was frozen.
UPDATE lease SET live = NULL, revoked_s = :now_s WHERE id = :id AND live = 1;

-- name: range_next
-- The last id of the next :limit leases. An index on anything but the id would cost akc time at every
-- login; so a walk through all leases goes by id, range by range (lib/store/walk.c).
SELECT coalesce(max(id), 0) FROM (SELECT id FROM lease WHERE id > :after ORDER BY id LIMIT :limit);

-- part: is_dead
-- Of one range: leases that expired or were revoked before :before_s. Not revoked agents: they stay,
-- so that their names and keys are refused until an admin deletes them.
id > :after AND id <= :last AND kind <> 'freeze' AND NOT (kind = 'agent' AND live IS NULL)
AND (expires_s < :before_s OR (live IS NULL AND revoked_s < :before_s))

-- name: dead_count
-- dead_ports_free, dead_keys_delete and dead_leases_delete run after it in this order, on the same
-- leases.
SELECT count(*) FROM lease WHERE {is_dead};

-- name: expired_ports_free
UPDATE port SET freed_s = :now_s WHERE port BETWEEN :low AND :high AND freed_s = 0
  AND (SELECT live = 1 AND expires_s < :before_s FROM lease WHERE id = port.lease_id);

-- name: dead_ports_free
-- Ports that were not freed when their lease expired. They are quarantined from now on, for nobody
-- knows until when they were used.
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
-- The quarantined port that :holder had; else any, so that the caller knows that there is one.
SELECT port, holder = :holder FROM port WHERE freed_s <> 0
ORDER BY holder = :holder DESC, freed_s DESC LIMIT 1;

-- name: port_acquire
-- Acquires a port that has no row or is freed; the caller has checked its quarantine. Changes nothing
-- if a lease holds it.
INSERT INTO port(port, lease_id, holder, freed_s) VALUES(:port, :lease_id, :holder, 0)
ON CONFLICT(port) DO UPDATE SET lease_id = excluded.lease_id, holder = excluded.holder, freed_s = 0
WHERE freed_s <> 0;

-- name: port_free
UPDATE port SET freed_s = :now_s WHERE lease_id = :lease_id AND freed_s = 0;

-- name: port_delete
DELETE FROM port WHERE lease_id = :lease_id;

-- name: audit_last_of
-- The newest row of an action on a lease, such as who revoked it, and when.
SELECT time_s, actor FROM audit WHERE lease_id = :lease_id AND action = :action
ORDER BY seq DESC LIMIT 1;

-- name: audit_made_by_run
-- Whether leasectl run made a lease, with these terms and this one key. By its time as well, since a
-- store that was restored may give a number again.
SELECT 1 FROM audit WHERE lease_id = :lease_id AND action = 'run' AND time_s = :created_s
  AND fingerprint = :fingerprint AND substr(detail, 1, length(:terms)) = :terms LIMIT 1;

-- name: overview_leases
-- For leased's page: of one range, what the lists are sorted and filtered by.
SELECT id, kind = 'agent', live = 1, expires_s, revoked_s, name, login, open, listen FROM lease
WHERE id > :after AND id <= :last AND kind <> 'freeze' ORDER BY id;

-- name: audit_head
SELECT seq, hash, time_s FROM audit ORDER BY seq DESC LIMIT 1;

-- name: audit_insert
INSERT INTO audit(seq, time_s, actor, action, lease_id, lease, fingerprint, source, outcome, detail,
  anchor_seq, hash)
VALUES(:seq, :time_s, :actor, :action, :lease_id, :lease, :fingerprint, :source, :outcome, :detail,
  :anchor_seq, :hash);

-- part: audit_columns
-- As lib/store/audit_row.c reads them.
seq, time_s, actor, action, lease_id, lease, fingerprint, source, outcome, detail, anchor_seq, hash

-- name: audit_scan
SELECT {audit_columns} FROM audit WHERE seq >= :from ORDER BY seq;

-- name: audit_row
SELECT {audit_columns} FROM audit WHERE seq = :seq;

-- name: audit_list
SELECT {audit_columns} FROM audit
WHERE seq > :after AND time_s >= :since_s AND (:lease IS NULL OR lease = :lease)
  AND (:lease_id = 0 OR lease_id = :lease_id)
ORDER BY seq LIMIT :limit;

-- name: audit_newest
-- The newest rows of the audit, from :offset on, :limit of them at most. Rows are numbered without a
-- gap, so a page is found by its number.
SELECT {audit_columns} FROM audit
WHERE seq <= (SELECT max(seq) FROM audit) - :offset ORDER BY seq DESC LIMIT :limit;

-- name: audit_anchor
-- The newest anchor, where verification starts: the last deleted row, and its hash in detail.
SELECT anchor_seq, detail, seq FROM audit WHERE anchor_seq IS NOT NULL ORDER BY seq DESC LIMIT 1;

-- name: audit_anchored
-- The last deleted row; 0: none. By the index: there may be a million rows and no anchor.
SELECT coalesce(max(anchor_seq), 0) FROM audit;

-- name: audit_prune
DELETE FROM audit WHERE seq <= :anchor_seq;

-- name: audit_row_hash
SELECT hash FROM audit WHERE seq = :seq;

-- name: audit_try_change
-- These three are tried by `leasectl prove`, which rolls them back: the triggers must refuse them.
UPDATE audit SET detail = '' WHERE seq = (SELECT max(seq) FROM audit);

-- name: audit_try_removal
DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit);

-- name: audit_try_replacement
INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE seq = (SELECT max(seq) FROM audit);

-- name: audit_newest_before
-- Looks only at the next :limit rows: looking at all would cost more, the more rows there are.
SELECT coalesce(max(seq), 0) FROM audit
WHERE seq > :after AND seq <= :after + :limit AND time_s < :before_s;

-- part: agent_columns
-- As lib/store/agents.c reads them.
id, login, kind, live, listen, created_s, expires_s, last_login_s, heartbeat_ms, fixed_end,
secret_hash, secret_used, token_id, name, max_sessions

-- name: agent_find
-- The one that is not revoked. agent_find_dead finds the newest revoked one.
SELECT {agent_columns} FROM lease WHERE name = :name AND live = 1;

-- name: agent_find_dead
SELECT {agent_columns} FROM lease WHERE name = :name AND live IS NULL ORDER BY id DESC LIMIT 1;

-- name: agent_list
SELECT {agent_columns} FROM lease WHERE kind = 'agent' AND (:all OR live = 1) ORDER BY name, id;

-- name: agent_facts
SELECT agent_facts FROM lease WHERE id = :id;

-- name: agents_copied
-- For doctor: it reads all agents. Those that are frozen, or of which a copy was seen.
SELECT name, agent_facts, max_sessions FROM lease
WHERE kind = 'agent' AND live = 1 AND (max_sessions < 0 OR instr(agent_facts, 'copy_seen_s ') > 0)
ORDER BY name;

-- name: agent_facts_set
UPDATE lease SET agent_facts = :facts WHERE id = :id AND live = 1;

-- name: agent_turn
-- leased alone, whose store is migrated: older ones have no such column.
SELECT turn FROM lease WHERE id = :id;

-- name: agent_freeze
-- An agent has no limit of sessions of its own, so max_sessions says this: -1 is frozen, 0 is not.
UPDATE lease SET max_sessions = :max_sessions WHERE id = :id AND live = 1;

-- name: agent_turn_forget
UPDATE lease SET turn = NULL WHERE id = :id;

-- name: beat_turn_forget
-- Rare: it reads all pending heartbeats.
UPDATE beat SET turn = NULL WHERE lease_id = :id AND turn IS NOT NULL;

-- name: agent_key
SELECT 1 FROM key WHERE lease_id = :id AND fingerprint = :fingerprint;

-- name: agent_key_revoked
-- The newest agent with this key; one that is not revoked comes first.
SELECT l.id FROM key AS k JOIN lease AS l ON l.id = k.lease_id
WHERE k.fingerprint = :fingerprint AND k.login = :login AND l.kind = 'agent'
ORDER BY l.live DESC, l.id DESC LIMIT 1;

-- name: agent_update
-- A column whose parameter is NULL stays unchanged, if it has coalesce.
UPDATE lease SET secret_hash = coalesce(:secret_hash, secret_hash), secret_used = :secret_used,
  token_id = :token_id, agent_facts = :facts,
  heartbeat_ms = coalesce(:heartbeat_ms, heartbeat_ms), expires_s = coalesce(:expires_s, expires_s),
  turn = coalesce(:turn, turn)
WHERE id = :id AND live = 1;

-- name: agent_beat
-- Runs thousands of times a second: by id, and without an audit row.
UPDATE lease SET heartbeat_ms = :heartbeat_ms, expires_s = :expires_s, turn = coalesce(:turn, turn)
WHERE id = :id AND live = 1;

-- name: beat_insert
INSERT INTO beat(seq, lease_id, heartbeat_ms, expires_s, turn)
VALUES(:seq, :lease_id, :heartbeat_ms, :expires_s, :turn);

-- name: beat_list
SELECT seq, lease_id, heartbeat_ms, expires_s, turn FROM beat ORDER BY seq;

-- name: beat_apply
-- If since the heartbeat the lease was revoked or an admin set its end, expires_s stays.
UPDATE lease SET heartbeat_ms = max(heartbeat_ms, :heartbeat_ms),
  expires_s = CASE WHEN fixed_end OR live IS NULL THEN expires_s ELSE max(expires_s, :expires_s) END,
  turn = nullif(max(coalesce(turn, x''), coalesce(:turn, x'')), x'')
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
-- Agents that registered and never had a session. Not those that an admin added: they may wait for
-- their agent until they expire.
kind = 'agent' AND live = 1 AND last_login_s = 0 AND agent_facts NOT LIKE 'admin 1%'

-- part: is_unused
id > :after AND id <= :last AND {is_pending} AND created_s < :before_s

-- name: unused_list
-- unused_ports_delete, unused_keys_delete and unused_leases_delete run after it in this order, on the
-- same leases.
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

-- part: is_token
-- An invite is named !NAME. Not by the column `invite`: a store of version 3 has none.
name NOT GLOB '!*'

-- name: token_find
SELECT {token_columns} FROM token WHERE hash = :hash AND {is_token};

-- name: token_use
UPDATE token SET uses_left = uses_left - 1 WHERE id = :id AND uses_left > 0;

-- name: token_delete
DELETE FROM token WHERE id = :id AND {is_token};

-- name: token_list
SELECT {token_columns} FROM token WHERE {is_token} ORDER BY id;

-- part: invite_columns
-- As lib/store/invites.c reads them.
id, substr(name, 2), uses_left, created_s, expires_s, invite

-- name: invite_insert
-- Its number is one that no invite had: 'leasectl invite revoke 1', printed for one that is gone, is not to
-- take back another. The audit knows the newest number, also of those that are deleted.
INSERT INTO token(id, hash, name, uses_left, created_s, expires_s, invite)
VALUES(1 + max(coalesce((SELECT max(id) FROM token), 0),
  coalesce((SELECT CAST(substr(detail, length('invite=') + 1) AS INTEGER) FROM audit
    WHERE action = 'invite_create' ORDER BY seq DESC LIMIT 1), 0)),
  :hash, '!' || :name, 1, :now_s, :expires_s, :invite);

-- name: invite_find
SELECT {invite_columns} FROM token WHERE hash = :hash AND invite IS NOT NULL;

-- name: invite_by_id
SELECT {invite_columns} FROM token WHERE id = :id AND invite IS NOT NULL;

-- name: invite_list
SELECT {invite_columns} FROM token WHERE invite IS NOT NULL ORDER BY id;

-- name: invite_of_name
SELECT id FROM token
WHERE name = '!' || :name AND invite IS NOT NULL AND uses_left > 0 AND expires_s > :now_s;

-- name: invite_admits
-- reader: akc
-- At a login of JoinLogin alone. The time at which an invite was spent is its expires_s then.
SELECT 1 FROM token WHERE invite IS NOT NULL AND CASE WHEN uses_left > 0 THEN expires_s > :now_s
  ELSE expires_s > :spent_after_s AND instr(invite, char(10) || 'fingerprint ' || :fingerprint || char(10))
  END LIMIT 1;

-- name: invite_use
UPDATE token SET uses_left = 0, expires_s = :now_s
WHERE id = :id AND invite IS NOT NULL AND uses_left > 0 AND expires_s > :now_s;

-- name: invite_spend
UPDATE token SET invite = invite || :spent WHERE id = :id AND invite IS NOT NULL AND uses_left = 0;

-- name: invite_delete
DELETE FROM token WHERE id = :id AND invite IS NOT NULL;

-- name: invite_prune
DELETE FROM token WHERE invite IS NOT NULL AND expires_s < :before_s;

-- name: data_version
PRAGMA data_version;

-- name: page_count
-- How large the database is: before a migration makes its backup.
PRAGMA page_count;

-- name: page_size
-- The same.
PRAGMA page_size;

-- name: generation
-- SQLite counts the changes of the tables themselves: a migration, and a restore.
PRAGMA schema_version;

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

-- name: integrity_check
-- Reads the whole database, and returns at most one fault. Not quick_check, which passes over an index
-- that does not match its table: a name or a key is looked up in one.
PRAGMA integrity_check(1);

-- name: newest_time
-- For doctor: nothing can have been written down later than now.
SELECT max(coalesce((SELECT time_s FROM audit ORDER BY seq DESC LIMIT 1), 0),
  coalesce((SELECT max(max(created_s, renewed_s, last_login_s, heartbeat_ms / 1000)) FROM lease), 0));
