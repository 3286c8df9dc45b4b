import type { SqliteParts } from './parts.ts'

export interface Backlog {
  readonly behind: number
  readonly behindSince: Date | null
}

/** How many changes one look may go through: about a millisecond, and requests are answered between two looks. */
const stepSize = 20_000
/** Looks that find little cost nearly as much as their call. */
const gapsPerStep = 100

const letOthersRun = () => new Promise<void>((resolve) => setImmediate(resolve))

/**
 * Counts, for each position in the log, the changes after it that matter at `now`. The log is gone through once from the
 * lowest position on, however many positions there are.
 */
export function prepareBacklog({ client, read }: SqliteParts) {
  const head = client.prepare<[], number>('SELECT coalesce(max(sequence), 0) FROM changes').pluck()
  const tail = client.prepare<[], number>('SELECT coalesce(min(sequence), 1) FROM changes').pluck()
  const count = client
    .prepare<[number, number, number], number>(
      'SELECT count(*) FROM changes WHERE sequence > ? AND sequence <= ? AND +expires_at > ?',
    )
    .pluck()
  const first = client
    .prepare<[number, number, number], number>(
      'SELECT recorded_at FROM changes WHERE sequence > ? AND sequence <= ? AND +expires_at > ? ORDER BY sequence LIMIT 1',
    )
    .pluck()

  /** What lies between two positions, the first of them with it. */
  async function between(from: number, to: number, nowMs: number) {
    let behind = 0
    let since: number | undefined
    for (let position = from; position < to; position += stepSize) {
      if (position > from) await letOthersRun()
      const end = Math.min(position + stepSize, to)
      behind += await read(() => count.get(position, end, nowMs) ?? 0)
      if (behind > 0) since ??= await read(() => first.get(position, end, nowMs))
    }
    return { behind, since }
  }

  return async (positions: readonly number[], now: Date): Promise<ReadonlyMap<number, Backlog>> => {
    const [oldest, newest] = await read(() => [tail.get() ?? 1, head.get() ?? 0] as const)
    const backlogs = new Map<number, Backlog>()
    const descending = [...new Set(positions)].sort((a, b) => b - a)
    let upper = newest
    let behind = 0
    let since: number | undefined
    for (const [index, position] of descending.entries()) {
      if (index % gapsPerStep === gapsPerStep - 1) await letOthersRun()
      const gap = await between(Math.max(position, oldest - 1), upper, now.getTime())
      behind += gap.behind
      since = gap.since ?? since
      backlogs.set(position, { behind, behindSince: since === undefined ? null : new Date(since) })
      upper = Math.min(upper, position)
    }
    return backlogs
  }
}
