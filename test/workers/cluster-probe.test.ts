import { describe, expect, test } from 'vitest'
import type { ProbeReport } from '../../src/core/clusters/probe.ts'
import { createClusterProbe } from '../../src/workers/cluster-probe.ts'
import { deedAt } from '../actors.ts'
import { createHandClock } from '../clock.ts'
import { aReport, createScriptedDriver, keepLog, openMemoryStore } from '../delivery/script.ts'
import { aCluster } from '../store/conformance/samples.ts'

const hour = 3_600_000
const dead: Partial<ProbeReport> = {
  clusterId: null,
  isKeyTrusted: null,
  isAuthenticationOn: null,
  trouble: { reason: 'timed_out', said: 'no answer', advice: 'Look.' },
}

/** The worker on a real store, with clusters that show what a test says; nobody delivers. */
async function startProbing(ids: readonly string[], config: { parallel?: number; resyncEveryMs?: number } = {}) {
  const { store } = openMemoryStore()
  const clock = createHandClock()
  const driver = createScriptedDriver()
  const log = keepLog()
  for (const id of ids)
    await store.clusters.insert(aCluster(id, { registeredAt: clock.now() }), 0, [], deedAt(clock.now()))
  let wakes = 0
  const worker = createClusterProbe({
    probes: store.probes,
    cursors: store.cursors,
    drivers: { aistore: driver },
    wake: () => {
      wakes += 1
    },
    clock,
    log,
    config: { everyMs: 10_000, timeoutMs: 5_000, parallel: 10, resyncEveryMs: 7 * 24 * hour, ...config },
  })
  const stop = new AbortController()
  const running = worker.run(stop.signal)

  /** As a delivery does that reaches every cluster at once. */
  async function deliver({ isAnswered = true } = {}) {
    const now = clock.now()
    const until = { leaseUntil: new Date(now.getTime() + 1_000), holder: 'test', limit: 100 }
    for (const claim of await store.cursors.claimDue({ now, ...until })) {
      const isCanaryPushed = claim.cursor.isCanaryWanted
      if (isCanaryPushed) {
        const expiresAt = new Date(now.getTime() + 24 * hour)
        await store.cursors.putCanary(claim, { token: `canary at ${now.toISOString()}`, expiresAt })
      }
      if (!isAnswered) continue
      const settled = { acknowledged: 0, resyncFrom: null, isCanaryPushed, leaseUntil: null, at: now }
      await store.cursors.settle(claim, { kind: 'acknowledged', ...settled })
    }
  }

  /** Past the first look, with a canary that is known. */
  async function settle() {
    await clock.advance(10_000)
    await deliver()
    await clock.advance(1_000)
  }

  return {
    store,
    clock,
    driver,
    log,
    deliver,
    settle,
    wakes: () => wakes,
    cursor: async (id: string) => (await store.cursors.list(clock.now())).find(({ clusterId }) => clusterId === id),
    async [Symbol.asyncDispose]() {
      stop.abort()
      await clock.advance(10_000)
      await running
      await store.close()
    },
  }
}

const lines = (log: ReturnType<typeof keepLog>) => log.entries.filter(({ event }) => event === 'probe.ended')

test('each cluster is looked at every ten seconds, give or take a fifth, first one interval after its registration', async () => {
  await using it = await startProbing(['c1', 'c2', 'c3'])
  await it.clock.advance(9_900)
  expect(it.driver.looks('c1')).toEqual([])
  await it.settle()
  const before = ['c1', 'c2', 'c3'].map((id) => it.driver.looks(id).length)
  await it.clock.advance(120_000)
  for (const [index, id] of ['c1', 'c2', 'c3'].entries()) {
    const looks = it.driver.looks(id).length - (before[index] ?? 0)
    expect(looks).toBeGreaterThanOrEqual(10)
    expect(looks).toBeLessThanOrEqual(15)
  }
})

test('the first look has a canary pushed, and the next one shows it', async () => {
  await using it = await startProbing(['c1'])
  await it.clock.advance(10_000)
  expect(it.driver.looks('c1')).toEqual([null])
  expect(await it.cursor('c1')).toMatchObject({ isCanaryWanted: true, resyncFrom: 0 })
  expect(it.wakes()).toBe(1)
  await it.deliver()
  await it.clock.advance(1_000)
  expect(it.driver.looks('c1').at(-1)).toMatch(/^canary at/)
  expect(await it.store.probes.list()).toMatchObject([{ clusterId: 'c1', inStepSince: expect.any(Date) }])
})

