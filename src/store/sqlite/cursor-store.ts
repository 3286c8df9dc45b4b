import { randomUUID } from 'node:crypto'
import { and, asc, eq, type SQL, sql } from 'drizzle-orm'
import type { RefusalReason } from '../../core/errors.ts'
import type { Sealer } from '../../core/keys/sealer.ts'
import type { Claim, Cursor, CursorStatus, CursorStore, Progress, Settlement } from '../../delivery/cursor-store.ts'
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
  const progress = client.prepare<[], ProgressRow>(progressQuery).raw()
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
    async claimDue({ now, limit, failingLimit = limit, leaseUntil, holder }) {
      // Asked first without a transaction, since mostly nothing is due and a worker asks often.
      if (!(await read(() => isAnyDue(now, leaseUntil)))) return []
      return write(() =>
        findDue(now, leaseUntil, { limit, failingLimit }).map(({ cluster, cursor }): Claim => {
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

    async releaseAbandoned(isAbandoned) {
      const held = await read(() => leases.all())
      const abandoned = held.filter(([, lease]) => isAbandoned(lease.slice(0, lease.lastIndexOf('/'))))
      if (abandoned.length === 0) return 0
      // A lease that is another one by now stays.
      return write(() => abandoned.reduce((count, [id, lease]) => count + release.run(id, lease).changes, 0))
    },

    logLength: async (now) => (await backlogOf([0], now)).get(0)?.behind ?? 0,

    progress: () =>
      read(() =>
        progress.all().map(([clusterId, acknowledged, attempts, nextAttemptAt, lastReason, hasUrls]): Progress => {
          return {
            clusterId,
            acknowledged,
            attempts,
            nextAttemptAt: new Date(nextAttemptAt),
            lastReason,
            hasUrls: hasUrls === 1,
          }
        }),
      ),

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

const progressQuery = `
  SELECT cluster_id, acknowledged, attempts, next_attempt_at, last_reason, urls <> '[]'
  FROM cluster_cursors JOIN clusters ON clusters.id = cluster_id`

type ProgressRow = [
  clusterId: string,
  acknowledged: number,
  attempts: number,
  nextAttemptAt: number,
  lastReason: RefusalReason | null,
  hasUrls: number,
]

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
  const due = (which: SQL, order: SQL) =>
    db
      .select({ cursor: cursorColumns, cluster: clusterColumns })
      .from(clusterCursors)
      .innerJoin(clusters, eq(clusters.id, clusterCursors.clusterId))
      .where(and(isDue, which))
      .orderBy(order)
      .limit(sql.placeholder('limit'))
      .prepare()
  // By position, not by time: who is not told falls ever further behind, whatever the clock does.
  const healthy = due(sql`attempts = 0`, sql`+acknowledged, next_attempt_at`)
  const failing = due(sql`attempts > 0`, asc(clusterCursors.nextAttemptAt))
  return {
    isAnyDue: (at: Date, leaseUntil: Date) => any.get(bounds(at, leaseUntil)) !== undefined,
    findDue(at: Date, leaseUntil: Date, most: { readonly limit: number; readonly failingLimit: number }) {
      const given = bounds(at, leaseUntil)
      // Those that failed first: they have places of their own, so that both get on.
      const failed = most.failingLimit > 0 ? failing.all({ ...given, limit: most.failingLimit }) : []
      const left = most.limit - failed.length
      return left > 0 ? [...failed, ...healthy.all({ ...given, limit: left })] : failed
    },
  }
}

/**
 * A lease that ends later than twice the length of a new one was taken before the clock was set back, and is worth nothing
 * any more. Twice, so that processes whose clocks differ a little don't break each other's leases.
 */
function bounds(now: Date, leaseUntil: Date) {
  return { now: now.getTime(), horizon: 2 * leaseUntil.getTime() - now.getTime() }
}

type Moved = [
  clusterId: string,
  acknowledged: number,
  resyncFrom: number | null,
  resyncUntil: number,
  attempts: number,
  nextAttemptAt: number,
  isCanaryWanted: number,
]

const ours = `WHERE cluster_id = @clusterId AND lease = @lease
  RETURNING cluster_id, acknowledged, resync_from, resync_until, attempts, next_attempt_at, canary_wanted`

/** Writes what an attempt has learned, only where the lease is still the claim's own. Prepared: batches are many. */
function prepareSettle({ client }: SqliteParts) {
  const acknowledge = client
    .prepare<[object], Moved>(
      `UPDATE cluster_cursors SET acknowledged = @acknowledged, resync_from = @resyncFrom, attempts = 0,
         next_attempt_at = @at, last_reason = NULL, last_said = NULL, last_attempt_at = @at, last_acknowledged_at = @at,
         lease = iif(@leaseUntil IS NULL, NULL, lease), lease_until = @leaseUntil,
         canary_wanted = iif(@isCanaryPushed, 0, canary_wanted),
         canary_acknowledged_at = iif(@isCanaryPushed, @at, canary_acknowledged_at) ${ours}`,
    )
    .raw()
  const fail = client
    .prepare<[object], Moved>(
      `UPDATE cluster_cursors SET attempts = @attempts, next_attempt_at = @nextAttemptAt, last_reason = @reason,
         last_said = @said, last_attempt_at = @at, lease = NULL, lease_until = NULL ${ours}`,
    )
    .raw()

  function run({ cluster, lease }: Claim, settlement: Settlement): Moved | undefined {
    const given = { clusterId: cluster.id, lease, at: settlement.at.getTime() }
    if (settlement.kind === 'failed') {
      const { attempts, nextAttemptAt, reason, said } = settlement
      return fail.get({ ...given, attempts, reason, said, nextAttemptAt: nextAttemptAt.getTime() })
    }
    const { acknowledged, resyncFrom, isCanaryPushed = false, leaseUntil } = settlement
    const learned = { acknowledged, resyncFrom, isCanaryPushed: Number(isCanaryPushed) }
    return acknowledge.get({ ...given, ...learned, leaseUntil: leaseUntil?.getTime() ?? null })
  }

  return (claim: Claim, settlement: Settlement): Cursor | undefined => {
    const moved = run(claim, settlement)
    if (moved === undefined) return undefined
    const [clusterId, acknowledged, resyncFrom, resyncUntil, attempts, nextAttemptAt, isCanaryWanted] = moved
    return {
      clusterId,
      acknowledged,
      resyncFrom,
      resyncUntil,
      attempts,
      nextAttemptAt: new Date(nextAttemptAt),
      isCanaryWanted: isCanaryWanted === 1,
    }
  }
}
