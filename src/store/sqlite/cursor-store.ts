import { randomUUID } from 'node:crypto'
import { and, asc, eq, sql } from 'drizzle-orm'
import type { Claim, Cursor, CursorStore, Settlement } from '../../delivery/cursor-store.ts'
import { clusterColumns } from './cluster-rows.ts'
import { cursorColumns, isBehind, startResync } from './cursor-rows.ts'
import type { SqliteParts } from './parts.ts'
import { clusterCursors, clusters } from './schema.ts'

export function createCursorStore(parts: SqliteParts): CursorStore {
  const { client, db, read, write } = parts
  const { findDue, isAnyDue } = prepareDue(parts)
  const lease = client.prepare<[string, number, string]>(
    'UPDATE cluster_cursors SET lease = ?, lease_until = ? WHERE cluster_id = ?',
  )
  const release = client.prepare<[string, string]>(
    'UPDATE cluster_cursors SET lease = NULL, lease_until = NULL WHERE cluster_id = ? AND lease = ?',
  )
  const settle = prepareSettle(parts)
  const all = db
    .select({
      ...cursorColumns,
      lastReason: clusterCursors.lastReason,
      lastSaid: clusterCursors.lastSaid,
      lastAttemptAt: clusterCursors.lastAttemptAt,
      lastAcknowledgedAt: clusterCursors.lastAcknowledgedAt,
    })
    .from(clusterCursors)
    .orderBy(asc(clusterCursors.clusterId))
    .prepare()
  const nextDue = client.prepare<[], number | null>(nextDueQuery).pluck()

  return {
    async claimDue({ now, limit, leaseUntil, holder }) {
      // Asked first without a transaction, since mostly nothing is due and a worker asks often.
      if (!(await read(() => isAnyDue(now)))) return []
      return write(() =>
        findDue(now, limit).map(({ cluster, cursor }): Claim => {
          const claim = { cluster, cursor, lease: `${holder}/${randomUUID()}` }
          lease.run(claim.lease, leaseUntil.getTime(), cluster.id)
          return claim
        }),
      )
    },

    settle: (claim, settlement) => write(() => settle(claim, settlement)),

    release: ({ cluster, lease }) =>
      write(() => {
        release.run(cluster.id, lease)
      }),

    list: () => read(() => all.all()),

    nextDueAt: () =>
      read(() => {
        const at = nextDue.get() ?? null
        return at === null ? undefined : new Date(at)
      }),

    resync: (clusterId, at) => write(() => startResync(parts, clusterId, at)),
  }
}

/** A leased cluster is not due before its lease ends. */
const nextDueQuery = `
  SELECT min(max(next_attempt_at, coalesce(lease_until, 0))) FROM cluster_cursors
  WHERE acknowledged < (SELECT coalesce(max(sequence), 0) FROM changes) OR resync_from >= 0`

function prepareDue({ db }: SqliteParts) {
  const now = sql.placeholder('now')
  const isDue = and(
    isBehind,
    sql`${clusterCursors.nextAttemptAt} <= ${now}`,
    sql`(${clusterCursors.lease} IS NULL OR ${clusterCursors.leaseUntil} <= ${now})`,
  )
  const any = db.select({ clusterId: clusterCursors.clusterId }).from(clusterCursors).where(isDue).limit(1).prepare()
  const due = db
    .select({ cursor: cursorColumns, cluster: clusterColumns })
    .from(clusterCursors)
    .innerJoin(clusters, eq(clusters.id, clusterCursors.clusterId))
    .where(isDue)
    .orderBy(asc(clusterCursors.nextAttemptAt))
    .limit(sql.placeholder('limit'))
    .prepare()
  return {
    isAnyDue: (at: Date) => any.get({ now: at.getTime() }) !== undefined,
    findDue: (at: Date, limit: number) => due.all({ now: at.getTime(), limit }),
  }
}

/** Writes what an attempt has learned, only where the lease is still the claim's own. */
function prepareSettle({ db }: SqliteParts) {
  return ({ cluster, lease }: Claim, settlement: Settlement): Cursor | undefined =>
    db
      .update(clusterCursors)
      .set(settlement.kind === 'acknowledged' ? acknowledgedColumns(settlement) : failedColumns(settlement))
      .where(and(eq(clusterCursors.clusterId, cluster.id), eq(clusterCursors.lease, lease)))
      .returning(cursorColumns)
      .get()
}

function acknowledgedColumns(settlement: Extract<Settlement, { kind: 'acknowledged' }>) {
  const { acknowledged, resyncFrom, at, leaseUntil } = settlement
  return {
    acknowledged,
    resyncFrom,
    attempts: 0,
    nextAttemptAt: at,
    lastReason: null,
    lastSaid: null,
    lastAttemptAt: at,
    lastAcknowledgedAt: at,
    leaseUntil,
    ...(leaseUntil === null && { lease: null }),
  }
}

function failedColumns(settlement: Extract<Settlement, { kind: 'failed' }>) {
  const { attempts, nextAttemptAt, reason, said, at } = settlement
  return {
    attempts,
    nextAttemptAt,
    lastReason: reason,
    lastSaid: said,
    lastAttemptAt: at,
    lease: null,
    leaseUntil: null,
  }
}
