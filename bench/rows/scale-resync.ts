/** A hundred clusters and many live revocations: what it costs to tell one of them everything again. */
import { request as send } from 'node:http'
import { call, logInAdministrator } from '../calls.ts'
import { readMemory, watchCpu } from '../children.ts'
import { nowMs, pause } from '../clock.ts'
import { type LoadResult, median, percentile, runLoad, writeRequest } from '../load.ts'
import { type ManyClusters, startManyClusters } from '../scale-host.ts'
import { administratorName } from '../server.ts'
import type { Running, Workbench } from '../workbench.ts'

const clusterCount = { usual: 100, quick: 10 }
const loadSeconds = { usual: 20, quick: 1 }
const catchUpLimitMs = 300_000
const restMs = { usual: 25_000, quick: 1_000 }
const repeats = { usual: 7, quick: 2 }
/** One client logs in and one revokes, each with a pause, so that it is waiting that is measured and no queue. */
const connections = 1

export async function measureResync(bench: Workbench): Promise<void> {
  if (!bench.wants('scale-resync')) return
  const size = bench.size.users < 10_000 ? 'quick' : 'usual'
  const folder = await bench.emptyFolder()
  const clusters = await registerClusters(bench, folder, clusterCount[size])
  await bench.fillFolder(folder)
  await measureCatchUp(bench, folder, clusterCount[size])
  await using server = await bench.start(folder)
  const restedMib = await rest(server, restMs[size])
  const times: number[] = []
  // What came before is counted no more.
  await clusters.totals()
  for (let repeat = 0; repeat < repeats[size]; repeat += 1) {
    times.push(await resync(server, clusters, repeat, bench.size.revokedTokens))
    await pause(500)
  }
  const sorted = new Float64Array(times).sort()
  const { bytes, pushes } = await clusters.totals()
  const of = `${clusterCount[size]} clusters, ${bench.size.revokedTokens} live revocations`
  bench.report({
    id: 'scale-resync',
    what: `${of}: until one cluster has all of them again`,
    value: median(times),
    unit: 'ms',
    aside: `longest ${percentile(sorted, 1).toFixed(0)} ms of ${times.length}; ${(pushes / times.length).toFixed(0)} pushes, ${(bytes / times.length / 2 ** 20).toFixed(0)} MiB each`,
    limit: 'reading and unsealing the tokens, one thread; then one batch after the other',
  })
  await measureOthers(bench, server, clusters, { count: clusterCount[size], seconds: loadSeconds[size] })
  const { rss, peak } = readMemory(server.pid)
  bench.report({
    id: 'scale-resync.memory',
    what: '  memory, at its highest',
    value: peak,
    unit: 'MiB',
    aside: `now ${rss.toFixed(0)}; before the first resync ${restedMib.toFixed(0)}`,
    limit: 'batches that are read, written out and on their way',
  })
  await clusters.stop()
}

/** Before there is anything to tell them: a registration pushes every live revocation before it is answered. */
async function registerClusters(bench: Workbench, folder: string, count: number): Promise<ManyClusters> {
  const server = await bench.startBare(folder)
  const bearer = await logInAdministrator(server.port, bench.administratorPassword)
  const clusters = await startManyClusters({ port: server.port, bearer }, count)
  await server.stop()
  return clusters
}

/** All clusters are behind by everything at once. In a process of its own: what it leaves behind is not the resync's. */
async function measureCatchUp(bench: Workbench, folder: string, count: number): Promise<void> {
  const server = await bench.startBare(folder)
  const bearer = await logInAdministrator(server.port, bench.administratorPassword)
  const caughtUpMs = await untilCaughtUp({ port: server.port, bearer })
  bench.report({
    id: 'scale-catch-up',
    what: `${count} clusters that are all behind by ${bench.size.revokedTokens} revocations: until the last has them`,
    value: caughtUpMs,
    unit: 'ms',
    aside: `memory at its highest ${readMemory(server.pid).peak.toFixed(0)} MiB`,
    limit: 'writing out and sending, one thread',
  })
  // After the first look at a new cluster everything is sent once more, with a canary.
  await untilAll({ port: server.port, bearer }, ({ state }) => state === 'in_step')
  await server.stop()
}

interface ClusterShape {
  readonly behind: number
  readonly state: string
}

