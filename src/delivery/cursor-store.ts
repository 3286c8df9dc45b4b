import type { Cluster } from '../core/clusters/cluster.ts'
import type { RefusalReason } from '../core/errors.ts'

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
  readonly lastReason: RefusalReason | null
  readonly lastSaid: string | null
  readonly lastAttemptAt: Date | null
  readonly lastAcknowledgedAt: Date | null
}

/** Each method is one transaction. */
export interface CursorStore {
  /** Leases up to `limit` clusters that are due at `now`, are behind or in resync, and that nobody holds. */
  claimDue(options: {
    readonly now: Date
    readonly limit: number
    readonly leaseUntil: Date
    readonly holder: string
  }): Promise<readonly Claim[]>
  /** The moved cursor, or undefined where the lease was no longer ours (then nothing was written). */
  settle(claim: Claim, settlement: Settlement): Promise<Cursor | undefined>
  /** Gives a lease back with nothing learned (shutdown). */
  release(claim: Claim): Promise<void>
  list(): Promise<readonly CursorStatus[]>
  /** When the next cluster that is behind falls due; undefined if none is behind. */
  nextDueAt(): Promise<Date | undefined>
  /** Cursor back to the start of the log, for one cluster. */
  resync(clusterId: string, at: Date): Promise<void>
}
