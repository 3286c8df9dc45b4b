import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { createSealer } from '../../../src/core/keys/sealer.ts'
import type { UserFilter } from '../../../src/core/users/user-search.ts'
import { openSqliteStore } from '../../../src/store/sqlite/sqlite-store.ts'
import { deedAt } from '../../actors.ts'
import { aRole, aUser, start } from '../conformance/samples.ts'

test('a page that looked at many holders of a role and found few disabled ones says where to go on', async () => {
  const store = openSqliteStore({ file: ':memory:', sealer: createSealer(randomBytes(32)) })
  await store.roles.insert(aRole('r'), deedAt(start))
  const names = Array.from({ length: 5200 }, (_, number) => `u${String(number).padStart(4, '0')}`)
  await Promise.all(names.map((name) => store.users.insert(aUser(name, { roleNames: ['r'] }), deedAt(start))))
  for (const name of ['u0001', 'u5100']) await store.users.setDisabled(name, true, deedAt(start))
  const filter = { role: 'r', isDisabled: true }

  async function walk(given: UserFilter, isDescending = false) {
    const pages: (readonly string[])[] = []
    let after: string | undefined
    do {
      const page = { limit: 1000, isDescending, ...(after !== undefined && { after }) }
      const { users, next } = await store.userSearch.find(given, page)
      pages.push(users.map(({ name }) => name))
      after = next
    } while (after !== undefined)
    return pages
  }

  expect(await walk(filter)).toEqual([['u0001'], ['u5100']])
  expect(await walk(filter, true)).toEqual([['u5100'], ['u0001']])
  expect((await walk({ role: 'r', isDisabled: false })).flat()).toHaveLength(5198)
  const ann = await store.users.get('u0001')
  const [found] = (await store.userSearch.find(filter, { limit: 1 })).users
  expect(found).toMatchObject({ key: ann?.key, isDisabled: true, roleNames: ['r'] })
  expect((await walk({ role: 'r' })).map((page) => page.length)).toEqual([1000, 1000, 1000, 1000, 1000, 200])
  expect(await walk({ isDisabled: true })).toEqual([['u0001', 'u5100']])
  await store.close()
})
