-- The first shape of the store: users, roles, clusters with their delivery cursors, signing keys, every token issued, the
-- log of changes that clusters must hear of, and settings changed at run time.
--
-- Why it looks like this:
--   * Users refer to roles and never copy them, and a removed role is only marked. Changing or removing a role therefore
--     writes the same few rows whether ten users hold it or a hundred thousand; the rows left over are purged later.
--   * Keys of users, roles and changes are AUTOINCREMENT: a key is never used again, so a name that is taken anew never
--     inherits what belonged to its former owner.
--   * A change and the mark on its token are rows of one database, written in one transaction. One cursor row a cluster
--     says how far that cluster is, so the state grows with the number of clusters, not with revocations times clusters.
--   * A token's row outlives its user (user_key is no foreign key): what was issued must stay revocable.
--   * Instants are whole milliseconds since 1970. Secrets are sealed before they get here (columns named sealed_...).
--
-- What it costs: nothing to speak of, the database is empty. Afterwards a token is one row and seven index entries, about
-- 1.5 KB with its text; a revocation is one more row with two index entries.

CREATE TABLE master_key_check (
  key    INTEGER PRIMARY KEY CHECK (key = 1),
  sealed BLOB NOT NULL
) STRICT;

CREATE TABLE users (
  key               INTEGER PRIMARY KEY AUTOINCREMENT,
  name              TEXT NOT NULL UNIQUE,
  password_hash     TEXT NOT NULL,
  is_built_in       INTEGER NOT NULL,
  disabled_at       INTEGER,
  tokens_not_before INTEGER NOT NULL,
  created_at        INTEGER NOT NULL,
  updated_at        INTEGER NOT NULL
) STRICT;

CREATE TABLE roles (
  key              INTEGER PRIMARY KEY AUTOINCREMENT,
  name             TEXT NOT NULL,
  description      TEXT NOT NULL,
  is_administrator INTEGER NOT NULL,
  is_built_in      INTEGER NOT NULL,
  annotations      TEXT NOT NULL,
  created_at       INTEGER NOT NULL,
  updated_at       INTEGER NOT NULL,
  deleted_at       INTEGER
) STRICT;
CREATE UNIQUE INDEX roles_by_name ON roles (name) WHERE deleted_at IS NULL;
CREATE INDEX roles_of_administrators ON roles (key) WHERE is_administrator = 1 AND deleted_at IS NULL;
CREATE INDEX roles_deleted ON roles (key) WHERE deleted_at IS NOT NULL;

CREATE TABLE role_grants (
  role_key    INTEGER NOT NULL REFERENCES roles (key) ON DELETE CASCADE,
  position    INTEGER NOT NULL,
  cluster_id  TEXT NOT NULL,
  resource    TEXT,
  permissions TEXT NOT NULL,
  annotations TEXT NOT NULL,
  PRIMARY KEY (role_key, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX role_grants_by_cluster ON role_grants (cluster_id);

CREATE TABLE user_roles (
  user_key INTEGER NOT NULL REFERENCES users (key) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  role_key INTEGER NOT NULL REFERENCES roles (key),
  PRIMARY KEY (user_key, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX user_roles_by_role ON user_roles (role_key, user_key);

CREATE TABLE clusters (
  id                 TEXT PRIMARY KEY,
  kind               TEXT NOT NULL,
  alias              TEXT,
  urls               TEXT NOT NULL,
  annotations        TEXT NOT NULL,
  sealed_credentials BLOB,
  registered_at      INTEGER NOT NULL,
  updated_at         INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX clusters_by_alias ON clusters (alias) WHERE alias IS NOT NULL;

CREATE TABLE cluster_cursors (
  cluster_id           TEXT PRIMARY KEY REFERENCES clusters (id) ON DELETE CASCADE,
  acknowledged         INTEGER NOT NULL,
  resync_from          INTEGER,
  resync_until         INTEGER NOT NULL,
  attempts             INTEGER NOT NULL,
  next_attempt_at      INTEGER NOT NULL,
  lease                TEXT,
  lease_until          INTEGER,
  last_reason          TEXT,
  last_said            TEXT,
  last_attempt_at      INTEGER,
  last_acknowledged_at INTEGER
) STRICT;
CREATE INDEX cluster_cursors_behind ON cluster_cursors (acknowledged);
CREATE INDEX cluster_cursors_in_resync ON cluster_cursors (resync_from) WHERE resync_from IS NOT NULL;

CREATE TABLE signing_keys (
  kid                TEXT PRIMARY KEY,
  public_jwk         TEXT NOT NULL,
  state              TEXT NOT NULL CHECK (state IN ('next', 'active', 'retiring', 'retired')),
  sealed_private_key BLOB,
  created_at         INTEGER NOT NULL,
  activated_at       INTEGER,
  retired_at         INTEGER
) STRICT;

CREATE TABLE tokens (
  key         INTEGER PRIMARY KEY,
  fingerprint BLOB NOT NULL UNIQUE,
  jti         TEXT,
  session     TEXT,
  subject     TEXT NOT NULL,
  user_key    INTEGER,
  kid         TEXT,
  audience    TEXT NOT NULL,
  origin      TEXT NOT NULL CHECK (origin IN ('issued', 'foreign')),
  issued_at   INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL,
  revoked_at  INTEGER,
  sealed_text BLOB NOT NULL
) STRICT;
CREATE INDEX tokens_by_expiry ON tokens (expires_at);
CREATE INDEX tokens_by_subject ON tokens (subject, expires_at);
CREATE INDEX tokens_by_jti ON tokens (jti) WHERE jti IS NOT NULL;
CREATE INDEX tokens_by_session ON tokens (session) WHERE session IS NOT NULL;
CREATE INDEX tokens_by_user ON tokens (user_key) WHERE user_key IS NOT NULL;
CREATE INDEX tokens_by_kid ON tokens (kid) WHERE kid IS NOT NULL;

CREATE TABLE changes (
  sequence    INTEGER PRIMARY KEY AUTOINCREMENT,
  kind        TEXT NOT NULL,
  token_key   INTEGER NOT NULL UNIQUE REFERENCES tokens (key) ON DELETE CASCADE,
  expires_at  INTEGER NOT NULL,
  recorded_at INTEGER NOT NULL,
  actor       TEXT NOT NULL,
  reason      TEXT NOT NULL
) STRICT;
CREATE INDEX changes_by_expiry ON changes (expires_at);

CREATE TABLE settings (
  name       TEXT PRIMARY KEY,
  value      TEXT,
  sealed     BLOB,
  updated_at INTEGER NOT NULL,
  CHECK ((value IS NULL) <> (sealed IS NULL))
) STRICT;

INSERT INTO roles (name, description, is_administrator, is_built_in, annotations, created_at, updated_at)
VALUES ('Admin', 'AuthN administrator', 1, 1, '{}', unixepoch() * 1000, unixepoch() * 1000);
