/**
 * Time, as everything in Gatehouse sees it: what it is now, and waiting. Nothing else calls Date.now() or setTimeout()
 * for a rule, so that tests set the time by hand.
 */
export interface Clock {
  now(): Date
  /** Resolves after `ms` milliseconds, or at once (never rejects) when the signal aborts. */
  wait(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => new Date(),
  wait: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const done = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal?.addEventListener('abort', done)
    }),
}
