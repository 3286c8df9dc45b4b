import { randomBytes } from 'node:crypto'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Whoami } from '../../src/http/routes/shapes/sessions.ts'
import { apiOf, problemIn } from '../http/routes/api.ts'
import { startService, type TestService } from '../service.ts'

// A cluster administrator of `one`, an operator and an auditor, by way of AIStore's clients and of the native API.

const perm = '771'
const password = randomBytes(12).toString('base64url')
let service: TestService
let one: string
let two: string

beforeAll(async () => {
  service = await startService({ clusters: ['one', 'two'] })
  one = service.cluster('one').uuid
  two = service.cluster('two').uuid
  await service.makeRole({ name: 'of-one', clusters: [{ id: one, perm }] })
  await service.makeRole({ name: 'of-two', clusters: [{ id: two, perm }] })
  await service.makeRole({ name: 'of-every', clusters: [{ id: '', perm }] })
  await service.makeUser('oscar', password, ['gatehouse:operator'])
  await service.makeUser('aud', password, ['gatehouse:auditor'])
  for (const name of [cora, bob]) await service.makeUser(name, password)
  return () => service[Symbol.asyncDispose]()
})

const cora = 'cora'
const bob = 'bob'
/** Cora's. */
let token: string

beforeEach(async () => {
  await setRoles(cora, `gatehouse:cluster-administrator:${one}`)
  await setRoles(bob, 'of-two')
  token = await service.login(cora, password)
})

const as = (text: string) => (method: string, path: string, body?: unknown) =>
  service.request(method, path, { token: text, ...(body === undefined ? {} : { body }) })
const call = (method: string, path: string, body?: unknown) => as(token)(method, path, body)
const admin = async (method: string, path: string, body?: unknown) => as(await service.adminToken())(method, path, body)
const named = (roles: readonly string[]) => ({ roles: roles.map((name) => ({ name })) })
const setRoles = (name: string, ...roles: readonly string[]) => admin('PUT', `/v1/users/${name}`, named(roles))
const rolesOf = async (name: string) =>
  ((await admin('GET', `/v1/users/${name}`)).json() as { roles: { name: string }[] }).roles.map((role) => role.name)
const give = (name: string, ...roles: readonly string[]) => call('PUT', `/v1/users/${name}`, named(roles))
const roleBody = (name: string, clusters: readonly unknown[], buckets: readonly unknown[] = []) => ({
  name,
  desc: 'made',
  clusters,
  buckets,
  admin: false,
})
const bucketOf = (uuid: string, provider = 's3') => ({
  bck: { name: 'b', provider, namespace: { uuid, name: '' } },
  perm,
})

