/** A thousand clusters, a tenth of them dead: how soon the last living one has a revocation. */
import { call } from '../calls.ts'
import { readMemory, watchCpu } from '../children.ts'
import { nowMs, pause } from '../clock.ts'
import { percentile } from '../load.ts'
import { type ManyClusters, startManyClusters } from '../scale-host.ts'
import { tokenMark } from '../tokens.ts'
import type { Running, Workbench } from '../workbench.ts'

const clusterCount = { usual: 1000, quick: 50 }
const alone = { usual: 150, quick: 5 }
const perSecond = 10
const busySeconds = { usual: 15, quick: 1 }
/** For the first probes, the first canaries, and the dead to be known as dead. */
const restMs = { usual: 30_000, quick: 2_000 }
const betweenMs = 50

export async function measureManyClusters(bench: Workbench): Promise<void> {
  if (!bench.wants('scale-clusters')) return
  const size = bench.size.users < 10_000 ? 'quick' : 'usual'
  await using server = await bench.start(await bench.emptyFolder())
  const startedAt = nowMs()
  const clusters = await startManyClusters(server, clusterCount[size])
  const registeredMs = nowMs() - startedAt
  const tokens = await bench.tokens(alone[size] + perSecond * busySeconds[size] + 1)
  await clusters.killTenth()
  await revoke(server, tokens.at(-1) ?? '')
  await pause(restMs[size])
  await clusters.totals()
  const idle = watchCpu(server.pid)
  await pause(restMs[size] / 3)
  const idleCpu = idle()
  const idleTotals = await clusters.totals()

  const what = `${clusterCount[size]} clusters, a tenth of them dead`
  const one = await revokeOneByOne(server, clusters, tokens.slice(0, alone[size]))
  bench.report({
    id: 'scale-clusters',
    what: `${what}: until the last living one has a revocation, p99`,
    value: percentile(one.spreadMs, 0.99),
    unit: 'ms',
    aside: `${describe(one)}; registered in ${(registeredMs / 1000).toFixed(1)} s`,
    limit: `signing a token and sending a request for each cluster (main thread ${one.cpu.mainThread} %, all ${one.cpu.process} % of a core; clusters ${one.clustersCpu} %)`,
  })
  const busy = await revokeAtRate(server, clusters, tokens.slice(alone[size], -1))
  bench.report({
    id: 'scale-clusters.busy',
    what: `  the same with ${perSecond} revocations a second, p99`,
    value: percentile(busy.spreadMs, 0.99),
    unit: 'ms',
    aside: describe(busy),
    limit: `the same (main thread ${busy.cpu.mainThread} %, all ${busy.cpu.process} % of a core; clusters ${busy.clustersCpu} %)`,
  })
  const { rss, peak } = readMemory(server.pid)
  bench.report({
    id: 'scale-clusters.memory',
    what: '  memory, at its highest',
    value: peak,
    unit: 'MiB',
    aside: `now ${rss.toFixed(0)}; at rest ${idleCpu.process} % of a core, ${((idleTotals.probes * 3000) / restMs[size]).toFixed(0)} probes/s`,
    limit: 'connections that are kept, and what is under way',
  })
  await clusters.stop()
}

interface Spread {
  /** From sending the request until the last living cluster had it, in order of length. */
  readonly spreadMs: Float64Array
  readonly answeredMs: Float64Array
  readonly pushes: number
  readonly cpu: { readonly process: number; readonly mainThread: number }
  readonly clustersCpu: number
}

function revoke(server: Running, token: string) {
  return call(server.port, { method: 'DELETE', path: '/v1/tokens', body: JSON.stringify({ token }) })
}

async function revokeOneByOne(server: Running, clusters: ManyClusters, tokens: readonly string[]): Promise<Spread> {
  const spread: number[] = []
  const answered: number[] = []
  const stop = [watchCpu(server.pid), watchCpu(clusters.pid)] as const
  await clusters.totals()
  for (const token of tokens) {
    const mark = tokenMark(token)
    const { arrived } = await clusters.awaitTokens([mark])
    const sentAt = nowMs()
    answered.push((await revoke(server, token)).ms)
    spread.push(((await arrived).get(mark) ?? Number.NaN) - sentAt)
    await pause(betweenMs)
  }
  return summarize(spread, answered, (await clusters.totals()).pushes, stop)
}

async function revokeAtRate(server: Running, clusters: ManyClusters, tokens: readonly string[]): Promise<Spread> {
  const stop = [watchCpu(server.pid), watchCpu(clusters.pid)] as const
  await clusters.totals()
  const { arrived } = await clusters.awaitTokens(tokens.map(tokenMark))
  const startedAt = nowMs()
  const sent = await Promise.all(
    tokens.map(async (token, index) => {
      await pause((index * 1000) / perSecond)
      const at = nowMs()
      return { at, ms: (await revoke(server, token)).ms }
    }),
  )
  const at = await arrived
  const spread = tokens.map((token, index) => (at.get(tokenMark(token)) ?? Number.NaN) - (sent[index]?.at ?? startedAt))
  return summarize(
    spread,
    sent.map(({ ms }) => ms),
    (await clusters.totals()).pushes,
    stop,
  )
}

type StopWatch = ReturnType<typeof watchCpu>

function summarize(
  spread: readonly number[],
  answered: readonly number[],
  pushes: number,
  [service, clusters]: readonly [StopWatch, StopWatch],
): Spread {
  return {
    spreadMs: new Float64Array(spread).sort(),
    answeredMs: new Float64Array(answered).sort(),
    pushes,
    cpu: service(),
    clustersCpu: clusters().process,
  }
}

function describe({ spreadMs, answeredMs, pushes }: Spread): string {
  const ms = (sorted: Float64Array, share: number) => `${percentile(sorted, share).toFixed(0)} ms`
  const perRevocation = (pushes / spreadMs.length).toFixed(0)
  return `p50 ${ms(spreadMs, 0.5)}, longest ${ms(spreadMs, 1)}; answered p50 ${ms(answeredMs, 0.5)}, p99 ${ms(answeredMs, 0.99)}; ${spreadMs.length} of them, ${perRevocation} pushes each`
}
