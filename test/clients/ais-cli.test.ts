/**
 * What the `ais auth` command line sends, call by call and in its order (contract section 5), and the behaviours on
 * which it branches. The Go program itself is not at hand here; the calls are those that the contract recorded of it.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startService, type TestAnswer, type TestService } from '../service.ts'

let service: TestService
let admin: string

beforeAll(async () => {
  service = await startService({ clusters: ['one'] })
  admin = await service.login(service.administrator.name, service.administrator.password)
})

afterAll(() => service[Symbol.asyncDispose]())

/** A call as the Go client makes it. */
function ais(method: string, path: string, options: { token?: string; body?: unknown } = {}): Promise<TestAnswer> {
  const headers = { 'User-Agent': 'ais/cli', 'Content-Type': 'application/json' }
  return service.request(method, path, { ...options, headers })
}

const asAdmin = (method: string, path: string, body?: unknown) =>
  ais(method, path, { token: admin, ...(body === undefined ? {} : { body }) })

function claimsOf(token: string) {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>
}

const ok = { status: 200, text: '' }

describe('ais auth login', () => {
  test('answers the token in the very form that the CLI reads', async () => {
    const { name, password } = service.administrator
    const answer = await ais('POST', `/v1/users/${name}`, { body: { password } })
    expect(answer.status).toBe(200)
    expect(answer.text).toMatch(/^\{"token": "[\w-]+\.[\w-]+\.[\w-]+"\}$/)
  })

  test('with --cluster, the cluster is read before there is a token', async () => {
    const answer = await ais('GET', '/v1/clusters/one')
    const { uuid } = service.cluster('one')
    expect(answer.json()).toMatchObject({ clusters: { [uuid]: { id: uuid, alias: 'one' } } })
    expect((await ais('GET', '/v1/clusters/nosuch')).text).toContain('does not exist')
  })

  test('with a wrong password, the body names the status that the CLI trusts', async () => {
    const answer = await ais('POST', `/v1/users/${service.administrator.name}`, { body: { password: 'no' } })
    expect(answer.status).toBe(401)
    expect(answer.json()).toMatchObject({ status: 401, message: expect.stringContaining('invalid credentials') })
  })

  test('without a token, the 401 holds the words to which the CLI adds its hint', async () => {
    expect((await ais('GET', '/v1/users')).json()).toMatchObject({ status: 401, message: 'token required' })
  })
})

