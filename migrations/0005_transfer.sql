-- What taking over another server's data needs, and giving it back.
--
-- Why it looks like this:
--   * A bcrypt hash that log-in replaces by a better one is all that the other server could check a password with. It is
--     kept beside the new one, sealed, so that the row alone is no easier to attack; a new password drops it.
--   * A key that came from another server may have signed tokens that have no row here. foreign_until is the last moment
--     in which one of them may still be good; until then the key isn't retired by itself.
--
-- What it costs: nothing; two empty columns.

ALTER TABLE users ADD COLUMN sealed_former_hash BLOB;
ALTER TABLE signing_keys ADD COLUMN foreign_until INTEGER;
