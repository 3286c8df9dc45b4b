/**
 * Counters, gauges and histograms for Prometheus. What happens is counted as it happens (about 0.2 microseconds each); how
 * clusters are is read when somebody asks. Labels have bounded values: registered clusters, and words of ours.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { AuditHead } from './core/audit/audit.ts'
import type { ClusterStatus } from './core/clusters/cluster-status.ts'
import { DomainError } from './core/errors.ts'
import type { Sessions } from './core/sessions/sessions.ts'
import type { TokenIssuer } from './core/tokens/token-issuer.ts'
import type { DeliveryObservation } from './delivery/observation.ts'

export interface Metrics {
  readonly request: (request: ObservedRequest) => void
  readonly delivery: (observation: DeliveryObservation) => void
  /** The same sessions, with each login counted. */
  readonly countLogins: (sessions: Sessions) => Sessions
  /** The same issuer, with each token counted. */
  readonly countTokens: (issuer: TokenIssuer) => TokenIssuer
  /** Which metrics there are, for the reference. */
  readonly list: () => readonly MetricDescription[]
  /** In Prometheus's text format. */
  readonly render: () => Promise<{ readonly contentType: string; readonly text: string }>
}

export interface MetricDescription {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary'
  readonly labelNames: readonly string[]
}

export interface ObservedRequest {
  readonly method: string
  /** One of a fixed few. */
  readonly route: string
  readonly status: number
  readonly seconds: number
}

/** What is read when somebody asks. */
export interface Readings {
  readonly clusters: readonly { readonly id: string; readonly alias: string | null; readonly status: ClusterStatus }[]
  /** Changes in the log that still matter. */
  readonly logLength: number
  readonly auditHead: AuditHead
  readonly workers: readonly { readonly name: string; readonly isRunning: boolean; readonly restarts: number }[]
}

const clusterStates: Readonly<Record<ClusterStatus['state'], true>> = {
  in_step: true,
  behind: true,
  spreading: true,
  resyncing: true,
  retrying: true,
  refused: true,
  unknown: true,
  no_urls: true,
}
const canaryWords = ['knows', 'forgot', 'silent', 'distrusts', 'out_of_reach'] as const
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
const requestBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]
const propagationBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600, 86_400]

export function createMetrics(deps: {
  readonly version: string
  readonly read: () => Promise<Readings>
  /** The process's own figures; left out in tests, which make many services in one process. */
  readonly hasProcessFigures?: boolean
}): Metrics {
  const registry = new Registry()
  const registers = [registry]
  if (deps.hasProcessFigures !== false) collectDefaultMetrics({ register: registry })
  new Gauge({ name: 'gatehouse_build_info', help: 'Always 1.', labelNames: ['version'], registers })
    .labels(deps.version)
    .set(1)
  const logins = new Counter({
    name: 'gatehouse_logins_total',
    help: 'Logins by outcome: ok, refused (wrong name or password), locked, busy, invalid, failed.',
    labelNames: ['outcome'],
    registers,
  })
  const tokens = new Counter({ name: 'gatehouse_tokens_issued_total', help: 'Tokens issued.', registers })
  const gauges = createGauges(registers)
  const deliveries = observeDeliveries(registers)

  return {
    request: observeRequests(registers),
    delivery: deliveries.observe,

    countLogins: (sessions) => ({
      ...sessions,
      async login(login) {
        try {
          const issued = await sessions.login(login)
          logins.labels('ok').inc()
          return issued
        } catch (error) {
          logins.labels(outcomeOf(error)).inc()
          throw error
        }
      },
    }),

    countTokens: (issuer) => ({
      ...issuer,
      async issue(...request) {
        const issued = await issuer.issue(...request)
        tokens.inc()
        return issued
      },
    }),

    // The package's own types have numbers for the words that stand there, and leave the labels out.
    list: () => registry.getMetricsAsArray() as unknown as readonly MetricDescription[],

    async render() {
      const readings = await deps.read()
      gauges.set(readings)
      deliveries.keepOnly(new Set(readings.clusters.map(({ id }) => id)))
      return { contentType: registry.contentType, text: await registry.metrics() }
    },
  }
}

function outcomeOf(error: unknown): string {
  if (!(error instanceof DomainError)) return 'failed'
  if (error.code === 'invalid_credentials') return 'refused'
  if (error.code === 'locked') return 'locked'
  if (error.code === 'login_limited') return 'limited'
  if (error.code === 'too_busy') return 'busy'
  return error.code === 'storage_failed' ? 'failed' : 'invalid'
}

function observeRequests(registers: Registry[]): Metrics['request'] {
  const labelNames = ['method', 'route'] as const
  const count = new Counter({
    name: 'gatehouse_http_requests_total',
    help: 'Requests answered, by method, class of route and status.',
    labelNames: [...labelNames, 'status'],
    registers,
  })
  const duration = new Histogram({
    name: 'gatehouse_http_request_seconds',
    help: 'Time to answer a request, by method and class of route.',
    labelNames,
    buckets: requestBuckets,
    registers,
  })
  return ({ method: given, route, status, seconds }) => {
    const method = methods.has(given) ? given : 'other'
    count.labels(method, route, String(status)).inc()
    duration.labels(method, route).observe(seconds)
  }
}

