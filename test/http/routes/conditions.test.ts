import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { createHandClock } from '../../clock.ts'
import { startService, type TestService } from '../../service.ts'
import { apiOf, problemIn } from './api.ts'

let service: TestService
let api: ReturnType<typeof apiOf>

beforeAll(async () => {
  service = await startService({ clusters: ['lake'] })
  api = apiOf(service)
  await service.makeUser('ann', 'pw')
  await api('PUT', '/roles/reader', { body: {} })
  return () => service[Symbol.asyncDispose]()
})

async function tagOf(path: string): Promise<string> {
  const tag = (await api('GET', path)).headers.get('etag')
  if (tag === null) throw new Error(`${path} has no entity tag`)
  return tag
}

describe('entity tags', () => {
  test.each([
    ['/users/ann', 'PATCH', { isDisabled: true }],
    ['/roles/reader', 'PUT', { description: 'new' }],
    ['/clusters/lake', 'PATCH', { alias: 'pool' }],
    ['/settings', 'PATCH', { 'log.level': 4 }],
  ])('%s: a change goes on under the present tag, and under no other', async (path, method, body) => {
    const tag = await tagOf(path)
    expect(tag).toMatch(/^"[\w-]{27}"$/)
    for (const stale of ['"another"', `W/${tag}`, 'no tag']) {
      const refused = await api(method, path, { body, headers: { 'if-match': stale } })
      expect(problemIn(refused)).toMatchObject({ status: 412, code: 'precondition_failed' })
    }
    expect(await tagOf(path)).toBe(tag)
    const changed = await api(method, path, { body, headers: { 'if-match': `"another", ${tag}` } })
    expect(changed.status).toBe(200)
    const now = await tagOf(path === '/clusters/lake' ? '/clusters/pool' : path)
    expect(changed.headers.get('etag')).toBe(now)
    expect(now).not.toBe(tag)
  })

  test('of two who change the same thing as they have read it, one is told that it has changed', async () => {
    await api('PUT', '/roles/contended', { body: {} })
    const headers = { 'if-match': await tagOf('/roles/contended') }
    const answers = await Promise.all(
      ['one', 'two', 'three'].map((description) => api('PUT', '/roles/contended', { body: { description }, headers })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412])
  })

  test.each(['/users/bea', '/roles/brief'])('%s is not removed under a stale tag', async (path) => {
    await service.makeUser('bea', 'pw').catch(() => undefined)
    await api('PUT', '/roles/brief', { body: {} })
    expect((await api('DELETE', path, { headers: { 'if-match': '"another"' } })).status).toBe(412)
    expect((await api('DELETE', path, { headers: { 'if-match': await tagOf(path) } })).status).toBe(204)
    expect((await api('DELETE', path, { headers: { 'if-match': '*' } })).status).toBe(404)
  })

  test('If-None-Match: * makes what is not there, and changes nothing that is', async () => {
    const headers = { 'if-none-match': '*' }
    expect((await api('PUT', '/roles/new', { body: {}, headers })).status).toBe(201)
    expect((await api('PUT', '/roles/new', { body: { description: 'x' }, headers })).status).toBe(412)
    expect((await api('PUT', '/roles/none', { body: {}, headers: { 'if-match': '*' } })).status).toBe(412)
    // Compared weakly (RFC 9110 section 13.1.2): what is known in any form is not to be overwritten.
    const known = { 'if-none-match': `"another", W/${await tagOf('/roles/new')}` }
    expect((await api('PUT', '/roles/new', { body: { description: 'y' }, headers: known })).status).toBe(412)
  })

  test.each(['/users/ann', '/roles/reader', '/settings', '/openapi.json'])(
    '%s is not sent again to who has it',
    async (path) => {
      const tag = await tagOf(path)
      for (const method of ['GET', 'HEAD']) {
        const answer = await service.request(method, `/api/v1${path}`, {
          token: await service.adminToken(),
          headers: { 'if-none-match': `"another", W/${tag}` },
        })
        expect({ status: answer.status, text: answer.text }).toEqual({ status: 304, text: '' })
        expect(answer.headers.get('etag')).toBe(tag)
      }
      expect((await api('GET', path, { headers: { 'if-none-match': '"another"' } })).status).toBe(200)
    },
  )
})

