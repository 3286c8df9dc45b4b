/**
 * How answers wait for clusters: who is up, how far each is, and whose wait is over.
 *
 * A cluster whose last attempt failed, that made an answer wait out its budget, or that is being sent a large piece of what
 * it may have forgotten, is not waited for until it acknowledges again.
 */
import type { Clock } from '../core/clock.ts'
import type { Propagation } from '../core/revocation/propagation.ts'

export interface ClusterProgress {
  readonly clusterId: string
  readonly acknowledged: number
  /** Failures since the last success. */
  readonly attempts: number
}

export interface PropagationTracker extends Propagation {
  /** The clusters as the store has them; one that isn't among them is gone. */
  load(clusters: readonly ClusterProgress[]): void
  /** A batch is on its way. `isLongPast`: a large one of what the cluster has acknowledged before; what is new comes after it. */
  started(clusterId: string, batch?: { readonly isLongPast: boolean }): void
  acknowledged(clusterId: string, sequence: number): void
  failed(clusterId: string): void
  /** What the cluster has acknowledged, as this process knows: up to a second ahead of what is written down. */
  progressOf(clusterId: string): HeardProgress | undefined
}

export interface HeardProgress {
  readonly acknowledged: number
  /** When this process last heard of the cluster. */
  readonly at: Date
}

interface Member {
  acknowledged: number
  isAwaited: boolean
  /** When its attempt began, or when it was last heard of. */
  since: number
}

interface Waiter {
  readonly sequence: number
  readonly resolve: () => void
}

export function createPropagation(deps: {
  readonly clock: Clock
  /** Called when something waits for the log up to a sequence. */
  readonly onAwaited: (sequence: number) => void
}): PropagationTracker {
  const members = new Map<string, Member>()
  const waiters = new Set<Waiter>()
  /** The lowest sequence that is waited for, and who is up and hasn't acknowledged it. */
  let target = 0
  const laggards = new Set<Member>()
  /** Waiters that came at the same moment share one timer. */
  let arrivals: Waiter[] | undefined

  const nowMs = () => deps.clock.now().getTime()

  function aim(sequence: number) {
    target = sequence
    laggards.clear()
    for (const member of members.values()) {
      if (member.isAwaited && member.acknowledged < target) laggards.add(member)
    }
  }

  /** Ends the waits that are fulfilled. All clusters are gone through once for each round of acknowledgements. */
  function advance() {
    while (laggards.size === 0 && waiters.size > 0) {
      let frontier = Number.POSITIVE_INFINITY
      for (const member of members.values()) {
        if (member.isAwaited && member.acknowledged < frontier) frontier = member.acknowledged
      }
      let lowest = Number.POSITIVE_INFINITY
      for (const waiter of waiters) {
        if (waiter.sequence > frontier) lowest = Math.min(lowest, waiter.sequence)
        else end(waiter)
      }
      if (waiters.size > 0) aim(lowest)
    }
  }

  function end(waiter: Waiter) {
    waiters.delete(waiter)
    waiter.resolve()
  }

  function touch(clusterId: string): Member | undefined {
    const member = members.get(clusterId)
    if (member !== undefined) member.since = nowMs()
    return member
  }

  function stopAwaiting(member: Member) {
    member.isAwaited = false
    laggards.delete(member)
  }

  /** Measured by waiting, not by comparing instants: the time of day may be set back meanwhile. */
  function limit(waiter: Waiter, budgetMs: number) {
    if (arrivals !== undefined) {
      arrivals.push(waiter)
      return
    }
    const together = [waiter]
    arrivals = together
    setImmediate(() => {
      arrivals = undefined
    })
    void deps.clock.wait(budgetMs).then(() => expire(together, budgetMs))
  }

  function expire(late: readonly Waiter[], budgetMs: number) {
    const stillWaiting = late.filter((waiter) => waiters.has(waiter))
    if (stillWaiting.length === 0) return
    stillWaiting.forEach(end)
    for (const member of laggards) if (nowMs() - member.since >= budgetMs / 2) stopAwaiting(member)
    advance()
  }

  return {
    reached(sequence, budgetMs) {
      deps.onAwaited(sequence)
      if (waiters.size === 0 || sequence < target) aim(sequence)
      if (waiters.size === 0 && laggards.size === 0) return Promise.resolve()
      return new Promise((resolve) => {
        const waiter = { sequence, resolve }
        waiters.add(waiter)
        limit(waiter, budgetMs)
        advance()
      })
    },

    load(clusters) {
      const present = new Set<string>()
      for (const { clusterId, acknowledged, attempts } of clusters) {
        present.add(clusterId)
        const known = members.get(clusterId)
        if (known === undefined) members.set(clusterId, { acknowledged, isAwaited: attempts === 0, since: nowMs() })
        else if (acknowledged > known.acknowledged) hear(known, acknowledged)
        else if (attempts > 0) stopAwaiting(known)
      }
      for (const [clusterId, member] of members) {
        if (present.has(clusterId)) continue
        members.delete(clusterId)
        stopAwaiting(member)
      }
      advance()
    },

    started(clusterId, { isLongPast } = { isLongPast: false }) {
      const member = touch(clusterId)
      if (member === undefined || !isLongPast) return
      stopAwaiting(member)
      advance()
    },

    acknowledged(clusterId, sequence) {
      const member = touch(clusterId)
      if (member === undefined) return
      hear(member, sequence)
      advance()
    },

    progressOf(clusterId) {
      const member = members.get(clusterId)
      return member && { acknowledged: member.acknowledged, at: new Date(member.since) }
    },

    failed(clusterId) {
      const member = touch(clusterId)
      if (member === undefined) return
      stopAwaiting(member)
      advance()
    },
  }

  function hear(member: Member, sequence: number) {
    member.acknowledged = Math.max(member.acknowledged, sequence)
    member.isAwaited = true
    if (member.acknowledged >= target) laggards.delete(member)
  }
}
