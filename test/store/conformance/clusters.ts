import { expect } from 'vitest'
import { deedAt } from '../../actors.ts'
import { aCluster, after, aRole, failure, revokeAll, type StoreTest, start } from './samples.ts'

export function clusterConformance(test: StoreTest): void {
  test('a cluster is read back by its id and by its alias, as it was given', async (store) => {
    const cluster = aCluster('c1', {
      alias: 'one',
      urls: ['http://a', 'https://b'],
      annotations: { perm: '7', list: [1] },
    })
    await store.clusters.insert(cluster, 0, [], deedAt(start))
    expect(await store.clusters.get('c1')).toEqual(cluster)
    expect(await store.clusters.get('one')).toEqual(cluster)
    expect(await store.clusters.get('two')).toBeUndefined()
  })

  test('an id is looked for before an alias', async (store) => {
    await store.clusters.insert(aCluster('c1', { alias: 'c1' }), 0, [], deedAt(start))
    await store.clusters.insert(aCluster('c2'), 0, [], deedAt(start))
    expect((await store.clusters.get('c1'))?.id).toBe('c1')
  })

  test('the list has all clusters, sorted by id', async (store) => {
    for (const id of ['c2', 'C3', 'c1']) await store.clusters.insert(aCluster(id), 0, [], deedAt(start))
    expect((await store.clusters.list()).map((cluster) => cluster.id)).toEqual(['C3', 'c1', 'c2'])
  })

  const clashes = [
    ['id is the id', aCluster('c1')],
    ['id is the alias', aCluster('one')],
    ['alias is the id', aCluster('c2', { alias: 'c1' })],
    ['alias is the alias', aCluster('c2', { alias: 'one' })],
  ] as const
  for (const [what, cluster] of clashes) {
    test(`a new cluster whose ${what} of another is refused, and nothing of it is kept`, async (store) => {
      await store.clusters.insert(aCluster('c1', { alias: 'one' }), 0, [], deedAt(start))
      expect((await store.clusters.findClash(cluster.id, cluster.alias))?.id).toBe('c1')
      await expect(store.clusters.insert(cluster, 0, [aRole('new')], deedAt(start))).rejects.toMatchObject(
        failure('cluster_exists', { id: cluster.id, foundId: 'c1' }),
      )
      expect(await store.clusters.list()).toHaveLength(1)
      expect(await store.roles.get('new')).toBeUndefined()
      expect(await store.cursors.list(start)).toHaveLength(1)
    })
  }

  test('clusters without an alias do not clash', async (store) => {
    await store.clusters.insert(aCluster('c1'), 0, [], deedAt(start))
    expect(await store.clusters.findClash('c2', null)).toBeUndefined()
    await store.clusters.insert(aCluster('c2'), 0, [], deedAt(start))
  })

  test('roles come with a new cluster, where their names are free', async (store) => {
    await store.roles.insert(aRole('taken', { description: 'mine' }), deedAt(start))
    await store.clusters.insert(aCluster('c1'), 0, [aRole('taken'), aRole('free')], deedAt(start))
    expect((await store.roles.get('taken'))?.description).toBe('mine')
    expect((await store.roles.get('free'))?.grants).toEqual(aRole('free').grants)
  })

  test('a new cluster is owed only what came after what it has acknowledged', async (store, sealer) => {
    const [first = 0] = await revokeAll(store, sealer, ['t1'])
    await store.clusters.insert(aCluster('c1'), first, [], deedAt(start))
    expect(await store.cursors.list(start)).toMatchObject([{ clusterId: 'c1', acknowledged: first, resyncFrom: null }])
    expect(await store.cursors.nextDueAt()).toBeUndefined()
    await revokeAll(store, sealer, ['t2'])
    expect(await store.cursors.nextDueAt()).toEqual(start)
  })

  test('an update changes what it names, keeps the rest, and resyncs the revocations', async (store, sealer) => {
    const [sequence = 0] = await revokeAll(store, sealer, ['t1'])
    const cluster = aCluster('c1', { alias: 'one' })
    await store.clusters.insert(cluster, sequence, [], deedAt(start))
    await store.clusters.update('c1', { urls: ['http://new'] }, deedAt(after(5)))
    expect(await store.clusters.get('c1')).toEqual({ ...cluster, urls: ['http://new'] })
    expect(await store.cursors.list(start)).toMatchObject([
      { acknowledged: sequence, resyncFrom: 0, resyncUntil: sequence, attempts: 0, nextAttemptAt: after(5) },
    ])
    await store.clusters.update('c1', { alias: 'two' }, deedAt(after(6)))
    expect(await store.clusters.get('two')).toEqual({ ...cluster, alias: 'two', urls: ['http://new'] })
    expect(await store.clusters.get('one')).toBeUndefined()
  })

  test('an alias that is another cluster\u2019s alias or id is refused; its own is not', async (store) => {
    await store.clusters.insert(aCluster('c1', { alias: 'one' }), 0, [], deedAt(start))
    await store.clusters.insert(aCluster('c2', { alias: 'two' }), 0, [], deedAt(start))
    for (const alias of ['one', 'c1']) {
      await expect(store.clusters.update('c2', { alias, urls: ['http://new'] }, deedAt(start))).rejects.toMatchObject(
        failure('alias_taken', { alias, clusterId: 'c1' }),
      )
    }
    expect((await store.clusters.get('c2'))?.urls).toEqual(aCluster('c2').urls)
    for (const alias of ['two', 'c2']) await store.clusters.update('c2', { alias }, deedAt(start))
  })

  test('an unknown cluster can be neither updated nor deleted', async (store) => {
    const refused = failure('cluster_not_found', { name: 'c1' })
    await expect(store.clusters.update('c1', {}, deedAt(start))).rejects.toMatchObject(refused)
    await expect(store.clusters.delete('c1', deedAt(start))).rejects.toMatchObject(refused)
  })

  test('a cluster is deleted by id or alias, with its cursor, and its roles stay', async (store) => {
    const one = aCluster('c1', { alias: 'one' })
    await store.clusters.insert(one, 0, [aRole('Guest-one')], deedAt(start))
    await store.clusters.insert(aCluster('c2'), 0, [], deedAt(start))
    expect(await store.clusters.delete('one', deedAt(start))).toEqual(one)
    expect((await store.clusters.delete('c2', deedAt(start))).id).toBe('c2')
    expect(await store.clusters.list()).toEqual([])
    expect(await store.cursors.list(start)).toEqual([])
    expect(await store.roles.get('Guest-one')).toBeDefined()
  })
}