describe("a cluster administrator, with AIStore's clients", () => {
  test('makes a role within the cluster and gives it, and the token says so', async () => {
    const name = 'mine'
    expect((await call('POST', '/v1/roles', roleBody(name, [{ id: one, perm }], [bucketOf(one)]))).status).toBe(200)
    expect((await call('PUT', `/v1/roles/${name}`, roleBody('', [{ id: one, perm: '1' }]))).status).toBe(200)
    // As the SDK does it: reads the user whole, adds a role, sends all of them.
    const { roles } = (await call('GET', `/v1/users/${bob}`)).json() as { roles: { name: string }[] }
    expect((await give(bob, ...roles.map((role) => role.name), name)).status).toBe(200)
    const claims = (await service.login(bob, password)).split('.')[1] ?? ''
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      clusters: [{ id: two }, { id: one, perm: '1' }],
      admin: false,
    })
    expect((await call('DELETE', `/v1/roles/${name}`)).status).toBe(200)
    expect(await rolesOf(bob)).toEqual(['of-two'])
  })

  test('appoints another one for the cluster, who shows it and keeps it when others are changed', async () => {
    const own = `gatehouse:cluster-administrator:${one}`
    expect((await give(bob, 'of-two', own)).status).toBe(200)
    const shown = (await call('GET', `/v1/users/${bob}`)).json()
    expect(shown).toMatchObject({
      roles: [{ name: 'of-two' }, { name: own, clusters: null, buckets: null, admin: false }],
    })
    expect((await give(bob, 'of-two', own, 'of-one')).status).toBe(200)
    expect(await rolesOf(bob)).toEqual(['of-two', own, 'of-one'])
  })

  test.each([
    ['makes a role for another cluster', () => call('POST', '/v1/roles', roleBody('x', [{ id: two, perm }]))],
    ['makes a role for every cluster', () => call('POST', '/v1/roles', roleBody('x', [{ id: '', perm }]))],
    [
      'makes a role for a bucket elsewhere',
      () => call('POST', '/v1/roles', roleBody('x', [{ id: one, perm }], [bucketOf(two)])),
    ],
    ['makes a role for a bucket everywhere', () => call('POST', '/v1/roles', roleBody('x', [], [bucketOf('', '')]))],
    ['makes a role by an alias', () => call('POST', '/v1/roles', roleBody('x', [{ id: 'one', perm }]))],
    [
      'adds another cluster to a role, as a PUT merges',
      () => call('PUT', '/v1/roles/of-one', roleBody('', [{ id: two, perm }])),
    ],
    ['adds a bucket elsewhere to a role', () => call('PUT', '/v1/roles/of-one', roleBody('', [], [bucketOf(two)]))],
    [
      'adds the own cluster to a role of another',
      () => call('PUT', '/v1/roles/of-two', roleBody('', [{ id: one, perm }])),
    ],
    ['changes the description alone', () => call('PUT', '/v1/roles/of-every', { desc: 'mine now' })],
    ['deletes a role of another', () => call('DELETE', '/v1/roles/of-two')],
    ['gives herself Admin', () => give(cora, `gatehouse:cluster-administrator:${one}`, 'Admin')],
    ['gives herself every cluster', () => give(cora, `gatehouse:cluster-administrator:${one}`, 'of-every')],
    [
      'gives somebody the administration of another cluster',
      () => give(bob, 'of-two', `gatehouse:cluster-administrator:${two}`),
    ],
    ['takes a role that is not hers to give', () => give(bob, 'of-one')],
    ['gives it twice', () => give(bob, 'of-two', 'of-two')],
  ])('is refused when she %s', async (_what, act) => {
    const before = (await admin('GET', '/v1/roles')).text + (await rolesOf(cora)) + (await rolesOf(bob))
    const answer = await act()
    expect(answer.status).toBe(401)
    const message = expect.stringMatching(
      new RegExp(`^not authorized: requires admin \\(user ${cora}\\): .*(role|clusters?) `),
    )
    expect(answer.json()).toMatchObject({ status: 401, message })
    expect((await admin('GET', '/v1/roles')).text + (await rolesOf(cora)) + (await rolesOf(bob))).toBe(before)
  })

  test.each([
    ['makes a user', () => call('POST', '/v1/users', { id: 'new', pass: password, roles: [{ name: 'of-one' }] })],
    ['sets a password', () => call('PUT', `/v1/users/${bob}`, { pass: 'p' })],
    [
      'sets a password beside a role',
      () => call('PUT', `/v1/users/${bob}`, { pass: 'p', roles: [{ name: 'of-two' }] }),
    ],
    ['deletes a user', () => call('DELETE', `/v1/users/${bob}`)],
    ['registers a cluster', () => call('POST', '/v1/clusters', { id: 'c9', urls: [] })],
    ['moves her own cluster elsewhere', () => call('PUT', `/v1/clusters/${one}`, { id: one, alias: 'two-too' })],
    ['reads the configuration', () => call('GET', '/v1/daemon')],
    ['rotates the key', () => call('POST', '/v1/rotate-key')],
  ])('lacks the permission when she %s', async (_what, act) => {
    const answer = await act()
    expect([answer.status, answer.text]).toEqual([401, expect.stringContaining('not authorized:')])
    await service.login(bob, password)
  })

  test('changes her own password and goes on', async () => {
    expect((await call('PUT', `/v1/users/${cora}`, { pass: password })).status).toBe(200)
    expect((await call('GET', `/v1/users/${cora}`)).status).toBe(200)
  })

  test('is one no longer as soon as somebody takes the role away', async () => {
    await admin('PUT', `/v1/users/${cora}`, { roles: [{ name: 'of-one' }] })
    expect((await call('POST', '/v1/roles', roleBody('late', [{ id: one, perm }]))).status).toBe(401)
  })
})

test('AIStore\u2019s clients see no built-in role in the list but their own, and each by its name', async () => {
  const names = ((await admin('GET', '/v1/roles')).json() as { name: string }[]).map(({ name }) => name)
  expect(names).toContain('Admin')
  expect(names.filter((name) => name.includes(':'))).toEqual([])
  const operator = await admin('GET', '/v1/roles/gatehouse:operator')
  expect(operator.json()).toMatchObject({ name: 'gatehouse:operator', clusters: null, buckets: null, admin: false })
  for (const method of ['PUT', 'DELETE']) {
    const answer = await admin(method, '/v1/roles/gatehouse:operator', { desc: 'x' })
    expect([answer.status, answer.text]).toEqual([403, expect.stringContaining('built-in')])
  }
  const made = await admin('POST', '/v1/roles', roleBody('gatehouse:boss', []))
  expect(made.status).toBe(400)
})

