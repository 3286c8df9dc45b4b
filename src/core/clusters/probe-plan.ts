import { canaryLifetimeMs } from './canary.ts'
import type { ProbeReport, ProxyReport } from './probe.ts'

/** What a look at a cluster is judged by. */
export interface ProbeFinding {
  readonly clusterId: string
  readonly report: ProbeReport
  /** The report before this one, null at the first. */
  readonly previous: ProbeReport | null
  /** The canary that was shown; null where there was none to show. */
  readonly canary: { readonly expiresAt: Date; readonly acknowledgedAt: Date } | null
  readonly isResyncing: boolean
  readonly episode: Episode
  readonly now: Date
}

/** What has been done since a cluster was last seen in step. */
export interface Episode {
  /** Looks beyond the regular ones. */
  readonly looks: number
  /** Rounds of empty pushes. */
  readonly spreads: number
}

export const noEpisode: Episode = { looks: 0, spreads: 0 }

export type ResyncCause =
  | 'first_canary'
  | 'forgotten'
  | 'not_spread'
  | 'replaced'
  | 'key_trusted_again'
  | 'canary_expires'
  | 'interval'

export type ProbeAct =
  | { readonly kind: 'none' }
  /** Everything that still matters is to be sent again, with a new canary first. */
  | { readonly kind: 'resync'; readonly cause: ResyncCause }
  /** So many empty pushes: each raises the version of the primary's list, and makes it send the whole list around. */
  | { readonly kind: 'spread'; readonly pushes: number }

export interface ProbePlan {
  readonly act: ProbeAct
  /** When to look again, in milliseconds; null = at the regular time. */
  readonly againMs: number | null
  readonly episode: Episode
}

/** Pauses before the extra looks; the last one repeats, and after `maximumLooks` the regular interval is back. */
const againMs = [200, 300, 500, 1_000, 2_000] as const
const maximumLooks = 60
/** Rounds that double pass a list of a thousand pushes in nine; where this many don't do, something else is wrong. */
const maximumSpreads = 14

/**
 * What a look at a cluster leads to. A canary goes out first in a resync and never without one, so a proxy that refuses it
 * holds everything that was revoked before the resync ended, and everything since that the primary spread.
 */
export function planProbe(finding: ProbeFinding, config: { readonly resyncEveryMs: number }): ProbePlan {
  const { report, canary, isResyncing, episode } = finding
  if (!isReached(report)) return { act: { kind: 'none' }, againMs: null, episode: noEpisode }
  if (isResyncing) return lookAgain({ kind: 'none' }, episode)
  // Without proxies there is nobody to show one to: a kind of cluster that has no use for canaries.
  if (canary === null && report.proxies.length > 0)
    return lookAgain({ kind: 'resync', cause: 'first_canary' }, noEpisode)
  if (report.proxies.some((proxy) => hasLost(proxy, report))) return planLost(report, episode)
  const cause = findCause(finding, config.resyncEveryMs)
  if (cause !== undefined) return lookAgain({ kind: 'resync', cause }, noEpisode)
  return { act: { kind: 'none' }, againMs: null, episode: noEpisode }
}

/**
 * The first time everything is sent again. After that the primary has the list, or it has restarted once more; a proxy
 * that still has not takes no list before the version of the primary's passes its own (contract W4).
 */
function planLost(report: ProbeReport, episode: Episode): ProbePlan {
  if (episode.looks === 0) return lookAgain({ kind: 'resync', cause: 'forgotten' }, noEpisode)
  const primary = report.proxies.find(({ isPrimary }) => isPrimary)
  if (primary !== undefined && hasLost(primary, report)) {
    return lookAgain({ kind: 'resync', cause: 'forgotten' }, { ...episode, spreads: 0 })
  }
  if (episode.spreads >= maximumSpreads) return lookAgain({ kind: 'resync', cause: 'not_spread' }, noEpisode)
  const spreads = episode.spreads + 1
  return lookAgain({ kind: 'spread', pushes: 2 ** spreads }, { ...episode, spreads })
}

function lookAgain(act: ProbeAct, { looks, spreads }: Episode): ProbePlan {
  if (looks >= maximumLooks) return { act, againMs: null, episode: { looks, spreads } }
  return { act, againMs: againMs[looks] ?? againMs[againMs.length - 1] ?? null, episode: { looks: looks + 1, spreads } }
}

function isReached({ clusterId, isKeyTrusted, proxies }: ProbeReport): boolean {
  return clusterId !== null || isKeyTrusted !== null || proxies.some(({ canary }) => canary !== 'silent')
}

/**
 * The list is asked before anything else of a token is looked at, so a proxy that refuses the canary for another reason
 * does not have it either. Where our key is not trusted at all, nothing that we send would be taken.
 */
function hasLost({ canary }: ProxyReport, { isKeyTrusted }: ProbeReport): boolean {
  return canary === 'forgot' || (canary === 'distrusts' && isKeyTrusted !== false)
}

function findCause(finding: ProbeFinding, resyncEveryMs: number): ResyncCause | undefined {
  const { clusterId, report, previous, canary, now } = finding
  const isOther = report.clusterId !== null && report.clusterId !== clusterId
  if (isOther && report.clusterId !== previous?.clusterId) return 'replaced'
  if (report.isKeyTrusted === true && previous?.isKeyTrusted === false) return 'key_trusted_again'
  if (canary === null) return undefined
  // A resync leaves a cluster that does not trust our key as it is.
  if (report.isKeyTrusted === false) return undefined
  if (canary.expiresAt.getTime() - now.getTime() < canaryLifetimeMs / 4) return 'canary_expires'
  const age = now.getTime() - canary.acknowledgedAt.getTime()
  // Acknowledged in the future: the clock has been set back since.
  return age < 0 || age >= resyncEveryMs * stretchOf(clusterId) ? 'interval' : undefined
}

/** Between 0.8 and 1.2, the same for a cluster each time: clusters that were resynced in one moment drift apart. */
function stretchOf(clusterId: string): number {
  let hash = 0
  for (const character of clusterId) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 401
  return 0.8 + hash / 1000
}
