/** Users and log-in where the contract's server is weak (contract 1.3; weaknesses W6, W17, W18, W20). */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startService, type TestAnswer, type TestService } from '../../../service.ts'

let service: TestService
let admin: string

beforeAll(async () => {
  service = await startService({ administrator: 'root' })
  admin = await service.adminToken()
})
afterAll(() => service[Symbol.asyncDispose]())

const call = (method: string, path: string, body?: unknown) =>
  service.request(method, path, { token: admin, ...(body === undefined ? {} : { body }) })
const tryLogin = (name: string, password: string) =>
  service.request('POST', `/v1/users/${name}`, { body: { password } })
const many = (count: number, act: () => Promise<TestAnswer>) => Promise.all(Array.from({ length: count }, act))
const statusesOf = (answers: readonly TestAnswer[]) => answers.map(({ status }) => status).sort()

describe('the administrator that was made at first start, whatever the name', () => {
  test.each([
    ['DELETE', '/v1/users/root', undefined],
    ['PUT', '/v1/users/root', { roles: [{ name: 'Guest' }] }],
    ['PUT', '/v1/users/root', { pass: 'new', roles: [{ name: 'Admin' }, { name: 'Admin' }] }],
  ])('%s %s %j is refused, and nothing of it happens', async (method, path, body) => {
    await service.makeUser('second', 'pw', ['Admin'])
    expect((await call(method, path, body)).status).toBe(403)
    expect((await tryLogin('root', service.administrator.password)).status).toBe(200)
    expect((await call('GET', '/v1/users')).status).toBe(200)
    await call('DELETE', '/v1/users/second')
  })

  test.each([
    ['null entries', { roles: [null] }],
    ['no roles', { roles: [] }],
    ['nothing', {}],
    ['what the SDK sends for a role change', { id: 'root', password: null, roles: [] }],
  ])('keeps its roles where %s is sent', async (_, body) => {
    expect((await call('PUT', '/v1/users/root', body)).status).toBe(200)
    expect((await call('GET', '/v1/users/root')).json()).toMatchObject({ roles: [{ name: 'Admin' }] })
  })

  test('leaves the name `admin` to anybody', async () => {
    await service.makeUser('admin', 'pw')
    expect((await call('PUT', '/v1/users/admin', { roles: [{ name: 'Admin' }] })).status).toBe(200)
    expect((await call('DELETE', '/v1/users/admin')).status).toBe(200)
  })
})

test('every unknown role is named, and the user neither made nor changed', async () => {
  const roles = [{ name: 'Admin' }, { name: 'no1' }, null, { name: '' }, { name: 'no2' }]
  const created = await call('POST', '/v1/users', { id: 'halfway', pass: 'p', roles })
  expect([created.status, created.text]).toEqual([400, expect.stringContaining('\\"no1\\", \\"no2\\"')])
  expect((await call('GET', '/v1/users/halfway')).status).toBe(404)
  await service.makeUser('whole', 'p', ['Admin'])
  expect((await call('PUT', '/v1/users/whole', { pass: 'q', roles: [{ name: 'no1' }] })).status).toBe(400)
  expect((await tryLogin('whole', 'p')).status).toBe(200)
})

test('a password of any length counts to its last byte', async () => {
  for (const [name, length] of [
    ['long72', 72],
    ['long73', 73],
    ['long5000', 5000],
  ] as const) {
    await service.makeUser(name, 'x'.repeat(length))
    expect((await tryLogin(name, 'x'.repeat(length))).status).toBe(200)
    expect((await tryLogin(name, `${'x'.repeat(length - 1)}y`)).status).toBe(401)
    expect((await call('PUT', `/v1/users/${name}`, { pass: `${'y'.repeat(length)}z` })).status).toBe(200)
    expect((await tryLogin(name, `${'y'.repeat(length)}z`)).status).toBe(200)
  }
})

test('two logins in one second are two tokens, and each is revoked alone', async () => {
  await service.makeUser('twice', 'p')
  const [first = '', second = ''] = await Promise.all([service.login('twice', 'p'), service.login('twice', 'p')])
  expect(first).not.toBe(second)
  await service.request('DELETE', '/v1/tokens', { body: { token: first } })
  const read = async (token: string) => (await service.request('GET', '/v1/users/twice', { token })).status
  expect([await read(first), await read(second)]).toEqual([401, 200])
})

describe('at the same time', () => {
  test('of many who create one user, one succeeds', async () => {
    const answers = await many(5, () => call('POST', '/v1/users', { id: 'once', pass: 'p' }))
    expect(statusesOf(answers)).toEqual([200, 409, 409, 409, 409])
  })

  test('of many who delete one user, one succeeds', async () => {
    await service.makeUser('victim', 'p')
    expect(statusesOf(await many(4, () => call('DELETE', '/v1/users/victim')))).toEqual([200, 404, 404, 404])
  })

  test('a user who is deleted while logging in gets no token that opens anything', async () => {
    await service.makeUser('leaving', 'p')
    const logins = many(6, () => tryLogin('leaving', 'p'))
    const deleted = call('DELETE', '/v1/users/leaving')
    expect((await deleted).status).toBe(200)
    for (const answer of await logins) {
      if (answer.status === 401) continue
      const { token } = answer.json() as { token: string }
      const read = await service.request('GET', '/v1/users/leaving', { token })
      expect([answer.status, read.status]).toEqual([200, 401])
    }
  })

  test('two administrators who demote each other do not leave nobody', async () => {
    await service.makeUser('left', 'p', ['Admin'])
    await service.makeUser('right', 'p', ['Admin'])
    const [left, right] = [await service.login('left', 'p'), await service.login('right', 'p')]
    await Promise.all([
      service.request('DELETE', '/v1/users/right', { token: left }),
      service.request('DELETE', '/v1/users/left', { token: right }),
      service.request('DELETE', '/v1/users/root', { token: left }),
    ])
    expect((await call('GET', '/v1/users')).status).toBe(200)
  })
})

test('a change is in the next answer, whatever was kept of earlier ones', async () => {
  await service.makeRole({ name: 'seen', clusters: [{ id: 'c', perm: '1' }] })
  await service.makeUser('watched', 'p', ['seen'])
  const read = async () => [
    (await call('GET', '/v1/users/watched')).text,
    (await call('GET', '/v1/users')).text,
    (await call('GET', '/v1/roles')).text,
  ]
  await read()
  await call('PUT', '/v1/roles/seen', { desc: 'changed words' })
  for (const text of await read()) expect(text).toContain('changed words')
  await call('DELETE', '/v1/roles/seen')
  for (const text of await read()) expect(text).not.toContain('changed words')
})

describe('a log-in', () => {
  test.each([
    [{}, 401, 'empty password'],
    [{ password: 'p', expires_in: 1.5 }, 400, 'expires_in: expected an integer'],
    [{ password: 'p', expires_in: '5h' }, 400, 'expires_in: expected an integer'],
    [{ password: 'p', expires_in: 59_999_999_999 }, 400, 'invalid requested expiry date'],
    [{ password: 'p', expires_in: -1 }, 400, 'invalid requested expiry date'],
    [{ password: 'p', expires_in: 7_776_000_000_000_001 }, 400, 'invalid requested expiry date'],
    [{ password: 'p', expires_in: 1e300 }, 400, 'expires_in: expected an integer'],
    [{ password: 'wrong', expires_in: -1 }, 401, 'invalid credentials'],
  ])('with %j is %i: %s', async (body, status, words) => {
    await call('POST', '/v1/users', { id: 'timed', pass: 'p' })
    const answer = await service.request('POST', '/v1/users/timed', { body })
    expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(words)])
  })
})
