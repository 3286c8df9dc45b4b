import { describe, expect, test } from 'vitest'
import { deedAt } from '../actors.ts'
import { aCluster } from '../store/conformance/samples.ts'
import { budgetMs, isDone, startDelivery, until } from './harness.ts'
import { createScriptedDriver, refused } from './script.ts'

const names = (count: number, prefix = 't') => Array.from({ length: count }, (_, index) => `${prefix}${index}`)

describe('a cluster that is up', () => {
  test('has a revocation before its answer', async () => {
    await using it = await startDelivery({ clusters: ['a', 'b'] })
    await it.revoke(['t1'])
    expect(it.driver.pushes('a')).toEqual([['t1']])
    expect(it.driver.pushes('b')).toEqual([['t1']])
  })

  test('gets each revocation once, in order, however they come', async () => {
    await using it = await startDelivery({ clusters: ['a'] })
    const texts = names(300)
    await Promise.all(texts.map((text) => it.revoke([text])))
    await it.revoke(['last'])
    expect(it.driver.pushes('a').flat()).toEqual([...texts, 'last'])
    expect(it.driver.pushes('a').length).toBeLessThan(30)
  })

  test('gets what comes while a batch is on its way together, in the next one', async () => {
    await using it = await startDelivery({ clusters: ['a'] })
    it.driver.script('a', 'held')
    const first = it.revoke(['t1'])
    await until(() => it.driver.attempts('a') === 1)
    const others = Promise.all([it.revoke(['t2']), it.revoke(['t3'])])
    expect(await isDone(others)).toBe(false)
    it.driver.script('a', { kind: 'accepted', url: 'u' })
    it.driver.release('a')
    await first
    await others
    expect(it.driver.pushes('a')).toEqual([['t1'], ['t2', 't3']])
    expect(it.driver.peak().oneCluster).toBe(1)
  })

  test('has its cursor written down, and the lease given back, when it has been quiet for a while', async () => {
    await using it = await startDelivery({ clusters: ['a'] })
    const last = await it.record(['t1'])
    await it.delivery.propagation.reached(last, budgetMs)
    await it.clock.advance(1_000)
    expect(await it.cursor('a')).toMatchObject({ acknowledged: last, attempts: 0, lastReason: null, behind: 0 })
    const now = it.clock.now()
    await it.record(['t2'])
    const claims = await it.store.cursors.claimDue({ now, limit: 1, leaseUntil: now, holder: 'another' })
    expect(claims).toHaveLength(1)
  })

  test('is told nothing of tokens that have expired meanwhile, and is in step all the same', async () => {
    await using it = await startDelivery({ clusters: ['a'] })
    it.driver.script('a', refused())
    await it.record(['short'], 500)
    const last = await it.record(['short too'], 500)
    it.delivery.wake()
    await it.delivery.settled()
    it.driver.script('a', { kind: 'accepted', url: 'u' })
    await it.clock.advance(2_000)
    await it.delivery.settled()
    expect(it.driver.pushes('a')).toEqual([])
    expect(await it.cursor('a')).toMatchObject({ acknowledged: last })
  })

  test('is logged once an attempt, without any token', async () => {
    await using it = await startDelivery({ clusters: ['a'] })
    await it.revoke(['secret-token'])
    expect(it.log.entries).toEqual([
      { event: 'delivery.attempted', cluster: 'a', url: 'http://cluster.test', changes: 1, outcome: 'accepted' },
    ])
  })

  test('hears of revocations that another process has recorded', async () => {
    await using it = await startDelivery({ clusters: ['a'] })
    await it.record(['of another'])
    await it.clock.advance(2_000)
    expect(it.driver.pushes('a')).toEqual([['of another']])
  })

  test('that is registered while the worker runs is waited for from then on', async () => {
    await using it = await startDelivery({ clusters: ['a'] })
    await it.store.clusters.insert(aCluster('b'), 0, [], deedAt(it.clock.now()))
    it.delivery.wake()
    await it.delivery.settled()
    it.driver.script('b', 'held')
    const answer = it.revoke(['t1'])
    expect(await isDone(answer)).toBe(false)
    it.driver.release('b')
    await answer
    await it.store.clusters.delete('b', deedAt(it.clock.now()))
    it.delivery.wake()
    await it.delivery.settled()
    await it.revoke(['t2'])
    expect(it.driver.pushes('b')).toEqual([['t1']])
  })
})

