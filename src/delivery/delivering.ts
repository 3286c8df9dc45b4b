/** What is done with one cluster while its lease is ours: batch after batch, until it has everything or refuses. */
import { changeOfCanary } from '../core/clusters/canary.ts'
import type { ClusterKind } from '../core/clusters/cluster.ts'
import type { Driver, Outcome } from '../core/clusters/driver.ts'
import type { BatchLimits } from '../core/revocation/batch.ts'
import type { Change } from '../core/revocation/change.ts'
import { isLarge, type Planned, planBatch } from './batch.ts'
import type { Claim, Cursor } from './cursor-store.ts'
import type { Gate } from './gate.ts'
import { type Ending, type LedgerDeps, openLedger } from './ledger.ts'
import type { News } from './news.ts'
import type { RecentChanges } from './recent-changes.ts'

export interface DeliveringDeps extends LedgerDeps {
  readonly changes: RecentChanges
  readonly drivers: Readonly<Record<ClusterKind, Driver>>
  readonly news: News
  readonly timeoutMs: number
  readonly limits: BatchLimits
  /** The highest sequence that this process knows to be in the log. */
  readonly knownHead: () => number
  /** Somebody waits for everything to come to rest. */
  readonly isHurried: () => boolean
  /** More clusters wait for their turn than may be leased at once: after each batch one is let go of for another. */
  readonly isCrowded: () => boolean
  /** Where pushes wait for their turn; clusters that failed last have few places of their own, and large batches too. */
  readonly gates: { readonly healthy: Gate; readonly failing: Gate; readonly large: Gate }
  /** Clusters that failed last and wait for their turn. */
  readonly failing: Set<string>
}

/** Periods without news after which a lease is given back. */
const quietPeriods = 2

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
  const beforeLongPast = () => deps.tracker.started(claim.cluster.id, { isLongPast: true })
  const planning = { ...deps, beforeLongPast }
  let planned = await planBatch(cursor, planning, isResyncsTurn)
  if (signal.aborted || (planned.changes.length === 0 && !cursor.isCanaryWanted)) {
    return { planned, outcome: undefined, isEmpty: true }
  }
  const gate = gateFor(cursor, planned, deps)
  const isRoom = gate.room() > 0
  const leave = await gate.enter(signal)
  deps.failing.delete(claim.cluster.id)
  try {
    if (!isRoom) planned = await planBatch(cursor, planning, isResyncsTurn)
    const canary = cursor.isCanaryWanted && !signal.aborted ? await prepareCanary(claim, deps) : none
    if (canary === 'lost') return 'lost'
    // A large batch is written out once for all clusters that are equally far; a canary is one cluster's alone.
    if (canary.length > 0 && isLarge(planned.changes)) planned = { ...nothing(cursor), hasMore: true }
    const changes = canary.length === 0 ? planned.changes : [...canary, ...planned.changes]
    const isEmpty = changes.length === 0 || signal.aborted
    return {
      planned,
      isEmpty,
      outcome: isEmpty
        ? undefined
        : await send(claim, changes, { ...deps, isLongPast: isLongPast(cursor, planned) }, signal),
    }
  } finally {
    leave()
  }
}

/** Whether new revocations would wait behind megabytes of a resync, which are sent all the same. */
function isLongPast({ acknowledged }: Cursor, { changes }: Planned): boolean {
  const [first] = changes
  return first !== undefined && first.sequence <= acknowledged && isLarge(changes)
}

function nothing({ acknowledged, resyncFrom }: Cursor): Planned {
  return { changes: none, acknowledged, resyncFrom, hasMore: false }
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

function gateFor({ attempts }: Cursor, { changes }: Planned, { gates }: DeliveringDeps): Gate {
  if (attempts > 0) return gates.failing
  return isLarge(changes) ? gates.large : gates.healthy
}

/** Undefined where no change of the batch concerns this kind of cluster. */
async function send(
  claim: Claim,
  changes: readonly Change[],
  { drivers, tracker, clock, timeoutMs, log, isLongPast }: DeliveringDeps & { readonly isLongPast: boolean },
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const driver = drivers[claim.cluster.kind]
  const isForAll = changes.every((change) => driver.takes(change.kind))
  const taken = isForAll ? changes : changes.filter((change) => driver.takes(change.kind))
  if (taken.length === 0) return undefined
  tracker.started(claim.cluster.id, { isLongPast })
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
