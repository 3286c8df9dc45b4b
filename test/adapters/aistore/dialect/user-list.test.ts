import { expect, test } from 'vitest'
import { createAnswers } from '../../../../src/adapters/aistore/dialect/answers.ts'
import { createUserList } from '../../../../src/adapters/aistore/dialect/user-list.ts'
import type { Role } from '../../../../src/core/roles/role.ts'
import type { UserListing } from '../../../../src/core/users/user.ts'

function role(key: number): Role {
  const content = { description: '', grants: [], annotations: {} }
  return { key, name: `role${key}`, ...content, isAdministrator: false, isBuiltIn: false, authority: null }
}

/** A directory of so many users; `onPage` sees what is changed between pages. */
function directory(count: number, onPage: (page: number, roles: Role[]) => void = () => {}) {
  const roles = [role(1)]
  const rows: UserListing[] = Array.from({ length: count }, (_, index) => ({
    key: index,
    name: `u${String(index).padStart(6, '0')}`,
    roleKeys: index % 2 === 0 ? [1] : [2, 1],
  }))
  const state = { revision: 1, pages: 0, roleReads: 0 }
  const revisions = { directory: () => state.revision }
  const list = createUserList({
    revisions,
    answers: createAnswers(revisions),
    users: {
      async list({ after = '', limit }) {
        onPage(state.pages, roles)
        state.pages += 1
        const from = rows.findIndex(({ name }) => name > after)
        return from < 0 ? [] : rows.slice(from, from + limit)
      },
    },
    roleStore: {
      async list() {
        state.roleReads += 1
        return [...roles]
      },
    },
  })
  return { state, list }
}

type Listed = Record<string, { id: string; roles: { name: string }[] }>
async function read(list: () => Promise<Uint8Array<ArrayBuffer> | ReadableStream>) {
  const text = await new Response(await list()).text()
  expect(text.endsWith('}\n')).toBe(true)
  return JSON.parse(text) as Listed
}

test.each([0, 1, 999, 1000, 1001, 2000, 2500])('a list of %i users is whole', async (count) => {
  const listed = await read(directory(count).list)
  expect(Object.keys(listed)).toHaveLength(count)
  if (count > 0) expect(listed.u000000).toMatchObject({ id: 'u000000', roles: [{ name: 'role1' }] })
})

test('a short list is read once until something changes', async () => {
  const { state, list } = directory(10)
  for (const revision of [1, 1, 1, 2]) {
    state.revision = revision
    await read(list)
  }
  expect([state.pages, state.roleReads]).toEqual([2, 2])
})

test('a role that is made and given while a long list is read stands with its users', async () => {
  const { state, list } = directory(3000, (page, roles) => {
    if (page !== 2) return
    roles.push(role(2))
    state.revision += 1
  })
  const listed = await read(list)
  expect(listed.u000001?.roles).toHaveLength(1)
  expect(listed.u002999?.roles.map(({ name }) => name)).toEqual(['role2', 'role1'])
})
