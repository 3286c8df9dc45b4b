import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createClusters, type NewCluster } from '../../../src/core/clusters/clusters.ts'
import type { BatchLimits } from '../../../src/core/revocation/batch.ts'
import { op } from '../../actors.ts'
import { createHandClock } from '../../clock.ts'
import {
  aReport,
  createScriptedDriver,
  keepLog,
  openMemoryStore,
  recordRevocations,
  refused,
} from '../../delivery/script.ts'
import { aRole } from '../../store/conformance/samples.ts'

function build(limits?: BatchLimits) {
  const opened = openMemoryStore()
  const clock = createHandClock()
  const driver = createScriptedDriver()
  const log = keepLog()
  const { store } = opened
  let wakes = 0
  const roles = [aRole('Owner'), aRole('Guest')]
  const clusters = createClusters({
    clusters: store.clusters,
    revocations: store.revocations,
    drivers: { aistore: { ...driver, predefinedRoles: () => roles } },
    wake: () => {
      wakes += 1
    },
    clock,
    log,
    ...(limits === undefined ? {} : { limits }),
  })
  const revoke = (texts: readonly string[], livesMs = 60_000) => {
    const at = clock.now()
    return recordRevocations(opened, texts, { at, expiresAt: new Date(at.getTime() + livesMs) })
  }
  return { store, clock, driver, log, clusters, revoke, wakes: () => wakes }
}

function lake(more: Partial<NewCluster> = {}): NewCluster {
  return { id: 'c1', kind: 'aistore', alias: 'lake', urls: ['http://lake.test/'], annotations: {}, ...more }
}

let it: ReturnType<typeof build>
beforeEach(() => {
  it = build()
})
afterEach(() => it.store.close())

const cursorOf = async (id: string) =>
  (await it.store.cursors.list(it.clock.now())).find(({ clusterId }) => clusterId === id)

