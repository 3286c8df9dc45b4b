import { randomBytes } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Grant } from '../../../src/core/roles/role.ts'
import { createRoles, type Roles } from '../../../src/core/roles/roles.ts'
import type { Actor, Authority } from '../../../src/core/sessions/actor.ts'
import { createUsers, type Users } from '../../../src/core/users/users.ts'
import { deedAt, op, origin } from '../../actors.ts'
import { aCluster, aUser } from '../../store/conformance/samples.ts'
import { createParts } from '../keys/ring-parts.ts'
import { propagation } from '../sessions/session-parts.ts'

const actor = (subject: string, ...authorities: readonly Authority[]): Actor => ({ subject, authorities, origin })
const administratorOf = (clusterId: string): Authority => ({ role: 'cluster_administrator', clusterId })

/** Administers the cluster c1, which is also called `prod`. */
const ann = actor('ann', administratorOf('c1'))
const operator = actor('oscar', { role: 'operator', clusterId: null })
const nobody = actor('nobody')

const on = (clusterId: string, resource: string | null = null): Grant => ({
  clusterId,
  resource,
  permissions: '771',
  annotations: {},
})
const role = (name: string, ...grants: readonly Grant[]) => ({ name, description: 'd', grants, annotations: {} })
const beyond = (reason: RegExp | string = /./) => ({
  code: 'beyond_authority',
  details: { reason: expect.stringMatching(reason) },
})

let parts: ReturnType<typeof createParts>
let roles: Roles
let users: Users

beforeEach(async () => {
  parts = createParts()
  const { store, clock } = parts
  const hasher = {
    hash: async () => randomBytes(8).toString('hex'),
    verify: () => Promise.reject(new Error('not here')),
  }
  roles = createRoles({ roles: store.roles, clock, propagation, budgetMs: 250 })
  users = createUsers({ users: store.users, hasher, clock, propagation, budgetMs: 250 })
  await store.clusters.insert(aCluster('c1', { alias: 'prod' }), 0, [], deedAt(clock.now()))
  await store.clusters.insert(aCluster('c2', { alias: 'other' }), 0, [], deedAt(clock.now()))
  await roles.create(role('of-c1', on('c1')), { by: op })
  await roles.create(role('of-c2', on('c2')), { by: op })
  await roles.create(role('of-both', on('c1'), on('c2')), { by: op })
  await roles.create(role('of-every', on('')), { by: op })
  await roles.create(role('of-alias', on('prod')), { by: op })
  await store.users.insert(aUser('root', { roleNames: ['Admin'] }), deedAt(clock.now()))
  for (const name of ['ann', 'bob']) await store.users.insert(aUser(name), deedAt(clock.now()))
})

const rolesOf = async (name: string) => (await users.get(name))?.roles.map((held) => held.name)
const give = (name: string, roleNames: readonly string[], by: Actor) => users.update(name, { roleNames }, { by })

