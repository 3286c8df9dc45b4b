import { describe, expect, test } from 'vitest'
import { budgetMs, startDelivery, until } from './harness.ts'
import { createScriptedDriver, openMemoryStore, refused } from './script.ts'

const names = (count: number) => Array.from({ length: count }, (_, index) => `t${index}`)

describe('a resync', () => {
  test('sends again what still matters, in batches, and only to that cluster', async () => {
    await using it = await startDelivery({ clusters: ['a', 'b'], config: { limits: { changes: 4, bytes: 1_000 } } })
    await it.record(['over soon'], 1_000)
    for (const text of names(9)) await it.revoke([text])
    await it.delivery.settled()
    await it.clock.advance(2_000)
    const before = it.driver.pushes('a').length
    const toB = it.driver.pushes('b').length
    await it.store.cursors.resync('a', it.clock.now())
    it.delivery.wake()
    await it.delivery.settled()
    expect(it.driver.pushes('a').slice(before)).toEqual([['t0', 't1', 't2', 't3'], ['t4', 't5', 't6', 't7'], ['t8']])
    expect(it.driver.pushes('b')).toHaveLength(toB)
    expect(await it.cursor('a')).toMatchObject({ resyncFrom: null, behind: 0 })
  })

  test('does not hold up new revocations: they go with the next batch', async () => {
    await using it = await startDelivery({ clusters: ['a'], config: { limits: { changes: 4, bytes: 1_000 } } })
    for (const text of names(9)) await it.revoke([text])
    await it.delivery.settled()
    const before = it.driver.pushes('a').length
    it.driver.script('a', 'held')
    await it.store.cursors.resync('a', it.clock.now())
    it.delivery.wake()
    const attempts = it.driver.attempts('a')
    await until(() => it.driver.attempts('a') === attempts + 1)
    const last = await it.record(['new'])
    it.driver.script('a', { kind: 'accepted', url: 'u' })
    it.driver.release('a')
    await it.delivery.propagation.reached(last, budgetMs)
    await it.delivery.settled()
    expect(it.driver.pushes('a').slice(before)).toEqual([
      ['t0', 't1', 't2', 't3'],
      ['new', 't4', 't5', 't6'],
      ['t7', 't8'],
    ])
  })

  test('in large batches takes turns with new revocations: neither waits for the end of the other', async () => {
    await using it = await startDelivery({ clusters: ['a'], config: { limits: { changes: 100, bytes: 100_000 } } })
    const old = Array.from({ length: 6 }, (_, index) => `${index}`.repeat(40_000))
    for (const text of old) await it.revoke([text])
    await it.delivery.settled()
    const before = it.driver.pushes('a').length
    const { push } = it.driver
    let fresh = 0
    // Whenever the cluster is told something, there is something new already.
    Object.assign(it.driver, {
      push: async (...call: Parameters<typeof push>) => {
        fresh += 1
        if (fresh <= 9) await it.record([`new${fresh}`])
        return push(...call)
      },
    })
    await it.store.cursors.resync('a', it.clock.now())
    await it.record(['new0'])
    it.delivery.wake()
    await it.delivery.settled()
    const kinds = it.driver.pushes('a').slice(before)
    expect(kinds.flat().toSorted()).toEqual([...old, ...Array.from({ length: 10 }, (_, n) => `new${n}`)].toSorted())
    expect(kinds.slice(0, 6).map((texts) => (texts[0]?.startsWith('new') ? 'new' : 'old'))).toEqual([
      'new',
      'old',
      'new',
      'old',
      'new',
      'old',
    ])
  })

  test('of many clusters at once reads each piece of the log a few times, however many they are', async () => {
    const clusters = Array.from({ length: 40 }, (_, index) => `c${index}`)
    const opened = openMemoryStore()
    let reads = 0
    const { revocations } = opened.store
    const counted = {
      ...opened.store,
      revocations: {
        ...revocations,
        after: (...asked: Parameters<typeof revocations.after>) => {
          reads += 1
          return revocations.after(...asked)
        },
      },
    }
    const config = { limits: { changes: 100, bytes: 100_000 } }
    await using it = await startDelivery({ clusters, opened: { ...opened, store: counted }, config })
    const pieces = 12
    for (let piece = 0; piece < pieces; piece += 1) {
      await it.revoke(Array.from({ length: 9 }, (_, index) => `${piece}-${index}-`.padEnd(10_000, 'x')))
    }
    await it.delivery.settled()
    for (const id of clusters) {
      await it.store.cursors.wantCanary(id, it.clock.now())
      await it.store.cursors.resync(id, it.clock.now())
    }
    reads = 0
    it.delivery.wake()
    await it.delivery.settled()
    for (const id of clusters) expect((await it.cursor(id))?.resyncFrom).toBeNull()
    expect(reads).toBeLessThan(3 * pieces)
    await it.stop()
    await opened.store.close()
  })

  test('that begins while a batch is on its way is not ended by it', async () => {
    await using it = await startDelivery({ clusters: ['a'] })
    await it.revoke(['t1'])
    await it.delivery.settled()
    it.driver.script('a', 'held')
    void it.revoke(['t2'])
    await until(() => it.driver.attempts('a') === 2)
    await it.store.cursors.resync('a', it.clock.now())
    it.driver.script('a', { kind: 'accepted', url: 'u' })
    it.driver.release('a')
    await it.delivery.settled()
    expect(it.driver.pushes('a').at(-1)).toEqual(expect.arrayContaining(['t1']))
    expect(await it.cursor('a')).toMatchObject({ resyncFrom: null, behind: 0 })
  })
})