describe('a cluster that refuses', () => {
  test('is asked again by the schedule, its reason kept, for ever', async () => {
    await using it = await startDelivery({ clusters: ['a'] })
    it.driver.script('a', refused('failing'))
    await it.revoke(['t1'])
    await it.delivery.settled()
    expect(await it.cursor('a')).toMatchObject({
      attempts: 1,
      lastReason: 'failing',
      lastSaid: 'it is failing',
      behind: 1,
    })
    const made = [it.driver.attempts('a')]
    for (const pause of [999, 1, 4_999, 1, 59_999, 1, 59_999, 1]) {
      await it.clock.advance(pause)
      made.push(it.driver.attempts('a'))
    }
    expect(made).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5])
    it.driver.script('a', { kind: 'accepted', url: 'u' })
    await it.clock.advance(60_000)
    expect(it.driver.pushes('a')).toEqual([['t1']])
    expect(await it.cursor('a')).toMatchObject({ attempts: 0, lastReason: null, behind: 0 })
  })

  test('is not asked before the time it names', async () => {
    await using it = await startDelivery({ clusters: ['a'] })
    it.driver.script('a', refused('failing', { retryAfterMs: 30_000 }))
    await it.revoke(['t1'])
    await it.clock.advance(29_000)
    await it.revoke(['t2'])
    expect(it.driver.attempts('a')).toBe(1)
    await it.clock.advance(1_000)
    expect(it.driver.attempts('a')).toBe(2)
  })

  test('gets everything in one batch, in order, when it is back', async () => {
    await using it = await startDelivery({ clusters: ['a'] })
    it.driver.script('a', refused())
    const texts = names(200)
    for (const text of texts) await it.revoke([text])
    it.driver.script('a', { kind: 'accepted', url: 'u' })
    await it.clock.advance(5_000)
    expect(it.driver.pushes('a')).toEqual([texts])
  })

  test('is not waited for until it acknowledges again', async () => {
    await using it = await startDelivery({ clusters: ['a', 'b'] })
    it.driver.script('a', refused())
    await it.revoke(['t1'])
    const before = it.clock.now()
    await it.revoke(['t2'])
    expect(it.clock.now()).toEqual(before)
    it.driver.script('a', { kind: 'accepted', url: 'u' })
    await it.clock.advance(1_000)
    it.driver.script('a', 'held')
    const answer = it.revoke(['t3'])
    expect(await isDone(answer)).toBe(false)
    it.driver.release('a')
    await answer
  })

  test.each(['key_mismatch', 'not_authorized'] as const)(
    'because of our key (%s) gets the whole list again when that ends',
    async (reason) => {
      await using it = await startDelivery({ clusters: ['a'] })
      await it.revoke(['t1', 't2'])
      await it.delivery.settled()
      it.driver.script('a', refused(reason))
      await it.revoke(['t3'])
      it.driver.script('a', { kind: 'accepted', url: 'u' })
      await it.clock.advance(1_000)
      await it.delivery.settled()
      expect(it.driver.pushes('a')).toEqual([['t1', 't2'], ['t3'], ['t1', 't2', 't3']])
      expect(await it.cursor('a')).toMatchObject({ resyncFrom: null })
    },
  )

  test('by a broken driver is logged and tried again', async () => {
    const driver = createScriptedDriver()
    await using it = await startDelivery({ clusters: ['a'], driver })
    driver.script('a', () => {
      throw new Error('a bug')
    })
    await it.revoke(['t1'])
    await it.delivery.settled()
    expect(it.log.entries.map(({ event }) => event)).toEqual(['delivery.broken', 'delivery.attempted'])
    driver.script('a', { kind: 'accepted', url: 'u' })
    await it.clock.advance(1_000)
    expect(driver.pushes('a')).toEqual([['t1']])
  })
})

