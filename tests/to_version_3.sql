/* SPDX-License-Identifier: ISC */
/* Makes a store of version 3 of one of version 4: what sql/migrate/0004-invites.sql adds goes. */
ALTER TABLE token DROP COLUMN invite;
ALTER TABLE lease DROP COLUMN turn;
ALTER TABLE beat DROP COLUMN turn;
PRAGMA user_version = 3;
