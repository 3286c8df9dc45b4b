/**
 * Looks at every cluster, again and again, and acts on what it finds: a cluster whose proxies have forgotten the list of
 * revoked tokens gets it again.
 */
import type { Clock } from '../core/clock.ts'
import type { ClusterKind } from '../core/clusters/cluster.ts'
import type { Driver } from '../core/clusters/driver.ts'
import type { ProbeReport, ProxyReport } from '../core/clusters/probe.ts'
import { type Episode, noEpisode, type ProbeAct, type ProbePlan, planProbe } from '../core/clusters/probe-plan.ts'
import type { Logger } from '../core/logger.ts'
import { createBell } from '../delivery/bell.ts'
import type { CursorStore } from '../delivery/cursor-store.ts'
import { createGate } from '../delivery/gate.ts'
import type { ProbeStore, ProbeTarget } from '../delivery/probe-store.ts'
import type { Worker } from '../supervisor.ts'

export interface ClusterProbeConfig {
  /** Between two looks at a cluster, give or take a fifth. */
  readonly everyMs: number
  /** Limit of one look, whatever the number of proxies. */
  readonly timeoutMs: number
  /** How many clusters are looked at at once; one that takes longer than a second makes room for another. */
  readonly parallel: number
  /** Everything that still matters is sent again at least so often. */
  readonly resyncEveryMs: number
}

export interface ClusterProbeDeps {
  readonly probes: ProbeStore
  readonly cursors: Pick<CursorStore, 'resync' | 'wantCanary'>
  readonly drivers: Readonly<Record<ClusterKind, Driver>>
  /** Tells delivery that there is something to do. */
  readonly wake: () => void
  readonly clock: Clock
  readonly log: Logger
  readonly config: ClusterProbeConfig
}

/** What other processes have planned is looked for so often. */
const pollMs = 1_000
/** Limit of a look at a cluster that did not answer the last one: a thousand that are dead must not take all the room. */
const deadTimeoutMs = 1_000
const deadUrlMs = 2_000
/** A round of empty pushes ends after so long; the next one follows the next look. */
const spreadingMs = 2_000

export function createClusterProbe(deps: ClusterProbeDeps): Worker {
  const { probes, drivers, clock, log, config } = deps
  const bell = createBell()
  const gate = createGate(config.parallel, clock, { onRoom: bell.ring })
  /** By cluster: what gives the look up, and its end. */
  const underWay = new Map<string, { readonly stop: AbortController; readonly end: Promise<void> }>()
  const episodes = new Map<string, Episode>()
  /** Asked for while they were being looked at. */
  const missed = new Set<string>()

  function begin(target: ProbeTarget) {
    const { id } = target.cluster
    const stop = new AbortController()
    if (underWay.has(id)) {
      missed.add(id)
      return
    }
    const end = takeTurn(target, stop.signal)
      .then(() => (missed.delete(id) ? probes.hasten(id, clock.now()) : undefined))
      .catch((error: unknown) => log.error({ event: 'probe.failed', cluster: id, error }))
      .finally(() => {
        underWay.delete(id)
        bell.ring()
      })
    underWay.set(id, { stop, end })
  }

  async function takeTurn(target: ProbeTarget, signal: AbortSignal) {
    const leave = await gate.enter(signal)
    try {
      await probe(target, signal)
    } finally {
      leave()
    }
  }

  async function probe(target: ProbeTarget, signal: AbortSignal) {
    const { id } = target.cluster
    const found = await look(target, signal)
    if (signal.aborted) return
    const now = clock.now()
    const report = withMemory(
      target.canary === null ? withVerdicts(found, target.previous) : found,
      target.previous,
      now,
    )
    await probes.record(id, report, now)
    const episode = episodes.get(id) ?? noEpisode
    const plan = planProbe({ ...target, clusterId: id, report, episode, now }, config)
    if (plan.episode === noEpisode) episodes.delete(id)
    else episodes.set(id, plan.episode)
    logProbe(target, report, plan, log)
    await act(target, plan.act, signal)
    if (plan.againMs !== null) await probes.hasten(id, new Date(clock.now().getTime() + plan.againMs))
  }

  async function look({ cluster, canary, previous }: ProbeTarget, signal: AbortSignal): Promise<ProbeReport> {
    const attempt = new AbortController()
    const giveUp = () => attempt.abort('given up')
    signal.addEventListener('abort', giveUp)
    // Each further URL is asked when the one before has not answered for two seconds.
    const deadMs = deadTimeoutMs + Math.max(0, cluster.urls.length - 1) * deadUrlMs
    const limitMs = isDead(previous) ? Math.min(config.timeoutMs, deadMs) : config.timeoutMs
    void clock.wait(limitMs, attempt.signal).then(giveUp)
    try {
      return await drivers[cluster.kind].probe(cluster, canary?.token ?? null, attempt.signal)
    } finally {
      signal.removeEventListener('abort', giveUp)
      giveUp()
    }
  }

  async function act({ cluster, canary }: ProbeTarget, planned: ProbeAct, signal: AbortSignal) {
    if (planned.kind === 'spread') return spread(cluster, planned.pushes, signal)
    if (planned.kind !== 'resync') return
    const now = clock.now()
    // Before the resync, so that the first batch carries it.
    if (canary === null) await deps.cursors.wantCanary(cluster.id, now)
    await deps.cursors.resync(cluster.id, now)
    deps.wake()
  }

  async function spread(cluster: ProbeTarget['cluster'], pushes: number, signal: AbortSignal) {
    const startedAt = clock.now().getTime()
    for (let push = 0; push < pushes && !signal.aborted; push += 1) {
      const outcome = await drivers[cluster.kind].push(cluster, [], signal)
      if (outcome.kind === 'refused') return
      if (Math.abs(clock.now().getTime() - startedAt) >= spreadingMs) return
    }
  }

  async function pauseMs(): Promise<number> {
    if (gate.room() === 0) return pollMs
    const next = await probes.nextDueAt()
    const left = next === undefined ? pollMs : next.getTime() - clock.now().getTime()
    return Math.min(Math.max(left, 1), pollMs)
  }

  return {
    name: 'cluster-probe',
    async run(signal) {
      const stopAll = () => {
        for (const { stop } of underWay.values()) stop.abort('stopped')
      }
      signal.addEventListener('abort', stopAll)
      while (!signal.aborted) {
        bell.hush()
        const limit = gate.room()
        const now = clock.now()
        const targets = limit > 0 ? await probes.claimDue({ now, limit, everyMs: config.everyMs }) : []
        for (const target of targets) begin(target)
        await bell.wait(clock, await pauseMs(), signal)
      }
      signal.removeEventListener('abort', stopAll)
      stopAll()
      await Promise.all([...underWay.values()].map(({ end }) => end))
    },
  }
}