describe('a cluster administrator', () => {
  test.each([
    ['the cluster', on('c1')],
    ['a bucket in it, whatever its provider is called', on('c1', '["s3","b",""]')],
    ['nothing at all', undefined],
  ])('makes, changes and deletes a role for %s', async (_what, grant) => {
    const grants = grant === undefined ? [] : [grant]
    await roles.create(role('mine', ...grants), { by: ann })
    await roles.update('mine', (known) => ({ ...known, description: 'other', grants: [...grants, on('c1', 'b2')] }), {
      by: ann,
    })
    expect((await roles.get('mine'))?.description).toBe('other')
    await roles.delete('mine', { by: ann })
    expect(await roles.get('mine')).toBeUndefined()
  })

  test.each([
    ['another cluster', on('c2'), /the cluster "c2", which is not within the cluster c1/],
    ['a bucket of another cluster', on('c2', '["ais","b",""]'), /"c2"/],
    ['every cluster', on(''), /every cluster/],
    ['a bucket of every cluster', on('', '["ais","b",""]'), /every cluster/],
    ['a cluster that nobody knows', on('c9'), /"c9"/],
    ['the own cluster by its alias', on('prod'), /"prod".*by the id/],
    ['the own cluster in another case', on('C1'), /"C1"/],
  ])('makes none for %s, nor adds it to one', async (_what, grant, reason) => {
    await expect(roles.create(role('mine', on('c1'), grant), { by: ann })).rejects.toMatchObject(beyond(reason))
    expect(await roles.get('mine')).toBeUndefined()
    const widened = roles.update('of-c1', (known) => ({ ...known, grants: [...known.grants, grant] }), { by: ann })
    await expect(widened).rejects.toMatchObject(beyond(reason))
    expect((await roles.get('of-c1'))?.grants).toEqual([on('c1')])
  })

  test.each(['of-c2', 'of-both', 'of-every', 'of-alias'])(
    'does not touch the role %s, not even the part within the cluster',
    async (name) => {
      const before = await roles.get(name)
      const edits = [
        (known: { grants: readonly Grant[] }) => ({ ...known, description: 'mine now', annotations: {} }),
        (known: { grants: readonly Grant[] }) => ({
          description: 'd',
          annotations: {},
          grants: [...known.grants, on('c1', 'b')],
        }),
        () => ({ description: 'd', annotations: {}, grants: [on('c1')] }),
        () => ({ description: 'd', annotations: {}, grants: [] }),
      ]
      for (const edit of edits) await expect(roles.update(name, edit, { by: ann })).rejects.toMatchObject(beyond(name))
      await expect(roles.delete(name, { by: ann })).rejects.toMatchObject(beyond(name))
      expect(await roles.get(name)).toEqual(before)
    },
  )

  test('gives and takes a role of the cluster, also to and from somebody who holds others', async () => {
    await give('bob', ['of-every', 'of-c2', 'Admin', 'of-c2'], op)
    await give('bob', ['of-every', 'of-c1', 'of-c2', 'Admin', 'of-c2'], ann)
    expect(await rolesOf('bob')).toEqual(['of-every', 'of-c1', 'of-c2', 'Admin', 'of-c2'])
    await give('bob', ['of-every', 'of-c2', 'Admin', 'of-c2'], ann)
    expect(await rolesOf('bob')).toEqual(['of-every', 'of-c2', 'Admin', 'of-c2'])
  })

  test.each([
    'of-c2',
    'of-both',
    'of-every',
    'of-alias',
    'Admin',
    'gatehouse:operator',
    'gatehouse:auditor',
    'gatehouse:cluster-administrator:c2',
  ])('neither gives %s, to anybody or himself, nor takes it', async (name) => {
    for (const user of ['ann', 'bob']) {
      await expect(give(user, [name], ann)).rejects.toMatchObject(beyond(name))
      await expect(give(user, ['of-c1', name], ann)).rejects.toMatchObject(beyond(name))
      expect(await rolesOf(user)).toEqual([])
    }
    await give('bob', [name], op)
    for (const left of [[], ['of-c1']]) await expect(give('bob', left, ann)).rejects.toMatchObject(beyond(name))
    expect(await rolesOf('bob')).toEqual([name])
  })

  test('leaves the roles that are not theirs to give in their order, which can matter to a cluster', async () => {
    await give('bob', ['of-c2', 'of-every'], op)
    await expect(give('bob', ['of-every', 'of-c2'], ann)).rejects.toMatchObject(beyond())
    await expect(give('bob', ['of-c2', 'of-every', 'of-c2'], ann)).rejects.toMatchObject(beyond())
    expect(await rolesOf('bob')).toEqual(['of-c2', 'of-every'])
  })

  test('makes another one for the same cluster', async () => {
    await give('bob', ['gatehouse:cluster-administrator:c1'], ann)
    await give('bob', [], ann)
    expect(await rolesOf('bob')).toEqual([])
  })

  test('gains nothing by an alias that comes to mean another cluster', async () => {
    const { store, clock } = parts
    await expect(give('ann', ['of-alias'], ann)).rejects.toMatchObject(beyond(/"prod"/))
    await roles.update('of-c1', (known) => known, { by: ann })
    await store.clusters.update('c1', { alias: 'old' }, deedAt(clock.now()))
    await store.clusters.update('c2', { alias: 'prod' }, deedAt(clock.now()))
    await expect(give('ann', ['of-alias'], ann)).rejects.toMatchObject(beyond(/"prod"/))
    expect((await roles.get('of-c1'))?.grants).toEqual([on('c1')])
  })

  test('may no longer touch a role once an administrator has widened it', async () => {
    await roles.update('of-c1', (known) => ({ ...known, grants: [...known.grants, on('c2')] }), { by: op })
    await expect(give('ann', ['of-c1'], ann)).rejects.toMatchObject(beyond('of-c1'))
    await expect(roles.delete('of-c1', { by: ann })).rejects.toMatchObject(beyond('of-c1'))
  })

  test('who is operator as well gives no role of those who act everywhere, not even one that he holds', async () => {
    const both = actor('ann', administratorOf('c1'), ...operator.authorities)
    for (const name of ['gatehouse:operator', 'gatehouse:auditor', 'gatehouse:cluster-administrator:c2']) {
      await expect(give('bob', [name], both)).rejects.toMatchObject(beyond(name))
    }
    await give('bob', ['of-c1', 'gatehouse:cluster-administrator:c1'], both)
  })

  test('of two clusters may join them in one role', async () => {
    const both = actor('ann', administratorOf('c1'), administratorOf('c2'))
    await roles.create(role('joined', on('c1'), on('c2')), { by: both })
    await give('bob', ['joined', 'of-both'], both)
    expect(await rolesOf('bob')).toEqual(['joined', 'of-both'])
    await expect(give('bob', ['of-every'], both)).rejects.toMatchObject(beyond('of-every'))
  })
})

