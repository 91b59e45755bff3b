-- SPDX-License-Identifier: ISC
-- Version 2: heartbeats of a busy gateway, one behind the other. Meaning: sql/schema.sql.

CREATE TABLE beat(
  seq INTEGER PRIMARY KEY,
  lease_id INTEGER NOT NULL,
  heartbeat_ms INTEGER NOT NULL,
  expires_s INTEGER NOT NULL
) STRICT;
