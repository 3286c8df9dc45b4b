/** Bodies that no client of AIStore sends, or sends by mistake (contract 1.1). */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startService, type TestService } from '../../../service.ts'

let service: TestService
let admin: string

beforeAll(async () => {
  service = await startService()
  admin = await service.adminToken()
})
afterAll(() => service[Symbol.asyncDispose]())

const routes = [
  ['POST', '/v1/users'],
  ['PUT', '/v1/users/nobody'],
  ['POST', '/v1/users/nobody'],
  ['POST', '/v1/roles'],
  ['PUT', '/v1/roles/nothing'],
  ['POST', '/v1/clusters'],
  ['PUT', '/v1/clusters/nowhere'],
  ['DELETE', '/v1/tokens'],
  ['PUT', '/v1/daemon'],
] as const

const undecodable = [
  ['nothing', ''],
  ['a list', '[]'],
  ['a string', '"x"'],
  ['a number', '5'],
  ['a truth value', 'true'],
  ['lists without end', '['.repeat(30_000)],
  ['objects without end', '{"a":'.repeat(10_000)],
  ['a byte order mark', '\ufeff{}'],
  ['an object that never closes', '{"id":"x"'],
] as const

describe.each(routes)('%s %s', (method, path) => {
  test.each(undecodable)('refuses %s, as a body of the wrong form', async (_, body) => {
    const answer = await service.request(method, path, { token: admin, body })
    expect(answer.status).toBe(400)
    expect(answer.json()).toMatchObject({ status: 400, message: expect.any(String) })
  })

  test.each([
    ['members that mean something to JavaScript', '{"__proto__":{"id":"x"},"constructor":{"prototype":{}}}'],
    ['a number of 500 digits where nobody looks', `{"x":${'9'.repeat(500)}}`],
    ['nesting where nobody looks', `{"x":${'['.repeat(50)}${']'.repeat(50)}}`],
  ])('takes %s for an empty object', async (_, body) => {
    const answer = await service.request(method, path, { token: admin, body })
    const empty = await service.request(method, path, { token: admin, body: '{}' })
    expect([answer.status, answer.text.replace(/127.0.0.1:\d+/, '')]).toEqual([
      empty.status,
      empty.text.replace(/127.0.0.1:\d+/, ''),
    ])
  })
})

describe('a member of the wrong type is named, and nothing is stored', () => {
  test.each([
    ['/v1/users', { id: 5, pass: 'p' }, 'id: expected a string'],
    ['/v1/users', { id: 'u', pass: 'p', roles: 'Admin' }, 'roles: expected a list'],
    ['/v1/users', { id: 'u', pass: 'p', roles: ['Admin'] }, 'roles.0: expected an object'],
    ['/v1/users', { id: 'u', pass: 'p', roles: [1] }, 'roles.0: expected an object'],
    ['/v1/roles', { name: 'r', admin: 'true' }, 'admin: expected true or false'],
    ['/v1/roles', { name: 'r', clusters: [5] }, 'clusters.0: expected an object'],
    ['/v1/roles', { name: 'r', buckets: [{ bck: 7 }] }, 'buckets.0.bck: expected an object'],
    ['/v1/roles', { name: 'r', clusters: [{ id: 'c', perm: 771 }] }, 'clusters.0.perm: expected a string'],
    ['/v1/clusters', { id: 'c', urls: 'http://h' }, 'urls: expected a list'],
    ['/v1/clusters', { id: 'c', urls: [{}] }, 'urls.0: expected a string'],
  ])('%s %j', async (path, body, message) => {
    const before = (await service.request('GET', path, { token: admin })).text
    const answer = await service.request('POST', path, { token: admin, body })
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining(message)])
    expect((await service.request('GET', path, { token: admin })).text).toBe(before)
  })
})

test('the configuration takes no number for an object', async () => {
  for (const body of [{ auth: 5 }, { log: 1 }, { auth: [] }, { log: { level: 3 } }]) {
    expect((await service.request('PUT', '/v1/daemon', { token: admin, body })).status).toBe(400)
  }
})

test('half a surrogate pair is no character: what is stored is what is shown', async () => {
  const body = '{"name":"half","desc":"a\\ud800b","clusters":[{"id":"\\udfff","perm":"1"}]}'
  expect((await service.request('POST', '/v1/roles', { token: admin, body })).status).toBe(200)
  expect((await service.request('GET', '/v1/roles/half', { token: admin })).json()).toMatchObject({
    desc: 'a\ufffdb',
    clusters: [{ id: '\ufffd', perm: '1' }],
  })
})

test('names of any look come back in messages as they are, in JSON that nobody takes for a page', async () => {
  const id = '<script>alert("x")</script>\u0000\'&'
  const answer = await service.request('POST', '/v1/users', { token: admin, body: { id, pass: 'p' } })
  expect(answer.status).toBe(400)
  expect((answer.json() as { message: string }).message).toContain(`user ID "${id}" is invalid`)
  expect(answer.headers.get('content-type')).toBe('application/json')
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
})

test('a name of a megabyte does not come back as a message of two', async () => {
  const answer = await service.request('POST', '/v1/users', { token: admin, body: { id: 'x'.repeat(1e6), pass: 'p' } })
  expect(answer.status).toBe(400)
  expect(answer.text.length).toBeLessThan(10_000)
  const roles = Array.from({ length: 1000 }, (_, index) => ({ name: `none${index}` }))
  const unknown = await service.request('POST', '/v1/users', { token: admin, body: { id: 'x', pass: 'p', roles } })
  expect([unknown.status, unknown.text]).toEqual([400, expect.stringMatching(/unknown roles: .*none0.* and 980 more/)])
})
