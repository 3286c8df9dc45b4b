import { eq, sql } from 'drizzle-orm'
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
}

/**
 * Behind what the log holds now, or in a resync: the only cursors that there is something to do for. Each half is a range
 * of an index (`IS NOT NULL` would be none), so that clusters that are in step cost nothing.
 */
export const isBehind = sql`(${clusterCursors.acknowledged} < (SELECT coalesce(max(sequence), 0) FROM changes)
  OR ${clusterCursors.resyncFrom} >= 0)`

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
    })
    .where(eq(clusterCursors.clusterId, clusterId))
    .run()
}
