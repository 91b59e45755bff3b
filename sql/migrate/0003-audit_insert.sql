-- SPDX-License-Identifier: ISC
-- Version 3: no row of the audit can be replaced. Meaning: sql/schema.sql.

CREATE TRIGGER audit_insert BEFORE INSERT ON audit BEGIN
  SELECT RAISE(ABORT, 'audit rows are only added behind the newest')
  FROM audit WHERE seq >= NEW.seq OR anchor_seq >= NEW.anchor_seq;
END;
