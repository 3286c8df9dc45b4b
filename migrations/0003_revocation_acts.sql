-- Revoking by what an operator means: every act of revoking gets a row, tokens can be found by role and by cluster, and users
-- and roles can be locked for a time. And since when each cluster has what.
--
-- Why it looks like this:
--   * A change says that a token is revoked, so the token's own row doesn't say it again: revoking a hundred thousand tokens
--     appends a hundred thousand short rows, and neither rewrites nor even reads the long ones (token_key is no foreign key
--     any more, since checking it took as long as appending). Who did it and why stands once, in the act's row.
--   * scope and target are the selector resolved to keys: with them a token that is being issued while an act happens is
--     told from one that the act does not concern. Acts on one token in hand (scope 'text') are by far the most, so the index
--     for that leaves them out.
--   * Each index by which tokens are selected ends with when they expire, so that an act reads the index and no token, and
--     skips what has expired.
--   * A cluster's acknowledgements are kept one row for each time it moved, thinned as they grow old.
--   * Tokens that are there already get the roles that their user has now, and count as good for every cluster: what went
--     into them was not written down.
--
-- What it costs: tokens and changes are rewritten once, about 10 s for a million tokens. Afterwards a token has two more
-- index entries and two for each role and cluster; a revocation by text has one more row.

CREATE TABLE revocations (
  key            INTEGER PRIMARY KEY AUTOINCREMENT,
  selector       TEXT NOT NULL,
  scope          TEXT NOT NULL CHECK (scope IN ('text', 'jti', 'session', 'user', 'role', 'cluster', 'key', 'time')),
  target         TEXT NOT NULL,
  actor          TEXT NOT NULL,
  reason         TEXT NOT NULL,
  recorded_at    INTEGER NOT NULL,
  tokens         INTEGER NOT NULL,
  first_sequence INTEGER NOT NULL,
  last_sequence  INTEGER NOT NULL,
  expires_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX revocations_by_expiry ON revocations (expires_at);
CREATE INDEX revocations_beyond_text ON revocations (key, scope, target) WHERE scope <> 'text';

INSERT INTO revocations
SELECT sequence, '{"by":"text"}', 'text', '', actor, reason, recorded_at, 1, sequence, sequence, expires_at FROM changes;

CREATE TABLE changes_new (
  sequence       INTEGER PRIMARY KEY AUTOINCREMENT,
  kind           TEXT NOT NULL,
  token_key      INTEGER NOT NULL UNIQUE,
  expires_at     INTEGER NOT NULL,
  recorded_at    INTEGER NOT NULL,
  revocation_key INTEGER NOT NULL
) STRICT;
INSERT INTO changes_new SELECT sequence, kind, token_key, expires_at, recorded_at, sequence FROM changes;
-- A sequence is never used again, also where the log is empty now.
DELETE FROM sqlite_sequence WHERE name = 'changes_new';
INSERT INTO sqlite_sequence (name, seq) SELECT 'changes_new', seq FROM sqlite_sequence WHERE name = 'changes';
DROP TABLE changes;
ALTER TABLE changes_new RENAME TO changes;

ALTER TABLE tokens DROP COLUMN revoked_at;
ALTER TABLE tokens ADD COLUMN everywhere INTEGER NOT NULL DEFAULT 1;
DROP INDEX tokens_by_kid;
CREATE INDEX tokens_by_kid ON tokens (kid, expires_at) WHERE kid IS NOT NULL;
CREATE INDEX tokens_by_issue ON tokens (issued_at, expires_at);
CREATE INDEX tokens_everywhere ON tokens (expires_at) WHERE everywhere = 1;

CREATE TABLE token_roles (
  token_key  INTEGER NOT NULL REFERENCES tokens (key) ON DELETE CASCADE,
  role_key   INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (token_key, role_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX token_roles_by_role ON token_roles (role_key, expires_at);

INSERT INTO token_roles
SELECT DISTINCT t.key, ur.role_key, t.expires_at FROM tokens t JOIN user_roles ur ON ur.user_key = t.user_key;

CREATE TABLE token_clusters (
  token_key  INTEGER NOT NULL REFERENCES tokens (key) ON DELETE CASCADE,
  cluster_id TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (token_key, cluster_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX token_clusters_by_cluster ON token_clusters (cluster_id, expires_at);

CREATE TABLE locks (
  key            INTEGER PRIMARY KEY AUTOINCREMENT,
  user_key       INTEGER,
  role_key       INTEGER,
  name           TEXT NOT NULL,
  until          INTEGER NOT NULL,
  actor          TEXT NOT NULL,
  reason         TEXT NOT NULL,
  created_at     INTEGER NOT NULL,
  lifted_at      INTEGER,
  lifted_by      TEXT,
  revocation_key INTEGER NOT NULL,
  CHECK ((user_key IS NULL) <> (role_key IS NULL)),
  CHECK ((lifted_at IS NULL) = (lifted_by IS NULL))
) STRICT;
CREATE INDEX locks_of_users ON locks (user_key, until) WHERE lifted_at IS NULL AND user_key IS NOT NULL;
CREATE INDEX locks_of_roles ON locks (role_key, until) WHERE lifted_at IS NULL AND role_key IS NOT NULL;

CREATE TABLE cluster_acknowledgements (
  cluster_id TEXT NOT NULL REFERENCES clusters (id) ON DELETE CASCADE,
  sequence   INTEGER NOT NULL,
  at         INTEGER NOT NULL,
  PRIMARY KEY (cluster_id, sequence)
) STRICT, WITHOUT ROWID;
ALTER TABLE cluster_cursors ADD COLUMN acknowledgement_count INTEGER NOT NULL DEFAULT 1;

INSERT INTO cluster_acknowledgements
SELECT cc.cluster_id, cc.acknowledged, coalesce(cc.last_acknowledged_at, c.registered_at)
FROM cluster_cursors cc JOIN clusters c ON c.id = cc.cluster_id;
