-- Locks that too many failed logins lead to.
--
-- Why it looks like this:
--   * They are kept here, not in memory, so that a restart doesn't end them, every process on the database heeds them, and an
--     administrator can end them, on the data folder too when nobody can log in.
--   * name and address are those that were tried, known here or not. Where one of them does not matter it is empty, so that one
--     index finds all three kinds.
--   * Failures that lead to no lock are counted in memory alone: a storm of them must not fill the disk.
--
-- What it costs: nothing; a row for each lock, cleared away an hour after it has ended.

CREATE TABLE login_locks (
  key      INTEGER PRIMARY KEY AUTOINCREMENT,
  kind     TEXT NOT NULL CHECK (kind IN ('user', 'user_at_address', 'address')),
  name     TEXT NOT NULL,
  address  TEXT NOT NULL,
  until    INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  at       INTEGER NOT NULL,
  UNIQUE (name, address, kind)
) STRICT;
CREATE INDEX login_locks_by_address ON login_locks (address);
CREATE INDEX login_locks_by_end ON login_locks (until);
