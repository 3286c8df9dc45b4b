import { expect } from 'vitest'
import type { Store } from '../../../src/store/store.ts'
import { deedAt } from '../../actors.ts'
import { aCluster, after, aJwk, aRevocation, aRole, aToken, aUser, by, type StoreTest, start } from './samples.ts'

export function keyConformance(test: StoreTest): void {
  test('keys are listed oldest first, from published to active to retiring', async (store) => {
    const [first, second] = [aJwk('kid-2'), aJwk('kid-1')]
    await store.keys.publish(first, deedAt(start))
    expect(await store.keys.list()).toEqual([
      {
        kid: 'kid-2',
        publicJwk: first,
        state: 'next',
        createdAt: start,
        activatedAt: null,
        isPrivateKeyKept: false,
        foreignUntil: null,
      },
    ])
    await store.keys.activate('kid-2', deedAt(after(1)))
    await store.keys.publish(second, deedAt(after(2)))
    await store.keys.activate('kid-1', deedAt(after(3)))
    expect(await store.keys.list()).toEqual([
      {
        kid: 'kid-2',
        publicJwk: first,
        state: 'retiring',
        createdAt: start,
        activatedAt: after(1),
        isPrivateKeyKept: false,
        foreignUntil: null,
      },
      {
        kid: 'kid-1',
        publicJwk: second,
        state: 'active',
        createdAt: after(2),
        activatedAt: after(3),
        isPrivateKeyKept: false,
        foreignUntil: null,
      },
    ])
  })

  test('a key that is published or activated again stays as it is', async (store) => {
    const key = aJwk('kid-1')
    await store.keys.publish(key, deedAt(start))
    await store.keys.activate('kid-1', deedAt(start))
    await store.keys.publish(aJwk('kid-1'), deedAt(after(1)))
    await store.keys.activate('kid-1', deedAt(after(1)))
    expect(await store.keys.list()).toEqual([
      {
        kid: 'kid-1',
        publicJwk: key,
        state: 'active',
        createdAt: start,
        activatedAt: after(1),
        isPrivateKeyKept: false,
        foreignUntil: null,
      },
    ])
  })

  test('a private key that is kept is given out until its key signs, or is retired', async (store) => {
    for (const kid of ['kid-1', 'kid-2'])
      await store.keys.publish(aJwk(kid), deedAt(start), Buffer.from(`sealed ${kid}`))
    await store.keys.publish(aJwk('kid-3'), deedAt(start))
    expect((await store.keys.list()).map((key) => key.isPrivateKeyKept)).toEqual([true, true, false])
    expect(await store.keys.sealedPrivateKey('kid-1')).toEqual(Buffer.from('sealed kid-1'))
    await store.keys.activate('kid-1', deedAt(after(1)))
    expect(await store.keys.retire('kid-2', deedAt(after(1)))).toBe(true)
    for (const kid of ['kid-1', 'kid-2', 'kid-3', 'kid-4']) {
      expect(await store.keys.sealedPrivateKey(kid)).toBeUndefined()
    }
  })

  test('every key but the active one can be retired', async (store) => {
    for (const kid of ['kid-1', 'kid-2']) await store.keys.publish(aJwk(kid), deedAt(start))
    await store.keys.activate('kid-1', deedAt(after(1)))
    await store.keys.activate('kid-2', deedAt(after(2)))
    expect(await store.keys.retire('kid-1', deedAt(after(3)))).toBe(true)
    expect(await store.keys.retire('kid-2', deedAt(after(3)))).toBe(false)
    expect(await store.keys.retire('kid-9', deedAt(after(3)))).toBe(false)
    expect((await store.keys.list()).map((key) => key.state)).toEqual(['retired', 'active'])
  })

  test('a key is in use as long as a token lives that it signed', async (store, sealer) => {
    await store.tokens.record(aToken('t1', sealer, { kid: 'kid-1', expiresAt: after(10) }), deedAt(start))
    await store.tokens.record(aToken('t2', sealer, { kid: 'kid-2', expiresAt: after(99) }), deedAt(start))
    expect(await store.keys.isInUse('kid-1', after(9))).toBe(true)
    expect(await store.keys.isInUse('kid-1', after(10))).toBe(false)
    expect(await store.keys.isInUse('kid-3', start)).toBe(false)
  })

  test('a key that was never published can\u2019t be activated, and the active one goes on', async (store) => {
    await store.keys.publish(aJwk('kid-1'), deedAt(start))
    await store.keys.activate('kid-1', deedAt(start))
    await expect(store.keys.activate('kid-2', deedAt(start))).rejects.toThrow('never published')
    expect((await store.keys.list())[0]?.state).toBe('active')
  })
}

