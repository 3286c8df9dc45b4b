import type { RefusalReason } from '../errors.ts'
import type { ProbeReport, ProxyReport } from './probe.ts'

/**
 * How a cluster is, in one word, the most serious first:
 * refused: it does not take what we tell it, and will not until somebody does something;
 * retrying: it could not be told, and is asked again by itself;
 * resyncing: everything that still matters is being sent again;
 * spreading: its primary has the list, and at least one other proxy does not yet;
 * behind: changes are on their way;
 * unknown: nothing has confirmed yet that it holds the list;
 * in_step: it has acknowledged everything, and every proxy that can be asked has shown that it holds the list.
 */
export type ClusterState = 'refused' | 'retrying' | 'resyncing' | 'spreading' | 'behind' | 'unknown' | 'in_step'

/** What delivery knows of a cluster (delivery/cursor-store.ts). */
export interface DeliveryFacts {
  readonly resyncFrom: number | null
  readonly attempts: number
  readonly nextAttemptAt: Date
  readonly isCanaryWanted: boolean
  readonly lastReason: RefusalReason | null
  readonly lastSaid: string | null
  readonly lastAcknowledgedAt: Date | null
  readonly canary: { readonly expiresAt: Date; readonly acknowledgedAt: Date } | null
  readonly behind: number
  readonly behindSince: Date | null
}

/** What the probes know of a cluster (delivery/probe-store.ts). */
export interface ProbeFacts {
  readonly report: ProbeReport
  readonly probedAt: Date
  readonly lastRestartSeenAt: Date | null
  readonly inStepSince: Date | null
}

/** For the API, the command line and metrics. */
export interface ClusterStatus {
  readonly state: ClusterState
  /** Changes that still matter and that it has not acknowledged, and since when. */
  readonly behind: number
  readonly behindSince: Date | null
  readonly behindMs: number
  /** What is wrong, in a class, in words, and what to do; null where nothing is. */
  readonly lastReason: RefusalReason | null
  readonly lastSaid: string | null
  readonly advice: string | null
  /** Failures in a row. */
  readonly attempts: number
  /** When it is asked again; null where nothing waits for it. */
  readonly nextAttemptAt: Date | null
  readonly lastAcknowledgedAt: Date | null
  readonly probedAt: Date | null
  /** When a proxy was last seen to have forgotten the list. */
  readonly lastRestartSeenAt: Date | null
  readonly inStepSince: Date | null
  /** Null where it could not be told. */
  readonly isKeyTrusted: boolean | null
  readonly isAuthenticationOn: boolean | null
  /** The id that the cluster itself gives; null where it could not be asked. Differs where another has taken its place. */
  readonly reportedId: string | null
  readonly proxies: readonly ProxyReport[]
  /** False where the registered URLs stand for single proxies. */
  readonly isEveryProxyAsked: boolean
}

/** Reasons that no waiting mends. */
const needsSomebody: ReadonlySet<RefusalReason> = new Set([
  'key_mismatch',
  'wrong_mode',
  'not_authorized',
  'not_a_cluster',
])

/** Used where only a class is known: the delivery keeps no advice, and a probe may have met something else. */
const adviceFor: Readonly<Record<RefusalReason, string>> = {
  key_mismatch:
    'Give the cluster the present public key (GET /v1/public-key) or the same secret, and wait for a retry.',
  wrong_mode: "Compare the cluster's auth settings (shared secret, key or issuer) with Gatehouse's.",
  not_authorized: 'Compare the registered id with the UUID that the cluster shows (`ais show cluster`).',
  not_a_cluster: 'Compare the registered URLs with those of the proxies: something else answers there.',
  unreachable: 'Check that the cluster runs and that this machine may reach its URLs.',
  timed_out: 'Check the load of the cluster and what lies between.',
  failing: "Look into the log of the cluster's primary proxy.",
}

/** Sums up what delivery and probes know of a cluster; `probe` is undefined before the first one. */
export function presentClusterStatus(delivery: DeliveryFacts, probe: ProbeFacts | undefined, now: Date): ClusterStatus {
  const report = probe?.report
  const { behind, behindSince, attempts } = delivery
  const state = judge(delivery, report)
  return {
    state,
    behind,
    behindSince,
    behindMs: behindSince === null ? 0 : Math.max(0, now.getTime() - behindSince.getTime()),
    ...explain(delivery, report),
    attempts,
    nextAttemptAt: attempts > 0 ? delivery.nextAttemptAt : null,
    lastAcknowledgedAt: delivery.lastAcknowledgedAt,
    probedAt: probe?.probedAt ?? null,
    lastRestartSeenAt: probe?.lastRestartSeenAt ?? null,
    inStepSince: state === 'in_step' ? (probe?.inStepSince ?? null) : null,
    isKeyTrusted: report?.isKeyTrusted ?? null,
    isAuthenticationOn: report?.isAuthenticationOn ?? null,
    reportedId: report?.clusterId ?? null,
    proxies: report?.proxies ?? [],
    isEveryProxyAsked: report?.isEveryProxyAsked ?? false,
  }
}

function judge(delivery: DeliveryFacts, report: ProbeReport | undefined): ClusterState {
  const { attempts, lastReason } = delivery
  const failure = attempts > 0 ? lastReason : null
  if (failure !== null && needsSomebody.has(failure)) return 'refused'
  if (report?.isKeyTrusted === false) return 'refused'
  if (failure !== null) return 'retrying'
  const proxies = report?.proxies ?? []
  const isSilent = report !== undefined && proxies.every(({ canary }) => canary === 'silent')
  if (isSilent && report.trouble !== null) return needsSomebody.has(report.trouble.reason) ? 'refused' : 'retrying'
  if (delivery.resyncFrom !== null || delivery.isCanaryWanted) return 'resyncing'
  if (hasLaggards(proxies)) return knowsAtPrimary(proxies) ? 'spreading' : 'resyncing'
  if (delivery.behind > 0) return 'behind'
  return delivery.canary !== null && proxies.some(({ canary }) => canary === 'knows') ? 'in_step' : 'unknown'
}

/** Proxies that would take a token that is revoked. */
function hasLaggards(proxies: readonly ProxyReport[]): boolean {
  return proxies.some(({ canary }) => canary === 'forgot' || canary === 'distrusts')
}

function knowsAtPrimary(proxies: readonly ProxyReport[]): boolean {
  return proxies.some(({ isPrimary, canary }) => isPrimary && canary === 'knows')
}

function explain(delivery: DeliveryFacts, report: ProbeReport | undefined) {
  const trouble = report?.trouble ?? null
  const { attempts, lastReason, lastSaid } = delivery
  if (attempts === 0 || lastReason === null) {
    return {
      lastReason: trouble?.reason ?? null,
      lastSaid: trouble?.said ?? null,
      advice: trouble?.advice ?? null,
    }
  }
  const advice = trouble?.reason === lastReason ? trouble.advice : adviceFor[lastReason]
  return { lastReason, lastSaid, advice }
}
