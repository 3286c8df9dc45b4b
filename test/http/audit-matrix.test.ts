import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import type { AuditRowBody } from '../../src/http/routes/shapes/audit.ts'
import { startService, type TestService } from '../service.ts'
import { apiOf } from './routes/api.ts'

// Every route that changes something, by either protocol: a row of the request that did it.

interface Change {
  readonly method: string
  readonly path: string | ((service: TestService) => Promise<string>)
  readonly body?: unknown | ((service: TestService) => Promise<unknown>)
  readonly action: string
  /** Without the administrator's token. */
  readonly isAnonymous?: boolean
}

/** A token of its own: what a case does may end another. */
const logIn = (service: TestService) => service.login(service.administrator.name, service.administrator.password)

const lockPath = async (service: TestService) => {
  const options = { token: await logIn(service), body: { user: 'bob', forSeconds: 60 } }
  const { body } = await apiOf(service)<{ lock: { id: number } }>('POST', '/locks', options)
  return `/api/v1/locks/${body.lock.id}`
}

const retiringKeyPath = async (service: TestService) => {
  const token = await logIn(service)
  await apiOf(service)('POST', '/keys/rotate', { token })
  const { body } = await apiOf(service)<{ items: { kid: string; state: string }[] }>('GET', '/keys', { token })
  return `/api/v1/keys/${body.items.find(({ state }) => state === 'retiring')?.kid}/retire`
}

const pond = async (service: TestService) => {
  const { uuid: id, urls } = await service.startCluster({ alias: 'pond' })
  return { id, alias: 'pond', urls }
}

const samePassword = async ({ administrator: { password } }: TestService) => ({
  currentPassword: password,
  newPassword: password,
})

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
  'post /explain': null,
  'post /roles/diff': null,
  'post /access/plan': null,
  'post /access/passwords': null,
  'post /access/apply': {
    method: 'POST',
    path: '/api/v1/access/apply',
    body: { access: { apiVersion: 'gatehouse/v1', roles: [{ name: 'applied', description: 'by a document' }] } },
    action: 'access.applied',
  },
  'post /locks': {
    method: 'POST',
    path: '/api/v1/locks',
    body: { user: 'bob', forSeconds: 60 },
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
  'put /whoami/password': {
    method: 'PUT',
    path: '/api/v1/whoami/password',
    body: samePassword,
    action: 'user.changed',
  },
  'post /users': {
    method: 'POST',
    path: '/api/v1/users',
    body: { name: 'new', password: 'pw' },
    action: 'user.created',
  },
  'patch /users/{name}': {
    method: 'PATCH',
    path: '/api/v1/users/new',
    body: { isDisabled: true },
    action: 'user.disabled',
  },
  'put /users/{name}/roles/{role}': { method: 'PUT', path: '/api/v1/users/new/roles/some', action: 'user.changed' },
  'delete /users/{name}/roles/{role}': {
    method: 'DELETE',
    path: '/api/v1/users/new/roles/some',
    action: 'user.changed',
  },
  'delete /users/{name}': { method: 'DELETE', path: '/api/v1/users/new', action: 'user.deleted' },
  'post /roles': { method: 'POST', path: '/api/v1/roles', body: { name: 'new' }, action: 'role.created' },
  'put /roles/{name}': {
    method: 'PUT',
    path: '/api/v1/roles/new',
    body: { description: 'another' },
    action: 'role.changed',
  },
  'delete /roles/{name}': { method: 'DELETE', path: '/api/v1/roles/new', action: 'role.deleted' },
  'post /clusters': { method: 'POST', path: '/api/v1/clusters', body: pond, action: 'cluster.registered' },
  'patch /clusters/{name}': {
    method: 'PATCH',
    path: '/api/v1/clusters/pond',
    body: { alias: 'puddle' },
    action: 'cluster.changed',
  },
  'delete /clusters/{name}': { method: 'DELETE', path: '/api/v1/clusters/puddle', action: 'cluster.deregistered' },
  'patch /settings': { method: 'PATCH', path: '/api/v1/settings', body: { 'log.level': 4 }, action: 'setting.changed' },
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
  { method: 'DELETE', path: '/v1/clusters/sea', action: 'cluster.deregistered' },
  { method: 'PUT', path: '/v1/daemon', body: { auth: { expiration_time: '2h' } }, action: 'setting.changed' },
  { method: 'POST', path: '/v1/rotate-key', action: 'key.activated' },
]

let service: TestService

async function open() {
  service = await startService({ clusters: ['lake'] })
  await service.makeRole({ name: 'some' })
  for (const name of ['ann', 'bob']) await service.makeUser(name, 'pw', ['some'])
  return () => service[Symbol.asyncDispose]()
}

/** One after the other on one service, so each leaves what the others need. */
async function expectRow({ method, path: given, body: sent, isAnonymous, action }: Change): Promise<void> {
  const requestId = randomUUID()
  const path = typeof given === 'string' ? given : await given(service)
  const body: unknown = typeof sent === 'function' ? await sent(service) : sent
  const headers = { 'x-request-id': requestId, 'content-type': 'application/json' }
  const token = isAnonymous ? undefined : await logIn(service)
  const answer = await service.request(method, path, { headers, body, token })
  expect(answer.status, answer.text).toBeLessThan(300)
  const query = `/audit?requestId=${requestId}`
  const rows = await apiOf(service)<{ items: AuditRowBody[] }>('GET', query, { token: await logIn(service) })
  const via = path.startsWith('/v1') ? 'aistore' : 'native'
  const actor = isAnonymous ? 'ann' : 'admin'
  expect(rows.body.items[0]).toMatchObject({ action, actor, via, address: '127.0.0.1', requestId, outcome: 'done' })
}

describe('the native API: each route that changes something leaves a row of its request', () => {
  beforeAll(open)

  test('each is known here', async () => {
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
  test.each(changes)('%s', (_route, change) => expectRow(change))
})

describe("AIStore's dialect: each route that changes something leaves a row of its request", () => {
  beforeAll(open)

  test('POST /v1/clusters', async () => {
    const cluster = await service.startCluster({ alias: 'pond' })
    const body = { id: cluster.uuid, alias: 'pond', urls: cluster.urls }
    await expectRow({ method: 'POST', path: '/v1/clusters', body, action: 'cluster.registered' })
  })

  test('DELETE /v1/tokens: whose token it was did it', async () => {
    const body = { token: await service.login('ann', 'pw') }
    await expectRow({ method: 'DELETE', path: '/v1/tokens', body, action: 'token.revoked', isAnonymous: true })
  })

  test.each(aistore.map((change) => [`${change.method} ${change.path}`, change] as const))('%s', (_title, change) =>
    expectRow(change),
  )
})