export function settingsConformance(test: StoreTest): void {
  test('settings are put together and read back, secret or not, the last value counting', async (store) => {
    expect(await store.settings.list()).toEqual([])
    await store.settings.put([{ name: 'b', value: 'old', isSecret: false }], deedAt(start))
    await store.settings.put(
      [
        { name: 'a', value: 'hidden \u00e9', isSecret: true },
        { name: 'b', value: 'new', isSecret: false },
      ],
      deedAt(after(1)),
    )
    expect(await store.settings.list()).toEqual([
      { name: 'a', value: 'hidden \u00e9', changedAt: after(1) },
      { name: 'b', value: 'new', changedAt: after(1) },
    ])
    await store.settings.put([{ name: 'a', value: '', isSecret: true }], deedAt(after(2)))
    expect((await store.settings.list())[0]).toEqual({ name: 'a', value: '', changedAt: after(2) })
  })
}

export function revisionConformance(test: StoreTest): void {
  const changes: readonly [what: string, change: (store: Store) => Promise<unknown>][] = [
    ['a user', (store) => store.users.update('ann', { roleNames: ['r'] }, deedAt(start))],
    ['a new user', (store) => store.users.insert(aUser('bob'), deedAt(start))],
    ['a role', (store) => store.roles.update('r', (role) => role, by)],
    ['a deleted role', (store) => store.roles.delete('r', by)],
    ['a cluster', (store) => store.clusters.insert(aCluster('c1'), 0, [], deedAt(start))],
    ['a key', (store) => store.keys.publish(aJwk('kid-1'), deedAt(start))],
    ['a setting', (store) => store.settings.put([{ name: 'a', value: 'b', isSecret: false }], deedAt(start))],
  ]

  for (const [what, change] of changes) {
    test(`the directory revision differs after ${what} has changed`, async (store) => {
      await store.roles.insert(aRole('r'), deedAt(start))
      await store.users.insert(aUser('ann'), deedAt(start))
      const before = store.revisions.directory()
      expect(store.revisions.directory()).toBe(before)
      await change(store)
      expect(store.revisions.directory()).not.toBe(before)
    })
  }

  test('tokens, revocations and refused changes leave the directory revision as it is', async (store, sealer) => {
    await store.users.insert(aUser('ann'), deedAt(start))
    const before = store.revisions.directory()
    await store.tokens.record(aToken('t1', sealer), deedAt(start))
    await store.revocations.record(aRevocation(aToken('t1', sealer)))
    await expect(store.users.insert(aUser('ann'), deedAt(start))).rejects.toMatchObject({ code: 'user_exists' })
    expect(store.revisions.directory()).toBe(before)
  })

  test('what was asked for before closing is written; what comes later is refused', async (store) => {
    const asked = [
      store.roles.insert(aRole('r'), deedAt(start)),
      store.users.insert(aUser('ann', { roleNames: ['r'] }), deedAt(start)),
    ]
    await store.close()
    await Promise.all(asked)
    await expect(store.roles.insert(aRole('late'), deedAt(start))).rejects.toMatchObject({ code: 'storage_failed' })
  })
}
