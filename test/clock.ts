import type { Clock } from '../src/core/clock.ts'

/** A clock that stands still until the test moves it. */
export interface HandClock extends Clock {
  /** Lets so much time pass: waits that fall due end in their order, each seeing its own instant. */
  advance(ms: number): Promise<void>
  /** Steps the wall clock, as an operator or NTP does: waits are not touched, and time may go back. */
  step(ms: number): void
  /** How many are waiting. */
  waiting(): number
}

/** Room for what an ended wait sets going, network included, before the next one ends. */
const turnsPerWait = 10

async function letOthersRun() {
  for (let turn = 0; turn < turnsPerWait; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve))
}

/** A clock set by hand, at `start` to begin with. */
export function createHandClock(start: Date = new Date('2026-03-01T12:00:00Z')): HandClock {
  let wall = start.getTime()
  let elapsed = 0
  const waits = new Set<{ readonly dueAt: number; readonly end: () => void }>()

  function nextDue(until: number) {
    let next: { readonly dueAt: number; readonly end: () => void } | undefined
    for (const wait of waits) {
      if (wait.dueAt <= until && (next === undefined || wait.dueAt < next.dueAt)) next = wait
    }
    return next
  }

  function moveTo(instant: number) {
    wall += instant - elapsed
    elapsed = instant
  }

  return {
    now: () => new Date(wall),
    wait: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve()
        const end = () => {
          waits.delete(wait)
          signal?.removeEventListener('abort', end)
          resolve()
        }
        const wait = { dueAt: elapsed + Math.max(0, ms), end }
        waits.add(wait)
        signal?.addEventListener('abort', end)
      }),
    async advance(ms) {
      const until = elapsed + ms
      await letOthersRun()
      for (let next = nextDue(until); next !== undefined; next = nextDue(until)) {
        moveTo(Math.max(elapsed, next.dueAt))
        next.end()
        await letOthersRun()
      }
      moveTo(until)
    },
    step(ms) {
      wall += ms
    },
    waiting: () => waits.size,
  }
}
