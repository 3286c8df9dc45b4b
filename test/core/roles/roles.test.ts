import { expect, test } from 'vitest'
import { createRoles } from '../../../src/core/roles/roles.ts'
import { createParts } from '../keys/ring-parts.ts'
import { propagation } from '../sessions/session-parts.ts'

const role = (name: string) => ({ name, description: 'd', grants: [], annotations: {} })

function start() {
  const { store, clock } = createParts()
  return createRoles({ roles: store.roles, clock, propagation, budgetMs: 250 })
}

test('a role is created, changed and deleted', async () => {
  const roles = start()
  await roles.create(role('readers'))
  expect(await roles.get('readers')).toMatchObject({ ...role('readers'), isAdministrator: false, isBuiltIn: false })
  await roles.update('readers', (known) => ({ ...known, description: 'changed' }))
  expect((await roles.list()).map(({ name, description }) => [name, description])).toContainEqual([
    'readers',
    'changed',
  ])
  await roles.delete('readers')
  expect(await roles.get('readers')).toBeUndefined()
})

test.each([
  ['without a name', '', undefined, { code: 'field_missing', details: { field: 'name', what: 'role name' } }],
  ['with a bad name', 'a/b', undefined, { code: 'field_invalid', details: { what: 'role name', value: 'a/b' } }],
  ['that administers Gatehouse', 'boss', true, { code: 'role_protected', details: { name: 'boss', act: 'create' } }],
  ['with a bad name that administers, for the name', 'a/b', true, { code: 'field_invalid' }],
  ['of the built-in name', 'Admin', undefined, { code: 'role_exists' }],
])('a role %s is refused', async (_what, name, isAdministrator, error) => {
  const roles = start()
  const options = isAdministrator === undefined ? undefined : { isAdministrator }
  await expect(roles.create(role(name), options)).rejects.toMatchObject(error)
  expect(await roles.list()).toHaveLength(1)
})
