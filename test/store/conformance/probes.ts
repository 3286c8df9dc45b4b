import { expect } from 'vitest'
import type { ProbeReport, ProxyReport } from '../../../src/core/clusters/probe.ts'
import type { Store } from '../../../src/store/store.ts'
import { deedAt } from '../../actors.ts'
import { aCluster, after, revokeAll, type StoreTest, start } from './samples.ts'

const everyMs = 10_000

function aReport(...canaries: ProxyReport['canary'][]): ProbeReport {
  const proxies = canaries.map((canary, index) => ({
    proxyId: `p${index}`,
    url: `http://p${index}.test`,
    isPrimary: index === 0,
    canary,
    said: null,
    silentSince: canary === 'silent' ? start : null,
  }))
  return {
    clusterId: 'c1',
    proxies,
    isEveryProxyAsked: true,
    isKeyTrusted: true,
    isAuthenticationOn: null,
    trouble: null,
  }
}

const claim = (store: Store, ms: number, limit = 10) => store.probes.claimDue({ now: after(ms), limit, everyMs })

/** Has a canary pushed that the cluster acknowledges. */
async function giveCanary(store: Store, token: string): Promise<void> {
  await store.cursors.wantCanary('c1', start)
  const [lease] = await store.cursors.claimDue({ now: start, limit: 1, leaseUntil: after(1000), holder: 'test' })
  if (lease === undefined) throw new Error('nothing is due')
  expect(await store.cursors.putCanary(lease, { token, expiresAt: after(60_000) })).toBe(true)
  const { acknowledged } = lease.cursor
  const settlement = { acknowledged, resyncFrom: null, at: after(3), isCanaryPushed: true, leaseUntil: null }
  await store.cursors.settle(lease, { kind: 'acknowledged', ...settlement })
}

export function probeConformance(test: StoreTest): void {
  test('a cluster\u2019s first probe is due an interval after its registration, the next about an interval later', async (store) => {
    const cluster = aCluster('c1', { alias: 'one' })
    await store.clusters.insert(cluster, 0, [], deedAt(start))
    expect(await claim(store, everyMs - 1)).toEqual([])
    expect(await store.probes.nextDueAt()).toEqual(after(everyMs))
    expect(await claim(store, everyMs)).toEqual([{ cluster, canary: null, isResyncing: false, previous: null }])
    const next = (await store.probes.nextDueAt())?.getTime() ?? 0
    expect(next).toBeGreaterThanOrEqual(after(everyMs * 1.8).getTime())
    expect(next).toBeLessThanOrEqual(after(everyMs * 2.2).getTime())
    expect(await claim(store, everyMs)).toEqual([])
  })

  test('clusters that were probed at one moment are not probed at one moment again', async (store) => {
    for (const id of ['c1', 'c2', 'c3', 'c4']) await store.clusters.insert(aCluster(id), 0, [], deedAt(start))
    expect(await claim(store, everyMs)).toHaveLength(4)
    const planned = new Set<number>()
    for (let left = 4; left > 0; left -= 1) {
      const at = (await store.probes.nextDueAt())?.getTime() ?? 0
      planned.add(at)
      await claim(store, at - start.getTime(), 1)
    }
    expect(planned.size).toBeGreaterThan(1)
  })

  test('at most as many as asked for are claimed, the longest due first, each once', async (store) => {
    for (const [index, id] of ['c1', 'c2', 'c3'].entries()) {
      await store.clusters.insert(aCluster(id, { registeredAt: after(-index) }), 0, [], deedAt(start))
    }
    const both = await Promise.all([claim(store, everyMs, 2), claim(store, everyMs, 2)])
    expect(both.map((targets) => targets.map(({ cluster }) => cluster.id))).toEqual([['c3', 'c2'], ['c1']])
  })

  test('a probe is hastened, never delayed', async (store) => {
    await store.clusters.insert(aCluster('c1'), 0, [], deedAt(start))
    await store.probes.hasten('c1', after(5))
    expect(await store.probes.nextDueAt()).toEqual(after(5))
    await store.probes.hasten('c1', after(7))
    await store.probes.hasten('gone', after(1))
    expect(await claim(store, 4)).toEqual([])
    expect(await claim(store, 5)).toHaveLength(1)
    await store.probes.hasten('c1', after(6))
    expect(await claim(store, 6)).toHaveLength(1)
  })

  test('a plan made before the clock was set back does not keep a cluster from being probed', async (store) => {
    await store.clusters.insert(aCluster('c1'), 0, [], deedAt(start))
    expect(await claim(store, everyMs)).toHaveLength(1)
    expect(await claim(store, -3_600_000)).toHaveLength(1)
    expect(await claim(store, -3_600_000)).toEqual([])
  })

  test('a target has the canary that its cluster acknowledged, and whether it is being told anew', async (store, sealer) => {
    await store.clusters.insert(aCluster('c1'), 0, [], deedAt(start))
    await revokeAll(store, sealer, ['t1'])
    await giveCanary(store, 'first canary')
    const target = async (ms: number) => {
      await store.probes.hasten('c1', after(ms))
      return (await claim(store, ms))[0]
    }
    const canary = { token: 'first canary', expiresAt: after(60_000), acknowledgedAt: after(3) }
    expect(await target(1)).toMatchObject({ canary, isResyncing: false })
    await store.cursors.wantCanary('c1', after(2))
    expect(await target(2)).toMatchObject({ canary, isResyncing: true })
    const [lease] = await store.cursors.claimDue({ now: after(4), limit: 1, leaseUntil: after(9), holder: 'test' })
    if (lease) await store.cursors.putCanary(lease, { token: 'second canary', expiresAt: after(90_000) })
    expect(await target(3)).toMatchObject({ canary: null, isResyncing: true })
  })

  test('a report is kept: since when a cluster is in step, and when it was last seen to have restarted', async (store) => {
    await store.clusters.insert(aCluster('c1'), 0, [], deedAt(start))
    expect(await store.probes.list()).toEqual([])
    const status = async (report: ProbeReport, ms: number) => {
      await store.probes.record('c1', report, after(ms))
      return (await store.probes.list())[0]
    }
    expect(await status(aReport('knows', 'silent'), 0)).toMatchObject({ inStepSince: null })
    const report = aReport('knows', 'out_of_reach')
    expect(await status(report, 1)).toEqual({
      clusterId: 'c1',
      report,
      probedAt: after(1),
      lastRestartSeenAt: null,
      inStepSince: after(1),
    })
    expect(await status(aReport('knows', 'knows'), 2)).toMatchObject({ probedAt: after(2), inStepSince: after(1) })
    expect(await status(aReport('knows', 'forgot'), 3)).toMatchObject({
      inStepSince: null,
      lastRestartSeenAt: after(3),
    })
    expect(await status(aReport('knows'), 4)).toMatchObject({ inStepSince: after(4), lastRestartSeenAt: after(3) })
    expect(await status(aReport('distrusts', 'knows'), 5)).toMatchObject({ inStepSince: null })
    expect(await status(aReport('silent'), 6)).toMatchObject({ inStepSince: null })
    await store.probes.hasten('c1', after(7))
    expect((await claim(store, 7))[0]?.previous).toEqual(aReport('silent'))
  })

  test('a cluster that is removed takes its probes with it, and a late report is nothing', async (store) => {
    await store.clusters.insert(aCluster('c1'), 0, [], deedAt(start))
    await store.clusters.delete('c1', deedAt(start))
    await store.probes.record('c1', aReport('knows'), start)
    expect(await store.probes.list()).toEqual([])
    expect(await store.probes.nextDueAt()).toBeUndefined()
  })
}
