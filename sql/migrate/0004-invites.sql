-- SPDX-License-Identifier: ISC
-- Version 4: invites, in the table of tokens; which turn an agent's requests are at. Meaning: sql/schema.sql.

ALTER TABLE token ADD COLUMN invite TEXT;

ALTER TABLE lease ADD COLUMN turn BLOB;

ALTER TABLE beat ADD COLUMN turn BLOB;