describe('ais auth logout and rm token', () => {
  test('the next call to the service and to the cluster is refused as revoked', async () => {
    await service.makeRole({
      name: 'su',
      clusters: [{ id: service.cluster('one').uuid, perm: '18446744073709551615' }],
    })
    await service.makeUser('leaver', 'pw', ['su'])
    const token = await service.login('leaver', 'pw')
    const map = () => fetch(`${service.cluster('one').url}/v1/daemon?what=smap`, { headers: bearer(token) })
    expect((await map()).status).toBe(200)
    expect(await ais('DELETE', '/v1/tokens', { token, body: { token } })).toMatchObject(ok)
    const refused = await map()
    expect([refused.status, await refused.text()]).toEqual([401, expect.stringContaining('revoked')])
    expect((await ais('GET', '/v1/users/leaver', { token })).text).toContain('revoked')
  })

  test("a revoked administrator's token shows no users, no configuration, and adds nobody", async () => {
    const token = await service.login(service.administrator.name, service.administrator.password)
    expect((await ais('GET', '/v1/users', { token })).status).toBe(200)
    expect(await ais('DELETE', '/v1/tokens', { token: admin, body: { token } })).toMatchObject(ok)
    for (const [method, path] of [
      ['GET', '/v1/users'],
      ['GET', '/v1/daemon'],
      ['POST', '/v1/users'],
    ] as const) {
      const answer = await ais(method, path, { token, ...(method === 'POST' ? { body: { id: 'x', pass: 'x' } } : {}) })
      expect([answer.status, answer.text]).toEqual([401, expect.stringContaining('revoked')])
    }
  })
})

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` })

describe('ais auth whoami', () => {
  test('a fresh token says what the merge of the roles says', async () => {
    const { uuid } = service.cluster('one')
    await service.makeRole({ name: 'reads', clusters: [{ id: uuid, perm: '771' }] })
    await service.makeRole({ name: 'shows', clusters: [{ id: uuid, perm: '8192' }] })
    await service.makeUser('me', 'pw', ['reads', 'shows'])
    const token = await service.login('me', 'pw')
    const user = await ais('GET', '/v1/users/me', { token })
    expect(user.json()).toMatchObject({ id: 'me', roles: [{ name: 'reads' }, { name: 'shows' }] })
    const [acl, ...rest] = claimsOf(token).clusters as { id: string; perm: string }[]
    expect([acl?.id, acl?.perm, rest]).toEqual([uuid, String(771 + 8192), []])
  })
})

describe('ais auth show', () => {
  test('user: an object, one of them, and nobody', async () => {
    const all = (await asAdmin('GET', '/v1/users')).json() as Record<string, { id: string; roles: unknown[] }>
    for (const id of Object.keys(all)) {
      expect((await asAdmin('GET', `/v1/users/${id}`)).json()).toEqual(all[id])
    }
    expect((await asAdmin('GET', '/v1/users/nosuch')).json()).toMatchObject({ status: 404 })
  })

  test('role: a list without null entries, each with every member', async () => {
    const all = (await asAdmin('GET', '/v1/roles')).json() as Record<string, unknown>[]
    for (const role of all) {
      expect(Object.keys(role)).toEqual(['name', 'desc', 'clusters', 'buckets', 'admin'])
      expect((await asAdmin('GET', `/v1/roles/${role.name}`)).status).toBe(200)
    }
    expect(all.map(({ name }) => name)).toEqual(expect.arrayContaining(['Admin', 'ClusterOwner-one', 'Guest-one']))
  })

  test('cluster: the table of id, alias and URLs', async () => {
    const { uuid, url } = service.cluster('one')
    const row = { id: uuid, alias: 'one', urls: [url] }
    expect((await asAdmin('GET', '/v1/clusters')).json()).toEqual({ clusters: { [uuid]: row } })
    expect((await asAdmin('GET', '/v1/clusters/one')).json()).toEqual({ clusters: { [uuid]: row } })
  })

  test('oidc, jwks and public-key: the three documents', async () => {
    const oidc = (await ais('GET', '/.well-known/openid-configuration')).json()
    expect(oidc).toMatchObject({ issuer: service.url, jwks_uri: `${service.url}/.well-known/jwks.json` })
    expect((await ais('GET', '/.well-known/jwks.json')).json()).toMatchObject({ keys: [{ kty: 'RSA', use: 'sig' }] })
    expect((await ais('GET', '/v1/public-key')).json()).toEqual({ public_key: service.publicKeyPem })
  })
})

describe('ais auth show config and set config', () => {
  test('the default life of tokens is shown, changed, and set back', async () => {
    const shown = async () =>
      ((await asAdmin('GET', '/v1/daemon')).json() as { auth: { expiration_time: string } }).auth.expiration_time
    expect(await shown()).toMatch(/^24h/)
    expect(await asAdmin('PUT', '/v1/daemon', { auth: { expiration_time: '30m' } })).toMatchObject(ok)
    expect(await shown()).toMatch(/^30m/)
    const claims = claimsOf(await service.login(service.administrator.name, service.administrator.password))
    expect(Number(claims.exp) - Number(claims.iat)).toBe(1800)
    expect(await asAdmin('PUT', '/v1/daemon', { auth: { expiration_time: '24h' } })).toMatchObject(ok)
    expect(await shown()).toMatch(/^24h/)
  })

  test('log.level is changed', async () => {
    expect(await asAdmin('PUT', '/v1/daemon', { log: { level: '4' } })).toMatchObject(ok)
    expect((await asAdmin('GET', '/v1/daemon')).json()).toMatchObject({ log: { level: '4' } })
  })
})

describe('ais auth add and set user', () => {
  test('add reads each role, looks for the user, and creates it', async () => {
    await service.makeRole({ name: 'added', clusters: [{ id: service.cluster('one').uuid, perm: '1' }] })
    const role = (await asAdmin('GET', '/v1/roles/added')).json()
    expect((await asAdmin('GET', '/v1/users')).json()).not.toHaveProperty('newcomer')
    expect(await asAdmin('POST', '/v1/users', { id: 'newcomer', pass: 'pw', roles: [role] })).toMatchObject(ok)
    expect(claimsOf(await service.login('newcomer', 'pw')).clusters).toMatchObject([{ perm: '1' }])
  })

  test('set with a password and no roles sends an empty list, which leaves the roles', async () => {
    expect(await asAdmin('PUT', '/v1/users/newcomer', { id: 'newcomer', pass: 'pw2', roles: [] })).toMatchObject(ok)
    expect((await asAdmin('GET', '/v1/users/newcomer')).json()).toMatchObject({ roles: [{ name: 'added' }] })
    await service.login('newcomer', 'pw2')
  })

  test('rm removes it, and says so of one that is not there', async () => {
    expect(await asAdmin('DELETE', '/v1/users/newcomer')).toMatchObject(ok)
    expect((await asAdmin('DELETE', '/v1/users/newcomer')).text).toContain('does not exist')
  })
})

describe('ais auth add and set role', () => {
  const get = async (name: string) => (await asAdmin('GET', `/v1/roles/${name}`)).json()

  test('add without --cluster sends the ACL of every cluster, with an empty id', async () => {
    const role = { name: 'everywhere', desc: '', clusters: [{ id: '', perm: '771' }], buckets: null, admin: false }
    expect(await asAdmin('POST', '/v1/roles', role)).toMatchObject(ok)
    expect(await get('everywhere')).toMatchObject({ clusters: [{ id: '', perm: '771' }] })
  })

  test('set with --desc alone sends an empty ACL beside it, which takes no permission away', async () => {
    const sent = { name: 'everywhere', desc: 'new words', clusters: [{ id: '' }], buckets: null, admin: false }
    expect(await asAdmin('PUT', '/v1/roles/everywhere', sent)).toMatchObject(ok)
    expect(await get('everywhere')).toMatchObject({ desc: 'new words', clusters: [{ id: '', perm: '771' }] })
  })

  test('a role for every cluster works on a cluster, even beside one without an alias', async () => {
    const bare = await service.startCluster({ alias: 'bare' })
    expect(await asAdmin('POST', '/v1/clusters', { id: bare.uuid, urls: bare.urls })).toMatchObject(ok)
    await service.makeUser('anywhere', 'pw', ['everywhere'])
    const claims = claimsOf(await service.login('anywhere', 'pw'))
    expect(claims.clusters).toEqual([{ id: '', perm: '771' }])
    expect(await asAdmin('DELETE', `/v1/clusters/${bare.uuid}`)).toMatchObject(ok)
  })

  test('add with --cluster sends the alias too; with --bucket, one bucket ACL', async () => {
    const { uuid } = service.cluster('one')
    const clusters = [{ id: uuid, alias: 'one', perm: '12288' }]
    expect(await asAdmin('POST', '/v1/roles', { name: 'shown', desc: '', clusters })).toMatchObject(ok)
    const buckets = [{ bck: { name: 'b', provider: 'ais', namespace: { uuid, name: '' } }, perm: '771' }]
    expect(await asAdmin('POST', '/v1/roles', { name: 'bucketed', desc: '', clusters: null, buckets })).toMatchObject(
      ok,
    )
    expect(await get('shown')).toMatchObject({ clusters })
    expect(await get('bucketed')).toMatchObject({ clusters: null, buckets })
  })

  test('rm of a role in use takes it from its user, and of an unknown one says so', async () => {
    await service.makeUser('holder', 'pw', ['shown', 'bucketed'])
    expect(await asAdmin('DELETE', '/v1/roles/shown')).toMatchObject(ok)
    expect((await asAdmin('GET', '/v1/users/holder')).json()).toMatchObject({ roles: [{ name: 'bucketed' }] })
    expect((await asAdmin('DELETE', '/v1/roles/shown')).text).toContain('does not exist')
  })
})

describe('ais auth add, set and rm cluster', () => {
  test('add reads the id from the cluster itself and registers it', async () => {
    const cluster = await service.startCluster({ alias: 'two' })
    const map = await fetch(`${cluster.url}/v1/daemon?what=smap`, { headers: bearer(admin) })
    const { uuid } = (await map.json()) as { uuid: string }
    expect(await asAdmin('POST', '/v1/clusters', { id: uuid, alias: 'two', urls: [cluster.url] })).toMatchObject(ok)
  })

  test('add with a dead URL fails and stores nothing', async () => {
    const answer = await asAdmin('POST', '/v1/clusters', { id: 'dead', alias: 'dead', urls: ['http://127.0.0.1:1'] })
    expect(answer.json()).toMatchObject({ status: 400, message: expect.stringContaining('the connection was refused') })
    expect((await asAdmin('GET', '/v1/clusters/dead')).status).toBe(404)
  })

  test('set finds the id in the list and puts alias and URLs there; the alias serves as well', async () => {
    const cluster = service.cluster('two')
    const body = { id: cluster.uuid, alias: 'two', urls: [cluster.url.replace('127.0.0.1', 'localhost')] }
    expect(await asAdmin('PUT', `/v1/clusters/${cluster.uuid}`, body)).toMatchObject(ok)
    expect(await asAdmin('PUT', '/v1/clusters/two', { ...body, urls: [cluster.url] })).toMatchObject(ok)
    expect((await asAdmin('GET', '/v1/clusters/two')).json()).toMatchObject({
      clusters: { [cluster.uuid]: { urls: [cluster.url] } },
    })
  })

  test('rm by alias removes it, and says so of one that is not there', async () => {
    expect(await asAdmin('DELETE', '/v1/clusters/two')).toMatchObject(ok)
    expect((await asAdmin('DELETE', '/v1/clusters/two')).text).toContain('does not exist')
  })
})

test('ais auth rotate-key: tokens of the old key go on working, here and on the cluster', async () => {
  const before = await service.login(service.administrator.name, service.administrator.password)
  expect(await asAdmin('POST', '/v1/rotate-key')).toMatchObject(ok)
  expect((await ais('GET', '/.well-known/jwks.json')).json()).toMatchObject({ keys: [{}, {}] })
  expect((await ais('GET', '/v1/users', { token: before })).status).toBe(200)
})