/** A look without a canary to show says nothing of the list: what was seen before stands until the next one is shown. */
function withVerdicts(found: ProbeReport, previous: ProbeReport | null): ProbeReport {
  if (previous === null) return found
  const before = new Map(previous.proxies.map((proxy) => [proxy.url, proxy]))
  const proxies = found.proxies.map((proxy) => {
    const { canary, said } = before.get(proxy.url) ?? proxy
    return proxy.said === null ? { ...proxy, canary, said } : proxy
  })
  const seen = new Set(proxies.map(({ url }) => url))
  const stands = previous.proxies.filter(({ proxyId, url }) => proxyId === null && !seen.has(url))
  return { ...found, proxies: [...proxies, ...stands], isEveryProxyAsked: previous.isEveryProxyAsked }
}

/** Since when each proxy that is silent has been: what is between two looks is not known, so it was silent all the while. */
function withMemory(report: ProbeReport, previous: ProbeReport | null, now: Date): ProbeReport {
  const name = ({ proxyId, url }: ProxyReport) => `${proxyId} ${url}`
  const before = new Map(previous?.proxies.map((proxy) => [name(proxy), proxy.silentSince]))
  const proxies = report.proxies.map((proxy) => {
    return { ...proxy, silentSince: proxy.canary === 'silent' ? (before.get(name(proxy)) ?? now) : null }
  })
  return { ...report, proxies }
}

/** Whether nothing of the cluster answered. */
function isDead(report: ProbeReport | null): boolean {
  return report?.trouble?.reason === 'timed_out' && report.clusterId === null
}

/** One line where something is wrong, has changed or is done about it; a cluster that is well as before makes none. */
function logProbe({ cluster, previous }: ProbeTarget, report: ProbeReport, { act }: ProbePlan, log: Logger) {
  const isRoutine = act.kind === 'none' || (act.kind === 'resync' && isExpected(act.cause))
  const troubles = summarize(report)
  const isChanged = previous === null ? troubles !== '' : summarize(previous) !== troubles
  const line = {
    event: 'probe.ended' as const,
    cluster: cluster.id,
    act: act.kind,
    ...(act.kind === 'resync' && { cause: act.cause }),
    ...(act.kind === 'spread' && { pushes: act.pushes }),
    proxies: countVerdicts(report),
    isEveryProxyAsked: report.isEveryProxyAsked,
    isKeyTrusted: report.isKeyTrusted,
    isAuthenticationOn: report.isAuthenticationOn,
    ...(report.trouble !== null && report.trouble),
  }
  if (isRoutine && !isChanged) log.debug(line)
  else if (isRoutine && troubles === '') log.info(line)
  else log.warn(line)
}

function isExpected(cause: string): boolean {
  return cause === 'interval' || cause === 'first_canary' || cause === 'canary_expires'
}

/** What is wrong, so that it can be compared; empty where nothing is. */
function summarize({ trouble, proxies }: ProbeReport): string {
  const wrong = proxies.filter(({ said }) => said !== null).map(({ url, canary }) => `${url} ${canary}`)
  return [...(trouble === null ? [] : [`${trouble.reason}: ${trouble.said}`]), ...wrong].join('\n')
}

function countVerdicts({ proxies }: ProbeReport) {
  const counts = { knows: 0, forgot: 0, silent: 0, distrusts: 0, out_of_reach: 0 }
  for (const { canary } of proxies) counts[canary] += 1
  return counts
}
