-- What is needed to notice that a cluster has forgotten its list of revoked tokens: the canary that each cluster holds, and
-- what the last look at each cluster has found.
--
-- Why it looks like this:
--   * The canary is part of the cursor: it is made, pushed and acknowledged under the cursor's lease, in the same rows. Its
--     text is sealed as every token's is. canary_acknowledged_at is empty from the moment in which a new one is kept until
--     the cluster has acknowledged it.
--   * canary_wanted makes a cluster due that is not behind; the index holds only the few that want one.
--   * Probes have a table of their own: they are planned and written without the lease, by another worker, and a probe that
--     is late must not hold up a delivery. next_probe_at is empty until the interval is known, which the configuration says.
--
-- What it costs: one row a cluster, and three empty columns and a zero in each cursor.

ALTER TABLE cluster_cursors ADD COLUMN canary_sealed BLOB;
ALTER TABLE cluster_cursors ADD COLUMN canary_expires_at INTEGER;
ALTER TABLE cluster_cursors ADD COLUMN canary_acknowledged_at INTEGER;
ALTER TABLE cluster_cursors ADD COLUMN canary_wanted INTEGER NOT NULL DEFAULT 0;
CREATE INDEX cluster_cursors_in_want_of_canary ON cluster_cursors (canary_wanted) WHERE canary_wanted = 1;

CREATE TABLE cluster_probes (
  cluster_id           TEXT PRIMARY KEY REFERENCES clusters (id) ON DELETE CASCADE,
  next_probe_at        INTEGER,
  probed_at            INTEGER,
  report               TEXT,
  last_restart_seen_at INTEGER,
  in_step_since        INTEGER
) STRICT;
CREATE INDEX cluster_probes_by_plan ON cluster_probes (next_probe_at);

INSERT INTO cluster_probes (cluster_id) SELECT id FROM clusters;
