import { randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { createHandClock } from '../clock.ts'
import { startService, type TestService } from '../service.ts'
import { apiOf, problemIn } from './routes/api.ts'

let service: TestService
let api: ReturnType<typeof apiOf>
const clock = createHandClock()
const password = randomBytes(12).toString('base64url')

beforeAll(async () => {
  service = await startService({ clock, config: { trustedProxies: ['127.0.0.1'] } })
  api = apiOf(service)
  await service.makeUser('ann', password)
  return () => service[Symbol.asyncDispose]()
})

const login = (name: string, text: string, address: string) =>
  api('POST', '/sessions', {
    token: undefined,
    headers: { 'x-forwarded-for': address },
    body: { name, password: text },
  })

const dialectLogin = (name: string, text: string, address: string) =>
  service.request('POST', `/v1/users/${name}`, { headers: { 'x-forwarded-for': address }, body: { password: text } })

describe('too many failed logins', () => {
  test('are 429 with when to come again, on the native API and in AIStore’s shape', async () => {
    for (let n = 0; n < 6; n += 1) expect((await login('eve', 'wrong', `198.51.100.${n}`)).status).toBe(401)
    const native = await login('eve', 'wrong', '198.51.100.99')
    expect(native.status).toBe(429)
    expect(native.headers.get('retry-after')).toBe('1')
    expect(problemIn(native)).toMatchObject({ code: 'login_limited', status: 429 })
    const dialect = await dialectLogin('eve', 'wrong', '198.51.100.99')
    expect(dialect.status).toBe(429)
    expect(dialect.headers.get('retry-after')).toBe('1')
    expect(dialect.json()).toMatchObject({
      tcode: 'ErrFailedTo',
      message: 'AuthN: failed to generate token for eve, err: too many failed logins; try again in 1s',
      status: 429,
    })
  })

  test('lock a name in the end; the lock is listed and an administrator ends it', async () => {
    for (let n = 0; n < 20; n += 1) {
      const answer = await dialectLogin('ann', 'wrong', `203.0.113.${n}`)
      expect(answer.status).toBe(401)
      await clock.advance(31_000)
    }
    expect((await login('ann', password, '203.0.113.50')).status).toBe(429)
    const { body } = await api<{ items: object[] }>('GET', '/login-locks')
    expect(body.items).toMatchObject([{ kind: 'user', user: 'ann', address: null, failures: 20 }])
    const ended = await api('POST', '/login-locks/unlock', { body: { user: 'ann' } })
    expect(ended.body).toEqual({ ended: 1 })
    const audit = await api<{ items: object[] }>('GET', '/audit?target=user:ann&outcome=done')
    expect(audit.body.items.slice(0, 2)).toMatchObject([
      { action: 'login.unlocked', actor: 'admin', details: { locks: 1 } },
      { action: 'login.locked', actor: 'gatehouse:service', details: { failures: 20 } },
    ])
    expect((await login('ann', password, '203.0.113.50')).status).toBe(201)
  })

  test.each([
    [{}, '', 'exactly one of'],
    [{ user: 'a', address: '192.0.2.1' }, '', 'exactly one of'],
    [{ address: 'here' }, 'address', 'Invalid'],
  ])('ending one by %j names what is wrong', async (body, field, said) => {
    const answer = await api('POST', '/login-locks/unlock', { body })
    expect(answer.status).toBe(422)
    expect(problemIn(answer).fields).toContainEqual({ in: 'body', field, detail: expect.stringContaining(said) })
  })
})

test('the log names the client behind a trusted proxy', async () => {
  await login('nobody', 'wrong', '198.51.100.200')
  expect(service.log().filter(({ remote }) => remote === '198.51.100.200')).toHaveLength(1)
})

test('a URL that no honest client sends is refused before anybody reads it', async () => {
  const { status, text } = await service.request('GET', `/v1/users?${'x'.repeat(17_000)}`)
  expect([status, text]).toEqual([414, 'URI Too Long\n'])
})

test('answers of the native API tell browsers to keep out', async () => {
  const { headers } = await api('GET', '/whoami')
  expect(headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'")
  expect(headers.get('x-frame-options')).toBe('DENY')
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(headers.get('access-control-allow-origin')).toBeNull()
})

test('switched off, nothing is limited, and the log says so loudly', async () => {
  await using open = await startService({ config: { isLoginLimited: false } })
  expect(open.log()).toContainEqual(expect.objectContaining({ event: 'login_limits.off', level: 'warn' }))
  for (let n = 0; n < 8; n += 1) {
    expect((await open.request('POST', '/v1/users/eve', { body: { password: 'wrong' } })).status).toBe(401)
  }
})
