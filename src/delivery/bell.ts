import type { Clock } from '../core/clock.ts'

/** Wakes one sleeper; a ring while nobody sleeps is not lost. */
export interface Bell {
  ring(): void
  /** Forgets the rings so far. */
  hush(): void
  isRung(): boolean
  /** True = rung, false = the time is over or `signal` has aborted. */
  wait(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean>
}

export function createBell(): Bell {
  let isRung = false
  let wakeUp: (() => void) | undefined
  return {
    ring() {
      isRung = true
      wakeUp?.()
    },
    hush() {
      isRung = false
    },
    isRung: () => isRung,
    async wait(clock, ms, signal) {
      if (isRung) return true
      if (signal.aborted) return false
      const silence = new AbortController()
      const stop = () => silence.abort('rung')
      wakeUp = stop
      signal.addEventListener('abort', stop)
      await clock.wait(ms, silence.signal)
      wakeUp = undefined
      signal.removeEventListener('abort', stop)
      return isRung
    },
  }
}
