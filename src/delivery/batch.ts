import type { Clock } from '../core/clock.ts'
import { type BatchLimits, sizeChange } from '../core/revocation/batch.ts'
import type { Change } from '../core/revocation/change.ts'
import type { Cursor } from './cursor-store.ts'
import type { RecentChanges } from './recent-changes.ts'

export interface Planned {
  readonly changes: readonly Change[]
  /** Where the cursor stands once the cluster has them. */
  readonly acknowledged: number
  readonly resyncFrom: number | null
  /** More is known to lie in the log. */
  readonly hasMore: boolean
}

/** What a cluster is told next: new changes come first, a resync gets the room that they leave. */
export async function planBatch(
  cursor: Cursor,
  deps: { readonly changes: RecentChanges; readonly limits: BatchLimits; readonly clock: Clock },
): Promise<Planned> {
  const { changes, limits } = deps
  const now = deps.clock.now()
  const fresh = await changes.after(cursor.acknowledged, limits, now)
  const planned = {
    changes: fresh.changes,
    acknowledged: fresh.upTo,
    resyncFrom: cursor.resyncFrom,
    hasMore: fresh.isCut,
  }
  if (cursor.resyncFrom === null || fresh.isCut) return planned
  const room = {
    changes: limits.changes - fresh.changes.length,
    bytes: limits.bytes - fresh.changes.reduce((sum, change) => sum + sizeChange(change), 0),
  }
  if (room.changes <= 0 || room.bytes <= 0) return { ...planned, hasMore: true }
  // What lies after the cursor comes as new, so the resync ends there.
  const until = Math.min(cursor.resyncUntil, cursor.acknowledged)
  const old = await changes.between(cursor.resyncFrom, until, room, now)
  return {
    changes: fresh.changes.length === 0 ? old.changes : [...fresh.changes, ...old.changes],
    acknowledged: fresh.upTo,
    resyncFrom: old.isCut ? old.upTo : null,
    hasMore: old.isCut,
  }
}
