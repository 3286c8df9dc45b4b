import { expect } from 'vitest'
import { deedAt } from '../../actors.ts'
import { after, aRole, aUser, by, failure, type StoreTest, start } from './samples.ts'

export function userConformance(test: StoreTest): void {
  test('a user is read back with its roles in the order given, twice where given twice', async (store) => {
    await store.roles.insert(aRole('writer'), deedAt(start))
    await store.roles.insert(aRole('reader'), deedAt(start))
    await store.users.insert(aUser('ann', { roleNames: ['writer', 'reader', 'writer'] }), deedAt(start))
    const user = await store.users.get('ann')
    expect(user).toMatchObject({ name: 'ann', isBuiltIn: false, isDisabled: false, createdAt: start })
    expect(user?.roles.map((role) => role.name)).toEqual(['writer', 'reader', 'writer'])
    expect(user?.roles[1]).toEqual(await store.roles.get('reader'))
  })

  test('an unknown user is undefined, and names differ by case', async (store) => {
    await store.users.insert(aUser('ann'), deedAt(start))
    expect(await store.users.get('Ann')).toBeUndefined()
    expect(await store.users.credentials('Ann')).toBeUndefined()
  })

  test('credentials carry the key and the hash', async (store) => {
    await store.users.insert(aUser('ann', { passwordHash: 'first' }), deedAt(start))
    const key = (await store.users.get('ann'))?.key
    expect(await store.users.credentials('ann')).toEqual({
      key,
      name: 'ann',
      passwordHash: 'first',
      isDisabled: false,
      lockedUntil: null,
      asOf: 0,
    })
  })

  test('whether there are bcrypt hashes is told', async (store) => {
    await store.users.insert(aUser('ann', { passwordHash: '$argon2id$v=19$' }), deedAt(start))
    expect(await store.users.hasBcryptHash()).toBe(false)
    await store.users.insert(aUser('bob', { passwordHash: '$2a$10$x' }), deedAt(start))
    expect(await store.users.hasBcryptHash()).toBe(true)
  })

  test('a taken name is refused', async (store) => {
    await store.users.insert(aUser('ann', { passwordHash: 'first' }), deedAt(start))
    await expect(store.users.insert(aUser('ann'), deedAt(start))).rejects.toMatchObject(
      failure('user_exists', { name: 'ann' }),
    )
    expect((await store.users.credentials('ann'))?.passwordHash).toBe('first')
  })

  test('of inserts of one name at once, one wins', async (store) => {
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => store.users.insert(aUser('ann'), deedAt(start))))
    expect(outcomes.map((outcome) => outcome.status).sort()).toEqual(['fulfilled', 'rejected', 'rejected'])
  })

  test('unknown roles are all named, and nothing is written', async (store) => {
    await store.roles.insert(aRole('known'), deedAt(start))
    const roleNames = ['lost', 'known', 'gone', 'lost']
    const refused = failure('roles_unknown', { names: ['lost', 'gone'] })
    await expect(store.users.insert(aUser('ann', { roleNames }), deedAt(start))).rejects.toMatchObject(refused)
    expect(await store.users.get('ann')).toBeUndefined()
    await store.users.insert(aUser('ann', { roleNames: ['known'] }), deedAt(start))
    await expect(store.users.update('ann', { roleNames }, deedAt(start))).rejects.toMatchObject(refused)
    expect((await store.users.get('ann'))?.roles).toHaveLength(1)
  })

  test('the first administrator is inserted only where there is none', async (store) => {
    const first = aUser('admin', { roleNames: ['Admin'], isBuiltIn: true })
    await store.users.insert(aUser('imported'), deedAt(start))
    expect(await store.users.hasAdministrator()).toBe(false)
    await expect(store.users.insertFirst({ ...first, name: 'imported' }, deedAt(start))).rejects.toMatchObject(
      failure('user_exists', { name: 'imported' }),
    )
    expect(await store.users.insertFirst(first, deedAt(start))).toBe(true)
    expect(await store.users.hasAdministrator()).toBe(true)
    expect(await store.users.insertFirst(aUser('other'), deedAt(start))).toBe(false)
    expect(await store.users.get('other')).toBeUndefined()
    expect((await store.users.get('admin'))?.roles[0]?.isAdministrator).toBe(true)
  })

  test('pages cover all users once, sorted by name, with the keys of their roles', async (store) => {
    await store.roles.insert(aRole('r1'), deedAt(start))
    await store.roles.insert(aRole('r2'), deedAt(start))
    const [r1, r2] = [(await store.roles.get('r1'))?.key, (await store.roles.get('r2'))?.key]
    const names = ['b', 'B', 'a', '10', '9', 'c']
    for (const name of names)
      await store.users.insert(aUser(name, { roleNames: name === 'b' ? ['r2', 'r1', 'r2'] : [] }), deedAt(start))
    const pages = []
    for (let last: string | undefined, done = false; !done; ) {
      const page = await store.users.list({ ...(last !== undefined && { after: last }), limit: 4 })
      pages.push(...page)
      last = page.at(-1)?.name
      done = page.length < 4
    }
    expect(pages.map((user) => user.name)).toEqual([...names].sort())
    expect(pages.find((user) => user.name === 'b')?.roleKeys).toEqual([r2, r1, r2])
    expect(pages.find((user) => user.name === 'a')?.roleKeys).toEqual([])
  })

  test('an update changes what it names and keeps the rest', async (store) => {
    await store.roles.insert(aRole('old'), deedAt(start))
    await store.roles.insert(aRole('new'), deedAt(start))
    await store.users.insert(aUser('ann', { passwordHash: 'first', roleNames: ['old'] }), deedAt(start))
    await store.users.update('ann', { passwordHash: 'second' }, deedAt(after(1)))
    expect((await store.users.get('ann'))?.roles.map((role) => role.name)).toEqual(['old'])
    await store.users.update('ann', { roleNames: ['new', 'old'] }, deedAt(after(2)))
    expect((await store.users.get('ann'))?.roles.map((role) => role.name)).toEqual(['new', 'old'])
    expect((await store.users.credentials('ann'))?.passwordHash).toBe('second')
    await store.users.update('ann', { roleNames: [] }, deedAt(after(3)))
    expect((await store.users.get('ann'))?.roles).toEqual([])
  })

  test('an unknown user can be neither updated nor deleted', async (store) => {
    const refused = failure('user_not_found', { name: 'ann' })
    await expect(store.users.update('ann', {}, deedAt(start))).rejects.toMatchObject(refused)
    await expect(store.users.delete('ann', by)).rejects.toMatchObject(refused)
  })

  test('a rehash replaces only the hash that it was made from', async (store) => {
    await store.users.insert(aUser('ann', { passwordHash: 'old' }), deedAt(start))
    const key = (await store.users.get('ann'))?.key ?? 0
    await store.users.rehash(key, 'old', 'better')
    await store.users.update('ann', { passwordHash: 'changed' }, deedAt(after(1)))
    await store.users.rehash(key, 'better', 'late')
    expect((await store.users.credentials('ann'))?.passwordHash).toBe('changed')
  })

  test('a user made anew under a name is another user, without the roles of the first', async (store) => {
    await store.roles.insert(aRole('r'), deedAt(start))
    await store.users.insert(aUser('ann', { roleNames: ['r'] }), deedAt(start))
    const first = await store.users.get('ann')
    await store.users.delete('ann', by)
    expect(await store.users.get('ann')).toBeUndefined()
    await store.users.insert(aUser('ann'), deedAt(start))
    const second = await store.users.get('ann')
    expect(second?.key).not.toBe(first?.key)
    expect(second?.roles).toEqual([])
  })

  test('the built-in user keeps its place and its roles, and may change its password', async (store) => {
    await store.users.insertFirst(aUser('root', { roleNames: ['Admin'], isBuiltIn: true }), deedAt(start))
    await store.users.insert(aUser('second', { roleNames: ['Admin'] }), deedAt(start))
    await expect(store.users.delete('root', by)).rejects.toMatchObject(
      failure('user_protected', { name: 'root', act: 'delete' }),
    )
    await expect(store.users.update('root', { roleNames: ['Admin'] }, deedAt(start))).rejects.toMatchObject(
      failure('user_protected', { name: 'root', act: 'change_roles' }),
    )
    await store.users.update('root', { passwordHash: 'new' }, deedAt(start))
    expect((await store.users.credentials('root'))?.passwordHash).toBe('new')
  })

  test('the last administrator can be neither deleted nor demoted; one of two can', async (store) => {
    await store.roles.insert(aRole('r'), deedAt(start))
    await store.users.insert(aUser('ann', { roleNames: ['r', 'Admin'] }), deedAt(start))
    await store.users.insert(aUser('bob'), deedAt(start))
    await expect(store.users.delete('ann', by)).rejects.toMatchObject(
      failure('last_administrator', { name: 'ann', act: 'delete' }),
    )
    await expect(store.users.update('ann', { roleNames: ['r'] }, deedAt(start))).rejects.toMatchObject(
      failure('last_administrator', { name: 'ann', act: 'change_roles' }),
    )
    expect((await store.users.get('ann'))?.roles.map((role) => role.name)).toEqual(['r', 'Admin'])
    await store.users.update('ann', { roleNames: ['Admin', 'Admin'] }, deedAt(start))
    await store.users.update('bob', { roleNames: ['Admin'] }, deedAt(start))
    await store.users.update('ann', { roleNames: ['r'] }, deedAt(start))
    await store.users.delete('ann', by)
    await expect(store.users.delete('bob', by)).rejects.toMatchObject({ code: 'last_administrator' })
  })

  test('of two administrators who are deleted at once, one stays', async (store) => {
    for (const name of ['ann', 'bob']) await store.users.insert(aUser(name, { roleNames: ['Admin'] }), deedAt(start))
    const outcomes = await Promise.allSettled([store.users.delete('ann', by), store.users.delete('bob', by)])
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected'])
  })
}
