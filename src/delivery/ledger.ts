/** What one cluster has acknowledged while its lease is ours, and when that is written down. */
import type { Clock } from '../core/clock.ts'
import type { Outcome } from '../core/clusters/driver.ts'
import type { RefusalReason } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { Planned } from './batch.ts'
import type { Claim, Cursor, CursorStore } from './cursor-store.ts'
import type { Observe } from './observation.ts'
import type { PropagationTracker } from './propagation.ts'
import { planPause } from './schedule.ts'

export interface LedgerDeps {
  readonly cursors: CursorStore
  readonly tracker: PropagationTracker
  readonly clock: Clock
  readonly log: Logger
  readonly random: () => number
  readonly retryMs: readonly number[]
  readonly leaseMs: number
  /** Called for each attempt that has ended. */
  readonly observe: Observe
  /** Why each cluster refused last, as long as it does. */
  readonly refusals: Map<string, RefusalReason>
}

/** Why a cluster was let go of. */
export type Ending =
  | { readonly kind: 'in_step' }
  | { readonly kind: 'refused'; readonly nextAttemptAt: Date }
  /** The lease went to somebody else, or the cluster is gone. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'stopped' }

type Refusal = Extract<Outcome, { kind: 'refused' }>

/** What was acknowledged is written down at least so often while there is more to do. */
const settleEveryMs = 1_000

/**
 * Keeps what a cluster has acknowledged and writes it down now and then: nothing is lost if it isn't, since a batch may be
 * sent twice, and one write serves many batches.
 */
export function openLedger(claim: Claim, deps: LedgerDeps) {
  const { cursors, clock } = deps
  const clusterId = claim.cluster.id
  let current: Cursor = claim.cursor
  let written: Cursor = claim.cursor
  let writtenAt = clock.now().getTime()

  async function settle(leaseUntil: Date | null): Promise<boolean> {
    const { acknowledged, resyncFrom } = current
    const at = clock.now()
    const isCanaryPushed = written.isCanaryWanted && !current.isCanaryWanted
    const settlement = { kind: 'acknowledged', acknowledged, resyncFrom, at, isCanaryPushed, leaseUntil } as const
    const moved = await cursors.settle(claim, settlement)
    if (moved === undefined) return false
    current = { ...current, isCanaryWanted: moved.isCanaryWanted }
    written = current
    writtenAt = at.getTime()
    return true
  }

  const isDirty = () => current !== written

  const ledger = {
    cursor: () => current,

    acknowledge({ acknowledged, resyncFrom }: Planned, hasCanary: boolean) {
      deps.tracker.acknowledged(clusterId, acknowledged)
      if (acknowledged === current.acknowledged && resyncFrom === current.resyncFrom && !hasCanary) return
      const isCanaryWanted = current.isCanaryWanted && !hasCanary
      current = { ...current, acknowledged, resyncFrom, isCanaryWanted, attempts: 0 }
    },

    /** A cluster that answers again after a failure, or has been resynced, is to be seen as such at once. */
    isOverdue: () => {
      if (!isDirty()) return false
      if (written.attempts > 0 || (written.resyncFrom !== null && current.resyncFrom === null)) return true
      if (written.isCanaryWanted && current.resyncFrom === null) return true
      return Math.abs(clock.now().getTime() - writtenAt) >= settleEveryMs
    },

    /** False = the lease is lost. */
    write: () => settle(new Date(clock.now().getTime() + deps.leaseMs)),

    async close(kind: 'in_step' | 'stopped'): Promise<Ending> {
      if (!isDirty()) await cursors.release(claim)
      else if (!(await settle(null))) return { kind: 'lost' }
      return { kind }
    },

    async closeAndResync(): Promise<Ending> {
      deps.refusals.delete(clusterId)
      if (isDirty() && !(await settle(null))) return { kind: 'lost' }
      await cursors.resync(clusterId, clock.now())
      return { kind: 'in_step' }
    },

    async refuse(refusal: Refusal, planned: Planned): Promise<Ending> {
      deps.tracker.failed(clusterId)
      deps.observe({ clusterId, outcome: refusal.reason, oldestMs: null })
      if (isDirty() && !(await ledger.write())) return { kind: 'lost' }
      const attempts = current.attempts + 1
      const { reason, said, advice, url, status, retryAfterMs } = refusal
      const at = clock.now()
      const nextAttemptAt = new Date(at.getTime() + planPause(attempts, deps.retryMs, deps.random(), retryAfterMs))
      const settled = await cursors.settle(claim, { kind: 'failed', attempts, nextAttemptAt, reason, said, at })
      const changes = planned.changes.length
      const more = { reason, status, said, advice, attempts, nextAttemptAt, settled: settled !== undefined }
      deps.log.warn({ event: 'delivery.attempted', cluster: clusterId, url, changes, outcome: 'refused', ...more })
      if (settled === undefined) return { kind: 'lost' }
      deps.refusals.set(clusterId, reason)
      return { kind: 'refused', nextAttemptAt }
    },
  }
  return ledger
}