describe('an Idempotency-Key', () => {
  const key = () => ({ 'idempotency-key': randomUUID() })

  test.each([
    ['/users', { name: 'once', password: 'pw', roles: [] }, '/users/once'],
    ['/roles', { name: 'once', description: 'x' }, '/roles/once'],
  ])(
    '%s: the same request under the same key is done once, and answered as it was the first time',
    async (path, body, place) => {
      const headers = key()
      const first = await api(path === '' ? 'GET' : 'POST', path, { body, headers })
      expect(first.status).toBe(201)
      expect(first.headers.get('idempotency-replayed')).toBeNull()
      await api('DELETE', place)
      const second = await api('POST', path, { body, headers })
      expect(second).toMatchObject({ status: 201, body: first.body })
      expect(second.headers.get('idempotency-replayed')).toBe('true')
      expect(second.headers.get('location')).toBe(first.headers.get('location'))
      expect(second.headers.get('etag')).toBe(first.headers.get('etag'))
      expect((await api('GET', place)).status).toBe(404)
    },
  )

  test('a cluster is registered once', async () => {
    const cluster = await service.startCluster({ alias: 'sea' })
    const body = { id: cluster.uuid, alias: 'sea', urls: cluster.urls }
    const headers = key()
    const answers = [
      await api('POST', '/clusters', { body, headers }),
      await api('POST', '/clusters', { body, headers }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([201, 201])
    expect(answers[1]?.body).toEqual(answers[0]?.body)
  })

  test('with another request it is refused; without one, or of somebody else, it means nothing', async () => {
    const headers = key()
    const body = { name: 'first', password: 'pw' }
    await api('POST', '/users', { body, headers })
    const reused = await api('POST', '/users', { body: { ...body, password: 'other' }, headers })
    expect(problemIn(reused)).toMatchObject({ status: 422, code: 'idempotency_key_reused' })
    expect(problemIn(await api('POST', '/users', { body })).code).toBe('user_exists')
    await service.makeUser('second-admin', 'pw', ['Admin'])
    const token = await service.login('second-admin', 'pw')
    expect(problemIn(await api('POST', '/users', { body, headers, token })).code).toBe('user_exists')
  })

  test('of requests at the same time one is done, the others are told to come again', async () => {
    const headers = key()
    const post = () => api('POST', '/users', { body: { name: 'together', password: 'pw' }, headers })
    const statuses = (await Promise.all([post(), post(), post()])).map(({ status }) => status).sort()
    expect(statuses).toEqual([201, 409, 409])
    expect((await post()).headers.get('idempotency-replayed')).toBe('true')
  })

  test('a refused creation keeps no key', async () => {
    const headers = key()
    const post = () => api('POST', '/roles', { body: { name: 'later' }, headers })
    await api('PUT', '/roles/later', { body: {} })
    expect((await post()).status).toBe(409)
    await api('DELETE', '/roles/later')
    expect((await post()).status).toBe(201)
  })

  test('that is none is refused', async () => {
    const answer = await api('POST', '/roles', { body: { name: 'x' }, headers: { 'idempotency-key': 'a b' } })
    expect(problemIn(answer).fields).toEqual([
      { in: 'header', field: 'Idempotency-Key', detail: expect.stringContaining('visible') },
    ])
  })

  test('is kept across a restart, and forgotten after a day', async () => {
    const clock = createHandClock(new Date())
    await using other = await startService({ clock, store: 'file' })
    const call = apiOf(other)
    const headers = key()
    const post = () => call('POST', '/users', { body: { name: 'ann', password: 'pw' }, headers })
    await post()
    await other.restart()
    expect((await post()).headers.get('idempotency-replayed')).toBe('true')
    clock.step(23 * 3_600_000)
    expect((await post()).status).not.toBe(409)
    clock.step(2 * 3_600_000)
    const token = await other.login('admin', other.administrator.password)
    const late = await call('POST', '/users', { body: { name: 'ann', password: 'pw' }, headers, token })
    expect(problemIn(late).code).toBe('user_exists')
  })
})
