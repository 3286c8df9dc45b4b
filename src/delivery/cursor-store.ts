import type { Cluster } from '../core/clusters/cluster.ts'
import type { RefusalReason } from '../core/errors.ts'
import type { Actor } from '../core/sessions/actor.ts'

/** How far one cluster is, and when it is to be asked again. One row a cluster. */
export interface Cursor {
  readonly clusterId: string
  /** Every change up to here was acknowledged at least once. */
  readonly acknowledged: number
  /** Where a resync in progress goes on, up to `resyncUntil`; null when none is under way. */
  readonly resyncFrom: number | null
  readonly resyncUntil: number
  /** Failures since the last success. */
  readonly attempts: number
  readonly nextAttemptAt: Date
  /** A canary is to be made and pushed with the next batch: none yet, nearly expired, or a resync begins. */
  readonly isCanaryWanted: boolean
}

/** A cursor that this process may move until the lease ends. */
export interface Claim {
  readonly cluster: Cluster
  readonly cursor: Cursor
  /** Fences off a holder whose lease was lost. */
  readonly lease: string
}

/** What is written when an attempt has ended. */
export type Settlement =
  | {
      readonly kind: 'acknowledged'
      readonly acknowledged: number
      readonly resyncFrom: number | null
      readonly at: Date
      /** The canary that `putCanary` stored under this claim was in the batch: it is wanted no longer. */
      readonly isCanaryPushed?: boolean
      /** Keep the cluster for another batch until then, or let go of it (null). */
      readonly leaseUntil: Date | null
    }
  | {
      readonly kind: 'failed'
      readonly attempts: number
      readonly nextAttemptAt: Date
      readonly reason: RefusalReason
      readonly said: string
      readonly at: Date
    }

export interface CursorStatus extends Cursor {
  /** False where the cluster has no URL: it is never due, since there is nobody to tell. */
  readonly hasUrls: boolean
  readonly lastReason: RefusalReason | null
  readonly lastSaid: string | null
  readonly lastAttemptAt: Date | null
  readonly lastAcknowledgedAt: Date | null
  /** The canary that the cluster holds; null before the first probe and while one is being renewed. */
  readonly canary: { readonly expiresAt: Date; readonly acknowledgedAt: Date } | null
  /** Changes that still matter and that it has not acknowledged, and when the first of them was recorded. */
  readonly behind: number
  readonly behindSince: Date | null
}

/** What delivery goes by. */
export type Progress = Pick<
  CursorStatus,
  'clusterId' | 'acknowledged' | 'attempts' | 'nextAttemptAt' | 'lastReason' | 'hasUrls'
>

/** Each method is one transaction. */
export interface CursorStore {
  /**
   * Leases up to `limit` clusters that are due at `now`, have a URL, are behind, in resync or in want of a canary, and that
   * nobody holds; of those whose last attempt failed at most `failingLimit`. Whoever is furthest behind comes first.
   */
  claimDue(options: {
    readonly now: Date
    readonly limit: number
    /** `limit` where it is absent. */
    readonly failingLimit?: number
    readonly leaseUntil: Date
    readonly holder: string
  }): Promise<readonly Claim[]>
  /** The moved cursor, or undefined where the lease was no longer ours (then nothing was written). */
  settle(claim: Claim, settlement: Settlement): Promise<Cursor | undefined>
  /** Gives a lease back with nothing learned (shutdown). */
  release(claim: Claim): Promise<void>
  /** Frees the clusters whose holder will not come back. What it still sends is fenced off as after the end of a lease. */
  releaseAbandoned(isAbandoned: (holder: string) => boolean): Promise<number>
  /** How far each cluster is, for the worker, which asks every second: nothing is counted for it. */
  progress(): Promise<readonly Progress[]>
  /** `now` decides which changes still matter. */
  list(now: Date): Promise<readonly CursorStatus[]>
  /** One of them. */
  get(clusterId: string, now: Date): Promise<CursorStatus | undefined>
  /** How many changes in the log still matter at `now`. */
  logLength(now: Date): Promise<number>
  /** When the next cluster that is behind falls due; undefined if none is behind. */
  nextDueAt(): Promise<Date | undefined>
  /**
   * Cursor back to the start of the log, for one cluster: what is in the log now is sent again, beside what is new. A
   * cluster that has a canary gets a new one with it, so that a proxy which kept the old list is told from one that has
   * taken the new.
   */
  resync(clusterId: string, at: Date, by?: Actor): Promise<void>
  /** Has a new canary made and pushed with the next batch; the cluster is due at once. */
  wantCanary(clusterId: string, at: Date): Promise<void>
  /** Keeps the canary that is about to be pushed (sealed). False where the lease was no longer ours. */
  putCanary(claim: Claim, canary: { readonly token: string; readonly expiresAt: Date }): Promise<boolean>
}
