/** The stand-in clusters of clusters.ts, as the rows see them. */

import { call } from './calls.ts'
import { type Helper, startHelper } from './children.ts'

export interface ClustersReport {
  readonly type: 'report'
  /** Tokens that every cluster has, and when the last one got each. */
  readonly marks: readonly string[]
  readonly at: Float64Array
  /** Pushes since the last reset, over all clusters. */
  readonly requests: number
  readonly bytes: number
}

export interface ClusterHost {
  readonly pid: number
  /** Opens so many clusters in place of those before; answers their URLs. */
  open(count: number): Promise<readonly string[]>
  /** Forgets what came so far. */
  reset(): Promise<void>
  /** Waits until every cluster has so many tokens. @throws Error where that takes too long */
  reportAt(tokens: number): Promise<ClustersReport>
  stop(): Promise<void>
}

const arrivalLimitMs = 120_000
const limitMs = 30_000

export function startClusters(): ClusterHost {
  const helper: Helper = startHelper(new URL('./clusters.ts', import.meta.url))
  async function ask<T>(message: { type: string; count?: number }, answer: string, ms = limitMs): Promise<T> {
    const answered = helper.next<T>(answer, ms)
    helper.send(message)
    return answered
  }
  return {
    pid: helper.pid,
    open: async (count) => (await ask<{ urls: readonly string[] }>({ type: 'open', count }, 'opened')).urls,
    reset: () => ask({ type: 'reset' }, 'was_reset'),
    reportAt: (count) => ask({ type: 'report_at', count }, 'report', arrivalLimitMs),
    stop: helper.stop,
  }
}

/** Answers how long it took, in ms. */
export async function registerCluster(port: number, bearer: string, url: string, number: number): Promise<number> {
  const body = JSON.stringify({ id: `bench-cluster-${number}`, alias: `bench-${number}`, urls: [url] })
  return (await call(port, { method: 'POST', path: '/v1/clusters', bearer, body })).ms
}
