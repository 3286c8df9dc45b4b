import { expect } from 'vitest'
import type { RoleContent } from '../../../src/core/roles/role.ts'
import { deedAt } from '../../actors.ts'
import { after, aRole, aUser, by, failure, type StoreTest, start } from './samples.ts'

const content: RoleContent = {
  description: 'everything',
  annotations: { clusters: [], nested: { quote: '"', none: null } },
  grants: [
    { clusterId: '', resource: null, permissions: '18446744073709551615', annotations: { alias: 'x' } },
    { clusterId: 'c2', resource: 'ais/bucket', permissions: '0', annotations: {} },
    { clusterId: 'c1', resource: null, permissions: '771', annotations: {} },
  ],
}

export function roleConformance(test: StoreTest): void {
  test('the built-in administrator role is there from the start, and can be neither changed nor removed', async (store) => {
    const admin = await store.roles.get('Admin')
    expect(admin).toEqual({
      key: expect.any(Number),
      name: 'Admin',
      description: 'AuthN administrator',
      isAdministrator: true,
      isBuiltIn: true,
      authority: { role: 'administrator', clusterId: null },
      grants: [],
      annotations: {},
    })
    await expect(store.roles.update('Admin', (role) => role, by)).rejects.toMatchObject(
      failure('role_protected', { name: 'Admin', act: 'update' }),
    )
    await expect(store.roles.delete('Admin', by)).rejects.toMatchObject(
      failure('role_protected', { name: 'Admin', act: 'delete' }),
    )
    await expect(store.roles.insert(aRole('Admin'), deedAt(start))).rejects.toMatchObject({ code: 'role_exists' })
  })

  test('a role is read back as it was given, its grants in order', async (store) => {
    await store.roles.insert({ name: 'all', ...content }, deedAt(start))
    const role = await store.roles.get('all')
    const kind = { isAdministrator: false, isBuiltIn: false, authority: null }
    expect(role).toEqual({ name: 'all', key: role?.key, ...kind, ...content })
    expect(await store.roles.get('ALL')).toBeUndefined()
  })

  test('the list has every live role, whole, sorted by name', async (store) => {
    await store.roles.insert(aRole('b'), deedAt(start))
    await store.roles.insert({ name: 'a', ...content }, deedAt(start))
    await store.roles.insert(aRole('gone'), deedAt(start))
    await store.roles.delete('gone', by)
    const listed = await store.roles.list()
    expect(listed.map((role) => role.name)).toEqual(['Admin', 'a', 'b', 'gatehouse:auditor', 'gatehouse:operator'])
    expect(listed).toEqual(await Promise.all(listed.map((role) => store.roles.get(role.name))))
  })

  test('a taken name is refused', async (store) => {
    await store.roles.insert(aRole('r'), deedAt(start))
    await expect(store.roles.insert(aRole('r'), deedAt(start))).rejects.toMatchObject(
      failure('role_exists', { name: 'r' }),
    )
  })

  test('an update writes what the edit makes of the role as it is, for every holder at once', async (store) => {
    await store.roles.insert(aRole('r'), deedAt(start))
    await store.users.insert(aUser('ann', { roleNames: ['r'] }), deedAt(start))
    await store.roles.update('r', (role) => ({ ...content, description: `${role.description}, more` }), {
      ...by,
      at: after(1),
    })
    const role = await store.roles.get('r')
    expect(role).toMatchObject({ ...content, description: 'what r may do, more' })
    expect((await store.users.get('ann'))?.roles).toEqual([role])
  })

  test('an edit that throws changes nothing', async (store) => {
    await store.roles.insert(aRole('r'), deedAt(start))
    const before = await store.roles.get('r')
    const refuse = () => {
      throw new Error('no')
    }
    await expect(store.roles.update('r', refuse, by)).rejects.toThrow('no')
    expect(await store.roles.get('r')).toEqual(before)
  })

  test('edits of one role at once are all applied', async (store) => {
    await store.roles.insert(aRole('r', { description: '' }), deedAt(start))
    const edits = ['a', 'b', 'c'].map((letter) =>
      store.roles.update('r', (role) => ({ ...role, description: role.description + letter }), by),
    )
    await Promise.all(edits)
    expect((await store.roles.get('r'))?.description).toBe('abc')
  })

  test('an unknown role can be neither updated nor deleted', async (store) => {
    const refused = failure('role_not_found', { name: 'r' })
    await expect(store.roles.update('r', (role) => role, by)).rejects.toMatchObject(refused)
    await expect(store.roles.delete('r', by)).rejects.toMatchObject(refused)
  })

  test('a deleted role is gone for its holders, and one made anew under the name is not theirs', async (store) => {
    await store.roles.insert(aRole('r'), deedAt(start))
    await store.roles.insert(aRole('s'), deedAt(start))
    await store.users.insert(aUser('ann', { roleNames: ['r', 's', 'r'] }), deedAt(start))
    await store.roles.delete('r', { ...by, at: after(1) })
    const names = async () => (await store.users.get('ann'))?.roles.map((role) => role.name)
    expect(await names()).toEqual(['s'])
    await expect(store.users.insert(aUser('bob', { roleNames: ['r'] }), deedAt(start))).rejects.toMatchObject({
      code: 'roles_unknown',
    })
    await store.roles.insert(aRole('r'), deedAt(after(2)))
    expect(await names()).toEqual(['s'])
    expect((await store.users.list({ limit: 9 }))[0]?.roleKeys).toEqual([(await store.roles.get('s'))?.key])
  })

  test('what deleted roles leave behind is cleared away in bounded steps, and nothing else is', async (store) => {
    await store.roles.insert(aRole('gone'), deedAt(start))
    await store.roles.insert(aRole('kept'), deedAt(start))
    for (const name of ['a', 'b', 'c'])
      await store.users.insert(aUser(name, { roleNames: ['kept', 'gone'] }), deedAt(start))
    expect(await store.roles.purgeDeletedRoles(10)).toBe(0)
    await store.roles.delete('gone', by)
    const steps = []
    for (let count = -1; count !== 0; steps.push(count)) count = await store.roles.purgeDeletedRoles(2)
    expect(Math.max(...steps)).toBeLessThanOrEqual(2)
    expect(steps.reduce((sum, count) => sum + count, 0)).toBe(4)
    expect((await store.users.get('b'))?.roles.map((role) => role.name)).toEqual(['kept'])
    const left = (await store.roles.list()).filter((role) => !role.isBuiltIn)
    expect(left).toHaveLength(1)
  })
}
