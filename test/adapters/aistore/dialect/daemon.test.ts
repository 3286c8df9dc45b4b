/** Configuration and keys at run time (contract 1.7, 2.4, 4.1; weakness W10). */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startService, type TestService } from '../../../service.ts'

const algorithmOf = (token: string) =>
  (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { alg: string }).alg

describe('what the environment decides', () => {
  let service: TestService
  let token: string
  const secret = randomBytes(24).toString('hex')
  const change = (body: unknown) => service.request('PUT', '/v1/daemon', { token, body })
  const shown = async () => (await service.request('GET', '/v1/daemon', { token })).text

  beforeAll(async () => {
    service = await startService({ config: { sharedSecret: { value: secret, source: 'environment' } } })
    token = await service.adminToken()
  })
  afterAll(() => service[Symbol.asyncDispose]())

  test('is not changed at run time, which a clear 400 says; nor is what comes with it', async () => {
    const before = await shown()
    const answer = await change({ auth: { secret: 'another', expiration_time: '30m' } })
    expect(answer.status).toBe(400)
    expect(answer.json()).toMatchObject({
      message:
        'invalid config update: auth.secret is set by the environment of the server, which beats a change at run time: change it there',
    })
    expect(await shown()).toBe(before)
    const stillGood = await service.request('GET', '/v1/users', { token })
    expect(stillGood.status).toBe(200)
  })

  test('is never shown, nor taken for a secret where it is masked', async () => {
    expect(await shown()).not.toContain(secret)
    expect(await shown()).toContain('"secret":"********"')
    expect((await change({ auth: { secret: '********' } })).status).toBe(400)
  })

  test('leaves the rest to be changed', async () => {
    expect((await change({ auth: { expiration_time: '30m' }, log: { level: '5' } })).status).toBe(200)
    expect(await shown()).toContain('"expiration_time":"30m"')
    expect(await shown()).toContain('"level":"5"')
    expect((await change({ auth: { expiration_time: '24h' } })).status).toBe(200)
  })

  test.each([
    [{}, 'configuration is empty'],
    [{ auth: null }, 'configuration is empty'],
    [{ net: { http: { port: 1 } } }, 'configuration is empty'],
    [{ auth: { secret: '' } }, 'empty string'],
    [{ auth: { expiration_time: '59s' } }, 'auth.expiration_time=59s'],
    [{ auth: { expiration_time: '-5m' } }, 'auth.expiration_time=-5m'],
    [{ auth: { expiration_time: '2161h' } }, 'cannot exceed auth.max_token_age=2160h0m'],
    [{ auth: { expiration_time: '1d' } }, 'Invalid request'],
    [{ auth: { expiration_time: 1800 } }, 'Invalid request'],
    [{ log: { level: '6' } }, 'log.level=6'],
    [{ log: { level: 3 } }, 'Invalid request'],
  ])('%j is a 400 that says why', async (body, words) => {
    const answer = await change(body)
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining(words)])
  })
})

test('a secret that is set at run time signs from then on: older tokens and RSA keys are gone, discovery stays', async () => {
  await using service = await startService()
  const rsaToken = await service.adminToken()
  const read = async (path: string, method = 'GET') => (await service.request(method, path)).status
  const users = async (token: string) => (await service.request('GET', '/v1/users', { token })).status
  const { name, password } = service.administrator
  const keyPaths = ['/.well-known/jwks.json', '/v1/public-key']

  for (const path of keyPaths) expect([path, await read(path)]).toEqual([path, 200])
  const secret = randomBytes(24).toString('hex')
  const answer = await service.request('PUT', '/v1/daemon', { token: rsaToken, body: { auth: { secret } } })
  expect([answer.status, answer.text]).toEqual([200, ''])

  const token = await service.login(name, password)
  expect([algorithmOf(rsaToken), algorithmOf(token)]).toEqual(['RS256', 'HS256'])
  expect([await users(rsaToken), await users(token)]).toEqual([401, 200])
  for (const path of keyPaths) {
    expect([path, await read(path), await read(path, 'HEAD')]).toEqual([path, 400, 405])
  }
  const rotated = await service.request('POST', '/v1/rotate-key', { token })
  expect([rotated.status, rotated.json()]).toMatchObject([400, { status: 400 }])
  expect(await read('/.well-known/openid-configuration')).toBe(200)
  expect((await service.request('GET', '/v1/daemon', { token })).text).not.toContain(secret)
})

test('after a rotation old tokens stay good, and both keys are published, the oldest first', async () => {
  await using service = await startService()
  const token = await service.adminToken()
  const keys = async () => {
    const answer = await service.request('GET', '/.well-known/jwks.json')
    expect(answer.headers.get('cache-control')).toBe('max-age=86400, public')
    return (answer.json() as { keys: { kid: string }[] }).keys
  }
  const before = await keys()
  expect((await service.request('POST', '/v1/rotate-key', { token })).status).toBe(200)
  const after = await keys()
  expect(after).toEqual([...before, expect.objectContaining({ alg: 'RS256', kty: 'RSA', use: 'sig' })])
  for (const key of after) expect(Object.keys(key).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use'])
  const old = await service.request('GET', '/v1/users', { token })
  expect(old.status).toBe(200)
})