describe('a cluster that does not answer', () => {
  test('delays neither the others nor, beyond its budget, the answer; the next one not at all', async () => {
    await using it = await startDelivery({ clusters: ['a', 'slow'] })
    it.driver.script('slow', 'held')
    const answer = it.revoke(['t1'])
    await until(() => it.driver.pushes('a').length === 1)
    await it.clock.advance(budgetMs - 1)
    expect(await isDone(answer)).toBe(false)
    await it.clock.advance(1)
    expect(await isDone(answer)).toBe(true)
    expect(await isDone(it.revoke(['t2']))).toBe(true)
    expect(it.driver.pushes('a')).toEqual([['t1'], ['t2']])
    it.driver.script('slow', { kind: 'accepted', url: 'u' })
    it.driver.release('slow')
    await until(() => it.driver.pushes('slow').length === 2)
    expect(it.driver.pushes('slow')).toEqual([['t1'], ['t2']])
  })

  test('is given up after the time limit and tried again', async () => {
    await using it = await startDelivery({ clusters: ['hole'], config: { timeoutMs: 3_000 } })
    it.driver.script('hole', 'held')
    void it.revoke(['t1'])
    await until(() => it.driver.attempts('hole') === 1)
    await it.clock.advance(3_000)
    expect(await it.cursor('hole')).toMatchObject({ attempts: 1, lastReason: 'timed_out' })
    await it.clock.advance(1_000)
    expect(it.driver.attempts('hole')).toBe(2)
  })

  test('takes the place of another for a second', async () => {
    const dead = names(12, 'dead')
    const driver = createScriptedDriver()
    await using it = await startDelivery({ clusters: [...dead, 'well'], config: { parallel: 8 }, driver })
    for (const id of dead) driver.script(id, 'held')
    void it.delivery.propagation.reached(await it.record(['t1']), budgetMs)
    await it.clock.advance(1_250)
    expect(driver.pushes('well')).toEqual([['t1']])
  })

  test('has few places once it is known not to answer: however many are dead, the others have theirs', async () => {
    const dead = names(100, 'dead')
    const driver = createScriptedDriver()
    const config = { parallel: 8, retryMs: [100] }
    await using it = await startDelivery({ clusters: [...dead, 'well'], config, driver })
    for (const id of dead) driver.script(id, 'held')
    void it.delivery.propagation.reached(await it.record(['t0']), budgetMs)
    await it.clock.advance(60_000)
    for (let round = 1; round <= 20; round += 1) {
      const before = it.clock.now()
      void it.delivery.propagation.reached(await it.record([`t${round}`]), budgetMs)
      await until(() => driver.pushes('well').length > round)
      expect(it.clock.now()).toEqual(before)
      await it.clock.advance(500)
    }
    const attempts = dead.map((id) => driver.attempts(id))
    expect(Math.min(...attempts)).toBeGreaterThan(0)
  })

  test('a stream of revocations reaches every cluster though there are more of them than may be told at once', async () => {
    const clusters = names(30, 'c')
    const driver = createScriptedDriver()
    await using it = await startDelivery({ clusters, config: { parallel: 2 }, driver })
    const { push } = driver
    let told = 0
    // Whenever a cluster is told something, there is something new already.
    Object.assign(driver, {
      push: async (...call: Parameters<typeof push>) => {
        told += 1
        if (told <= 200) void it.delivery.propagation.reached(await it.record([`t${told}`]), 0)
        return push(...call)
      },
    })
    void it.delivery.propagation.reached(await it.record(['t0']), 0)
    await until(() => told >= 200)
    const pushes = clusters.map((id) => driver.pushes(id).length)
    expect(Math.min(...pushes)).toBeGreaterThanOrEqual(3)
    expect(Math.max(...pushes)).toBeLessThanOrEqual(12)
  })

  test('no more clusters are told at once than are allowed, and all are told', async () => {
    const clusters = names(12, 'c')
    await using it = await startDelivery({ clusters, config: { parallel: 5 } })
    for (const id of clusters) it.driver.script(id, 'held')
    void it.revoke(['t1'])
    const letGo = new Set<string>()
    while (letGo.size < clusters.length) {
      await until(() => clusters.some((id) => it.driver.attempts(id) === 1 && !letGo.has(id)))
      for (const id of clusters) {
        if (it.driver.attempts(id) === 0 || letGo.has(id)) continue
        letGo.add(id)
        it.driver.release(id)
      }
      await it.clock.advance(400)
    }
    await it.delivery.settled()
    expect(it.driver.peak().all).toBeLessThanOrEqual(5)
    for (const id of clusters) expect(it.driver.pushes(id)).toEqual([['t1']])
  })
})
