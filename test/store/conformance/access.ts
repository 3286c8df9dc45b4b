import { expect } from 'vitest'
import type { AccessChanges } from '../../../src/core/access/access-store.ts'
import type { Store } from '../../../src/store/store.ts'
import { deedAt } from '../../actors.ts'
import { aCluster, after, aRole, aToken, aUser, by, failure, type StoreTest, start } from './samples.ts'

const nothing: AccessChanges = {
  clusters: { insert: [], update: [], delete: [] },
  roles: { insert: [], update: [], delete: [] },
  users: { insert: [], update: [], delete: [] },
}

const apply = (store: Store, changes: Partial<AccessChanges>) =>
  store.access.apply({ ...nothing, ...changes }, store.revisions.directory(), by)

async function state(store: Store) {
  return {
    clusters: await store.clusters.list(),
    roles: await store.roles.list(),
    users: await store.access.usersAfter({ limit: 99 }),
  }
}

export function accessConformance(test: StoreTest): void {
  test('users are found by name and page by page, with their live roles once, in their order', async (store) => {
    for (const name of ['r', 's', 'gone']) await store.roles.insert(aRole(name), deedAt(start))
    await store.users.insert(aUser('bob', { roleNames: ['s', 'gone', 'r', 's'] }), deedAt(start))
    await store.users.insert(aUser('ann'), deedAt(start))
    await store.users.setDisabled('ann', true, by)
    await store.roles.delete('gone', by)
    const ann = { key: expect.any(Number), name: 'ann', roleNames: [], isBuiltIn: false, isDisabled: true }
    const bob = { key: expect.any(Number), name: 'bob', roleNames: ['s', 'r'], isBuiltIn: false, isDisabled: false }
    expect(await store.access.users(['bob', 'nobody', 'ann'])).toEqual([bob, ann])
    expect(await store.access.usersAfter({ limit: 9 })).toEqual([ann, bob])
    expect(await store.access.usersAfter({ after: 'ann', limit: 1 })).toEqual([bob])
  })

  test('holders come by key with all their roles, and are counted with the live tokens that carry the role', async (store, sealer) => {
    for (const name of ['r', 's']) await store.roles.insert(aRole(name), deedAt(start))
    const [r = 0, s = 0] = (await store.roles.list()).filter(({ isBuiltIn }) => !isBuiltIn).map(({ key }) => key)
    for (const name of ['c', 'b', 'a']) await store.users.insert(aUser(name, { roleNames: ['s', 'r'] }), deedAt(start))
    await store.users.insert(aUser('d', { roleNames: ['s'] }), deedAt(start))
    const first = await store.access.holders(r, { after: 0, limit: 2 })
    expect(first.map(({ name, roleKeys }) => ({ name, roleKeys }))).toEqual([
      { name: 'c', roleKeys: [s, r] },
      { name: 'b', roleKeys: [s, r] },
    ])
    const rest = await store.access.holders(r, { after: first.at(-1)?.key ?? 0, limit: 2 })
    expect(rest.map(({ name }) => name)).toEqual(['a'])
    for (const text of ['t1', 't2', 't3']) {
      await store.tokens.record(
        aToken(text, sealer, { subject: 'a', roleKeys: [text === 't3' ? s : r] }),
        deedAt(start),
      )
    }
    await store.revocations.revokeSelected({ by: 'jti', jti: 'jti of t1' }, { ...by, reason: '' })
    expect(await store.access.reachOfRole(r, start, 99)).toEqual({ holders: 3, tokens: 1 })
    expect(await store.access.reachOfRole(r, start, 2)).toEqual({ holders: 2, tokens: 1 })
    expect(await store.access.reachOfRole(r, after(60_000), 99)).toMatchObject({ tokens: 0 })
    expect(await store.access.tokensOfUser('a', start)).toBe(2)
    expect(await store.access.tokensOfUser('a', start, [r])).toBe(1)
    expect(await store.access.tokensOfUser('b', start)).toBe(0)
  })

  test('everything is made, changed and removed in one act, each with its own consequences', async (store, sealer) => {
    for (const name of ['wide', 'gone']) await store.roles.insert(aRole(name), deedAt(start))
    for (const name of ['ann', 'bob', 'cat'])
      await store.users.insert(aUser(name, { roleNames: ['wide', 'gone'] }), deedAt(start))
    for (const id of ['old', 'kept']) await store.clusters.insert(aCluster(id, { alias: id }), 0, [], deedAt(start))
    const keys = new Map((await store.roles.list()).map(({ name, key }) => [name, key]))
    const carry = async (text: string, subject: string, role: string) =>
      store.tokens.record(aToken(text, sealer, { subject, roleKeys: [keys.get(role) ?? 0] }), deedAt(start))
    await carry('narrowed', 'dan', 'wide')
    await carry('lost', 'ann', 'gone')
    await carry('removed', 'bob', 'none')
    await carry('disabled', 'cat', 'none')
    await carry('unconcerned', 'eve', 'none')
    const { name: _name, ...content } = aRole('wide', { description: 'narrow', grants: [] })
    const revoked = await apply(store, {
      clusters: {
        insert: [
          { cluster: aCluster('new', { alias: 'old' }), acknowledged: 0, roles: [aRole('made'), aRole('coming')] },
        ],
        update: [{ id: 'kept', alias: null, urls: [], isAliasHandedOn: false }],
        delete: ['old'],
      },
      roles: {
        insert: [aRole('made', { description: 'its own' })],
        update: [{ name: 'wide', content, isNarrower: true }],
        delete: ['gone'],
      },
      users: {
        insert: [{ ...aUser('eva', { roleNames: ['made', 'coming'] }), isDisabled: true }],
        update: [
          { name: 'ann', roleNames: ['made'] },
          { name: 'cat', isDisabled: true },
        ],
        delete: ['bob'],
      },
    })
    expect(revoked).toMatchObject({ tokens: 4 })
    const texts = (await store.revocations.after(0, { limit: 99, now: start })).map(({ token }) => token)
    expect([...texts].sort()).toEqual(['disabled', 'lost', 'narrowed', 'removed'])
    const now = await state(store)
    expect(now.clusters.map(({ id, alias, urls }) => [id, alias, urls.length])).toEqual([
      ['kept', null, 0],
      ['new', 'old', 1],
    ])
    expect(now.users.map(({ name, roleNames, isDisabled }) => [name, roleNames, isDisabled])).toEqual([
      ['ann', ['made'], false],
      ['cat', ['wide'], true],
      ['eva', ['made', 'coming'], true],
    ])
    expect(await store.roles.get('made')).toMatchObject({ description: 'its own' })
    expect(await store.roles.get('wide')).toMatchObject({ description: 'narrow', grants: [] })
    expect(await store.roles.get('gone')).toBeUndefined()
  })

  test('nothing is done where anything is refused', async (store) => {
    await store.users.insert(aUser('ann'), deedAt(start))
    const before = await state(store)
    const users = { ...nothing.users, insert: [{ ...aUser('bob', { roleNames: ['nowhere'] }), isDisabled: false }] }
    const refused = apply(store, { roles: { ...nothing.roles, insert: [aRole('r')] }, users })
    await expect(refused).rejects.toMatchObject(failure('roles_unknown', { names: ['nowhere'] }))
    expect(await state(store)).toEqual(before)
    await store.roles.insert(aRole('r'), deedAt(start))
    expect(await store.roles.get('r')).toBeDefined()
  })

  test('nothing is done where something has changed since', async (store) => {
    const revision = store.revisions.directory()
    await store.roles.insert(aRole('r'), deedAt(start))
    const roles = { ...nothing.roles, insert: [aRole('s')] }
    expect(await store.access.apply({ ...nothing, roles }, revision, by)).toBe('outdated')
    expect(await store.roles.get('s')).toBeUndefined()
    const now = store.revisions.directory()
    expect(await store.access.apply({ ...nothing, roles }, now, by)).toMatchObject({ tokens: 0 })
    expect(store.revisions.directory()).not.toBe(now)
  })

  test('the last administrator stays, and can be replaced by another', async (store) => {
    await store.users.insert(aUser('root', { roleNames: ['Admin'] }), deedAt(start))
    expect(await store.access.administrators(9)).toEqual(['root'])
    const removing = { ...nothing.users, delete: ['root'] }
    await expect(apply(store, { users: removing })).rejects.toMatchObject(
      failure('last_administrator', { name: 'root', act: 'delete' }),
    )
    const losing = { ...nothing.users, update: [{ name: 'root', roleNames: [] }] }
    await expect(apply(store, { users: losing })).rejects.toMatchObject({ code: 'last_administrator' })
    const heir = { ...aUser('heir', { roleNames: ['Admin'] }), isDisabled: false }
    await apply(store, { users: { ...removing, insert: [heir] } })
    expect(await store.access.administrators(9)).toEqual(['heir'])
  })
}