describe('register', () => {
  test('shakes hands, stores the cluster with its roles, and wakes delivery', async () => {
    await it.clusters.register(lake({ annotations: { perm: '5' } }), op)
    const stored = { ...lake({ annotations: { perm: '5' } }), urls: ['http://lake.test'], registeredAt: it.clock.now() }
    expect(await it.store.clusters.get('lake')).toEqual(stored)
    expect(it.driver.handshakes()).toEqual([stored])
    expect((await it.store.roles.list()).map(({ name }) => name)).toEqual([
      'Admin',
      'Guest',
      'Owner',
      'gatehouse:auditor',
      'gatehouse:cluster-administrator:c1',
      'gatehouse:operator',
    ])
    expect(it.wakes()).toBe(1)
    expect(it.log.entries.map(({ event }) => event)).toEqual(['cluster.registered'])
  })

  test('pushes what is revoked and alive before it answers, and starts the cursor behind it', async () => {
    await it.revoke(['soon over'], 1_000)
    const last = await it.revoke(['a', 'b'])
    await it.clock.advance(2_000)
    await it.clusters.register(lake(), op)
    expect(it.driver.pushes('c1')).toEqual([['a', 'b']])
    expect(await cursorOf('c1')).toMatchObject({ acknowledged: last, resyncFrom: null })
  })

  test.each([
    { finds: 'says that it is another', report: { clusterId: 'c2', trouble: 'not_a_cluster' } },
    { finds: 'lets our token for that id do nothing', report: { clusterId: null, trouble: 'not_authorized' } },
  ] as const)('a cluster that $finds is not taken in, unless the id is sure', async ({ report }) => {
    const trouble = { reason: report.trouble, said: 'its words', advice: 'do this' }
    it.driver.find('c1', () => aReport('c1', [], { clusterId: report.clusterId, trouble }))
    const told = { clusterId: 'c1', where: 'lake', reason: report.trouble, said: 'its words', advice: 'do this' }
    await expect(it.clusters.register(lake(), op)).rejects.toMatchObject({ code: 'cluster_refused', details: told })
    expect(await it.store.clusters.get('c1')).toBeUndefined()
    await it.clusters.register(lake(), op, { isIdSure: true })
  })

  test('a cluster that trusts our key and can not be looked at is taken in', async () => {
    const trouble = { reason: 'timed_out', said: 'nothing', advice: 'wait' } as const
    it.driver.find('c1', () => aReport('c1', [], { clusterId: null, trouble }))
    await it.clusters.register(lake(), op)
    expect(await it.store.clusters.get('c1')).toBeDefined()
  })

  test('pushes nothing where nothing is revoked', async () => {
    await it.clusters.register(lake(), op)
    expect(it.driver.attempts('c1')).toBe(0)
  })

  test('pushes in batches that keep to the limits', async () => {
    const { clusters, driver, revoke, store } = build({ changes: 3, bytes: 50 })
    await revoke(['a', 'b', 'c', 'd', 'x'.repeat(30), 'y'.repeat(30), 'z'.repeat(100), 'e'])
    await clusters.register(lake(), op)
    expect(driver.pushes('c1')).toEqual([
      ['a', 'b', 'c'],
      ['d', 'x'.repeat(30)],
      ['y'.repeat(30)],
      ['z'.repeat(100)],
      ['e'],
    ])
    await store.close()
  })

  test('a refused handshake says where, why and what to do; nothing is stored', async () => {
    it.driver.script('c1', refused('key_mismatch'))
    await expect(it.clusters.register(lake(), op)).rejects.toMatchObject({
      code: 'cluster_refused',
      details: { clusterId: 'c1', where: 'lake', reason: 'key_mismatch', said: 'it is key_mismatch', advice: 'Look.' },
    })
    await expect(it.clusters.register(lake({ alias: null }), op)).rejects.toMatchObject({
      details: { where: 'http://cluster.test' },
    })
    expect(await it.store.clusters.list()).toEqual([])
    expect((await it.store.roles.list()).filter(({ isBuiltIn }) => !isBuiltIn)).toEqual([])
    expect(it.wakes()).toBe(0)
  })

  test('a refused push leaves nothing behind either', async () => {
    await it.revoke(['a'])
    let calls = 0
    it.driver.script('c1', () => {
      calls += 1
      return calls === 1 ? { kind: 'accepted', url: 'u' } : refused('failing')
    })
    await expect(it.clusters.register(lake(), op)).rejects.toMatchObject({ code: 'cluster_refused' })
    expect(await it.store.clusters.list()).toEqual([])
  })

  test('without URLs it is stored unchecked, and hears of everything once it has one', async () => {
    const last = await it.revoke(['a'])
    await it.clusters.register(lake({ urls: [] }), op)
    expect(it.driver.handshakes()).toEqual([])
    expect(await cursorOf('c1')).toMatchObject({ acknowledged: 0 })
    await it.clusters.update('c1', { urls: ['http://lake.test'] }, op)
    expect(await cursorOf('c1')).toMatchObject({ resyncFrom: 0, resyncUntil: last })
  })

  test.each([
    [{ id: '' }, 'field_missing', { field: 'id' }],
    [{ id: 'a b' }, 'field_invalid', { field: 'id' }],
    [{ id: 'x'.repeat(300) }, 'field_invalid', { field: 'id' }],
    [{ alias: 'a b' }, 'field_invalid', { field: 'alias' }],
    [{ urls: ['ftp://x'] }, 'field_invalid', { field: 'urls' }],
  ] as const)('%j is refused before anybody is asked', async (more, code, details) => {
    await expect(it.clusters.register(lake(more), op)).rejects.toMatchObject({ code, details })
    expect(it.driver.handshakes()).toEqual([])
  })

  test.each([
    [{ id: 'c1', alias: 'other' }],
    [{ id: 'c2', alias: 'lake' }],
    [{ id: 'c2', alias: 'c1' }],
    [{ id: 'lake', alias: null }],
  ])('%j clashes with c1, known as lake, and nobody is asked', async (more) => {
    await it.clusters.register(lake(), op)
    await expect(it.clusters.register(lake(more), op)).rejects.toMatchObject({
      code: 'cluster_exists',
      details: { id: more.id, foundId: 'c1' },
    })
    expect(it.driver.handshakes()).toHaveLength(1)
  })

  test('of two registrations of one id at once, one wins and the other is told', async () => {
    const results = await Promise.allSettled([it.clusters.register(lake(), op), it.clusters.register(lake(), op)])
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'cluster_exists' } })
  })
})

