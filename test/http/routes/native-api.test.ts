import { randomBytes } from 'node:crypto'
import { Hono } from 'hono'
import { beforeAll, describe, expect, test } from 'vitest'
import type { HttpEnv } from '../../../src/http/env.ts'
import { createNativeApi } from '../../../src/http/routes/native-api.ts'
import { route } from '../../../src/http/routes/route.ts'
import { startService, type TestService } from '../../service.ts'
import { apiOf, problemIn } from './api.ts'

let service: TestService
let api: ReturnType<typeof apiOf>

beforeAll(async () => {
  service = await startService()
  api = apiOf(service)
  return () => service[Symbol.asyncDispose]()
})

describe('a route without a permission can not be built', () => {
  const spec = {
    method: 'get',
    path: '/things',
    tag: 'Things',
    summary: 'List things',
    answer: { status: 204, description: 'None.' },
  } as const
  const handle = async () => ({ body: undefined })

  test('it does not compile, and is refused where types are evaded', () => {
    // @ts-expect-error a permission is missing
    expect(() => route(spec, handle)).toThrow('declares no permission')
    // @ts-expect-error nobody knows this permission
    expect(() => route({ ...spec, permission: 'things:read' }, handle)).toThrow('declares no permission')
    expect(route({ ...spec, permission: 'none' }, handle).permission).toBe('none')
  })

  test('a route that anybody may call is given no caller', () => {
    // @ts-expect-error there is no caller to speak of
    route({ ...spec, permission: 'none' }, async ({ caller }) => ({ body: void caller.token }))
  })
})

interface Operation {
  readonly 'x-permission': string
  readonly security: unknown[]
  readonly responses: Readonly<Record<string, unknown>>
}

interface OpenApi {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

function operationsOf(document: OpenApi) {
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ method, path, operation })),
  )
}

describe('the document', () => {
  test('is OpenAPI 3.1 for anybody, and says of every operation what it needs', async () => {
    const { status, body } = await api<OpenApi>('GET', '/openapi.json', { token: undefined })
    expect(status).toBe(200)
    expect(body.openapi).toBe('3.1.0')
    const operations = operationsOf(body)
    expect(operations.length).toBeGreaterThan(15)
    for (const { operation } of operations) {
      expect(operation['x-permission']).toMatch(/^(none|self|[a-z]+:[a-z]+)$/)
      expect(operation.security).toHaveLength(operation['x-permission'] === 'none' ? 0 : 1)
    }
  })

  test('every operation that needs somebody refuses nobody, and with a permission those who lack it', async () => {
    await service.makeUser('plain', 'a password')
    const token = await service.login('plain', 'a password')
    const { body } = await api<OpenApi>('GET', '/openapi.json')
    for (const { method, path, operation } of operationsOf(body)) {
      const need = operation['x-permission']
      if (need === 'none') continue
      const target = path.replaceAll(/\{\w+\}/g, '1')
      const stranger = await api(method.toUpperCase(), target, { token: undefined })
      expect({ path, status: stranger.status }).toEqual({ path, status: 401 })
      expect(stranger.headers.get('www-authenticate')).toBe('Bearer realm="gatehouse"')
      if (need === 'self') continue
      const refused = await api(method.toUpperCase(), target, { token })
      expect({ path, status: refused.status }).toEqual({ path, status: 403 })
      expect(refused.headers.get('www-authenticate')).toContain(`scope="${need}"`)
      expect(problemIn(refused).detail).toContain(need)
    }
  })
})

describe('failures are problem details', () => {
  test.each([
    ['an unknown path', 'GET', '/nothing', {}, 404, 'path_not_found'],
    ['an unknown thing', 'GET', '/clusters/nothing', {}, 404, 'cluster_not_found'],
    ['a wrong method', 'PUT', '/clusters', {}, 405, 'method_not_allowed'],
    ['no JSON', 'POST', '/revocations', { body: '{"user":' }, 400, 'request_unreadable'],
    ['no body', 'POST', '/revocations', {}, 400, 'request_unreadable'],
    [
      'another type',
      'POST',
      '/revocations',
      { body: 'user=ann', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      415,
      'request_unreadable',
    ],
    ['too much', 'POST', '/revocations', { body: `"${'x'.repeat(4 << 20)}"` }, 413, 'request_too_large'],
    ['a token that is none', 'GET', '/whoami', { token: 'rubbish' }, 401, 'token_invalid'],
  ])('%s', async (_title, method, path, options, status, code) => {
    const answer = await api(method, path, options)
    expect(answer.status).toBe(status)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(problemIn(answer)).toMatchObject({
      type: `urn:gatehouse:problem:${code}`,
      code,
      status,
      title: expect.stringMatching(/./),
      detail: expect.stringMatching(/./),
      requestId: answer.headers.get('x-request-id'),
    })
  })

  test.each([
    [{}, '', 'exactly one of'],
    [{ user: 'ann', role: 'x' }, '', 'exactly one of'],
    [{ usr: 'ann' }, 'usr', 'is not known here'],
    [{ user: 7 }, 'user', 'expected string'],
    [{ issuedBefore: 'yesterday' }, 'issuedBefore', 'ISO'],
  ])('%j is refused with the member at fault', async (body, field, said) => {
    const answer = await api('POST', '/revocations', { body })
    expect(answer.status).toBe(422)
    expect(problemIn(answer).fields).toContainEqual({ in: 'body', field, detail: expect.stringContaining(said) })
  })

  test('a wrong method says which ones there are', async () => {
    expect((await api('DELETE', '/revocations')).headers.get('allow')).toBe('GET, POST')
  })

  test('what breaks is kept for the log and not told to the caller', async () => {
    const secret = randomBytes(8).toString('hex')
    const broken = route(
      {
        method: 'get',
        path: '/broken',
        permission: 'none',
        tag: 'Things',
        summary: 'Break',
        answer: { status: 204, description: 'Never.' },
      },
      () => Promise.reject(new Error(secret)),
    )
    const authenticator = { authenticate: () => Promise.reject(new Error('nobody asks')) }
    const refusals = { note: () => undefined }
    const { root, handle } = createNativeApi({ routes: [broken], authenticator, refusals, version: '0' })
    let failure: unknown
    const outer = new Hono<HttpEnv>()
      .use(async (c, next) => {
        await next()
        failure = c.get('failure')
      })
      .all('*', handle)
    const answer = await outer.request(`${root}/broken`, {}, { incoming: { headers: {} } })
    expect(answer.status).toBe(500)
    expect(await answer.text()).not.toContain(secret)
    expect(failure).toMatchObject({ message: secret })
  })
})
