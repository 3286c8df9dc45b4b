import { createHash } from 'node:crypto'
import { and, asc, eq, isNotNull, lte, type SQL, sql } from 'drizzle-orm'
import { isHeldByAll, type ProbeReport } from '../../core/clusters/probe.ts'
import type { Sealer } from '../../core/keys/sealer.ts'
import type { ProbeStatus, ProbeStore, ProbeTarget } from '../../delivery/probe-store.ts'
import { clusterColumns } from './cluster-rows.ts'
import { openCanary } from './cursor-rows.ts'
import type { SqliteParts } from './parts.ts'
import { clusterCursors, clusterProbes, clusters } from './schema.ts'

/** A plan is the interval times a number between these. */
const longest = 1.2
const shortest = 0.8

/** What is planned for later was planned before the clock was set back. */
function horizonOf(now: Date, everyMs: number): number {
  return now.getTime() + Math.ceil(everyMs * longest)
}

export function createProbeStore(parts: SqliteParts, sealer: Sealer): ProbeStore {
  const { client, db, read, write } = parts
  // New clusters first get a plan, since only now the interval is known.
  const planFirst = client.prepare<[number]>(
    `UPDATE cluster_probes
     SET next_probe_at = ? + (SELECT registered_at FROM clusters WHERE clusters.id = cluster_probes.cluster_id)
     WHERE next_probe_at IS NULL`,
  )
  const planAnew = client.prepare<[number, number]>(
    'UPDATE cluster_probes SET next_probe_at = ? WHERE next_probe_at > ?',
  )
  const plan = client.prepare<[number, string]>('UPDATE cluster_probes SET next_probe_at = ? WHERE cluster_id = ?')
  const hasten = client.prepare<[number, number, string]>(
    'UPDATE cluster_probes SET next_probe_at = min(coalesce(next_probe_at, ?), ?) WHERE cluster_id = ?',
  )
  // Prepared, as all that happens with each look.
  const keep = client.prepare<[object]>(
    `UPDATE cluster_probes SET report = @report, probed_at = @at,
       in_step_since = iif(@isInStep, coalesce(in_step_since, @at), NULL),
       last_restart_seen_at = iif(@hasRestarted, @at, last_restart_seen_at) WHERE cluster_id = @clusterId`,
  )
  const firstRegistered = client
    .prepare<[], number | null>(
      `SELECT min(c.registered_at) FROM cluster_probes p JOIN clusters c ON c.id = p.cluster_id
       WHERE p.next_probe_at IS NULL`,
    )
    .pluck()
  const nextPlanned = client.prepare<[], number | null>('SELECT min(next_probe_at) FROM cluster_probes').pluck()
  const { isAnyDue, findDue } = prepareDue(parts)
  const selectStatus = (where?: SQL) =>
    db
      .select({
        clusterId: clusterProbes.clusterId,
        report: clusterProbes.report,
        probedAt: clusterProbes.probedAt,
        lastRestartSeenAt: clusterProbes.lastRestartSeenAt,
        inStepSince: clusterProbes.inStepSince,
      })
      .from(clusterProbes)
      .where(and(isNotNull(clusterProbes.report), where))
      .orderBy(asc(clusterProbes.clusterId))
      .prepare()
  const all = selectStatus()
  const one = selectStatus(eq(clusterProbes.clusterId, sql.placeholder('clusterId')))

  return {
    async claimDue({ now, limit, everyMs }) {
      // Asked first without a transaction, since mostly nothing is due and a worker asks often.
      if (!(await read(() => isAnyDue(now, everyMs)))) return []
      return write(() => {
        planFirst.run(everyMs)
        planAnew.run(now.getTime(), horizonOf(now, everyMs))
        return findDue(now, limit).map(({ cluster, report, canary, isResyncing }): ProbeTarget => {
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
        const isInStep = Number(isHeldByAll(report.proxies))
        const hasRestarted = Number(report.proxies.some(({ canary }) => canary === 'forgot'))
        keep.run({ clusterId, report: JSON.stringify(report), at: at.getTime(), isInStep, hasRestarted })
      }),

    list: () => read(() => all.all().flatMap(toStatus)),

    get: (clusterId) => read(() => one.all({ clusterId }).flatMap(toStatus)[0]),

    nextDueAt: () =>
      read(() => {
        const at = firstRegistered.get() ?? nextPlanned.get() ?? null
        return at === null ? undefined : new Date(at)
      }),
  }
}

type StatusRow = Omit<ProbeStatus, 'report' | 'probedAt'> & {
  readonly report: ProbeReport | null
  readonly probedAt: Date | null
}

/** None before the first probe. */
function toStatus({ report, probedAt, ...row }: StatusRow): readonly ProbeStatus[] {
  return report === null || probedAt === null ? [] : [{ ...row, report, probedAt }]
}

/** Between the bounds, the same for a cluster each time: clusters that are probed in one moment drift apart. */
function stretchOf(clusterId: string): number {
  const hash = createHash('sha256').update(clusterId).digest().readUInt32BE()
  return shortest + ((longest - shortest) * hash) / 2 ** 32
}

function prepareDue({ client, db }: SqliteParts) {
  const any = client
    .prepare<[number, number], number | null>(
      `SELECT (SELECT min(next_probe_at) FROM cluster_probes) <= ?
         OR (SELECT max(next_probe_at) FROM cluster_probes) > ?
         OR EXISTS (SELECT 1 FROM cluster_probes WHERE next_probe_at IS NULL)`,
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
    .where(lte(clusterProbes.nextProbeAt, sql.placeholder('now')))
    .orderBy(asc(clusterProbes.nextProbeAt))
    .limit(sql.placeholder('limit'))
    .prepare()
  return {
    isAnyDue: (now: Date, everyMs: number) => any.get(now.getTime(), horizonOf(now, everyMs)) === 1,
    findDue: (now: Date, limit: number) => due.all({ now: now.getTime(), limit }),
  }
}
