/**
 * How changes reach clusters: clusters that are behind are leased, each gets one batch at a time, and
 * its cursor moves when it has acknowledged it.
 *
 * This folder owns cursors, leases, the schedule and the waiting of answers. It knows no cluster's protocol (adapters/).
 */
import type { Clock } from '../core/clock.ts'
import type { ClusterKind } from '../core/clusters/cluster.ts'
import type { Driver } from '../core/clusters/driver.ts'
import type { RefusalReason } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import { type BatchLimits, defaultBatchLimits } from '../core/revocation/batch.ts'
import type { Propagation } from '../core/revocation/propagation.ts'
import type { RevocationStore } from '../core/revocation/revocation-store.ts'
import type { Worker } from '../supervisor.ts'
import { createBell } from './bell.ts'
import type { Claim, CursorStore } from './cursor-store.ts'
import { deliver } from './delivering.ts'
import { createGate } from './gate.ts'
import { createHolder, hasEnded, isAbandoned } from './holder.ts'
import type { Ending } from './ledger.ts'
import { createNews } from './news.ts'
import type { Observe } from './observation.ts'
import { createPropagation, type HeardProgress } from './propagation.ts'
import { createRecentChanges } from './recent-changes.ts'

export interface DeliveryConfig {
  /** Time limit of one push; a lease lasts a little longer. */
  readonly timeoutMs: number
  /** Pauses after the 1st, 2nd, … failure; the last one repeats. */
  readonly retryMs: readonly number[]
  /** How many clusters are told at once; one that does not answer within a second makes room for another. */
  readonly parallel: number
  readonly limits?: BatchLimits
  /** Names where numbers of processes mean the same: one machine, one container. */
  readonly place?: string
  /** How often the store is asked for what other processes have changed. */
  readonly pollMs?: number
}

export interface Delivery {
  readonly worker: Worker
  readonly propagation: Propagation
  /** What a cluster has acknowledged, as this process knows: up to a second ahead of the store. */
  readonly progressOf: (clusterId: string) => HeardProgress | undefined
  /** There may be something new to tell, or clusters have changed. Cheap; call it after every such commit. */
  wake(): void
  /**
   * Resolves when nothing is under way and no cluster is due: each is in step or waits for its next attempt, the earliest
   * of which is answered. Needs the worker to run.
   */
  settled(): Promise<Date | undefined>
}

/** For waiting for one's turn, and for an event loop that is late. */
const leaseMarginMs = 10_000
/** So many clusters are leased for each that may be pushed to at once: whoever waits for a turn waits a few seconds at most. */
const leasesPerPlace = 4
/** A transaction that leases more would keep requests waiting. */
const claimedAtOnce = 256
/** One place in so many is for clusters that failed last: however many are dead, they don't keep the others waiting. */
const failingShare = 8
/** Batches of megabytes that are on their way at once: each is kept until its cluster has answered, a slow one too. */
const largePlaces = 8
const largePatienceMs = 10_000
const brokenPauseMs = 1_000
/** A lease is kept for a moment after the last batch, so that a busy cluster isn't leased anew for each. */
const lingerPeriodMs = 100

