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

/** From so many bytes on a batch is sent by itself: clusters that are equally far share it, and what is made of it. */
const largeBytes = 64 * 1024

/**
 * What a cluster is told next: new changes come first, a resync gets the room that they leave. A large piece of a resync
 * goes by itself, after what is new; `isResyncsTurn` says that what is new has just gone.
 */
export async function planBatch(
  cursor: Cursor,
  deps: {
    readonly changes: RecentChanges
    readonly limits: BatchLimits
    readonly clock: Clock
    /** Called before a large piece of a resync is read: what is new comes after it. */
    readonly beforeLongPast: () => void
  },
  isResyncsTurn = false,
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
    bytes: limits.bytes - sizeOf(fresh.changes),
  }
  if (room.changes <= 0 || room.bytes <= 0) return { ...planned, hasMore: true }
  // What lies after the cursor comes as new, so the resync ends there.
  const until = Math.min(cursor.resyncUntil, cursor.acknowledged)
  // Enough to tell how much there is: megabytes are not read to be put aside.
  const taste = { ...room, bytes: Math.min(room.bytes, 2 * largeBytes) }
  const old = await changes.between(cursor.resyncFrom, until, taste, now)
  if (!isLarge(old.changes)) {
    const resyncFrom = old.isCut ? old.upTo : null
    // The very same batch for clusters that are equally far, where there is nothing to join.
    const together = old.changes.length === 0 ? fresh.changes : [...fresh.changes, ...old.changes]
    const both = fresh.changes.length === 0 ? old.changes : together
    return { ...planned, changes: both, resyncFrom, hasMore: old.isCut }
  }
  const isNewsLeft = fresh.changes.length > 0
  if (isNewsLeft && !isResyncsTurn) return { ...planned, hasMore: true }
  deps.beforeLongPast()
  const whole = await changes.between(cursor.resyncFrom, until, limits, now)
  return {
    changes: whole.changes,
    acknowledged: isNewsLeft ? cursor.acknowledged : fresh.upTo,
    resyncFrom: whole.isCut ? whole.upTo : null,
    hasMore: isNewsLeft || whole.isCut,
  }
}

function sizeOf(changes: readonly Change[]): number {
  return changes.reduce((sum, change) => sum + sizeChange(change), 0)
}

export function isLarge(changes: readonly Change[]): boolean {
  return sizeOf(changes) > largeBytes
}
