import { describe, expect, test } from 'vitest'
import type { CursorStore } from '../../src/delivery/cursor-store.ts'
import { startDelivery, until } from './harness.ts'
import { createScriptedDriver, openMemoryStore, refused } from './script.ts'

async function want(under: Awaited<ReturnType<typeof startDelivery>>) {
  await under.store.cursors.wantCanary('c1', under.clock.now())
  under.delivery.wake()
  await under.delivery.settled()
}

test('a cluster that is in step gets the canary it wants in a batch of its own, and is in want of none', async () => {
  await using it = await startDelivery({ clusters: ['c1', 'c2'] })
  await want(it)
  expect(it.driver.pushes('c1')).toEqual([[expect.stringMatching(/^canary-c1-/)]])
  expect(it.driver.attempts('c2')).toBe(0)
  expect(await it.cursor('c1')).toMatchObject({ isCanaryWanted: false, canary: { acknowledgedAt: it.clock.now() } })
})

test('the canary goes first, before what is new and what is sent again', async () => {
  await using it = await startDelivery({ clusters: ['c1'], config: { limits: { changes: 2, bytes: 10_000 } } })
  await it.revoke(['a', 'b', 'c'])
  await it.delivery.settled()
  const before = it.driver.pushes('c1').length
  await it.store.cursors.wantCanary('c1', it.clock.now())
  await it.store.cursors.resync('c1', it.clock.now())
  await it.record(['d'])
  it.delivery.wake()
  await it.delivery.settled()
  expect(it.driver.pushes('c1').slice(before)).toEqual([
    [expect.stringMatching(/^canary-/), 'd', 'a'],
    ['b', 'c'],
  ])
})

test('before a large batch the canary goes out by itself, so that clusters share the batch', async () => {
  await using it = await startDelivery({ clusters: ['c1', 'c2'] })
  const texts = ['a', 'b', 'c'].map((text) => text.repeat(30_000))
  await it.revoke(texts)
  const seen: (readonly unknown[])[] = []
  const { push } = it.driver
  Object.assign(it.driver, {
    push: (...call: Parameters<typeof push>) => {
      seen.push(call[1])
      return push(...call)
    },
  })
  for (const id of ['c1', 'c2']) {
    await it.store.cursors.wantCanary(id, it.clock.now())
    await it.store.cursors.resync(id, it.clock.now())
  }
  it.delivery.wake()
  await it.delivery.settled()
  expect(it.driver.pushes('c1').slice(1)).toEqual([[expect.stringMatching(/^canary-c1-/)], texts])
  const [one, other] = seen.filter((changes) => changes.length === 3)
  expect(one).toBe(other)
  expect(await it.cursor('c1')).toMatchObject({ resyncFrom: null, isCanaryWanted: false })
})

test('a resync brings a new canary to a cluster that had one', async () => {
  await using it = await startDelivery({ clusters: ['c1'] })
  await want(it)
  await it.store.cursors.resync('c1', it.clock.now())
  it.delivery.wake()
  await it.delivery.settled()
  const [[first], [second]] = it.driver.pushes('c1') as [[string], [string]]
  expect(second).toMatch(/^canary-/)
  expect(second).not.toBe(first)
})

describe('until the cluster has acknowledged it', () => {
  test('there is no canary to show, and each attempt makes another one', async () => {
    await using it = await startDelivery({ clusters: ['c1'] })
    it.driver.script('c1', refused('timed_out'))
    await want(it)
    const targets = () => it.store.probes.claimDue({ now: it.clock.now(), limit: 9, everyMs: 1 })
    await it.clock.advance(10)
    expect(await targets()).toMatchObject([{ canary: null, isResyncing: true }])
    it.driver.script('c1', { kind: 'accepted', url: 'u' })
    await it.clock.advance(1_500)
    await until(() => it.driver.pushes('c1').length === 1)
    await it.delivery.settled()
    const [[pushed]] = it.driver.pushes('c1') as [[string]]
    await it.clock.advance(10)
    expect(await targets()).toMatchObject([{ canary: { token: pushed }, isResyncing: false }])
  })

  test('what it was told counts as acknowledged only with the canary', async () => {
    await using it = await startDelivery({ clusters: ['c1'] })
    const last = await it.record(['a'])
    it.driver.script('c1', refused('failing'))
    await want(it)
    expect(await it.cursor('c1')).toMatchObject({ acknowledged: 0, isCanaryWanted: true, canary: null })
    it.driver.script('c1', { kind: 'accepted', url: 'u' })
    await it.clock.advance(1_500)
    await until(() => it.driver.pushes('c1').length === 1)
    await it.delivery.settled()
    expect(await it.cursor('c1')).toMatchObject({ acknowledged: last, isCanaryWanted: false })
  })
})

describe('it is kept before it is sent', () => {
  async function startWatched(keep: (put: () => Promise<boolean>) => Promise<boolean>) {
    const opened = openMemoryStore()
    const driver = createScriptedDriver()
    const attemptsBefore: number[] = []
    const cursors: CursorStore = {
      ...opened.store.cursors,
      putCanary: (claim, canary) => {
        attemptsBefore.push(driver.attempts('c1'))
        return keep(() => opened.store.cursors.putCanary(claim, canary))
      },
    }
    const it = await startDelivery({
      opened: { ...opened, store: { ...opened.store, cursors } },
      driver,
      clusters: ['c1'],
    })
    return { it, attemptsBefore }
  }

  test('so that a crash after sending leaves no unknown one behind', async () => {
    const { it, attemptsBefore } = await startWatched((put) => put())
    await using _ = it
    await want(it)
    expect(attemptsBefore).toEqual([0])
    expect(it.driver.attempts('c1')).toBe(1)
  })

  test('and is not sent where the lease has gone to somebody else', async () => {
    let isLost = true
    const { it } = await startWatched(async (put) => {
      if (!isLost) return put()
      isLost = false
      return false
    })
    await using _ = it
    await it.store.cursors.wantCanary('c1', it.clock.now())
    it.delivery.wake()
    await until(() => !isLost)
    await it.delivery.settled()
    expect(it.driver.attempts('c1')).toBe(0)
  })
})

test('a wait that was planned before the clock was set back holds nobody up', async () => {
  await using it = await startDelivery({ clusters: ['c1'] })
  it.driver.script('c1', refused('unreachable'))
  await it.revoke(['a'])
  await it.delivery.settled()
  it.driver.script('c1', { kind: 'accepted', url: 'u' })
  it.clock.step(-3_600_000)
  await it.clock.advance(1_500)
  await until(() => it.driver.pushes('c1').length === 1)
  expect(it.driver.pushes('c1')).toEqual([['a']])
})

test('a lease that was taken before the clock was set back does not keep a cluster from being told', async () => {
  await using it = await startDelivery({ clusters: ['c1'] })
  const { clock, store } = it
  await it.stop()
  await it.record(['a'])
  const now = clock.now()
  const ofTheDead = { now, limit: 1, leaseUntil: new Date(now.getTime() + 15_000), holder: 'dead' }
  expect(await store.cursors.claimDue(ofTheDead)).toHaveLength(1)
  clock.step(-3_600_000)
  await using next = await startDelivery({ opened: it, clock })
  expect(next.driver.pushes('c1')).toEqual([['a']])
})
