import { DomainError } from '../errors.ts'

/** Work that takes a core for a while, never more at once than so many, each asker in turn. */
export interface FairQueue {
  /**
   * Runs the work when its asker's turn has come: whoever asks for much waits behind whoever asks for little.
   * @throws DomainError too_busy where the asker, or everybody together, has too much waiting already
   */
  run<T>(asker: string, work: () => Promise<T>): Promise<T>
}

export interface FairQueueOptions {
  /** How much runs at the same time. */
  readonly concurrency: number
  /** How much may wait in all, and of one asker. */
  readonly maximumWaiting: number
  readonly maximumWaitingOfOne: number
  /** How much is done in a second, to tell a refused asker when to come back. */
  readonly perSecond: number
}

export function createFairQueue(options: FairQueueOptions): FairQueue {
  const { concurrency, maximumWaiting, maximumWaitingOfOne, perSecond } = options
  /** In the order of their turns: an asker who has had one goes to the end. */
  const waiting = new Map<string, (() => void)[]>()
  let waitingCount = 0
  let running = 0

  function next(): void {
    const [first] = waiting
    if (running >= concurrency || first === undefined) return
    const [asker, entries] = first
    const start = entries.shift()
    waiting.delete(asker)
    if (entries.length > 0) waiting.set(asker, entries)
    if (start === undefined) return
    waitingCount -= 1
    running += 1
    start()
  }

  function turn(asker: string): Promise<void> {
    const entries = waiting.get(asker) ?? []
    if (waitingCount >= maximumWaiting || entries.length >= maximumWaitingOfOne) {
      const ahead = Math.max(entries.length * waiting.size, 1)
      const retryAfterSeconds = Math.max(1, Math.ceil(Math.min(ahead, waitingCount) / perSecond))
      throw new DomainError('too_busy', { retryAfterSeconds })
    }
    return new Promise((resolve) => {
      entries.push(resolve)
      waiting.set(asker, entries)
      waitingCount += 1
      next()
    })
  }

  return {
    async run(asker, work) {
      await turn(asker)
      try {
        return await work()
      } finally {
        running -= 1
        next()
      }
    },
  }
}
