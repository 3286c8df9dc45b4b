import { describe, expect, test } from 'vitest'
import type { AuditRowBody } from '../../src/http/routes/shapes/audit.ts'
import { startService, type TestAnswer, type TestService } from '../service.ts'
import { apiOf } from './routes/api.ts'

// Every route that changes something, by either protocol: a row of the request that did it.

interface Change {
  readonly method: string
  readonly path: string | ((service: TestService) => Promise<string>)
  readonly body?: unknown
  readonly action: string
  /** Without the administrator's token. */
  readonly isAnonymous?: boolean
}

const lockPath = async (service: TestService) => {
  const { body } = await apiOf(service)<{ lock: { id: number } }>('POST', '/locks', {
    body: { user: 'ann', forSeconds: 60 },
  })
  return `/api/v1/locks/${body.lock.id}`
}

const retiringKeyPath = async (service: TestService) => {
  await apiOf(service)('POST', '/keys/rotate')
  const { body } = await apiOf(service)<{ items: { kid: string; state: string }[] }>('GET', '/keys')
  return `/api/v1/keys/${body.items.find(({ state }) => state === 'retiring')?.kid}/retire`
}

/** By the route as the OpenAPI document has it. `null`: it changes nothing, as it is called here. */
const native: Readonly<Record<string, Change | null>> = {
  'post /sessions': {
    method: 'POST',
    path: '/api/v1/sessions',
    body: { name: 'ann', password: 'pw' },
    action: 'token.issued',
    isAnonymous: true,
  },
  'delete /sessions/current': { method: 'DELETE', path: '/api/v1/sessions/current', action: 'token.revoked' },
  'post /tokens/introspect': null,
  'post /locks': {
    method: 'POST',
    path: '/api/v1/locks',
    body: { user: 'ann', forSeconds: 60 },
    action: 'lock.created',
  },
  'delete /locks/{id}': { method: 'DELETE', path: lockPath, action: 'lock.lifted' },
  // Where somebody was locked out: login-limits.test.ts.
  'post /login-locks/unlock': null,
  'post /keys/rotate': { method: 'POST', path: '/api/v1/keys/rotate', action: 'key.activated' },
  'post /keys/{kid}/retire': { method: 'POST', path: retiringKeyPath, action: 'key.retired' },
  'post /clusters/{name}/resync': {
    method: 'POST',
    path: '/api/v1/clusters/lake/resync',
    action: 'cluster.resync_requested',
  },
  'post /revocations': { method: 'POST', path: '/api/v1/revocations', body: { user: 'ann' }, action: 'token.revoked' },
}

const aistore: readonly Change[] = [
  { method: 'POST', path: '/v1/users', body: { id: 'new', pass: 'p' }, action: 'user.created' },
  { method: 'POST', path: '/v1/users/ann', body: { password: 'pw' }, action: 'token.issued', isAnonymous: true },
  { method: 'PUT', path: '/v1/users/ann', body: { pass: 'other' }, action: 'user.changed' },
  { method: 'DELETE', path: '/v1/users/ann', action: 'user.deleted' },
  { method: 'POST', path: '/v1/roles', body: { name: 'new' }, action: 'role.created' },
  { method: 'PUT', path: '/v1/roles/some', body: { desc: 'x' }, action: 'role.changed' },
  { method: 'DELETE', path: '/v1/roles/some', action: 'role.deleted' },
  { method: 'PUT', path: '/v1/clusters/lake', body: { id: 'lake', alias: 'sea' }, action: 'cluster.changed' },
  { method: 'DELETE', path: '/v1/clusters/lake', action: 'cluster.deregistered' },
  { method: 'PUT', path: '/v1/daemon', body: { auth: { expiration_time: '2h' } }, action: 'setting.changed' },
  { method: 'POST', path: '/v1/rotate-key', action: 'key.activated' },
]

async function start(): Promise<TestService> {
  const service = await startService({ clusters: ['lake'] })
  await service.makeRole({ name: 'some' })
  await service.makeUser('ann', 'pw', ['some'])
  return service
}

async function rowsOf(service: TestService, requestId: string): Promise<readonly AuditRowBody[]> {
  // A token of its own: the request may have ended the administrator's.
  const token = await service.login(service.administrator.name, service.administrator.password)
  const { body } = await apiOf(service)<{ items: AuditRowBody[] }>('GET', `/audit?requestId=${requestId}`, { token })
  return body.items
}

async function send(service: TestService, { method, path, body, isAnonymous }: Change): Promise<TestAnswer> {
  const headers = { 'x-request-id': 'the-request', 'content-type': 'application/json' }
  const options = {
    headers,
    ...(body !== undefined && { body }),
    ...(!isAnonymous && { token: await service.adminToken() }),
  }
  return service.request(method, typeof path === 'string' ? path : await path(service), options)
}

async function expectRow(service: TestService, change: Change): Promise<void> {
  const answer = await send(service, change)
  expect(answer.status, answer.text).toBeLessThan(300)
  const via = typeof change.path === 'string' && change.path.startsWith('/v1') ? 'aistore' : 'native'
  const actor = change.isAnonymous ? 'ann' : 'admin'
  const row = { action: change.action, actor, via, address: '127.0.0.1', requestId: 'the-request', outcome: 'done' }
  expect((await rowsOf(service, 'the-request'))[0]).toMatchObject(row)
}

describe('the native API: each route that changes something leaves a row of its request', () => {
  test('each is known here', async () => {
    await using service = await startService()
    const { body } = await apiOf(service)<{ paths: Record<string, object> }>('GET', '/openapi.json')
    const routes = Object.entries(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods)
        .filter((method) => method !== 'get')
        .map((method) => `${method} ${path}`),
    )
    const unknown = routes.filter((route) => !(route in native))
    expect(unknown, 'say above how the route is called and which row it leaves').toEqual([])
  })

  const changes = Object.entries(native).flatMap(([route, change]) =>
    change === null ? [] : [[route, change] as const],
  )
  test.each(changes)('%s', async (_route, change) => {
    await using service = await start()
    await expectRow(service, change)
  })
})

describe("AIStore's dialect: each route that changes something leaves a row of its request", () => {
  test.each(aistore.map((change) => [`${change.method} ${change.path}`, change] as const))(
    '%s',
    async (_route, change) => {
      await using service = await start()
      await expectRow(service, change)
    },
  )

  test('POST /v1/clusters', async () => {
    await using service = await start()
    const cluster = await service.startCluster({ alias: 'pond' })
    const body = { id: cluster.uuid, alias: 'pond', urls: cluster.urls }
    await expectRow(service, { method: 'POST', path: '/v1/clusters', body, action: 'cluster.registered' })
  })

  test('DELETE /v1/tokens: whose token it was did it', async () => {
    await using service = await start()
    const body = { token: await service.login('ann', 'pw') }
    await expectRow(service, { method: 'DELETE', path: '/v1/tokens', body, action: 'token.revoked', isAnonymous: true })
  })
})
