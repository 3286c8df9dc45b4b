import type { Cluster } from '../core/clusters/cluster.ts'
import type { ProbeReport } from '../core/clusters/probe.ts'

/** What a probe needs to know of a cluster before it looks. */
export interface ProbeTarget {
  readonly cluster: Cluster
  /** The canary that the cluster has acknowledged as revoked; null where there is none yet, or it is being renewed. */
  readonly canary: { readonly token: string; readonly expiresAt: Date; readonly acknowledgedAt: Date } | null
  /** True while a resync is under way or a renewed canary has not been acknowledged: a proxy that forgot is no news then. */
  readonly isResyncing: boolean
  /** The last report, null before the first one. */
  readonly previous: ProbeReport | null
}

/** What is kept of a cluster's probes. */
export interface ProbeStatus {
  readonly clusterId: string
  readonly report: ProbeReport
  readonly probedAt: Date
  /** When a proxy was last seen to have forgotten the list: it has restarted shortly before. */
  readonly lastRestartSeenAt: Date | null
  /** Since when every proxy that can be asked has refused the canary in each probe; null while one doesn't, or is silent. */
  readonly inStepSince: Date | null
}

/** Each method is one transaction. */
export interface ProbeStore {
  /**
   * Takes up to `limit` clusters whose probe is due at `now`, and sets their next one: `everyMs` later, times a number
   * between 0.8 and 1.2 that differs by cluster, so that a thousand clusters aren't probed in one moment. A cluster's first
   * probe is due `everyMs` after its registration. Of several processes one gets each cluster.
   */
  claimDue(options: {
    readonly now: Date
    readonly limit: number
    readonly everyMs: number
  }): Promise<readonly ProbeTarget[]>
  /** Has the cluster probed again at `at` if that is sooner than planned. */
  hasten(clusterId: string, at: Date): Promise<void>
  /** Keeps a report; sets lastRestartSeenAt and inStepSince by it. Nothing where the cluster is gone. */
  record(clusterId: string, report: ProbeReport, at: Date): Promise<void>
  list(): Promise<readonly ProbeStatus[]>
  /** Undefined before the first probe. */
  get(clusterId: string): Promise<ProbeStatus | undefined>
  nextDueAt(): Promise<Date | undefined>
}
