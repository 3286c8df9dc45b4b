/** What is done with one cluster while its lease is ours: batch after batch, until it has everything or refuses. */
import type { Clock } from '../core/clock.ts'
import type { ClusterKind } from '../core/clusters/cluster.ts'
import type { Driver, Outcome } from '../core/clusters/driver.ts'
import type { Logger } from '../core/logger.ts'
import { type BatchLimits, sizeChange } from '../core/revocation/batch.ts'
import type { Change } from '../core/revocation/change.ts'
import type { Claim, Cursor, CursorStore, Settlement } from './cursor-store.ts'
import type { PropagationTracker } from './propagation.ts'
import type { RecentChanges } from './recent-changes.ts'
import { planPause } from './schedule.ts'

export interface DeliveringDeps {
  readonly cursors: CursorStore
  readonly changes: RecentChanges
  readonly drivers: Readonly<Record<ClusterKind, Driver>>
  readonly tracker: PropagationTracker
  readonly clock: Clock
  readonly log: Logger
  readonly random: () => number
  readonly retryMs: readonly number[]
  readonly leaseMs: number
  readonly limits: BatchLimits
  /** The highest sequence that this process knows to be in the log. */
  readonly knownHead: () => number
}

/** Why a cluster was let go of. */
export type Ending =
  | { readonly kind: 'in_step' }
  | { readonly kind: 'refused'; readonly nextAttemptAt: Date }
  /** The lease went to somebody else, or the cluster is gone. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'stopped' }

interface Planned {
  readonly changes: readonly Change[]
  readonly acknowledged: number
  readonly resyncFrom: number | null
  /** More than fits into this batch is known to lie in the log. */
  readonly hasMore: boolean
}

type Refusal = Extract<Outcome, { kind: 'refused' }>

/** Works until there is nothing more to tell, an attempt fails, the lease is lost or `signal` aborts. */
export async function deliver(claim: Claim, deps: DeliveringDeps, signal: AbortSignal): Promise<Ending> {
  let cursor = claim.cursor
  for (;;) {
    const planned = await planBatch(cursor, deps)
    if (signal.aborted) return stop(claim, deps)
    if (planned.changes.length === 0 && !isMoved(cursor, planned)) {
      await deps.cursors.release(claim)
      return { kind: 'in_step' }
    }
    const outcome = await send(claim, planned.changes, deps, signal)
    if (signal.aborted && outcome?.kind !== 'accepted') return stop(claim, deps)
    const settled =
      outcome?.kind === 'refused'
        ? await settleFailed(claim, cursor, outcome, deps)
        : await settleAcknowledged(claim, planned, deps, signal)
    logAttempt(claim, planned, outcome, settled, deps)
    if (settled.cursor === undefined) return { kind: 'lost' }
    if (settled.kind === 'failed') return { kind: 'refused', nextAttemptAt: settled.nextAttemptAt }
    if (settled.leaseUntil === null) return { kind: 'in_step' }
    cursor = settled.cursor
  }
}

/** New changes come first; a resync gets the room that they leave. */
async function planBatch(cursor: Cursor, { changes, limits, clock }: DeliveringDeps): Promise<Planned> {
  const now = clock.now()
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
  const old = await changes.between(cursor.resyncFrom, cursor.resyncUntil, room, now)
  return {
    changes: fresh.changes.length === 0 ? old.changes : [...fresh.changes, ...old.changes],
    acknowledged: fresh.upTo,
    resyncFrom: old.isCut ? old.upTo : null,
    hasMore: old.isCut,
  }
}

function isMoved(cursor: Cursor, planned: Planned): boolean {
  return planned.acknowledged !== cursor.acknowledged || planned.resyncFrom !== cursor.resyncFrom
}

/** Undefined where no change of the batch concerns this kind of cluster. */
async function send(
  claim: Claim,
  changes: readonly Change[],
  { drivers, tracker, log }: DeliveringDeps,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const driver = drivers[claim.cluster.kind]
  const isForAll = changes.every((change) => driver.takes(change.kind))
  const taken = isForAll ? changes : changes.filter((change) => driver.takes(change.kind))
  if (taken.length === 0) return undefined
  tracker.started(claim.cluster.id)
  try {
    return await driver.push(claim.cluster, taken, signal)
  } catch (error) {
    log.error({ event: 'delivery.broken', cluster: claim.cluster.id, error })
    const advice = "Look into Gatehouse's own log."
    return { kind: 'refused', reason: 'failing', url: '', said: 'Gatehouse could not prepare the request', advice }
  }
}

async function settleAcknowledged(claim: Claim, planned: Planned, deps: DeliveringDeps, signal: AbortSignal) {
  // The cluster has it, whatever becomes of the lease.
  deps.tracker.acknowledged(claim.cluster.id, planned.acknowledged)
  const at = deps.clock.now()
  const goesOn = !signal.aborted && (planned.hasMore || deps.knownHead() > planned.acknowledged)
  const settlement = {
    kind: 'acknowledged',
    acknowledged: planned.acknowledged,
    resyncFrom: planned.resyncFrom,
    at,
    leaseUntil: goesOn ? new Date(at.getTime() + deps.leaseMs) : null,
  } as const satisfies Settlement
  return { ...settlement, cursor: await deps.cursors.settle(claim, settlement) }
}

async function settleFailed(claim: Claim, cursor: Cursor, refusal: Refusal, deps: DeliveringDeps) {
  deps.tracker.failed(claim.cluster.id)
  const at = deps.clock.now()
  const attempts = cursor.attempts + 1
  const pauseMs = planPause(attempts, deps.retryMs, deps.random(), refusal.retryAfterMs)
  const settlement = {
    kind: 'failed',
    attempts,
    nextAttemptAt: new Date(at.getTime() + pauseMs),
    reason: refusal.reason,
    said: refusal.said,
    at,
  } as const satisfies Settlement
  return { ...settlement, cursor: await deps.cursors.settle(claim, settlement) }
}

async function stop(claim: Claim, deps: DeliveringDeps): Promise<Ending> {
  await deps.cursors.release(claim)
  return { kind: 'stopped' }
}

function logAttempt(
  claim: Claim,
  planned: Planned,
  outcome: Outcome | undefined,
  settled: Awaited<ReturnType<typeof settleAcknowledged | typeof settleFailed>>,
  { log }: DeliveringDeps,
) {
  if (outcome === undefined) return
  const entry = {
    event: 'delivery.attempted',
    cluster: claim.cluster.id,
    url: outcome.url,
    changes: planned.changes.length,
    outcome: outcome.kind,
    settled: settled.cursor !== undefined,
  }
  if (outcome.kind === 'accepted' || settled.kind !== 'failed') return log.info(entry)
  const { reason, status, said, advice } = outcome
  log.warn({ ...entry, reason, status, said, advice, attempts: settled.attempts, nextAttemptAt: settled.nextAttemptAt })
}
