-- What somebody may do at Gatehouse itself, as roles: the built-in ones say it, and users hold them like any other.
--
-- Why it looks like this:
--   * own_role names the set of permissions; what is in the set is the program's to say, so that a new version can add to it.
--     Empty = the role says nothing about Gatehouse itself.
--   * A cluster administrator is one for a cluster: every registered cluster has its role, made and marked as deleted with
--     the cluster. own_cluster_id names it; empty = for everything.
--   * Their names hold a colon, which no name that anybody gives may hold: none is taken already, nor ever will be.
--   * is_administrator stays: what keeps the last administrator goes by it and its index.
--
-- What it costs: two rows, and one for each cluster.

ALTER TABLE roles ADD COLUMN own_role TEXT;
ALTER TABLE roles ADD COLUMN own_cluster_id TEXT;

UPDATE roles SET own_role = 'administrator' WHERE is_administrator = 1;

INSERT INTO roles (name, description, is_administrator, is_built_in, annotations, created_at, updated_at, own_role)
VALUES
  ('gatehouse:operator', 'Runs Gatehouse: revokes, locks, resyncs clusters, rotates keys, reads everything',
    0, 1, '{}', unixepoch() * 1000, unixepoch() * 1000, 'operator'),
  ('gatehouse:auditor', 'Reads everything, changes nothing',
    0, 1, '{}', unixepoch() * 1000, unixepoch() * 1000, 'auditor');

INSERT INTO roles (name, description, is_administrator, is_built_in, annotations, created_at, updated_at, own_role, own_cluster_id)
SELECT 'gatehouse:cluster-administrator:' || id, 'Makes, changes and gives roles within the cluster ' || id,
  0, 1, '{}', unixepoch() * 1000, unixepoch() * 1000, 'cluster_administrator', id
FROM clusters;