test('a healthy cluster is looked at in silence', async () => {
  await using it = await startProbing(['c1'])
  const told: string[] = []
  it.log.info = ({ event }) => void told.push(event)
  it.log.warn = ({ event }) => void told.push(event)
  await it.settle()
  await it.clock.advance(120_000)
  expect(it.driver.looks('c1').length).toBeGreaterThan(10)
  expect(told).toEqual([])
})

test('trouble is told when it comes, when it changes and when it goes, not with each look', async () => {
  await using it = await startProbing(['c1'])
  const told: unknown[] = []
  it.log.info = (entry) => void told.push(entry)
  it.log.warn = (entry) => void told.push(entry)
  await it.settle()
  it.driver.find('c1', () => aReport('c1', ['silent'], dead))
  await it.clock.advance(60_000)
  expect(told).toMatchObject([{ event: 'probe.ended', cluster: 'c1', reason: 'timed_out', said: 'no answer' }])
  it.driver.find('c1', () => aReport('c1', ['knows']))
  await it.clock.advance(60_000)
  expect(told).toMatchObject([{}, { event: 'probe.ended', proxies: { knows: 1 } }])
  expect(JSON.stringify(told)).not.toContain('canary at')
})

test('a cluster that has forgotten is resynced once, however often it is looked at meanwhile', async () => {
  await using it = await startProbing(['c1'])
  await it.settle()
  let restarts = 0
  const { resync } = it.store.cursors
  Object.assign(it.store.cursors, {
    resync: (id: string, at: Date) => {
      restarts += 1
      return resync(id, at)
    },
  })
  it.driver.find('c1', () => aReport('c1', ['forgot']))
  await it.clock.advance(12_000)
  expect(await it.cursor('c1')).toMatchObject({ isCanaryWanted: true, resyncFrom: 0 })
  const looks = it.driver.looks('c1').length
  await it.clock.advance(5_000)
  expect(it.driver.looks('c1').length).toBeGreaterThan(looks + 2)
  expect(restarts).toBe(1)
  expect((await it.store.probes.list())[0]?.lastRestartSeenAt).toBeInstanceOf(Date)
})

test('a look without a canary to show leaves the verdicts of the one before', async () => {
  await using it = await startProbing(['c1'])
  await it.settle()
  const verdicts = async () => (await it.store.probes.list())[0]?.report.proxies.map(({ canary }) => canary)
  const since = (await it.store.probes.list())[0]?.inStepSince
  async function lookWithout() {
    await it.store.cursors.resync('c1', it.clock.now())
    await it.deliver({ isAnswered: false })
    await it.clock.advance(13_000)
    expect(it.driver.looks('c1').at(-1)).toBeNull()
  }
  await lookWithout()
  expect(await verdicts()).toEqual(['knows'])
  expect((await it.store.probes.list())[0]?.inStepSince).toEqual(since)
  await it.deliver()
  it.driver.find('c1', (canary) => aReport('c1', [canary === null ? 'silent' : 'forgot']))
  await it.clock.advance(13_000)
  expect(await verdicts()).toEqual(['forgot'])
  await lookWithout()
  expect(await verdicts()).toEqual(['forgot'])
})

test('a list that another proxy does not take is spread by empty pushes until every proxy knows the canary', async () => {
  await using it = await startProbing(['c1'])
  await it.settle()
  // The other proxy takes no list before forty pushes.
  const pushesOf = () => it.driver.attempts('c1')
  it.driver.find('c1', (canary) => {
    if (canary === null) return aReport('c1', ['silent', 'silent'])
    return aReport('c1', ['knows', pushesOf() < 40 ? 'forgot' : 'knows'])
  })
  await it.clock.advance(12_000)
  await it.deliver()
  await it.clock.advance(9_000)
  expect(pushesOf()).toBeGreaterThanOrEqual(40)
  expect(pushesOf()).toBeLessThanOrEqual(2 + 4 + 8 + 16 + 32)
  expect(it.driver.pushes('c1').every((tokens) => tokens.length === 0)).toBe(true)
  const before = pushesOf()
  await it.clock.advance(60_000)
  expect(pushesOf()).toBe(before)
})