describe('ending and beginning again', () => {
  test('what was acknowledged is not sent again after a restart, and what was not, is', async () => {
    const opened = openMemoryStore()
    const first = await startDelivery({ clusters: ['a', 'b'], opened })
    first.driver.script('b', refused())
    await first.revoke(['t1', 't2'])
    await first.stop()
    const second = await startDelivery({ opened, clock: first.clock })
    await second.clock.advance(1_000)
    await second.delivery.settled()
    expect(second.driver.pushes('a')).toEqual([])
    expect(second.driver.pushes('b')).toEqual([['t1', 't2']])
    await second.stop()
    await opened.store.close()
  })

  test('the schedule goes on where it was after a restart', async () => {
    const opened = openMemoryStore()
    const first = await startDelivery({ clusters: ['a'], opened })
    first.driver.script('a', refused())
    await first.revoke(['t1'])
    await first.clock.advance(1_000)
    await first.stop()
    const second = await startDelivery({ opened, clock: first.clock })
    await second.clock.advance(4_000)
    expect(second.driver.attempts('a')).toBe(0)
    await second.clock.advance(1_000)
    expect(second.driver.attempts('a')).toBe(1)
    await second.stop()
    await opened.store.close()
  })

  test('it ends at once while a cluster does not answer, and gives the lease back', async () => {
    const opened = openMemoryStore()
    const first = await startDelivery({ clusters: ['a'], opened })
    first.driver.script('a', 'held')
    void first.revoke(['t1'])
    await until(() => first.driver.attempts('a') === 1)
    await first.stop()
    const second = await startDelivery({ opened, clock: first.clock })
    expect(second.driver.pushes('a')).toEqual([['t1']])
    expect(await second.cursor('a')).toMatchObject({ attempts: 0 })
    await second.stop()
    await opened.store.close()
  })

  test('a lease that was lost fences its holder off: its late success moves nothing', async () => {
    const opened = openMemoryStore()
    const late = await startDelivery({ clusters: ['a'], opened, config: { timeoutMs: 60_000 } })
    late.driver.script('a', 'held')
    void late.revoke(['t1'])
    await until(() => late.driver.attempts('a') === 1)
    const { now, ...later } = { now: new Date(late.clock.now().getTime() + 120_000), limit: 1, holder: 'another' }
    const [claim] = await opened.store.cursors.claimDue({ now, ...later, leaseUntil: new Date(now.getTime() + 60_000) })
    expect(claim?.cluster.id).toBe('a')
    late.driver.release('a')
    await until(() => late.driver.pushes('a').length === 1)
    await late.stop()
    expect(await late.cursor('a')).toMatchObject({ acknowledged: 0, behind: 1 })
    await opened.store.close()
  })

  test('of two workers on one store, never both tell a cluster at once, and nothing is missed', async () => {
    const opened = openMemoryStore()
    const driver = createScriptedDriver()
    const one = await startDelivery({ clusters: ['a', 'b'], opened, driver })
    const two = await startDelivery({ opened, driver, clock: one.clock })
    const texts = names(60)
    for (const [index, text] of texts.entries()) void (index % 2 === 0 ? one : two).revoke([text])
    await one.clock.advance(3_000)
    expect([...new Set(driver.pushes('a').flat())].sort()).toEqual([...texts].sort())
    expect([...new Set(driver.pushes('b').flat())].sort()).toEqual([...texts].sort())
    expect(driver.peak().oneCluster).toBe(1)
    await one.stop()
    await two.stop()
    await opened.store.close()
  })
})
