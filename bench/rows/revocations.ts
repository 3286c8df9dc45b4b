/**
 * Revocations a second, counted when the last cluster has them. The tokens are signed with the service's key but unknown
 * to its table, as those of a server whose place it took; `revocations-issued` revokes tokens of real logins.
 */
import { logInAdministrator } from '../calls.ts'
import { presentCost, readMemory, watchCpu } from '../children.ts'
import { type ClusterHost, type ClustersReport, registerCluster, startClusters } from '../cluster-host.ts'
import { type LoadResult, percentile, runLoad, writeRequest } from '../load.ts'
import { tokenMark } from '../tokens.ts'
import type { Running, Workbench } from '../workbench.ts'

const clusterCounts = [0, 1, 8, 32]
/** Clients that each wait for their answer. */
const connections = 128
const issuedTokens = 1000

export async function measureRevocations(bench: Workbench): Promise<void> {
  const wanted = clusterCounts.filter((count) => bench.wants(`revocations-${count}`))
  const isIssuedWanted = bench.isFull && bench.wants('revocations-issued')
  if (wanted.length === 0 && !isIssuedWanted) return
  const clusters = startClusters()
  for (const count of wanted) {
    const tokens = await bench.tokens(bench.size.revocations)
    await using server = await bench.start(await bench.emptyFolder())
    await openClusters(clusters, server, count)
    const warmUp = Math.floor(tokens.length / 5)
    await revokeAll(server, clusters, count, tokens.slice(0, warmUp), bench.size.warmUpSeconds)
    const run = await revokeAll(server, clusters, count, tokens.slice(warmUp), bench.size.seconds)
    reportRun(bench, `revocations-${count}`, `revocations, ${presentCount(count)}`, count, run)
  }
  if (isIssuedWanted) await measureIssued(bench, clusters)
  await clusters.stop()
}

async function measureIssued(bench: Workbench, clusters: ClusterHost) {
  const count = 8
  await using server = await bench.start(await bench.emptyFolder())
  const tokens: string[] = []
  async function logInOften(): Promise<void> {
    while (tokens.length < issuedTokens) tokens.push(await logInAdministrator(server.port, bench.administratorPassword))
  }
  await Promise.all([logInOften(), logInOften(), logInOften()])
  await openClusters(clusters, server, count)
  const run = await revokeAll(server, clusters, count, tokens, bench.size.seconds)
  reportRun(bench, 'revocations-issued', 'revocations of tokens from logins, 8 clusters', count, run)
}

async function openClusters(clusters: ClusterHost, server: Running, count: number) {
  const urls = await clusters.open(count)
  for (const [number, url] of urls.entries()) await registerCluster(server.port, server.bearer, url, number)
}

interface Run {
  readonly load: LoadResult
  /** From the first request until the last cluster had the last token. */
  readonly seconds: number
  /** From sending until the last cluster had it, each token, in order of length. */
  readonly spreadMs: Float64Array
  readonly report: ClustersReport | undefined
  readonly cpu: { readonly process: number; readonly mainThread: number }
  readonly clustersCpu: number
  readonly peakMib: number
}

async function revokeAll(
  server: Running,
  clusters: ClusterHost,
  count: number,
  tokens: readonly string[],
  seconds: number,
): Promise<Run> {
  await clusters.reset()
  const requests = tokens.map((token) =>
    writeRequest({ method: 'DELETE', path: '/v1/tokens', body: JSON.stringify({ token }) }),
  )
  const stopWatch = watchCpu(server.pid)
  const stopClustersWatch = watchCpu(clusters.pid)
  const load = await runLoad({
    port: server.port,
    connections,
    durationMs: seconds * 1000,
    request: (number) => requests[number],
  })
  const report = count === 0 ? undefined : await clusters.reportAt(load.count)
  const ends = { cpu: stopWatch(), clustersCpu: stopClustersWatch().process, peakMib: readMemory(server.pid).peak }
  if (report === undefined) return { ...ends, load, report, seconds: load.seconds, spreadMs: load.latenciesMs }
  const arrivedAt = new Map(report.marks.map((mark, index) => [mark, report.at[index] ?? Number.NaN]))
  const spread = load.sentAt.map((sentAt, index) => (arrivedAt.get(tokenMark(tokens[index] ?? '')) ?? NaN) - sentAt)
  const lastAt = report.at.reduce((last, at) => Math.max(last, at), 0)
  return { ...ends, load, report, seconds: (lastAt - load.startedAt) / 1000, spreadMs: new Float64Array(spread).sort() }
}

function reportRun(bench: Workbench, id: string, what: string, count: number, run: Run) {
  const { load, cpu } = run
  const answers = `answered p50 ${ms(load.latenciesMs, 0.5)}, p99 ${ms(load.latenciesMs, 0.99)}`
  const others = count === 0 ? '' : `, clusters ${run.clustersCpu} %`
  bench.report({
    id,
    what,
    value: load.count / run.seconds,
    unit: '/s',
    aside: `${load.count} in ${run.seconds.toFixed(1)} s, ${connections} at once; ${answers}`,
    limit: `the service's main thread (${presentCost(cpu.mainThread, load.perSecond)}; all of it ${cpu.process} %${others})`,
  })
  if (run.report === undefined) return
  bench.report({
    id: `${id}.spread`,
    what: '  until the last cluster has one, p99',
    value: percentile(run.spreadMs, 0.99),
    unit: 'ms',
    aside: `p50 ${ms(run.spreadMs, 0.5)}, longest ${ms(run.spreadMs, 1)}`,
    limit: `the queue of ${connections} clients`,
  })
  bench.report({
    id: `${id}.pushes`,
    what: '  pushes per 1,000 revocations',
    value: (run.report.requests / load.count) * 1000,
    unit: 'requests',
    aside: `${(run.report.bytes / 2 ** 20).toFixed(0)} MiB sent; peak memory ${run.peakMib.toFixed(0)} MiB`,
    limit: 'one batch under way for each cluster',
  })
}

function ms(sorted: Float64Array, share: number): string {
  return `${percentile(sorted, share).toFixed(0)} ms`
}

function presentCount(count: number): string {
  return count === 0 ? 'no cluster' : count === 1 ? '1 cluster' : `${count} clusters`
}