export function createDelivery(deps: {
  readonly cursors: CursorStore
  readonly revocations: Pick<RevocationStore, 'after' | 'lastSequence'>
  readonly drivers: Readonly<Record<ClusterKind, Driver>>
  readonly clock: Clock
  readonly log: Logger
  readonly config: DeliveryConfig
  /** In [0, 1). */
  readonly random: () => number
  /** Called for each attempt that has ended. */
  readonly observe?: Observe
}): Delivery {
  const { cursors, clock, log, config } = deps
  const holder = createHolder(config.place)
  const leaseMs = config.timeoutMs + leaseMarginMs
  const pollMs = config.pollMs ?? 1_000
  const bell = createBell()
  const news = createNews(clock, lingerPeriodMs)
  const changes = createRecentChanges(deps.revocations)
  let knownHead = 0
  const tracker = createPropagation({
    clock,
    onAwaited: (sequence) => {
      knownHead = Math.max(knownHead, sequence)
      ring()
    },
  })
  const refusals = new Map<string, RefusalReason>()
  const maximumLeases = config.parallel * leasesPerPlace
  const failingPlaces = Math.max(1, Math.floor(config.parallel / failingShare))
  const failing = new Set<string>()
  /** The last time, more clusters were due than could be leased. */
  let isMoreDue = false
  const deliveringDeps = {
    ...deps,
    observe: deps.observe ?? (() => undefined),
    ...config,
    limits: config.limits ?? defaultBatchLimits,
    changes,
    tracker,
    news,
    refusals,
    leaseMs,
    knownHead: () => knownHead,
    isHurried: () => settling.length > 0,
    isCrowded: () => isMoreDue && underWay.size >= maximumLeases,
    gates: {
      healthy: createGate(config.parallel, clock),
      failing: createGate(failingPlaces, clock),
      large: createGate(Math.min(largePlaces, config.parallel), clock, { patienceMs: largePatienceMs }),
    },
    failing,
  }

  /** By cluster: what ends its work. */
  const underWay = new Map<string, AbortController>()
  const ends = new Set<Promise<void>>()
  /** When clusters that refused are asked again, as far as this process knows. */
  const due = new Map<string, Date>()
  let isReloadWanted = true
  let settling: ((next: Date | undefined) => void)[] = []

  function ring() {
    bell.ring()
    news.announce()
  }

  async function reload() {
    isReloadWanted = false
    await cursors.releaseAbandoned((other) => hasEnded(other, holder))
    const list = await cursors.progress()
    // Nobody can be told there, so no answer waits for it.
    tracker.load(list.filter(({ hasUrls }) => hasUrls))
    due.clear()
    refusals.clear()
    for (const { clusterId, attempts, nextAttemptAt, lastReason } of list) {
      if (attempts > 0) due.set(clusterId, nextAttemptAt)
      if (lastReason !== null) refusals.set(clusterId, lastReason)
    }
  }

  function begin(claim: Claim) {
    const { id } = claim.cluster
    // Claimed although it is under way here: the earlier lease is lost, so what it still does counts for nothing.
    underWay.get(id)?.abort()
    const controller = new AbortController()
    underWay.set(id, controller)
    if (claim.cursor.attempts > 0) failing.add(id)
    const end = work(claim, controller.signal).finally(() => {
      ends.delete(end)
      if (underWay.get(id) !== controller) return
      underWay.delete(id)
      failing.delete(id)
      bell.ring()
    })
    ends.add(end)
  }

  async function work(claim: Claim, signal: AbortSignal) {
    try {
      const ending = await deliver(claim, deliveringDeps, signal)
      remember(claim.cluster.id, ending)
    } catch (error) {
      log.error({ event: 'delivery.failed', cluster: claim.cluster.id, error })
      await clock.wait(brokenPauseMs, signal)
      await cursors.release(claim).catch(() => undefined)
    }
  }

  function remember(clusterId: string, ending: Ending) {
    if (ending.kind === 'refused') due.set(clusterId, ending.nextAttemptAt)
    else due.delete(clusterId)
    if (ending.kind === 'lost') isReloadWanted = true
  }

  /** How long nothing can happen by itself. What is overdue yet not ours to take is looked at again with the poll. */
  function pauseMs(now: Date): number {
    let pause = pollMs
    for (const at of due.values()) {
      const ms = at.getTime() - now.getTime()
      if (ms > 0) pause = Math.min(pause, ms)
    }
    return pause
  }

  async function claimDue(): Promise<number> {
    const limit = Math.min(maximumLeases - underWay.size, claimedAtOnce)
    const failingLimit = Math.min(2 * failingPlaces - failing.size, limit)
    const now = clock.now()
    const leaseUntil = new Date(now.getTime() + leaseMs)
    const claims = limit > 0 ? await cursors.claimDue({ now, limit, failingLimit, leaseUntil, holder }) : []
    for (const claim of claims) begin(claim)
    isMoreDue = limit <= 0 || claims.length >= limit
    if (isMoreDue && limit > 0) bell.ring()
    return claims.length
  }

  async function reportSettled() {
    const waiting = settling
    settling = []
    changes.forgetOlder()
    if (waiting.length === 0) return
    const next = await cursors.nextDueAt()
    for (const resolve of waiting) resolve(next)
  }

  async function turn(signal: AbortSignal) {
    bell.hush()
    if (isReloadWanted) await reload()
    const claimed = await claimDue()
    if (claimed === 0 && underWay.size === 0 && !bell.isRung()) await reportSettled()
    if (signal.aborted) return
    if (await bell.wait(clock, pauseMs(clock.now()), signal)) return
    isReloadWanted = true
  }

  function stopAll() {
    for (const controller of underWay.values()) controller.abort()
    news.announce()
  }

  const worker: Worker = {
    name: 'delivery',
    async run(signal) {
      isReloadWanted = true
      signal.addEventListener('abort', stopAll)
      try {
        // Else the clusters that a killed process was telling would wait for its leases to end.
        await cursors.releaseAbandoned((other) => isAbandoned(other, holder))
        while (!signal.aborted) await turn(signal)
      } finally {
        signal.removeEventListener('abort', stopAll)
        stopAll()
        await Promise.all(ends)
      }
    },
  }

  return {
    worker,
    propagation: tracker,
    progressOf: tracker.progressOf,
    wake() {
      isReloadWanted = true
      ring()
    },
    settled() {
      isReloadWanted = true
      return new Promise((resolve) => {
        settling.push(resolve)
        ring()
      })
    },
  }
}
