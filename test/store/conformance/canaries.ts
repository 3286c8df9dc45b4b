import { expect } from 'vitest'
import type { Store } from '../../../src/store/store.ts'
import { deedAt } from '../../actors.ts'
import { aCluster, after, revokeAll, type StoreTest, start } from './samples.ts'

async function claimOne(store: Store, ms = 0) {
  const [claim] = await store.cursors.claimDue({
    now: after(ms),
    limit: 1,
    leaseUntil: after(ms + 1000),
    holder: 'test',
  })
  if (claim === undefined) throw new Error('nothing is due')
  return claim
}

function pushed(acknowledged: number, ms: number, isCanaryPushed = true) {
  return {
    kind: 'acknowledged',
    acknowledged,
    resyncFrom: null,
    at: after(ms),
    isCanaryPushed,
    leaseUntil: null,
  } as const
}

const canary = { token: 'canary', expiresAt: after(60_000) }

export function canaryConformance(test: StoreTest): void {
  test('a cluster in want of a canary is due at once, though it is in step', async (store) => {
    await store.clusters.insert(aCluster('c1'), 0, [], deedAt(start))
    expect(await store.cursors.nextDueAt()).toBeUndefined()
    await store.cursors.wantCanary('c1', after(5))
    expect(await store.cursors.nextDueAt()).toEqual(after(5))
    expect((await claimOne(store, 5)).cursor.isCanaryWanted).toBe(true)
  })

  test('a canary is held when its push was acknowledged, and wanted no longer', async (store) => {
    await store.clusters.insert(aCluster('c1'), 0, [], deedAt(start))
    await store.cursors.wantCanary('c1', start)
    const claim = await claimOne(store)
    expect(await store.cursors.putCanary(claim, canary)).toBe(true)
    expect(await store.cursors.list(start)).toMatchObject([{ canary: null, isCanaryWanted: true }])
    expect(await store.cursors.settle(claim, pushed(0, 4))).toMatchObject({ isCanaryWanted: false })
    const { expiresAt } = canary
    expect(await store.cursors.list(start)).toMatchObject([{ canary: { expiresAt, acknowledgedAt: after(4) } }])
    expect(await store.cursors.nextDueAt()).toBeUndefined()
  })

  test('a batch without the canary leaves it wanted, and so does a failure', async (store, sealer) => {
    await store.clusters.insert(aCluster('c1'), 0, [], deedAt(start))
    const [sequence = 0] = await revokeAll(store, sealer, ['t1'])
    await store.cursors.wantCanary('c1', start)
    await store.cursors.settle(await claimOne(store), pushed(sequence, 1, false))
    const failing = await claimOne(store, 2)
    expect(failing.cursor.isCanaryWanted).toBe(true)
    const failure = { attempts: 1, nextAttemptAt: after(9), reason: 'failing', said: 'no', at: after(3) } as const
    expect(await store.cursors.settle(failing, { kind: 'failed', ...failure })).toMatchObject({ isCanaryWanted: true })
    expect(await store.cursors.nextDueAt()).toEqual(after(9))
  })

  test('whose lease is lost keeps no canary', async (store) => {
    await store.clusters.insert(aCluster('c1'), 0, [], deedAt(start))
    await store.cursors.wantCanary('c1', start)
    const claim = await claimOne(store)
    await store.cursors.resync('c1', after(1))
    expect(await store.cursors.putCanary(claim, canary)).toBe(false)
    expect(await store.cursors.list(start)).toMatchObject([{ canary: null, isCanaryWanted: true }])
  })

  test('a resync asks for a new canary only where the cluster has one', async (store) => {
    await store.clusters.insert(aCluster('c1'), 0, [], deedAt(start))
    await store.cursors.resync('c1', start)
    expect((await claimOne(store)).cursor.isCanaryWanted).toBe(false)
    await store.cursors.wantCanary('c1', start)
    const claim = await claimOne(store, 2000)
    await store.cursors.putCanary(claim, canary)
    await store.cursors.settle(claim, pushed(0, 2001))
    await store.clusters.update('c1', { urls: ['http://new'] }, deedAt(after(2002)))
    expect((await claimOne(store, 2002)).cursor).toMatchObject({ isCanaryWanted: true, resyncFrom: 0 })
  })
}
