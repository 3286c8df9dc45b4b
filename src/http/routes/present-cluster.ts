import type { Cluster } from '../../core/clusters/cluster.ts'
import type { ClusterStatus } from '../../core/clusters/cluster-status.ts'
import { hasForgotten } from '../../core/clusters/probe.ts'
import type { Holding } from '../../core/revocation/revocation-acts.ts'
import type { ClusterBody, TroubleBody } from './shapes/clusters.ts'
import type { HoldingBody } from './shapes/revocations.ts'

export function presentInstant(at: Date): string
export function presentInstant(at: Date | null): string | null
export function presentInstant(at: Date | null): string | null {
  return at === null ? null : at.toISOString()
}

export function presentCluster(cluster: Cluster, status: ClusterStatus): ClusterBody {
  const { id, alias, kind, urls, registeredAt } = cluster
  const { state, behind, attempts, isKeyTrusted, isAuthenticationOn, reportedId, isEveryProxyAsked } = status
  return {
    id,
    alias,
    kind,
    urls: [...urls],
    registeredAt: presentInstant(registeredAt),
    state,
    behind,
    behindSince: presentInstant(status.behindSince),
    lagSeconds: status.behindMs / 1000,
    trouble: presentTrouble(status),
    attempts,
    nextAttemptAt: presentInstant(status.nextAttemptAt),
    lastAcknowledgedAt: presentInstant(status.lastAcknowledgedAt),
    probedAt: presentInstant(status.probedAt),
    lastRestartSeenAt: presentInstant(status.lastRestartSeenAt),
    inStepSince: presentInstant(status.inStepSince),
    isKeyTrusted,
    isAuthenticationOn,
    reportedId,
    isEveryProxyAsked,
    proxies: status.proxies.map(({ proxyId, silentSince, ...proxy }) => ({
      id: proxyId,
      ...proxy,
      silentSince: presentInstant(silentSince),
    })),
  }
}

function presentTrouble({ lastReason, lastSaid, advice }: ClusterStatus): TroubleBody | null {
  return lastReason === null ? null : { reason: lastReason, said: lastSaid ?? '', advice }
}

/**
 * Whether a cluster holds what was revoked: delivery knows what it has acknowledged, the probe whether its proxies still
 * know it.
 */
export function presentHolding(holding: Holding, status: ClusterStatus): HoldingBody {
  const why = whyNotHeld(holding, status)
  const failure = holding.failure && {
    reason: holding.failure.reason,
    said: holding.failure.said,
    advice: status.lastReason === holding.failure.reason ? status.advice : null,
  }
  return {
    cluster: holding.clusterId,
    alias: holding.alias,
    isHeld: why === null,
    isEveryProxyAsked: status.isEveryProxyAsked,
    since: why === null ? presentInstant(holding.since) : null,
    why,
    state: status.state,
    trouble: failure ?? presentTrouble(status),
    nextAttemptAt: presentInstant(holding.failure?.nextAttemptAt ?? status.nextAttemptAt),
  }
}

function whyNotHeld({ isHeld, isResyncing, failure }: Holding, status: ClusterStatus): string | null {
  if (status.state === 'no_urls') return 'No URL is registered for it: it hears of no revocation'
  if (status.isAuthenticationOn === false) {
    return 'Authentication is switched off there: it takes whatever it is shown'
  }
  // What it acknowledged once, a proxy that restarts forgets: one that does not answer confirms nothing.
  if (isHeld && status.isConfirmed !== false) return null
  if (failure !== null) return `It could not be told: ${failure.said}`
  const forgetful = status.proxies.filter(hasForgotten)
  if (forgetful.length > 0) {
    const which = forgetful.map(({ proxyId, url }) => proxyId ?? url).join(', ')
    return `${forgetful.length} of its ${status.proxies.length} proxies (${which}) would take it: being told again`
  }
  if (isResyncing) return 'It is being told everything again'
  if (!isHeld) return 'It is on its way'
  const { lastSaid } = status
  return `It took it; whether every proxy still knows could not be told${lastSaid ? `: ${lastSaid}` : ' yet'}`
}
