import type { Clock } from '../core/clock.ts'

/**
 * Lets so many in at once, in the order in which they come. Whoever stays for longer than the patience makes room for the
 * next one without having left: a cluster that never answers takes a place for that long, not until its time is over.
 */
export interface Gate {
  /** How many may come in at once. */
  room(): number
  /** Resolves when the caller is in, with what it calls when it leaves; at once where `signal` aborts meanwhile. */
  enter(signal: AbortSignal): Promise<() => void>
}

const tickMs = 250
const defaultPatienceMs = 1_000

export interface GateOptions {
  /** In steps of 250 ms. */
  readonly patienceMs?: number
  /** Called when a place is free and nobody waits for one. */
  readonly onRoom?: () => void
}

export function createGate(places: number, clock: Clock, { patienceMs, onRoom }: GateOptions = {}): Gate {
  const patience = Math.ceil((patienceMs ?? defaultPatienceMs) / tickMs)
  /** Who is in, by the tick at which it came, the first one first. */
  const inside = new Map<symbol, number>()
  const waiting = new Set<() => void>()
  let tick = 0
  let isTicking = false

  function admit(): () => void {
    const pass = Symbol('pass')
    inside.set(pass, tick)
    if (!isTicking) void keepTicking()
    return () => {
      if (inside.delete(pass)) next()
    }
  }

  function next() {
    const [first] = waiting
    if (first === undefined) return onRoom?.()
    waiting.delete(first)
    first()
  }

  async function keepTicking() {
    isTicking = true
    while (inside.size > 0) {
      await clock.wait(tickMs)
      tick += 1
      for (const [pass, since] of inside) {
        if (tick - since < patience) break
        inside.delete(pass)
        next()
      }
    }
    isTicking = false
  }

  return {
    room: () => Math.max(0, places - inside.size),
    enter(signal) {
      if (inside.size < places) return Promise.resolve(admit())
      return new Promise((resolve) => {
        const goIn = () => {
          signal.removeEventListener('abort', giveUp)
          resolve(admit())
        }
        const giveUp = () => {
          waiting.delete(goIn)
          resolve(() => undefined)
        }
        if (signal.aborted) return giveUp()
        waiting.add(goIn)
        signal.addEventListener('abort', giveUp, { once: true })
      })
    },
  }
}
