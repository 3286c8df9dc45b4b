/** How many failures somebody is forgiven, and what comes then. */
export interface FailureRules {
  /** Failures count for so long. */
  readonly windowMs: number
  /** So many have no consequence. */
  readonly freeFailures: number
  /** The pause after the next one; it doubles with each, up to the longest. */
  readonly firstDelayMs: number
  readonly longestDelayMs: number
  /** So many end in a lock. */
  readonly failuresToLock: number
  readonly lockMs: number
}

/** Those that count at `now`. `failures` are instants (ms), oldest first; those of a clock that was set back count. */
export function recentFailures(failures: readonly number[], { windowMs }: FailureRules, now: number): number[] {
  return failures.filter((at) => Math.abs(now - at) < windowMs)
}

/** How long the next try has to wait at `now`, in ms; 0 = not at all. A sliding window: each failure ages by itself. */
export function planDelay(failures: readonly number[], rules: FailureRules, now: number): number {
  const recent = recentFailures(failures, rules, now)
  const last = recent.at(-1)
  const beyond = recent.length - rules.freeFailures
  if (last === undefined || beyond <= 0) return 0
  const delayMs = Math.min(rules.longestDelayMs, rules.firstDelayMs * 2 ** Math.min(beyond - 1, 30))
  return Math.max(0, Math.min(delayMs, last + delayMs - now))
}

/** Whether so many failures are enough for a lock. */
export function isLockDue(failures: readonly number[], rules: FailureRules, now: number): boolean {
  return recentFailures(failures, rules, now).length >= rules.failuresToLock
}