const untilCaughtUp = (server: Pick<Running, 'port' | 'bearer'>) => untilAll(server, ({ behind }) => behind === 0)

/** Answers how long it took until that was so of every cluster, in ms. */
async function untilAll(
  server: Pick<Running, 'port' | 'bearer'>,
  isSo: (cluster: ClusterShape) => boolean,
): Promise<number> {
  const startedAt = nowMs()
  for (;;) {
    const { text } = await call(server.port, {
      method: 'GET',
      path: '/api/v1/clusters?limit=1000',
      bearer: server.bearer,
    })
    const { items } = JSON.parse(text) as { items: readonly ClusterShape[] }
    if (items.every(isSo)) return nowMs() - startedAt
    if (nowMs() - startedAt > catchUpLimitMs) throw new Error('the clusters do not catch up')
    await pause(1000)
  }
}

/** For what follows: canaries, and the garbage of it all. */
async function rest(server: Pick<Running, 'pid'>, ms: number): Promise<number> {
  await pause(ms)
  return readMemory(server.pid).rss
}

/** Answers how long it took from the command until the cluster had so many tokens. */
async function resync(server: Running, clusters: ManyClusters, number: number, tokens: number): Promise<number> {
  const { at } = await clusters.countAt(number, tokens)
  const startedAt = nowMs()
  await command(server, `/api/v1/clusters/bench-${number}/resync`)
  return (await at) - startedAt
}

function command({ port, bearer }: Running, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${bearer}` }
    const request = send({ port, host: '127.0.0.1', method: 'POST', path, headers }, (response) => {
      response.resume()
      const { statusCode } = response
      response.on('end', () => (statusCode === 202 ? resolve() : reject(new Error(`${path}: ${statusCode}`))))
    })
    request.on('error', reject)
    request.end()
  })
}

/** Log-ins and revocations without a resync, and while one cluster after the other is told everything again. */
async function measureOthers(
  bench: Workbench,
  server: Running,
  clusters: ManyClusters,
  { count, seconds }: { readonly count: number; readonly seconds: number },
) {
  const half = await bench.tokens(2 * seconds * 1_000)
  const tokens = half.values()
  const load = () => loadBoth(bench, server, tokens, seconds)
  const without = await load()
  let isLoading = true
  let resyncs = 0
  async function resyncOn() {
    for (let number = repeats.usual; isLoading; number += 1) {
      await resync(server, clusters, number % count, bench.size.revokedTokens)
      resyncs += 1
    }
  }
  const stopWatch = watchCpu(server.pid)
  const resyncing = resyncOn()
  const during = await load()
  isLoading = false
  const cpu = stopWatch()
  await resyncing
  for (const act of ['login', 'revoke'] as const) {
    const [before, after] = [percentile(without[act], 0.99), percentile(during[act], 0.99)]
    bench.report({
      id: `scale-resync.${act}`,
      what: `  ${act} meanwhile, p99: so much longer than without`,
      value: (after / before - 1) * 100,
      unit: '%',
      aside: `${before.toFixed(1)} -> ${after.toFixed(1)} ms; p50 ${percentile(without[act], 0.5).toFixed(1)} -> ${percentile(during[act], 0.5).toFixed(1)} ms; ${without[act].length} and ${during[act].length} of them, ${resyncs} resyncs`,
      limit: `the main thread, which does both (${cpu.mainThread} % of a core, all of it ${cpu.process} %)`,
    })
  }
}

async function loadBoth(bench: Workbench, server: Running, tokens: Iterator<string>, seconds: number) {
  const body = JSON.stringify({ password: bench.administratorPassword })
  const login = writeRequest({ method: 'POST', path: `/v1/users/${administratorName}`, body })
  const revoke = (): Buffer | undefined => {
    const { value, done } = tokens.next()
    return done
      ? undefined
      : writeRequest({ method: 'DELETE', path: '/v1/tokens', body: JSON.stringify({ token: value }) })
  }
  const options = { port: server.port, connections, durationMs: seconds * 1000 }
  const [logins, revocations]: readonly LoadResult[] = await Promise.all([
    runLoad({ ...options, request: () => login }),
    runLoad({ ...options, request: revoke }),
  ])
  return { login: logins?.latenciesMs ?? new Float64Array(), revoke: revocations?.latenciesMs ?? new Float64Array() }
}