function observeDeliveries(registers: Registry[]) {
  const attempts = new Counter({
    name: 'gatehouse_delivery_attempts_total',
    help: 'Attempts to tell a cluster of revocations, by outcome: accepted, or why it refused.',
    labelNames: ['cluster', 'outcome'],
    registers,
  })
  const propagation = new Histogram({
    name: 'gatehouse_propagation_seconds',
    help: 'From the moment a revocation is on disk until a cluster has acknowledged it; the oldest one of each batch.',
    buckets: propagationBuckets,
    registers,
  })
  /** Outcomes seen of each cluster, so that those of a cluster that is gone can be dropped. */
  const seen = new Map<string, Set<string>>()

  return {
    observe({ clusterId, outcome, oldestMs }: DeliveryObservation) {
      attempts.labels(clusterId, outcome).inc()
      const outcomes = seen.get(clusterId)
      if (outcomes === undefined) seen.set(clusterId, new Set([outcome]))
      else outcomes.add(outcome)
      if (outcome === 'accepted' && oldestMs !== null) propagation.observe(oldestMs / 1000)
    },
    keepOnly(clusterIds: ReadonlySet<string>) {
      for (const [clusterId, outcomes] of seen) {
        if (clusterIds.has(clusterId)) continue
        for (const outcome of outcomes) attempts.remove(clusterId, outcome)
        seen.delete(clusterId)
      }
    },
  }
}

function createGauges(registers: Registry[]) {
  const gauge = (name: string, help: string, labelNames: readonly string[] = ['cluster']) =>
    new Gauge({ name: `gatehouse_${name}`, help, labelNames, registers })
  const info = gauge('cluster_info', 'Always 1; the alias of each registered cluster.', ['cluster', 'alias'])
  const lag = gauge('cluster_lag_changes', 'Revocations that still matter and that the cluster has not acknowledged.')
  const lagSeconds = gauge('cluster_lag_seconds', 'How long the oldest of them has been waiting.')
  const state = gauge('cluster_state', '1 for the state that the cluster is in, 0 for the others.', [
    'cluster',
    'state',
  ])
  const proxies = gauge('cluster_proxies', 'Proxies by what they made of the canary, a token revoked on purpose.', [
    'cluster',
    'canary',
  ])
  const acknowledgedAt = gauge('cluster_last_acknowledged_timestamp_seconds', 'When the cluster last acknowledged.')
  const restartedAt = gauge(
    'cluster_last_restart_timestamp_seconds',
    'When a proxy of the cluster was last seen to have forgotten the list.',
  )
  const keyTrusted = gauge('cluster_key_trusted', '1 where the cluster takes our key, 0 where not.')
  const authenticating = gauge('cluster_authentication_on', '1 where the cluster asks callers for tokens, 0 where not.')
  const logLength = gauge('revocation_log_changes', 'Revocations that still matter: their tokens would still live.', [])
  const auditHeadAt = gauge('audit_head_timestamp_seconds', 'When the last row of the audit trail was written.', [])
  const auditRows = new Counter({
    name: 'gatehouse_audit_rows_total',
    help: 'Rows that were ever written to the audit trail, by any process.',
    registers,
  })
  const running = gauge('worker_running', '1 where the background work goes on, 0 where not.', ['worker'])
  const restarts = new Counter({
    name: 'gatehouse_worker_restarts_total',
    help: 'How often the background work failed and was started again.',
    labelNames: ['worker'],
    registers,
  })

  function setCluster({ id, alias, status }: Readings['clusters'][number]) {
    info.labels(id, alias ?? '').set(1)
    lag.labels(id).set(status.behind)
    lagSeconds.labels(id).set(status.behindMs / 1000)
    for (const each of Object.keys(clusterStates)) state.labels(id, each).set(each === status.state ? 1 : 0)
    for (const word of canaryWords) {
      proxies.labels(id, word).set(status.proxies.filter(({ canary }) => canary === word).length)
    }
    setInstant(acknowledgedAt, id, status.lastAcknowledgedAt)
    setInstant(restartedAt, id, status.lastRestartSeenAt)
    if (status.isKeyTrusted !== null) keyTrusted.labels(id).set(Number(status.isKeyTrusted))
    if (status.isAuthenticationOn !== null) authenticating.labels(id).set(Number(status.isAuthenticationOn))
  }

  return {
    set(readings: Readings) {
      for (const each of [info, lag, lagSeconds, state, proxies, acknowledgedAt, restartedAt]) each.reset()
      for (const each of [keyTrusted, authenticating]) each.reset()
      for (const cluster of readings.clusters) setCluster(cluster)
      logLength.set(readings.logLength)
      auditRows.reset()
      auditRows.inc(readings.auditHead.id)
      if (readings.auditHead.at !== null) auditHeadAt.set(readings.auditHead.at.getTime() / 1000)
      restarts.reset()
      for (const worker of readings.workers) {
        running.labels(worker.name).set(Number(worker.isRunning))
        restarts.labels(worker.name).inc(worker.restarts)
      }
    },
  }
}

function setInstant(gauge: Gauge, clusterId: string, at: Date | null) {
  if (at !== null) gauge.labels(clusterId).set(at.getTime() / 1000)
}
