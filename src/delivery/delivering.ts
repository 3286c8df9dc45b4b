/** What is done with one cluster while its lease is ours: batch after batch, until it has everything or refuses. */
import type { Clock } from '../core/clock.ts'
import { changeOfCanary } from '../core/clusters/canary.ts'
import type { ClusterKind } from '../core/clusters/cluster.ts'
import type { Driver, Outcome } from '../core/clusters/driver.ts'
import type { RefusalReason } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { BatchLimits } from '../core/revocation/batch.ts'
import type { Change } from '../core/revocation/change.ts'
import { isLarge, type Planned, planBatch } from './batch.ts'
import type { Claim, Cursor, CursorStore } from './cursor-store.ts'
import type { Gate } from './gate.ts'
import type { News } from './news.ts'
import type { Observe } from './observation.ts'
import type { PropagationTracker } from './propagation.ts'
import type { RecentChanges } from './recent-changes.ts'
import { planPause } from './schedule.ts'

export interface DeliveringDeps {
  readonly cursors: CursorStore
  readonly changes: RecentChanges
  readonly drivers: Readonly<Record<ClusterKind, Driver>>
  readonly tracker: PropagationTracker
  readonly news: News
  readonly clock: Clock
  readonly log: Logger
  readonly random: () => number
  readonly retryMs: readonly number[]
  readonly timeoutMs: number
  readonly leaseMs: number
  readonly limits: BatchLimits
  /** The highest sequence that this process knows to be in the log. */
  readonly knownHead: () => number
  /** Somebody waits for everything to come to rest. */
  readonly isHurried: () => boolean
  /** More clusters wait for their turn than may be leased at once: after each batch one is let go of for another. */
  readonly isCrowded: () => boolean
  /** Where pushes wait for their turn; clusters that failed last have few places of their own. */
  readonly gates: { readonly healthy: Gate; readonly failing: Gate }
  /** Clusters under way that failed last and have not acknowledged since. */
  readonly failing: Set<string>
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

/** What was acknowledged is written down at least so often while there is more to do. */
const settleEveryMs = 1_000
/** Periods without news after which a lease is given back. */
const quietPeriods = 2

type Refusal = Extract<Outcome, { kind: 'refused' }>

/** Works until there has been nothing to tell for a while, an attempt fails, the lease is lost or `signal` aborts. */
export async function deliver(claim: Claim, deps: DeliveringDeps, signal: AbortSignal): Promise<Ending> {
  const ledger = openLedger(claim, deps)
  let quiet = 0
  let isResyncsTurn = false
  for (;;) {
    const { isCanaryWanted, resyncFrom } = ledger.cursor()
    const turn = await takeTurn(claim, ledger.cursor(), isResyncsTurn, deps, signal)
    if (turn === 'lost') return { kind: 'lost' }
    const { planned, outcome, isEmpty } = turn
    isResyncsTurn = resyncFrom !== null && planned.resyncFrom === resyncFrom
    if (signal.aborted && outcome?.kind !== 'accepted') return ledger.close('stopped')
    if (outcome?.kind === 'refused') return ledger.refuse(outcome, planned)
    if (outcome !== undefined) reportAccepted(claim, ledger.cursor(), planned, outcome, deps)
    if (!isEmpty) quiet = 0
    ledger.acknowledge(planned, isCanaryWanted)
    if (isAfterKeyRefusal(claim, deps)) return ledger.closeAndResync()
    if (deps.isCrowded()) return ledger.close('in_step')
    if (ledger.isOverdue() && !(await ledger.write())) return { kind: 'lost' }
    if (planned.hasMore || deps.knownHead() > planned.acknowledged) continue
    if (deps.isHurried() || quiet >= quietPeriods) return ledger.close('in_step')
    if ((await deps.news.wait()) === 'tick') quiet += 1
    if (signal.aborted) return ledger.close('stopped')
  }
}

interface Turn {
  readonly planned: Planned
  /** Undefined where nothing had to be sent. */
  readonly outcome: Outcome | undefined
  readonly isEmpty: boolean
}

/** One batch, sent when it is this cluster's turn; it takes everything that came while it waited. */
async function takeTurn(
  claim: Claim,
  cursor: Cursor,
  isResyncsTurn: boolean,
  deps: DeliveringDeps,
  signal: AbortSignal,
): Promise<Turn | 'lost'> {
  let planned = await planBatch(cursor, deps, isResyncsTurn)
  if (signal.aborted || (planned.changes.length === 0 && !cursor.isCanaryWanted)) {
    return { planned, outcome: undefined, isEmpty: true }
  }
  const gate = cursor.attempts > 0 ? deps.gates.failing : deps.gates.healthy
  const isRoom = gate.room() > 0
  const leave = await gate.enter(signal)
  try {
    if (!isRoom) planned = await planBatch(cursor, deps, isResyncsTurn)
    const canary = cursor.isCanaryWanted && !signal.aborted ? await prepareCanary(claim, deps) : none
    if (canary === 'lost') return 'lost'
    // A large batch is written out once for all clusters that are equally far; a canary is one cluster's alone.
    if (canary.length > 0 && isLarge(planned.changes)) planned = { ...nothing(cursor), hasMore: true }
    const changes = canary.length === 0 ? planned.changes : [...canary, ...planned.changes]
    const isEmpty = changes.length === 0 || signal.aborted
    return { planned, isEmpty, outcome: isEmpty ? undefined : await send(claim, changes, deps, signal) }
  } finally {
    leave()
  }
}

function nothing({ acknowledged, resyncFrom }: Cursor): Planned {
  return { changes: none, acknowledged, resyncFrom, hasMore: false }
}

/**
 * Keeps what a cluster has acknowledged and writes it down now and then: nothing is lost if it isn't, since a batch may be
 * sent twice, and one write serves many batches.
 */
function openLedger(claim: Claim, deps: DeliveringDeps) {
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
      deps.failing.delete(clusterId)
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

/** A cluster that refused our key heard nothing meanwhile, and may have been restarted: it gets the whole list again. */
function isAfterKeyRefusal(claim: Claim, { refusals }: DeliveringDeps): boolean {
  const reason = refusals.get(claim.cluster.id)
  if (reason === 'key_mismatch' || reason === 'not_authorized') return true
  refusals.delete(claim.cluster.id)
  return false
}

const none: readonly Change[] = []

/**
 * A new canary, kept before it is sent: should the answer be lost, the next attempt makes another one. `lost` where the
 * lease is no longer ours; none for a kind of cluster that has no use for one.
 */
async function prepareCanary(claim: Claim, { drivers, cursors }: DeliveringDeps): Promise<readonly Change[] | 'lost'> {
  const canary = await drivers[claim.cluster.kind].mintCanary(claim.cluster)
  if (canary === null) return none
  return (await cursors.putCanary(claim, canary)) ? [changeOfCanary(canary)] : 'lost'
}

/** Undefined where no change of the batch concerns this kind of cluster. */
async function send(
  claim: Claim,
  changes: readonly Change[],
  { drivers, tracker, clock, timeoutMs, log }: DeliveringDeps,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const driver = drivers[claim.cluster.kind]
  const isForAll = changes.every((change) => driver.takes(change.kind))
  const taken = isForAll ? changes : changes.filter((change) => driver.takes(change.kind))
  if (taken.length === 0) return undefined
  tracker.started(claim.cluster.id)
  const attempt = new AbortController()
  // With a reason of its own no exception has to be made.
  const giveUp = () => attempt.abort('over')
  signal.addEventListener('abort', giveUp)
  void clock.wait(timeoutMs, attempt.signal).then(giveUp)
  try {
    return await driver.push(claim.cluster, taken, attempt.signal)
  } catch (error) {
    log.error({ event: 'delivery.broken', cluster: claim.cluster.id, error })
    const advice = "Look into Gatehouse's own log."
    return { kind: 'refused', reason: 'failing', url: '', said: 'Gatehouse could not prepare the request', advice }
  } finally {
    signal.removeEventListener('abort', giveUp)
    // Ends the waiting too.
    giveUp()
  }
}

function reportAccepted(claim: Claim, cursor: Cursor, planned: Planned, outcome: Outcome, deps: DeliveringDeps) {
  const changes = planned.changes.length
  const { id } = claim.cluster
  deps.log.info({ event: 'delivery.attempted', cluster: id, url: outcome.url, changes, outcome: outcome.kind })
  deps.observe({ clusterId: id, outcome: 'accepted', oldestMs: ageOfOldest(cursor, planned, deps.clock.now()) })
}

/** New changes come first in a batch, the oldest before the others. */
function ageOfOldest({ acknowledged }: Cursor, { changes: [first] }: Planned, now: Date): number | null {
  if (first === undefined || first.sequence <= acknowledged || first.recordedAt === null) return null
  return Math.max(0, now.getTime() - first.recordedAt.getTime())
}
