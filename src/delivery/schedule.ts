/** When a cluster that did not take its batch is asked again. */

/** A cluster may ask for a longer pause than the schedule's, up to this: revocations are not held back for hours. */
const maximumRetryAfterMs = 5 * 60_000
const jitter = 0.2

/**
 * The pause after the `attempts`-th failure in a row, in milliseconds: the schedule's (its last one repeats), spread by
 * 20 % either way so that many clusters don't come back at one moment, and never before what the cluster asked for.
 *
 * `random` lies in [0, 1).
 */
export function planPause(
  attempts: number,
  retryMs: readonly number[],
  random: number,
  retryAfterMs: number | undefined,
): number {
  const steady = retryMs.at(-1) ?? 1000
  const base = retryMs[Math.max(attempts, 1) - 1] ?? steady
  const pause = Math.round(base * (1 - jitter + 2 * jitter * random))
  return Math.max(pause, Math.min(retryAfterMs ?? 0, maximumRetryAfterMs))
}
