-- What is needed to start safely on a database that was restored from a backup: when the backup was taken, since tokens that
-- were issued afterwards have no row here, and the signing key that belongs to it.
--
-- Why it looks like this:
--   * A restore has one moment in which it happens: the database file takes its name. The signing key's file is another file,
--     so it comes along in this row, sealed, and is written from it; whoever finds it here finishes what was interrupted.
--   * carried_revocations: how many that the backup did not have were taken over from the database that it replaced; empty
--     where there was none that could be read.
--   * completed_at is empty until the first start has said what was recovered and what was not.
--
-- What it costs: nothing; one row a restore.

CREATE TABLE restores (
  key                 INTEGER PRIMARY KEY AUTOINCREMENT,
  backup              TEXT NOT NULL,
  backup_at           INTEGER NOT NULL,
  restored_at         INTEGER NOT NULL,
  carried_revocations INTEGER,
  sealed_signing_key  BLOB,
  completed_at        INTEGER
) STRICT;
