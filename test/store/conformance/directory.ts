import { expect } from 'vitest'
import type { Store } from '../../../src/store/store.ts'
import { aCluster, after, aJwk, aRevocation, aRole, aToken, aUser, by, type StoreTest, start } from './samples.ts'

export function keyConformance(test: StoreTest): void {
  test('keys are listed oldest first, from published to active to retiring', async (store) => {
    const [first, second] = [aJwk('kid-2'), aJwk('kid-1')]
    await store.keys.publish(first, start)
    expect(await store.keys.list()).toEqual([{ kid: 'kid-2', publicJwk: first, state: 'next', createdAt: start }])
    await store.keys.activate('kid-2', after(1))
    await store.keys.publish(second, after(2))
    await store.keys.activate('kid-1', after(3))
    expect(await store.keys.list()).toEqual([
      { kid: 'kid-2', publicJwk: first, state: 'retiring', createdAt: start },
      { kid: 'kid-1', publicJwk: second, state: 'active', createdAt: after(2) },
    ])
  })

  test('a key that is published or activated again stays as it is', async (store) => {
    const key = aJwk('kid-1')
    await store.keys.publish(key, start)
    await store.keys.activate('kid-1', start)
    await store.keys.publish(aJwk('kid-1'), after(1))
    await store.keys.activate('kid-1', after(1))
    expect(await store.keys.list()).toEqual([{ kid: 'kid-1', publicJwk: key, state: 'active', createdAt: start }])
  })

  test('a key that was never published can\u2019t be activated, and the active one goes on', async (store) => {
    await store.keys.publish(aJwk('kid-1'), start)
    await store.keys.activate('kid-1', start)
    await expect(store.keys.activate('kid-2', start)).rejects.toThrow('never published')
    expect((await store.keys.list())[0]?.state).toBe('active')
  })
}

export function settingsConformance(test: StoreTest): void {
  test('settings are put together and read back, secret or not, the last value counting', async (store) => {
    expect(await store.settings.list()).toEqual([])
    await store.settings.put([{ name: 'b', value: 'old', isSecret: false }], start)
    await store.settings.put(
      [
        { name: 'a', value: 'hidden \u00e9', isSecret: true },
        { name: 'b', value: 'new', isSecret: false },
      ],
      after(1),
    )
    expect(await store.settings.list()).toEqual([
      { name: 'a', value: 'hidden \u00e9' },
      { name: 'b', value: 'new' },
    ])
    await store.settings.put([{ name: 'a', value: '', isSecret: true }], after(2))
    expect((await store.settings.list())[0]).toEqual({ name: 'a', value: '' })
  })
}

export function revisionConformance(test: StoreTest): void {
  const changes: readonly [what: string, change: (store: Store) => Promise<unknown>][] = [
    ['a user', (store) => store.users.update('ann', { actor: 'op', roleNames: ['r'], at: start })],
    ['a new user', (store) => store.users.insert(aUser('bob'))],
    ['a role', (store) => store.roles.update('r', (role) => role, by)],
    ['a deleted role', (store) => store.roles.delete('r', by)],
    ['a cluster', (store) => store.clusters.insert(aCluster('c1'), 0, [])],
    ['a key', (store) => store.keys.publish(aJwk('kid-1'), start)],
    ['a setting', (store) => store.settings.put([{ name: 'a', value: 'b', isSecret: false }], start)],
  ]

  for (const [what, change] of changes) {
    test(`the directory revision differs after ${what} has changed`, async (store) => {
      await store.roles.insert(aRole('r'), start)
      await store.users.insert(aUser('ann'))
      const before = store.revisions.directory()
      expect(store.revisions.directory()).toBe(before)
      await change(store)
      expect(store.revisions.directory()).not.toBe(before)
    })
  }

  test('tokens, revocations and refused changes leave the directory revision as it is', async (store, sealer) => {
    await store.users.insert(aUser('ann'))
    const before = store.revisions.directory()
    await store.tokens.record(aToken('t1', sealer))
    await store.revocations.record(aRevocation(aToken('t1', sealer)))
    await expect(store.users.insert(aUser('ann'))).rejects.toMatchObject({ code: 'user_exists' })
    expect(store.revisions.directory()).toBe(before)
  })

  test('what was asked for before closing is written; what comes later is refused', async (store) => {
    const asked = [store.roles.insert(aRole('r'), start), store.users.insert(aUser('ann', { roleNames: ['r'] }))]
    await store.close()
    await Promise.all(asked)
    await expect(store.roles.insert(aRole('late'), start)).rejects.toMatchObject({ code: 'storage_failed' })
  })
}