describe('update', () => {
  test('by id or alias: hands are shaken under the new values, and the revocations are sent again', async () => {
    await it.clusters.register(lake(), op)
    const last = await it.revoke(['a'])
    await it.clusters.update('lake', { alias: 'pond' }, op)
    await it.clusters.update('c1', { urls: ['http://pond.test'] }, op)
    expect(it.driver.handshakes().slice(1)).toMatchObject([
      { alias: 'pond', urls: ['http://lake.test'] },
      { alias: 'pond', urls: ['http://pond.test'] },
    ])
    expect(await it.store.clusters.get('c1')).toMatchObject({ alias: 'pond', urls: ['http://pond.test'] })
    expect(await cursorOf('c1')).toMatchObject({ resyncFrom: 0, resyncUntil: last })
    expect(it.wakes()).toBe(3)
  })

  test('what is empty stays as it was', async () => {
    await it.clusters.register(lake(), op)
    await it.clusters.update('c1', { alias: '', urls: [] }, op)
    expect(await it.store.clusters.get('c1')).toMatchObject({ alias: 'lake', urls: ['http://lake.test'] })
  })

  test('a refusal leaves the record as it was', async () => {
    await it.clusters.register(lake(), op)
    it.driver.script('c1', refused('key_mismatch'))
    await expect(it.clusters.update('c1', { urls: ['http://b.test'] }, op)).rejects.toMatchObject({
      code: 'cluster_refused',
    })
    expect(await it.store.clusters.get('c1')).toMatchObject({ urls: ['http://lake.test'] })
    expect(await cursorOf('c1')).toMatchObject({ resyncFrom: null })
  })

  test('an alias that another cluster has as alias or id is taken; its own names are not', async () => {
    await it.clusters.register(lake(), op)
    await it.clusters.register(lake({ id: 'c2', alias: 'pond' }), op)
    for (const alias of ['lake', 'c1']) {
      await expect(it.clusters.update('c2', { alias }, op)).rejects.toMatchObject({
        code: 'alias_taken',
        details: { alias, clusterId: 'c1' },
      })
    }
    await it.clusters.update('c2', { alias: 'pond' }, op)
    await it.clusters.update('c2', { alias: 'c2' }, op)
    expect(await it.store.clusters.get('c2')).toMatchObject({ id: 'c2', alias: 'c2' })
  })

  test('an unknown cluster and a bad alias are refused before anybody is asked', async () => {
    await it.clusters.register(lake(), op)
    await expect(it.clusters.update('nobody', {}, op)).rejects.toMatchObject({ code: 'cluster_not_found' })
    await expect(it.clusters.update('c1', { alias: '-a' }, op)).rejects.toMatchObject({ code: 'field_invalid' })
    expect(it.driver.handshakes()).toHaveLength(1)
  })
})

test('deregister forgets the cluster, which is not told', async () => {
  await it.clusters.register(lake(), op)
  await it.clusters.deregister('lake', op)
  expect(await it.store.clusters.list()).toEqual([])
  expect(await it.store.cursors.list(it.clock.now())).toEqual([])
  expect(it.driver.handshakes()).toHaveLength(1)
  await expect(it.clusters.deregister('lake', op)).rejects.toMatchObject({ code: 'cluster_not_found' })
})
