import { createHash } from 'node:crypto'
import { asc, eq, isNotNull, sql } from 'drizzle-orm'
import type { ProbeReport } from '../../core/clusters/probe.ts'
import type { Sealer } from '../../core/keys/sealer.ts'
import type { ProbeStatus, ProbeStore, ProbeTarget } from '../../delivery/probe-store.ts'
import { clusterColumns } from './cluster-rows.ts'
import { openCanary } from './cursor-rows.ts'
import type { SqliteParts } from './parts.ts'
import { clusterCursors, clusterProbes, clusters } from './schema.ts'

/** A plan is at most so much longer than the interval; one that lies further ahead was made before the clock was set back. */
const longest = 1.2
const shortest = 0.8

export function createProbeStore(parts: SqliteParts, sealer: Sealer): ProbeStore {
  const { client, db, read, write } = parts
  // New clusters first get a plan, since only now the interval is known.
  const planFirst = client.prepare<[number]>(
    `UPDATE cluster_probes
     SET next_probe_at = ? + (SELECT registered_at FROM clusters WHERE clusters.id = cluster_probes.cluster_id)
     WHERE next_probe_at IS NULL`,
  )
  const plan = client.prepare<[number, string]>('UPDATE cluster_probes SET next_probe_at = ? WHERE cluster_id = ?')
  const hasten = client.prepare<[number, number, string]>(
    'UPDATE cluster_probes SET next_probe_at = min(coalesce(next_probe_at, ?), ?) WHERE cluster_id = ?',
  )
  const next = client.prepare<[], number>('SELECT next_probe_at FROM cluster_probes ORDER BY next_probe_at LIMIT 1')
  const firstRegistered = client
    .prepare<[], number>(
      `SELECT min(c.registered_at) FROM cluster_probes p JOIN clusters c ON c.id = p.cluster_id
       WHERE p.next_probe_at IS NULL`,
    )
    .pluck()
  const nextPlanned = next.pluck()
  const { isAnyDue, findDue } = prepareDue(parts)
  const all = db
    .select({
      clusterId: clusterProbes.clusterId,
      report: clusterProbes.report,
      probedAt: clusterProbes.probedAt,
      lastRestartSeenAt: clusterProbes.lastRestartSeenAt,
      inStepSince: clusterProbes.inStepSince,
    })
    .from(clusterProbes)
    .where(isNotNull(clusterProbes.report))
    .orderBy(asc(clusterProbes.clusterId))
    .prepare()

  return {
    async claimDue({ now, limit, everyMs }) {
      // Asked first without a transaction, since mostly nothing is due and a worker asks often.
      if (!(await read(() => isAnyDue(now, everyMs)))) return []
      return write(() => {
        planFirst.run(everyMs)
        return findDue(now, everyMs, limit).map(({ cluster, report, canary, isResyncing }): ProbeTarget => {
          plan.run(now.getTime() + Math.round(everyMs * stretchOf(cluster.id)), cluster.id)
          return { cluster, canary: openCanary(canary, sealer), isResyncing: isResyncing === 1, previous: report }
        })
      })
    },

    hasten: (clusterId, at) =>
      write(() => {
        hasten.run(at.getTime(), at.getTime(), clusterId)
      }),

    record: (clusterId, report, at) =>
      write(() => {
        db.update(clusterProbes)
          .set({ report, probedAt: at, ...planMarks(report, at) })
          .where(eq(clusterProbes.clusterId, clusterId))
          .run()
      }),

    list: () =>
      read(() =>
        all
          .all()
          .flatMap(({ report, probedAt, ...row }): ProbeStatus[] =>
            report === null || probedAt === null ? [] : [{ ...row, report, probedAt }],
          ),
      ),

    nextDueAt: () =>
      read(() => {
        const at = firstRegistered.get() ?? nextPlanned.get() ?? null
        return at === null ? undefined : new Date(at)
      }),
  }
}

function planMarks({ proxies }: ProbeReport, at: Date) {
  const asked = proxies.filter((proxy) => proxy.canary !== 'silent')
  const isInStep = asked.length > 0 && asked.every((proxy) => proxy.canary === 'knows')
  return {
    inStepSince: isInStep ? sql`coalesce(in_step_since, ${at.getTime()})` : null,
    ...(asked.some((proxy) => proxy.canary === 'forgot') && { lastRestartSeenAt: at }),
  }
}

/** Between the bounds, the same for a cluster each time: clusters that are probed in one moment drift apart. */
function stretchOf(clusterId: string): number {
  const hash = createHash('sha256').update(clusterId).digest().readUInt32BE()
  return shortest + ((longest - shortest) * hash) / 2 ** 32
}

function prepareDue({ client, db }: SqliteParts) {
  const isDue = sql`(${clusterProbes.nextProbeAt} <= ${sql.placeholder('now')}
    OR ${clusterProbes.nextProbeAt} > ${sql.placeholder('horizon')})`
  const any = client
    .prepare<[number, number], number>(
      'SELECT 1 FROM cluster_probes WHERE next_probe_at <= ? OR next_probe_at > ? OR next_probe_at IS NULL LIMIT 1',
    )
    .pluck()
  const due = db
    .select({
      cluster: clusterColumns,
      report: clusterProbes.report,
      canary: {
        sealed: clusterCursors.canarySealed,
        expiresAt: clusterCursors.canaryExpiresAt,
        acknowledgedAt: clusterCursors.canaryAcknowledgedAt,
      },
      isResyncing: sql<number>`(${clusterCursors.resyncFrom} IS NOT NULL OR ${clusterCursors.canaryWanted} = 1
        OR (${clusterCursors.canarySealed} IS NOT NULL AND ${clusterCursors.canaryAcknowledgedAt} IS NULL))`,
    })
    .from(clusterProbes)
    .innerJoin(clusters, eq(clusters.id, clusterProbes.clusterId))
    .innerJoin(clusterCursors, eq(clusterCursors.clusterId, clusterProbes.clusterId))
    .where(isDue)
    .orderBy(asc(clusterProbes.nextProbeAt))
    .limit(sql.placeholder('limit'))
    .prepare()
  const bounds = (now: Date, everyMs: number) => ({
    now: now.getTime(),
    horizon: now.getTime() + Math.ceil(everyMs * longest),
  })
  return {
    isAnyDue(at: Date, everyMs: number) {
      const { now, horizon } = bounds(at, everyMs)
      return any.get(now, horizon) !== undefined
    },
    findDue: (at: Date, everyMs: number, limit: number) => due.all({ ...bounds(at, everyMs), limit }),
  }
}
