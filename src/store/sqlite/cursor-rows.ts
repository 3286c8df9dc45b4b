import { eq, sql } from 'drizzle-orm'
import type { Sealer } from '../../core/keys/sealer.ts'
import type { SqliteParts } from './parts.ts'
import { clusterCursors } from './schema.ts'

/** What the delivery worker sees of a cursor's row. */
export const cursorColumns = {
  clusterId: clusterCursors.clusterId,
  acknowledged: clusterCursors.acknowledged,
  resyncFrom: clusterCursors.resyncFrom,
  resyncUntil: clusterCursors.resyncUntil,
  attempts: clusterCursors.attempts,
  nextAttemptAt: clusterCursors.nextAttemptAt,
  isCanaryWanted: clusterCursors.canaryWanted,
}

/**
 * Behind what the log holds now, in a resync or in want of a canary, and with a URL to tell it at: the only cursors that
 * there is something to do for. Each part is a range of an index (`IS NOT NULL` would be none), so that clusters that are in
 * step cost nothing.
 */
export const hasWork = `(acknowledged < (SELECT coalesce(max(sequence), 0) FROM changes)
  OR resync_from >= 0 OR canary_wanted = 1)
  AND (SELECT urls FROM clusters WHERE clusters.id = cluster_id) <> '[]'`

/**
 * Puts the cursor back to the start of the log and makes it due at once; runs inside the caller's transaction. The lease is
 * broken: what an attempt under way learns is about the cluster as it was before, and must not end this resync.
 */
export function startResync({ db }: Pick<SqliteParts, 'db'>, clusterId: string, at: Date): void {
  db.update(clusterCursors)
    .set({
      resyncFrom: 0,
      resyncUntil: sql`(SELECT coalesce(max(sequence), 0) FROM changes)`,
      attempts: 0,
      nextAttemptAt: at,
      lease: null,
      leaseUntil: null,
      // A cluster's first canary is asked for by its first probe.
      canaryWanted: sql`canary_wanted = 1 OR canary_sealed IS NOT NULL`,
    })
    .where(eq(clusterCursors.clusterId, clusterId))
    .run()
}

interface CanaryColumns {
  readonly sealed: Buffer | null
  readonly expiresAt: Date | null
  readonly acknowledgedAt: Date | null
}

/** The canary that the cluster has acknowledged; null where there is none, or it is being renewed. */
export function openCanary({ sealed, expiresAt, acknowledgedAt }: CanaryColumns, sealer: Sealer) {
  if (sealed === null || expiresAt === null || acknowledgedAt === null) return null
  return { token: sealer.open(sealed), expiresAt, acknowledgedAt }
}