test('dead clusters delay no other, however many there are', async () => {
  const ids = Array.from({ length: 20 }, (_, index) => `dead-${index}`)
  await using it = await startProbing([...ids, 'c1'], { parallel: 10 })
  let atOnce = 0
  let peak = 0
  for (const id of ids) {
    it.driver.find(id, async () => {
      atOnce += 1
      peak = Math.max(peak, atOnce)
      await it.clock.wait(1_000)
      atOnce -= 1
      return aReport(id, ['silent'], dead)
    })
  }
  await it.settle()
  const before = it.driver.looks('c1').length
  await it.clock.advance(60_000)
  expect(it.driver.looks('c1').length - before).toBeGreaterThanOrEqual(4)
  expect(peak).toBeLessThanOrEqual(10)
})

test('a look that takes too long is given up', async () => {
  await using it = await startProbing(['c1'])
  let isGivenUp = false
  const { probe } = it.driver
  Object.assign(it.driver, {
    probe: (cluster: never, canary: string | null, signal: AbortSignal) =>
      new Promise<ProbeReport>((resolve) => {
        signal.addEventListener('abort', () => {
          isGivenUp = true
          resolve(probe(cluster, canary, signal))
        })
      }),
  })
  await it.clock.advance(14_900)
  expect(isGivenUp).toBe(false)
  await it.clock.advance(200)
  expect(isGivenUp).toBe(true)
})

test('a look that is asked for while one is under way comes after it', async () => {
  await using it = await startProbing(['c1'])
  await it.settle()
  let letGo: () => void = () => undefined
  it.driver.find('c1', async () => {
    await new Promise<void>((resolve) => {
      letGo = resolve
    })
    return aReport('c1', ['knows'])
  })
  const before = it.driver.looks('c1').length
  await it.store.probes.hasten('c1', it.clock.now())
  await it.clock.advance(1_500)
  expect(it.driver.looks('c1')).toHaveLength(before + 1)
  await it.store.probes.hasten('c1', it.clock.now())
  await it.clock.advance(1_500)
  expect(it.driver.looks('c1')).toHaveLength(before + 1)
  letGo()
  await it.clock.advance(1_500)
  expect(it.driver.looks('c1')).toHaveLength(before + 2)
  letGo()
  await it.clock.advance(100)
})

test('a driver that breaks is told in the log, and tried again', async () => {
  await using it = await startProbing(['c1'])
  it.driver.find('c1', () => {
    throw new Error('a bug')
  })
  await it.clock.advance(30_000)
  expect(it.log.entries.filter(({ event }) => event === 'probe.failed').length).toBeGreaterThan(1)
  it.driver.find('c1', () => aReport('c1', ['silent']))
  await it.clock.advance(12_000)
  expect(lines(it.log)).not.toEqual([])
})

describe('a clock that is set back an hour', () => {
  test('holds up no look', async () => {
    await using it = await startProbing(['c1'])
    await it.settle()
    const before = it.driver.looks('c1').length
    it.clock.step(-hour)
    await it.clock.advance(25_000)
    expect(it.driver.looks('c1').length).toBeGreaterThanOrEqual(before + 2)
  })

  test('and no resync', async () => {
    await using it = await startProbing(['c1'], { resyncEveryMs: 600_000 })
    await it.settle()
    it.clock.step(-hour)
    await it.clock.advance(12_000)
    expect(await it.cursor('c1')).toMatchObject({ resyncFrom: 0 })
  })
})

test('everything is sent again at the interval, and never to all clusters in one moment', async () => {
  const ids = Array.from({ length: 12 }, (_, index) => `c${index}`)
  await using it = await startProbing(ids, { resyncEveryMs: 600_000 })
  await it.settle()
  const at = new Map<string, number>()
  for (let passed = 0; passed < 740_000; passed += 5_000) {
    await it.clock.advance(5_000)
    for (const { clusterId, resyncFrom } of await it.store.cursors.list(it.clock.now())) {
      if (resyncFrom !== null && !at.has(clusterId)) at.set(clusterId, passed)
    }
  }
  expect(at.size).toBe(12)
  expect(Math.min(...at.values())).toBeGreaterThanOrEqual(470_000)
  expect(new Set(at.values()).size).toBeGreaterThan(3)
})
