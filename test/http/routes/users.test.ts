import { beforeAll, describe, expect, test } from 'vitest'
import type { UserBody } from '../../../src/http/routes/shapes/users.ts'
import { startService, type TestService } from '../../service.ts'
import { apiOf, problemIn } from './api.ts'

interface Page {
  readonly items: readonly UserBody[]
  readonly next: string | null
}

let service: TestService
let api: ReturnType<typeof apiOf>

beforeAll(async () => {
  service = await startService()
  api = apiOf(service)
  for (const name of ['reader', 'writer']) await api('PUT', `/roles/${name}`, { body: {} })
  return () => service[Symbol.asyncDispose]()
})

async function makeUser(name: string, roles: readonly string[] = []) {
  const answer = await api<UserBody>('POST', '/users', { body: { name, password: `pw of ${name}`, roles } })
  expect(answer.status).toBe(201)
  return answer
}

async function isGood(token: string) {
  return (await api('GET', '/whoami', { token })).status === 200
}

describe('a user', () => {
  test('is made, shown where the answer says, changed whole and in part, and removed', async () => {
    const made = await makeUser('ann', ['reader', 'writer'])
    expect(made.body).toMatchObject({ name: 'ann', roles: ['reader', 'writer'], isDisabled: false, isBuiltIn: false })
    expect(made.headers.get('location')).toBe('/api/v1/users/ann')
    const shown = await api('GET', '/users/ann')
    expect(shown.body).toEqual(made.body)
    expect(shown.headers.get('etag')).toBe(made.headers.get('etag'))
    const changed = await api<UserBody>('PATCH', '/users/ann', { body: { roles: [] } })
    expect(changed.body).toMatchObject({ roles: [], isDisabled: false })
    expect((await api('PATCH', '/users/ann', { body: {} })).body).toEqual(changed.body)
    expect((await api('DELETE', '/users/ann')).status).toBe(204)
    expect((await api('GET', '/users/ann')).status).toBe(404)
  })

  test('gets and loses roles one at a time, again without effect, and only the tokens that carry a lost one go', async () => {
    await makeUser('ben', ['reader'])
    const before = await service.login('ben', 'pw of ben')
    expect((await api<UserBody>('PUT', '/users/ben/roles/writer')).body.roles).toEqual(['reader', 'writer'])
    const again = await api<UserBody>('PUT', '/users/ben/roles/writer')
    expect(again.body.roles).toEqual(['reader', 'writer'])
    const after = await service.login('ben', 'pw of ben')
    expect((await api<UserBody>('DELETE', '/users/ben/roles/writer')).body.roles).toEqual(['reader'])
    expect(await Promise.all([before, after].map(isGood))).toEqual([true, false])
    const kept = await api<UserBody>('DELETE', '/users/ben/roles/reader?tokens=keep')
    expect(kept.body.roles).toEqual([])
    expect(await isGood(before)).toBe(true)
    expect((await api('DELETE', '/users/ben/roles/reader')).status).toBe(200)
    expect(problemIn(await api('PUT', '/users/ben/roles/nobody')).code).toBe('role_not_found')
    expect(problemIn(await api('PUT', '/users/nobody/roles/reader')).code).toBe('user_not_found')
  })

  test('is disabled with a new password and without roles in one act, or nothing of it happens', async () => {
    await makeUser('cid', ['reader'])
    const refused = await api('PATCH', '/users/cid', { body: { isDisabled: true, password: 'new', roles: ['gone'] } })
    expect(problemIn(refused)).toMatchObject({ status: 422, fields: [{ in: 'body', field: 'roles' }] })
    const token = await service.login('cid', 'pw of cid')
    const done = await api<UserBody>('PATCH', '/users/cid', { body: { isDisabled: true, password: 'new', roles: [] } })
    expect(done.body).toMatchObject({ isDisabled: true, roles: [] })
    expect(await isGood(token)).toBe(false)
    expect((await api('POST', '/sessions', { body: { name: 'cid', password: 'new' } })).status).toBe(401)
    await api('PATCH', '/users/cid', { body: { isDisabled: false } })
    expect((await api('POST', '/sessions', { body: { name: 'cid', password: 'new' } })).status).toBe(201)
  })

  test('changes the own password by the present one: other tokens go, the one that is shown stays', async () => {
    await makeUser('dan')
    const other = await service.login('dan', 'pw of dan')
    const token = await service.login('dan', 'pw of dan')
    const change = (currentPassword: string) =>
      api('PUT', '/whoami/password', { token, body: { currentPassword, newPassword: 'another' } })
    expect(problemIn(await change('wrong'))).toMatchObject({ status: 422, fields: [{ field: 'currentPassword' }] })
    expect((await change('pw of dan')).status).toBe(204)
    expect(await Promise.all([other, token].map(isGood))).toEqual([false, true])
    expect((await api('POST', '/sessions', { body: { name: 'dan', password: 'another' } })).status).toBe(201)
  })

  test('that is built in keeps its roles and stays', async () => {
    for (const [method, path, body] of [
      ['PATCH', '/users/admin', { roles: [] }],
      ['PATCH', '/users/admin', { isDisabled: true }],
      ['DELETE', '/users/admin/roles/Admin', undefined],
      ['DELETE', '/users/admin', undefined],
    ] as const) {
      expect(problemIn(await api(method, path, { body })).code).toBe('user_protected')
    }
  })

  test.each([
    [{ name: 'x' }, 'password'],
    [{ name: 'x', password: '' }, 'password'],
    [{ name: '-x', password: 'pw' }, 'name'],
    [{ name: 'x', password: 'pw', roles: ['gone'] }, 'roles'],
    [{ name: 'x', password: 'pw', roles: 'reader' }, 'roles'],
    [{ name: 'x', password: 'pw', admin: true }, 'admin'],
  ])('%j is refused, naming %s', async (body, field) => {
    const answer = await api('POST', '/users', { body })
    expect(answer.status).toBe(422)
    expect(problemIn(answer).fields).toContainEqual({ in: 'body', field, detail: expect.any(String) })
    expect((await api('GET', '/users/x')).status).toBe(404)
  })
})

