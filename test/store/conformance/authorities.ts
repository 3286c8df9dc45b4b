import { expect } from 'vitest'
import type { Sealer } from '../../../src/core/keys/sealer.ts'
import type { Role } from '../../../src/core/roles/role.ts'
import type { Store } from '../../../src/store/store.ts'
import { deedAt } from '../../actors.ts'
import { aCluster, after, aRole, aToken, aUser, by, failure, type StoreTest, start } from './samples.ts'

const ofCluster = (id: string) => `gatehouse:cluster-administrator:${id}`

/** Under a token that nobody has a row of: what counts is the user's roles. */
async function authoritiesOf(store: Store, sealer: Sealer, name: string, now = start) {
  return (await store.tokens.standing({ ...aToken('t', sealer, { subject: name }), now })).user?.authorities
}

export function authorityConformance(test: StoreTest): void {
  test('operator and auditor are there from the start, and can be neither changed nor removed', async (store) => {
    for (const name of ['operator', 'auditor'] as const) {
      const role = await store.roles.get(`gatehouse:${name}`)
      const authority = { role: name, clusterId: null }
      expect(role).toMatchObject({ isBuiltIn: true, isAdministrator: false, grants: [], authority })
      const refused = failure('role_protected', { name: `gatehouse:${name}`, act: 'update' })
      await expect(store.roles.update(`gatehouse:${name}`, (known) => known, by)).rejects.toMatchObject(refused)
      await expect(store.roles.delete(`gatehouse:${name}`, by)).rejects.toMatchObject({ code: 'role_protected' })
    }
  })

  test('standing tells all that the roles of a user allow, whichever way they were given', async (store, sealer) => {
    await store.clusters.insert(aCluster('c1'), 0, [], deedAt(start))
    await store.roles.insert(aRole('r'), deedAt(start))
    await store.users.insert(aUser('ann', { roleNames: ['r', 'gatehouse:auditor', ofCluster('c1')] }), deedAt(start))
    await store.users.insert(aUser('bob', { roleNames: ['r'] }), deedAt(start))
    const both = [
      { role: 'auditor', clusterId: null },
      { role: 'cluster_administrator', clusterId: 'c1' },
    ]
    expect(await authoritiesOf(store, sealer, 'ann')).toEqual(expect.arrayContaining(both))
    expect(await authoritiesOf(store, sealer, 'ann')).toHaveLength(2)
    expect(await authoritiesOf(store, sealer, 'bob')).toEqual([])
    await store.users.update('bob', { roleNames: ['gatehouse:operator'] }, deedAt(start))
    expect(await authoritiesOf(store, sealer, 'bob')).toEqual([{ role: 'operator', clusterId: null }])
  })

  test('a cluster id of any characters is told as it is', async (store, sealer) => {
    for (const id of ['a"b', 'a:b,c', 'é/\\']) {
      await store.clusters.insert(aCluster(id), 0, [], deedAt(start))
      await store.users.insert(aUser(id, { roleNames: [ofCluster(id)] }), deedAt(start))
      expect(await authoritiesOf(store, sealer, id)).toEqual([{ role: 'cluster_administrator', clusterId: id }])
    }
  })

  test('a locked built-in role allows nothing until the lock ends', async (store, sealer) => {
    await store.users.insert(aUser('ann', { roleNames: ['gatehouse:operator'] }), deedAt(start))
    const target = { kind: 'role', name: 'gatehouse:operator' } as const
    await store.locks.create({ target, until: after(10), reason: 'test', ...by })
    expect(await authoritiesOf(store, sealer, 'ann', after(9))).toEqual([])
    expect(await authoritiesOf(store, sealer, 'ann', after(10))).toEqual([{ role: 'operator', clusterId: null }])
  })

  test('deregistering a cluster takes its administrators\u2019 role away, and a new registration does not give it back', async (store, sealer) => {
    await store.clusters.insert(aCluster('c1', { alias: 'one' }), 0, [], deedAt(start))
    const name = ofCluster('c1')
    await store.users.insert(aUser('ann', { roleNames: [name] }), deedAt(start))
    await store.clusters.delete('one', by)
    expect(await store.roles.get(name)).toBeUndefined()
    expect(await authoritiesOf(store, sealer, 'ann')).toEqual([])
    await store.clusters.insert(aCluster('c1'), 0, [], deedAt(start))
    expect(await store.roles.get(name)).toMatchObject({ isBuiltIn: true })
    expect(await authoritiesOf(store, sealer, 'ann')).toEqual([])
  })

  test('what a check refuses is as if it never was; it sees the roles as they were and as they would be', async (store) => {
    await store.roles.insert(aRole('r'), deedAt(start))
    await store.users.insert(aUser('ann', { roleNames: ['r'] }), deedAt(start))
    const seen: string[][] = []
    const refuse = () => {
      throw new Error('refused')
    }
    const check = (...roles: readonly (readonly Role[])[]) => {
      seen.push(roles.map((some) => some.map(({ name }) => name).join()))
      refuse()
    }
    const [deed, target] = [{ ...by, check }, { kind: 'user', name: 'ann' } as const]
    const before = [await store.users.get('ann'), await store.users.credentials('ann')]
    const acts = await Promise.allSettled([
      store.users.update('ann', { roleNames: ['Admin', 'r'], passwordHash: 'other' }, deed),
      store.users.setDisabled('ann', true, deed),
      store.users.delete('ann', deed),
      store.users.insert(aUser('bob', { roleNames: ['r'] }), deed),
      store.roles.delete('r', { ...by, check: refuse }),
      store.locks.create({ target, until: after(10), reason: '', ...by, check: refuse }),
    ])
    expect(acts.map((act) => act.status === 'rejected' && act.reason.message)).toEqual(acts.map(() => 'refused'))
    expect(seen).toEqual([
      ['r', 'Admin,r'],
      ['r', 'r'],
      ['r', 'r'],
      ['', 'r'],
    ])
    expect([await store.users.get('ann'), await store.users.credentials('ann')]).toEqual(before)
    expect(await store.users.get('bob')).toBeUndefined()
    expect(await store.roles.get('r')).toBeDefined()
    expect(await store.locks.list({ now: start })).toEqual([])
  })
}