describe('an administrator', () => {
  test('does all of that', async () => {
    await roles.update('of-every', (known) => ({ ...known, description: 'other' }), { by: op })
    await give('bob', ['Admin', 'gatehouse:operator', 'of-alias', 'gatehouse:cluster-administrator:c2'], op)
    await give('bob', [], op)
    await users.update('bob', { password: 'p' }, { by: op })
    await users.delete('bob', op)
  })
})

describe('who may not change roles at all is refused by the rule as well', () => {
  test.each([nobody, operator])('$subject', async (by) => {
    await expect(roles.create(role('mine'), { by })).rejects.toMatchObject(beyond())
    await expect(roles.update('of-c1', (known) => known, { by })).rejects.toMatchObject(beyond())
    await expect(roles.delete('of-c1', { by })).rejects.toMatchObject(beyond())
    await expect(give('bob', ['of-c1'], by)).rejects.toMatchObject(beyond())
    await expect(users.create({ name: 'new', password: 'p', roleNames: ['of-c1'] }, by)).rejects.toMatchObject(beyond())
    expect(await users.get('new')).toBeUndefined()
  })
})

describe('nobody takes over who holds more', () => {
  const hashOf = async (name: string) => (await parts.store.users.credentials(name))?.passwordHash

  test('by a new password: all the roles of the user must be theirs to give', async () => {
    for (const name of ['Admin', 'gatehouse:auditor', 'of-c2', 'of-every']) {
      await give('bob', ['of-c1', name], op)
      const before = await hashOf('bob')
      await expect(users.update('bob', { password: 'p' }, { by: ann })).rejects.toMatchObject(beyond(name))
      expect(await hashOf('bob')).toBe(before)
    }
    await give('bob', ['of-c1', 'gatehouse:cluster-administrator:c1'], op)
    await users.update('bob', { password: 'p' }, { by: ann })
  })

  test('nor with new roles and a new password at once', async () => {
    await give('bob', ['Admin', 'of-c1'], op)
    const both = users.update('bob', { password: 'p', roleNames: ['Admin'] }, { by: ann })
    await expect(both).rejects.toMatchObject(beyond('Admin'))
    expect(await rolesOf('bob')).toEqual(['Admin', 'of-c1'])
  })

  test('by disabling, enabling or deleting', async () => {
    await give('bob', ['gatehouse:operator'], op)
    await give('ann', ['Admin'], op)
    for (const name of ['ann', 'bob']) {
      const act = [
        () => users.setDisabled(name, true, ann),
        () => users.setDisabled(name, false, ann),
        () => users.delete(name, ann),
      ]
      for (const each of act) await expect(each()).rejects.toMatchObject(beyond())
    }
    await users.setDisabled('bob', true, operator)
  })

  test('everybody changes the own password, whatever they hold', async () => {
    await give('ann', ['Admin', 'of-every'], op)
    const before = await hashOf('ann')
    await users.update('ann', { password: 'p' }, { by: ann })
    expect(await hashOf('ann')).not.toBe(before)
  })
})
