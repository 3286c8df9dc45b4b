import { randomUUID } from 'node:crypto'
import { and, asc, eq, type SQL, sql } from 'drizzle-orm'
import type { Sealer } from '../../core/keys/sealer.ts'
import type { Claim, Cursor, CursorStatus, CursorStore, Settlement } from '../../delivery/cursor-store.ts'
import type { Acknowledgements } from './acknowledgements.ts'
import { prepareBacklog } from './backlog.ts'
import { clusterColumns } from './cluster-rows.ts'
import { cursorColumns, hasWork, startResync } from './cursor-rows.ts'
import type { SqliteParts } from './parts.ts'
import { clusterCursors, clusters } from './schema.ts'

export function createCursorStore(parts: SqliteParts, sealer: Sealer, acknowledgements: Acknowledgements): CursorStore {
  const { client, db, read, write, audit } = parts
  const { findDue, isAnyDue } = prepareDue(parts)
  const lease = client.prepare<[string, number, string]>(
    'UPDATE cluster_cursors SET lease = ?, lease_until = ? WHERE cluster_id = ?',
  )
  const leases = client
    .prepare<[], [clusterId: string, lease: string]>(
      'SELECT cluster_id, lease FROM cluster_cursors WHERE lease IS NOT NULL',
    )
    .raw()
  const release = client.prepare<[string, string]>(
    'UPDATE cluster_cursors SET lease = NULL, lease_until = NULL WHERE cluster_id = ? AND lease = ?',
  )
  const settle = prepareSettle(parts)
  const selectStatus = (where?: SQL) =>
    db
      .select({
        ...cursorColumns,
        hasUrls: sql<number>`${clusters.urls} <> '[]'`.mapWith(Boolean),
        lastReason: clusterCursors.lastReason,
        lastSaid: clusterCursors.lastSaid,
        lastAttemptAt: clusterCursors.lastAttemptAt,
        lastAcknowledgedAt: clusterCursors.lastAcknowledgedAt,
        canaryExpiresAt: clusterCursors.canaryExpiresAt,
        canaryAcknowledgedAt: clusterCursors.canaryAcknowledgedAt,
      })
      .from(clusterCursors)
      .innerJoin(clusters, eq(clusters.id, clusterCursors.clusterId))
      .where(where)
      .orderBy(asc(clusterCursors.clusterId))
      .prepare()
  const all = selectStatus()
  const one = selectStatus(eq(clusterCursors.clusterId, sql.placeholder('clusterId')))
  const backlogOf = prepareBacklog(parts)
  const nextDue = client.prepare<[], number | null>(nextDueQuery).pluck()
  const wantCanary = client.prepare<[number, string]>(
    'UPDATE cluster_cursors SET canary_wanted = 1, next_attempt_at = ? WHERE cluster_id = ?',
  )
  const putCanary = client.prepare<[Buffer, number, string, string]>(
    `UPDATE cluster_cursors SET canary_sealed = ?, canary_expires_at = ?, canary_acknowledged_at = NULL
     WHERE cluster_id = ? AND lease = ?`,
  )

  async function withBacklogs(rows: ReturnType<typeof all.all>, now: Date): Promise<CursorStatus[]> {
    const backlogs = await backlogOf(
      rows.map((row) => row.acknowledged),
      now,
    )
    return rows.map(({ canaryExpiresAt: expiresAt, canaryAcknowledgedAt: acknowledgedAt, ...row }) => ({
      ...row,
      canary: expiresAt === null || acknowledgedAt === null ? null : { expiresAt, acknowledgedAt },
      ...(backlogs.get(row.acknowledged) ?? inStep),
    }))
  }

  return {
    async claimDue({ now, limit, leaseUntil, holder }) {
      // Asked first without a transaction, since mostly nothing is due and a worker asks often.
      if (!(await read(() => isAnyDue(now, leaseUntil)))) return []
      return write(() =>
        findDue(now, leaseUntil, limit).map(({ cluster, cursor }): Claim => {
          const claim = { cluster, cursor, lease: `${holder}/${randomUUID()}` }
          lease.run(claim.lease, leaseUntil.getTime(), cluster.id)
          return claim
        }),
      )
    },

    settle: (claim, settlement) =>
      write(() => {
        const moved = settle(claim, settlement)
        if (moved !== undefined && settlement.kind === 'acknowledged') {
          acknowledgements.keep(moved.clusterId, moved.acknowledged, settlement.at)
        }
        return moved
      }),

    release: ({ cluster, lease }) =>
      write(() => {
        release.run(cluster.id, lease)
      }),

    releaseAbandoned: (isAbandoned) =>
      write(() => {
        const abandoned = leases.all().filter(([, held]) => isAbandoned(held.slice(0, held.lastIndexOf('/'))))
        for (const [clusterId, held] of abandoned) release.run(clusterId, held)
        return abandoned.length
      }),

    logLength: async (now) => (await backlogOf([0], now)).get(0)?.behind ?? 0,

    list: async (now) => withBacklogs(await read(() => all.all()), now),

    async get(clusterId, now) {
      const [status] = await withBacklogs(await read(() => one.all({ clusterId })), now)
      return status
    },

    nextDueAt: () =>
      read(() => {
        const at = nextDue.get() ?? null
        return at === null ? undefined : new Date(at)
      }),

    resync: (clusterId, at, by) =>
      write(() => {
        startResync(parts, clusterId, at)
        if (by === undefined) return
        audit.append({ action: 'cluster.resync_requested', target: { kind: 'cluster', name: clusterId } }, { by, at })
      }),

    wantCanary: (clusterId, at) =>
      write(() => {
        wantCanary.run(at.getTime(), clusterId)
      }),

    putCanary: ({ cluster, lease }, { token, expiresAt }) =>
      write(() => putCanary.run(sealer.seal(token), expiresAt.getTime(), cluster.id, lease).changes > 0),
  }
}

const inStep = { behind: 0, behindSince: null }

/** A leased cluster is not due before its lease ends. */
const nextDueQuery = `
  SELECT min(max(next_attempt_at, coalesce(lease_until, 0))) FROM cluster_cursors WHERE ${hasWork}`

/**
 * A cluster that hasn't failed waits for nothing; and where the clock was set back since the last attempt, what was planned
 * then means nothing now.
 */
function prepareDue({ db }: SqliteParts) {
  const now = sql.placeholder('now')
  const isLeaseFree = sql`(${clusterCursors.lease} IS NULL OR ${clusterCursors.leaseUntil} <= ${now}
    OR ${clusterCursors.leaseUntil} > ${sql.placeholder('horizon')})`
  const isDue = and(
    sql.raw(hasWork),
    sql`(attempts = 0 OR ${clusterCursors.nextAttemptAt} <= ${now} OR ${clusterCursors.lastAttemptAt} > ${now})`,
    isLeaseFree,
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
    isAnyDue: (at: Date, leaseUntil: Date) => any.get(bounds(at, leaseUntil)) !== undefined,
    findDue: (at: Date, leaseUntil: Date, limit: number) => due.all({ ...bounds(at, leaseUntil), limit }),
  }
}

/**
 * A lease that ends later than twice the length of a new one was taken before the clock was set back, and is worth nothing
 * any more. Twice, so that processes whose clocks differ a little don't break each other's leases.
 */
function bounds(now: Date, leaseUntil: Date) {
  return { now: now.getTime(), horizon: 2 * leaseUntil.getTime() - now.getTime() }
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
  const { acknowledged, resyncFrom, at, isCanaryPushed = false, leaseUntil } = settlement
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
    ...(isCanaryPushed && { canaryWanted: false, canaryAcknowledgedAt: at }),
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