describe('with the native API', () => {
  const apiAs = (text: string) => (method: string, path: string, body?: unknown) =>
    apiOf(service)(method, path, { token: text, ...(body === undefined ? {} : { body }) })

  test('a cluster administrator sees all clusters and resyncs her own only', async () => {
    const api = apiAs(token)
    expect(await api('GET', '/clusters')).toMatchObject({ status: 200, body: { items: [{}, {}] } })
    expect((await api('POST', '/clusters/one/resync')).status).toBe(202)
    const refused = await api('POST', '/clusters/two/resync')
    expect(refused.status).toBe(403)
    expect(problemIn(refused)).toMatchObject({
      code: 'beyond_authority',
      detail: `${cora} has not enough of clusters:resync for this: it holds that for the cluster ${one} only, not for ${two}.`,
    })
    expect(refused.headers.get('www-authenticate')).toContain('scope="clusters:resync"')
  })

  test('whoami tells which built-in roles count', async () => {
    const who = Whoami.parse((await apiAs(token)('GET', '/whoami')).body)
    expect(who.isAdministrator).toBe(false)
    expect(who.authorities).toEqual([{ role: 'cluster_administrator', cluster: one }])
    expect(who.permissions).toContain('roles:grant')
    expect(who.roles).toEqual([`gatehouse:cluster-administrator:${one}`])
  })

  test('an operator locks whom he likes but administrators, and ends no lock of one', async () => {
    const api = apiAs(await service.login('oscar', password))
    const asAdmin = apiOf(service)
    await service.makeUser('root', password, ['of-one', 'Admin'])
    for (const name of [bob, cora, 'aud']) {
      const made = await api('POST', '/locks', { user: name, forSeconds: 60 })
      expect([name, made.status]).toEqual([name, 201])
      const { id } = (made.body as { lock: { id: number } }).lock
      expect((await api('DELETE', `/locks/${id}`)).status).toBe(200)
    }
    const token = await service.login('root', password)
    for (const body of [
      { user: 'root', forSeconds: 60 },
      { role: 'Admin', forSeconds: 60 },
    ]) {
      const refused = await api('POST', '/locks', body)
      expect(refused.status).toBe(403)
      expect(problemIn(refused).code).toBe('beyond_authority')
    }
    expect((await apiAs(token)('GET', '/whoami')).status).toBe(200)
    const made = await asAdmin('POST', '/locks', { body: { user: 'root', forSeconds: 60 } })
    const path = `/locks/${(made.body as { lock: { id: number } }).lock.id}`
    expect((await api('DELETE', path)).status).toBe(403)
    expect((await asAdmin('DELETE', path)).status).toBe(200)
  })

  test('an operator does no more for holding his role than his role allows', async () => {
    const call = as(await service.login('oscar', password))
    expect((await call('GET', '/v1/users')).status).toBe(200)
    expect((await call('PUT', '/v1/users/oscar', { roles: [{ name: 'Admin' }] })).status).toBe(401)
    expect((await call('POST', '/v1/roles', roleBody('x', []))).status).toBe(401)
  })

  test('a locked built-in role stops those who hold it from acting by it, and nothing else of theirs', async () => {
    const auditor = await service.login('aud', password)
    const made = await apiOf(service)('POST', '/locks', { body: { role: 'gatehouse:auditor', forSeconds: 60 } })
    expect(made.status).toBe(201)
    expect((await apiAs(auditor)('GET', '/whoami')).status).toBe(401)
    const api = apiAs(await service.login('aud', password))
    expect((await api('GET', '/locks')).status).toBe(403)
    expect((await api('GET', '/whoami')).body).toMatchObject({ authorities: [], permissions: [] })
    await apiOf(service)('DELETE', `/locks/${(made.body as { lock: { id: number } }).lock.id}`)
    expect((await api('GET', '/locks')).status).toBe(200)
  })

  test('a cluster that is deregistered leaves its administrators nothing, also when it comes back', async () => {
    await using service = await startService({ clusters: ['lake'] })
    const { uuid } = service.cluster('lake')
    await service.makeUser('ann', password, [`gatehouse:cluster-administrator:${uuid}`])
    const token = await service.login('ann', password)
    const may = async () =>
      Whoami.parse((await apiOf(service)('GET', '/whoami', { token })).body).permissions.length > 0
    expect(await may()).toBe(true)
    await service.request('DELETE', '/v1/clusters/lake', { token: await service.adminToken() })
    expect(await may()).toBe(false)
    expect((await service.registerCluster('lake', service.cluster('lake'))).status).toBe(200)
    expect(await may()).toBe(false)
  })
})

test('what reaches beyond is in the audit trail as denied, with the permission that did not reach', async () => {
  await call('PUT', '/v1/roles/of-two', { desc: 'mine now' })
  await apiOf(service)('POST', '/clusters/two/resync', { token })
  const { body } = await apiOf(service)<{ items: object[] }>('GET', `/audit?actor=${cora}&action=permission.denied`)
  for (const [via, target, permission] of [
    ['native', 'POST /api/v1/clusters/{name}/resync', 'clusters:resync'],
    ['aistore', 'PUT /v1/roles', 'roles:write'],
  ]) {
    const row = { actor: cora, outcome: 'refused', via, target: { kind: 'route', name: target } }
    expect(body.items).toContainEqual(expect.objectContaining(row))
    expect(JSON.stringify(body.items)).toContain(permission)
  }
})
