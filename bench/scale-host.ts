/** The many stand-in clusters of scale-clusters.ts, as the rows see them. */
import { type Helper, startHelper } from './children.ts'
import { registerCluster } from './cluster-host.ts'

export type ScaleCommand =
  | { readonly type: 'open'; readonly count: number }
  | { readonly type: 'kill_tenth' }
  | { readonly type: 'await_tokens'; readonly marks: readonly string[] }
  | { readonly type: 'count_at'; readonly cluster: number; readonly tokens: number }
  | { readonly type: 'totals' }

export interface Totals {
  readonly pushes: number
  readonly bytes: number
  readonly probes: number
}

export interface ManyClusters {
  readonly pid: number
  /** Every tenth dies: half of these refuse connections from now on, half never answer. */
  killTenth(): Promise<void>
  /** From now on it is noted when the last living cluster gets each of these. */
  awaitTokens(marks: readonly string[]): Promise<ReadonlyMapOfInstants>
  /** Begins to count what one cluster gets; the inner promise is when it has so many tokens. */
  countAt(cluster: number, tokens: number): Promise<{ readonly at: Promise<number> }>
  /** What came since the last call. */
  totals(): Promise<Totals>
  stop(): Promise<void>
}

/** Resolves when all have arrived. @throws Error where that takes too long */
export interface ReadonlyMapOfInstants {
  readonly arrived: Promise<ReadonlyMap<string, number>>
}

const limitMs = 60_000
const arrivalLimitMs = 120_000
const registeredAtOnce = 8

/** Opens so many clusters and registers them with the service. */
export async function startManyClusters(
  server: { readonly port: number; readonly bearer: string },
  count: number,
): Promise<ManyClusters> {
  const helper: Helper = startHelper(new URL('./scale-clusters.ts', import.meta.url))
  const ask = <T>(message: ScaleCommand, answer: string): Promise<T> => {
    const answered = helper.next<T>(answer, limitMs)
    helper.send(message)
    return answered
  }
  const { urls } = await ask<{ urls: readonly string[] }>({ type: 'open', count }, 'opened')
  const left = urls.entries()
  const register = async () => {
    for (const [number, url] of left) await registerCluster(server.port, server.bearer, url, number)
  }
  await Promise.all(Array.from({ length: registeredAtOnce }, register))
  return {
    pid: helper.pid,
    killTenth: () => ask({ type: 'kill_tenth' }, 'killed'),
    async awaitTokens(marks) {
      const arrival = helper.next<{ marks: readonly string[]; at: Float64Array }>('arrived', arrivalLimitMs)
      const arrived = arrival.then(
        ({ marks: those, at }) => new Map(those.map((mark, index) => [mark, at[index] ?? 0])),
      )
      arrived.catch(() => undefined)
      await ask({ type: 'await_tokens', marks }, 'awaiting')
      return { arrived }
    },
    async countAt(cluster, tokens) {
      const at = helper.next<{ at: number }>('counted', arrivalLimitMs).then((counted) => counted.at)
      at.catch(() => undefined)
      await ask({ type: 'count_at', cluster, tokens }, 'counting')
      return { at }
    },
    totals: () => ask({ type: 'totals' }, 'totals'),
    stop: helper.stop,
  }
}
