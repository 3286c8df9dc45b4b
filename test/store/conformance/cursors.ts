import { expect } from 'vitest'
import type { Claim } from '../../../src/delivery/cursor-store.ts'
import type { Store } from '../../../src/store/store.ts'
import { deedAt } from '../../actors.ts'
import { aCluster, after, aRevocation, aToken, revokeAll, type StoreTest, start } from './samples.ts'

const claimOptions = { now: start, limit: 10, leaseUntil: after(1000), holder: 'test' }

async function claimOne(store: Store, options: Partial<typeof claimOptions> = {}): Promise<Claim> {
  const [claim] = await store.cursors.claimDue({ ...claimOptions, ...options })
  if (claim === undefined) throw new Error('nothing is due')
  return claim
}

function acknowledged(sequence: number, more: { resyncFrom?: number | null; leaseUntil?: Date | null } = {}) {
  return {
    kind: 'acknowledged',
    acknowledged: sequence,
    resyncFrom: null,
    at: after(7),
    leaseUntil: null,
    ...more,
  } as const
}

export function cursorConformance(test: StoreTest): void {
  test('how far each cluster is behind is counted in changes that still matter', async (store, sealer) => {
    for (const id of ['c1', 'c2', 'c3']) await store.clusters.insert(aCluster(id), 0, [], deedAt(start))
    const [first = 0] = await revokeAll(store, sealer, ['t1'])
    const dying = aToken('dying', sealer, { expiresAt: after(10) })
    const { sequence } = await store.revocations.record(aRevocation(dying, { at: after(1) }))
    await store.revocations.record(aRevocation(aToken('t2', sealer), { at: after(2) }))
    for (const upTo of [first, sequence])
      await store.cursors.settle(await claimOne(store, { limit: 1 }), acknowledged(upTo))
    const backlogs = async (now: Date) =>
      (await store.cursors.list(now)).map(({ behind, behindSince }) => [behind, behindSince])
    expect(await backlogs(start)).toEqual([
      [2, after(1)],
      [1, after(2)],
      [3, start],
    ])
    expect(await backlogs(after(10))).toEqual([
      [1, after(2)],
      [1, after(2)],
      [2, start],
    ])
    expect(await backlogs(after(99_999))).toEqual([
      [0, null],
      [0, null],
      [0, null],
    ])
  })

  test('a cluster without URLs is never due, and shown as having none', async (store, sealer) => {
    await store.clusters.insert(aCluster('c1', { urls: [] }), 0, [], deedAt(start))
    await revokeAll(store, sealer, ['t1'])
    await store.cursors.resync('c1', start)
    await store.cursors.wantCanary('c1', start)
    expect(await store.cursors.claimDue(claimOptions)).toEqual([])
    expect(await store.cursors.nextDueAt()).toBeUndefined()
    expect(await store.cursors.get('c1', start)).toMatchObject({ hasUrls: false, behind: 1 })
    await store.clusters.update('c1', { urls: ['http://c1.test'] }, deedAt(start))
    expect(await store.cursors.claimDue(claimOptions)).toHaveLength(1)
    expect(await store.cursors.get('c1', start)).toMatchObject({ hasUrls: true })
  })

  test('a clock that is set back holds up neither a cluster that waits nor one that never failed', async (store, sealer) => {
    for (const id of ['c1', 'c2']) await store.clusters.insert(aCluster(id), 0, [], deedAt(start))
    await revokeAll(store, sealer, ['t1'])
    const failure = { attempts: 3, nextAttemptAt: after(500), reason: 'failing', said: 'no', at: after(5) } as const
    await store.cursors.settle(await claimOne(store, { limit: 1 }), { kind: 'failed', ...failure })
    const earlier = { ...claimOptions, now: after(-3_600_000), leaseUntil: after(-3_599_000) }
    expect(await store.cursors.claimDue(earlier)).toHaveLength(2)
    expect(await store.cursors.claimDue(earlier)).toEqual([])
    const evenEarlier = { ...claimOptions, now: after(-7_200_000), leaseUntil: after(-7_199_000) }
    expect(await store.cursors.claimDue(evenEarlier)).toHaveLength(2)
  })

  test('only clusters that are behind are claimed, with their record', async (store, sealer) => {
    const cluster = aCluster('c1', { alias: 'one' })
    await store.clusters.insert(cluster, 0, [], deedAt(start))
    expect(await store.cursors.claimDue(claimOptions)).toEqual([])
    const [sequence = 0] = await revokeAll(store, sealer, ['t1'])
    await store.clusters.insert(aCluster('c2'), sequence, [], deedAt(start))
    const claims = await store.cursors.claimDue(claimOptions)
    expect(claims).toMatchObject([
      { cluster, cursor: { clusterId: 'c1', acknowledged: 0, resyncFrom: null, attempts: 0 } },
    ])
  })

  test('a claimed cluster is nobody else\u2019s until its lease ends', async (store, sealer) => {
    await store.clusters.insert(aCluster('c1'), 0, [], deedAt(start))
    await revokeAll(store, sealer, ['t1'])
    const first = await claimOne(store)
    expect(await store.cursors.claimDue({ ...claimOptions, now: after(999) })).toEqual([])
    expect(await store.cursors.nextDueAt()).toEqual(after(1000))
    const second = await claimOne(store, { now: after(1000), leaseUntil: after(2000) })
    expect(second.lease).not.toBe(first.lease)
    expect(await store.cursors.settle(first, acknowledged(1))).toBeUndefined()
    expect(await store.cursors.settle(second, acknowledged(1))).toMatchObject({ acknowledged: 1 })
  })

  test('a claim takes at most as many as asked for, the longest due first', async (store, sealer) => {
    for (const [index, id] of ['c1', 'c2', 'c3'].entries()) {
      await store.clusters.insert(aCluster(id, { registeredAt: after(-index) }), 0, [], deedAt(start))
    }
    await revokeAll(store, sealer, ['t1'])
    const ids = async () =>
      (await store.cursors.claimDue({ ...claimOptions, limit: 2 })).map((claim) => claim.cluster.id)
    expect(await ids()).toEqual(['c3', 'c2'])
    expect(await ids()).toEqual(['c1'])
  })

  test('an acknowledgement moves the cursor, forgets the failures and lets go of the cluster', async (store, sealer) => {
    await store.clusters.insert(aCluster('c1'), 0, [], deedAt(start))
    const [first = 0, second = 0] = await revokeAll(store, sealer, ['t1', 't2'])
    const failing = await claimOne(store)
    await store.cursors.settle(failing, {
      kind: 'failed',
      attempts: 3,
      nextAttemptAt: after(500),
      reason: 'timed_out',
      said: 'nothing',
      at: after(5),
    })
    expect(await store.cursors.list(start)).toMatchObject([
      { attempts: 3, nextAttemptAt: after(500), lastReason: 'timed_out', lastSaid: 'nothing', lastAttemptAt: after(5) },
    ])
    expect(await store.cursors.nextDueAt()).toEqual(after(500))
    expect(await store.cursors.claimDue({ ...claimOptions, now: after(499) })).toEqual([])
    const claim = await claimOne(store, { now: after(500) })
    expect(await store.cursors.settle(claim, acknowledged(first))).toEqual({
      clusterId: 'c1',
      acknowledged: first,
      resyncFrom: null,
      resyncUntil: 0,
      attempts: 0,
      nextAttemptAt: after(7),
      isCanaryWanted: false,
    })
    const last = await claimOne(store, { now: after(501) })
    await store.cursors.settle(last, acknowledged(second))
    expect(await store.cursors.nextDueAt()).toBeUndefined()
    expect(await store.cursors.list(start)).toMatchObject([
      { lastReason: null, lastSaid: null, lastAttemptAt: after(7), lastAcknowledgedAt: after(7) },
    ])
  })

  test('a cluster can be kept for another batch under the same lease', async (store, sealer) => {
    await store.clusters.insert(aCluster('c1'), 0, [], deedAt(start))
    const [first = 0, second = 0] = await revokeAll(store, sealer, ['t1', 't2'])
    const claim = await claimOne(store)
    expect(await store.cursors.settle(claim, acknowledged(first, { leaseUntil: after(3000) }))).toBeDefined()
    expect(await store.cursors.claimDue({ ...claimOptions, now: after(2999), leaseUntil: after(3999) })).toEqual([])
    expect(await store.cursors.settle(claim, acknowledged(second))).toMatchObject({ acknowledged: second })
    expect(await store.cursors.settle(claim, acknowledged(second))).toBeUndefined()
  })

  test('a released cluster can be claimed at once, and the old lease is worth nothing', async (store, sealer) => {
    await store.clusters.insert(aCluster('c1'), 0, [], deedAt(start))
    await revokeAll(store, sealer, ['t1'])
    const claim = await claimOne(store)
    await store.cursors.release(claim)
    expect(await store.cursors.settle(claim, acknowledged(1))).toBeUndefined()
    const next = await claimOne(store)
    await store.cursors.release(claim)
    expect(await store.cursors.settle(next, acknowledged(1))).toBeDefined()
  })

  test('clusters of a holder that has gone are free at once, and what it still settles counts for nothing', async (store, sealer) => {
    await revokeAll(store, sealer, ['t1'])
    await store.clusters.insert(aCluster('c1'), 0, [], deedAt(start))
    const claim = await claimOne(store)
    expect(await store.cursors.releaseAbandoned(() => false)).toBe(0)
    const asked: string[] = []
    expect(
      await store.cursors.releaseAbandoned((holder) => {
        asked.push(holder)
        return true
      }),
    ).toBe(1)
    expect(claim.lease.startsWith(`${asked[0]}/`)).toBe(true)
    expect(await store.cursors.settle(claim, acknowledged(1))).toBeUndefined()
    expect(await claimOne(store)).toBeDefined()
  })

  test('a resync makes a cluster due that is not behind, and goes on where it was settled', async (store, sealer) => {
    const [, , last = 0] = await revokeAll(store, sealer, ['t1', 't2', 't3'])
    await store.clusters.insert(aCluster('c1'), last, [], deedAt(start))
    expect(await store.cursors.nextDueAt()).toBeUndefined()
    await store.cursors.resync('c1', after(3))
    expect(await store.cursors.nextDueAt()).toEqual(after(3))
    const claim = await claimOne(store, { now: after(3) })
    expect(claim.cursor).toMatchObject({ acknowledged: last, resyncFrom: 0, resyncUntil: last })
    await store.cursors.settle(claim, acknowledged(last, { resyncFrom: 2 }))
    const next = await claimOne(store, { now: after(8) })
    expect(next.cursor).toMatchObject({ acknowledged: last, resyncFrom: 2, resyncUntil: last })
    await store.cursors.settle(next, acknowledged(last))
    expect(await store.cursors.nextDueAt()).toBeUndefined()
  })

  test('a resync asked for during an attempt is not ended by that attempt', async (store, sealer) => {
    await store.clusters.insert(aCluster('c1'), 0, [], deedAt(start))
    const [sequence = 0] = await revokeAll(store, sealer, ['t1'])
    const claim = await claimOne(store)
    await store.cursors.resync('c1', start)
    expect(await store.cursors.settle(claim, acknowledged(sequence))).toBeUndefined()
    expect((await claimOne(store)).cursor).toMatchObject({ resyncFrom: 0, resyncUntil: sequence })
  })

  test('a cluster that is removed while claimed settles nothing, nor one made anew under its id', async (store, sealer) => {
    await store.clusters.insert(aCluster('c1'), 0, [], deedAt(start))
    await revokeAll(store, sealer, ['t1'])
    const claim = await claimOne(store)
    await store.clusters.delete('c1', deedAt(start))
    expect(await store.cursors.settle(claim, acknowledged(1))).toBeUndefined()
    await store.clusters.insert(aCluster('c1'), 0, [], deedAt(start))
    expect(await store.cursors.settle(claim, acknowledged(1))).toBeUndefined()
    expect(await store.cursors.list(start)).toMatchObject([{ acknowledged: 0 }])
  })
}