describe('the list of users', () => {
  beforeAll(async () => {
    for (let number = 0; number < 7; number += 1) await makeUser(`list-${number}`, number % 2 ? ['writer'] : [])
    await api('PATCH', '/users/list-3', { body: { isDisabled: true } })
  })

  async function walk(query: string): Promise<string[]> {
    const names: string[] = []
    for (let cursor = ''; ; ) {
      const { status, body } = await api<Page>('GET', `/users?limit=2&${query}${cursor}`)
      expect(status).toBe(200)
      names.push(...body.items.map(({ name }) => name))
      if (body.next === null) return names
      cursor = `&cursor=${body.next}`
    }
  }

  test('comes in pages, in either order, and filtered', async () => {
    const all = [0, 1, 2, 3, 4, 5, 6].map((number) => `list-${number}`)
    expect(await walk('prefix=list-')).toEqual(all)
    expect(await walk('prefix=list-&sort=-name')).toEqual([...all].reverse())
    expect(await walk('prefix=list-&role=writer')).toEqual(['list-1', 'list-3', 'list-5'])
    expect(await walk('prefix=list-&role=writer&disabled=false&sort=-name')).toEqual(['list-5', 'list-1'])
    expect(await walk('disabled=true')).toEqual(['list-3'])
    expect(await walk('role=nobody')).toEqual([])
    expect(await walk('')).toContain('admin')
  })

  test('shows the holders of a role as they are now', async () => {
    await api('PUT', '/roles/brief', { body: {} })
    await makeUser('list-x', ['brief'])
    await makeUser('list-y', ['brief'])
    expect(await walk('role=brief')).toEqual(['list-x', 'list-y'])
    await api('DELETE', '/users/list-x')
    await api('PATCH', '/users/list-y', { body: { roles: [] } })
    expect(await walk('role=brief')).toEqual([])
    await makeUser('list-x')
    await api('PUT', '/users/list-x/roles/brief')
    expect(await walk('role=brief')).toEqual(['list-x'])
    await api('DELETE', '/roles/brief')
    await api('PUT', '/roles/brief', { body: {} })
    expect(await walk('role=brief')).toEqual([])
  })
})
