import { beforeAll, expect, test } from 'vitest'
import { startService, type TestService } from '../../service.ts'
import { apiOf, problemIn } from './api.ts'

// What any route makes of a request that is not as it should be.

let service: TestService
let api: ReturnType<typeof apiOf>

beforeAll(async () => {
  service = await startService()
  api = apiOf(service)
  return () => service[Symbol.asyncDispose]()
})

test.each([
  ['/whoami?x=1', 'x'],
  ['/permissions?verbose', 'verbose'],
  ['/users?limit=1&limit=2', 'limit'],
  ['/users?role=', 'role'],
  ['/revocations?limit=0', 'limit'],
  ['/revocations?limit=1001', 'limit'],
  ['/revocations?cursor=abc', 'cursor'],
  ['/revocations?page=2', 'page'],
  ['/clusters?state=fine', 'state'],
  ['/tokens?state=dead', 'state'],
  ['/tokens?issuedFrom=yesterday', 'issuedFrom'],
  ['/tokens?cursor=MTp4', 'cursor'],
  ['/tokens?cursor=MToxLjIuMw', 'cursor'],
])('%s is refused, naming the parameter', async (path, field) => {
  const answer = await api('GET', path)
  expect(answer.status).toBe(422)
  expect(problemIn(answer).fields).toContainEqual({ in: 'query', field, detail: expect.any(String) })
})

test('a body may be nested 32 levels deep, whatever stands in its texts; a million levels do no harm', async () => {
  const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`
  const deep = await api('POST', '/roles', { body: `{"name":"x","entries":${nested(31)}}` })
  expect(problemIn(deep).status).toBe(422)
  for (const levels of [32, 1_000_000]) {
    const answer = await api('POST', '/roles', { body: `{"name":"x","entries":${nested(levels)}}` })
    expect(problemIn(answer)).toMatchObject({ status: 400, detail: 'The body is nested deeper than 32 levels.' })
  }
  const texts = { name: 'brackets', description: `"\\${'['.repeat(100)}` }
  expect((await api('POST', '/roles', { body: texts })).status).toBe(201)
})

test('of many problems the first hundred are told, and none at length', async () => {
  const members = Array.from({ length: 5000 }, (_, at) => [`m${at}`.padEnd(at === 0 ? 3000 : 1, 'x'), 1])
  const answer = await api('POST', '/sessions', { body: Object.fromEntries(members), token: undefined })
  expect(answer.status).toBe(422)
  expect(problemIn(answer).fields).toHaveLength(100)
  expect(JSON.stringify(answer.body).length).toBeLessThan(20_000)
  const entries = Array.from({ length: 1000 }, () => ({ cluster: 'c', permissions: ['nothing'] }))
  expect(problemIn(await api('PUT', '/roles/faulty', { body: { entries } })).fields).toHaveLength(100)
})

test.each([
  ['a text', '{"name":"half","description":"a\\ud800b"}'],
  ['the name of a member', '{"name":"half","\\uDFFF":1}'],
  ['the wrong half first', '{"name":"half","description":"\\udc00\\ud800"}'],
])('half a surrogate pair is refused in %s; a whole one is a sign', async (_where, body) => {
  const refused = await api('POST', '/roles', { body })
  expect(problemIn(refused)).toMatchObject({ status: 400, detail: expect.stringContaining('surrogate') })
  const whole = { entries: [], description: '\\ud83d\\ude00 \\u0000' }
  const text = JSON.stringify(whole).replaceAll('\\\\u', '\\u')
  expect((await api<{ description: string }>('PUT', '/roles/whole', { body: text })).body.description).toBe('😀 \u0000')
})

test('a body that is not UTF-8 is refused', async () => {
  const answer = await fetch(`${service.url}/api/v1/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: Buffer.from('{"name":"admin","password":"gr\u00fcn"}', 'latin1'),
  })
  expect(answer.status).toBe(400)
  expect(await answer.json()).toMatchObject({ detail: 'The body is not UTF-8.' })
})

test('a body over 4 MiB is refused, and a log-in over 64 KiB', async () => {
  const answer = await api('POST', '/roles', { body: { name: 'x', description: 'x'.repeat(5 * 1024 * 1024) } })
  expect(problemIn(answer)).toMatchObject({ status: 413, code: 'request_too_large' })
  const login = { name: 'admin', password: 'x'.repeat(70_000) }
  expect((await api('POST', '/sessions', { body: login, token: undefined })).status).toBe(413)
})

test('HEAD answers what GET does, without the body', async () => {
  const token = await service.adminToken()
  const get = await service.request('GET', '/api/v1/users/admin', { token })
  const head = await service.request('HEAD', '/api/v1/users/admin', { token })
  expect({ status: head.status, text: head.text }).toEqual({ status: 200, text: '' })
  for (const name of ['etag', 'content-type', 'cache-control'])
    expect(head.headers.get(name)).toBe(get.headers.get(name))
})

test.each([
  ['PUT', '/users', 'GET, POST'],
  ['POST', '/users/admin', 'GET, PATCH, DELETE'],
  ['PATCH', '/roles/x', 'GET, PUT, DELETE'],
  ['DELETE', '/settings', 'GET, PATCH'],
])('%s %s says what there is instead', async (method, path, allowed) => {
  const answer = await api(method, path)
  expect({ status: answer.status, allow: answer.headers.get('allow') }).toEqual({ status: 405, allow: allowed })
})

test('nothing is kept by caches but what anybody may read', async () => {
  expect((await api('GET', '/users')).headers.get('cache-control')).toBe('no-store')
  expect((await api('GET', '/users/admin')).headers.get('cache-control')).toBe('private, no-cache')
  expect((await api('GET', '/users/nobody')).headers.get('cache-control')).toBe('no-store')
})
