import type { RefusalReason } from '../errors.ts'
import { hasForgotten, isHeldByAll, type ProbeReport, type ProxyReport } from './probe.ts'

/**
 * How a cluster is, in one word, the most serious first:
 * no_urls: no URL is registered, so it hears of no revocation until somebody adds one;
 * refused: it does not take what we tell it, and will not until somebody does something;
 * retrying: it could not be told, and is asked again by itself;
 * resyncing: everything that still matters is being sent again;
 * spreading: its primary has the list, and at least one other proxy does not yet;
 * behind: changes are on their way;
 * unknown: it has acknowledged everything, but not every proxy has shown that it holds the list: it has not been looked at
 * yet, a proxy does not answer, or what answers does not do what a cluster does;
 * in_step: it has acknowledged everything, and every proxy that can be asked has shown that it holds the list.
 */
export type ClusterState =
  | 'no_urls'
  | 'refused'
  | 'retrying'
  | 'resyncing'
  | 'spreading'
  | 'behind'
  | 'unknown'
  | 'in_step'

/** What delivery knows of a cluster (delivery/cursor-store.ts). */
export interface DeliveryFacts {
  readonly hasUrls: boolean
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
  /** Whether the last look has shown that it refuses what it was told, on every proxy that can be asked; null before one. */
  readonly isConfirmed: boolean | null
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

type Trouble = NonNullable<ProbeReport['trouble']>

const noUrls: Trouble = {
  reason: 'unreachable',
  said: 'no URL is registered: it hears of no revocation',
  advice: 'Add a URL of one of its proxies (`ais auth set cluster`), or remove the cluster.',
}

const adviceForSilent =
  'Check that it runs and that this machine may reach it. A proxy that was taken down leaves the cluster map by itself; one that stays and can not be reached may take revoked tokens without anybody noticing.'

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
    isConfirmed: report === undefined ? null : isConfirmed(report),
    isEveryProxyAsked: report?.isEveryProxyAsked ?? false,
  }
}

function judge(delivery: DeliveryFacts, report: ProbeReport | undefined): ClusterState {
  if (!delivery.hasUrls) return 'no_urls'
  const { attempts, lastReason } = delivery
  const failure = attempts > 0 ? lastReason : null
  if (failure !== null && needsSomebody.has(failure)) return 'refused'
  if (report?.isKeyTrusted === false) return 'refused'
  if (failure !== null) return 'retrying'
  const proxies = report?.proxies ?? []
  const isSilent = report !== undefined && proxies.every(({ canary }) => canary === 'silent')
  if (isSilent && report.trouble !== null) return needsSomebody.has(report.trouble.reason) ? 'refused' : 'retrying'
  if (delivery.resyncFrom !== null || delivery.isCanaryWanted) return 'resyncing'
  if (proxies.some(hasForgotten)) return knowsAtPrimary(proxies) ? 'spreading' : 'resyncing'
  if (delivery.behind > 0) return 'behind'
  return delivery.canary !== null && report !== undefined && isConfirmed(report) ? 'in_step' : 'unknown'
}

/**
 * What is silent may have forgotten. Where the map could not be read, there may be proxies that nobody has asked; and a
 * cluster in trouble (another one in its place, authentication switched off) refuses nothing by what it holds.
 */
function isConfirmed({ clusterId, trouble, proxies }: ProbeReport): boolean {
  return clusterId !== null && trouble === null && isHeldByAll(proxies)
}

function knowsAtPrimary(proxies: readonly ProxyReport[]): boolean {
  return proxies.some(({ isPrimary, canary }) => isPrimary && canary === 'knows')
}

const maximumNamed = 3

/** Which proxies have not answered, since when and what came instead; undefined where all have. */
function findSilent(report: ProbeReport | undefined): Trouble | undefined {
  const silent = (report?.proxies ?? []).filter(({ canary, said }) => canary === 'silent' && said !== null)
  if (silent.length === 0) return undefined
  const named = silent.slice(0, maximumNamed).map(presentSilent)
  const more = silent.length > maximumNamed ? `, and ${silent.length - maximumNamed} more` : ''
  return { reason: 'unreachable', said: `${named.join('; ')}${more}`, advice: adviceForSilent }
}

/** For instance `proxy p2 (http://10.0.0.2:51080) has not answered since 2026-03-01T12:00:00.000Z: HTTP 503`. */
function presentSilent({ proxyId, url, said, silentSince }: ProxyReport): string {
  const name = proxyId === null ? url : `proxy ${proxyId}${url === '' ? '' : ` (${url})`}`
  const since = silentSince === null ? '' : ` since ${silentSince.toISOString()}`
  return `${name} has given no usable answer${since}: ${said ?? 'it was not asked'}`
}

function explain(delivery: DeliveryFacts, report: ProbeReport | undefined) {
  if (!delivery.hasUrls) return present(noUrls)
  const trouble = report?.trouble ?? findSilent(report) ?? null
  const { attempts, lastReason, lastSaid } = delivery
  if (attempts === 0 || lastReason === null) return present(trouble)
  const advice = trouble?.reason === lastReason ? trouble.advice : adviceFor[lastReason]
  return { lastReason, lastSaid, advice }
}

function present(trouble: Trouble | null) {
  return { lastReason: trouble?.reason ?? null, lastSaid: trouble?.said ?? null, advice: trouble?.advice ?? null }
}
