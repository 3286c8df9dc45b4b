-- The audit trail: a row for every change, login, revocation and refusal, written in the transaction of what it tells of,
-- each chained to the one before.
--
-- Why it looks like this:
--   * hash is the SHA-256 of the hash before and of all other columns, so that a row that is edited, removed, inserted or
--     moved is found. Ids are AUTOINCREMENT and have no gaps: a row that is missing at the end is noticed by the sequence.
--   * before, after and details are JSON, kept as the text that went into the hash.
--   * Each filter has an index that ends with the time, so that a page costs the page wherever it lies. Ids of requests grow
--     with time and targets are the names of users, roles and clusters, so that new entries of an index lie together.
--   * Where the oldest rows are purged, a row of the chain says up to where and with which hash; audit_checkpoint points to
--     the newest of these, since that is where checking starts.
--
-- What it costs: nothing now. Afterwards about 0.5 KB for each change, login and revocation, and about 10 microseconds.

CREATE TABLE audit (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  at          INTEGER NOT NULL,
  action      TEXT NOT NULL,
  outcome     TEXT NOT NULL CHECK (outcome IN ('done', 'refused')),
  actor       TEXT NOT NULL,
  via         TEXT NOT NULL,
  address     TEXT,
  request_id  TEXT,
  target_kind TEXT,
  target_name TEXT,
  before      TEXT,
  after       TEXT,
  details     TEXT,
  reason      TEXT,
  repeats     INTEGER NOT NULL,
  since       INTEGER,
  hash        BLOB NOT NULL,
  CHECK ((target_kind IS NULL) = (target_name IS NULL))
) STRICT;
CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX audit_by_actor ON audit (actor, at);
CREATE INDEX audit_by_action ON audit (action, at);
CREATE INDEX audit_by_target ON audit (target_kind, target_name, at) WHERE target_kind IS NOT NULL;
CREATE INDEX audit_by_request ON audit (request_id, at) WHERE request_id IS NOT NULL;
CREATE INDEX audit_refused ON audit (at) WHERE outcome = 'refused';

CREATE TABLE audit_checkpoint (
  key INTEGER PRIMARY KEY CHECK (key = 1),
  id  INTEGER NOT NULL
) STRICT;
