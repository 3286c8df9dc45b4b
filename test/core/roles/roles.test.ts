import { expect, test } from 'vitest'
import { createRoles } from '../../../src/core/roles/roles.ts'
import { deedAt, op } from '../../actors.ts'
import { aToken } from '../../store/conformance/samples.ts'
import { createParts } from '../keys/ring-parts.ts'
import { propagation } from '../sessions/session-parts.ts'

const role = (name: string) => ({ name, description: 'd', grants: [], annotations: {} })

function start() {
  const { store, clock } = createParts()
  return createRoles({ roles: store.roles, clock, propagation, budgetMs: 250 })
}

test('a role is created, changed and deleted', async () => {
  const roles = start()
  await roles.create(role('readers'), { by: op })
  expect(await roles.get('readers')).toMatchObject({ ...role('readers'), isAdministrator: false, isBuiltIn: false })
  await roles.update('readers', (known) => ({ ...known, description: 'changed' }), { by: op })
  expect((await roles.list()).map(({ name, description }) => [name, description])).toContainEqual([
    'readers',
    'changed',
  ])
  await roles.delete('readers', { by: op })
  expect(await roles.get('readers')).toBeUndefined()
})

test.each([
  ['without a name', '', undefined, { code: 'field_missing', details: { field: 'name', what: 'role name' } }],
  ['with a bad name', 'a/b', undefined, { code: 'field_invalid', details: { what: 'role name', value: 'a/b' } }],
  ['that administers Gatehouse', 'boss', true, { code: 'role_protected', details: { name: 'boss', act: 'create' } }],
  ['with a bad name that administers, for the name', 'a/b', true, { code: 'field_invalid' }],
  ['of the built-in name', 'Admin', undefined, { code: 'role_exists' }],
  ['of a name that built-in roles may have', 'gatehouse:boss', undefined, { code: 'field_invalid' }],
])('a role %s is refused', async (_what, name, isAdministrator, error) => {
  const roles = start()
  const options = { by: op, ...(isAdministrator === undefined ? {} : { isAdministrator }) }
  await expect(roles.create(role(name), options)).rejects.toMatchObject(error)
  expect((await roles.list()).filter(({ isBuiltIn }) => !isBuiltIn)).toEqual([])
})

test('a role has ten thousand grants at most, by whatever small steps', async () => {
  const roles = start()
  const grants = (count: number) =>
    Array.from({ length: count }, (_, at) => ({
      clusterId: `c${at}`,
      resource: null,
      permissions: '1',
      annotations: {},
    }))
  const error = { code: 'field_invalid', details: { field: 'grants', value: '10001 grants' } }
  await expect(roles.create({ ...role('huge'), grants: grants(10_001) }, { by: op })).rejects.toMatchObject(error)
  await roles.create({ ...role('large'), grants: grants(10_000) }, { by: op })
  const more = roles.update('large', (known) => ({ ...known, grants: grants(10_001) }), { by: op })
  await expect(more).rejects.toMatchObject(error)
  expect((await roles.get('large'))?.grants).toHaveLength(10_000)
})

test('tokens that a narrower role makes too wide are revoked where that is wanted, and clusters are waited for', async () => {
  const { store, clock, sealer } = createParts()
  const waited: number[] = []
  const propagation = { reached: async (sequence: number) => void waited.push(sequence) }
  const roles = createRoles({ roles: store.roles, clock, propagation, budgetMs: 250 })
  const expiresAt = new Date(clock.now().getTime() + 60_000)
  for (const name of ['readers', 'writers']) {
    await roles.create(
      {
        ...role(name),
        grants: [{ clusterId: 'c1', resource: null, permissions: '7', annotations: {} }],
      },
      { by: op },
    )
    const roleKeys = [(await roles.get(name))?.key ?? 0]
    await store.tokens.record(aToken(`of ${name}`, sealer, { roleKeys, expiresAt }), deedAt(clock.now()))
  }
  await roles.update('readers', (known) => ({ ...known, grants: [] }), { by: op })
  expect(waited).toEqual([])
  await roles.update('writers', (known) => ({ ...known, grants: [] }), { by: op, revokeNarrowed: true })
  await roles.delete('readers', { by: op, revokeNarrowed: true })
  const log = await store.revocations.after(0, { limit: 9, now: clock.now() })
  expect(log.map((change) => change.token)).toEqual(['of writers', 'of readers'])
  expect(waited).toEqual(log.map((change) => change.sequence))
  const acts = await store.revocationActs.list({ limit: 9 })
  expect(acts.map(({ actor, selector }) => [actor, selector])).toEqual([
    ['op', { by: 'consequence', of: 'role.deleted', name: 'readers' }],
    ['op', { by: 'consequence', of: 'role.narrowed', name: 'writers' }],
  ])
})
