import { beforeAll, describe, expect, test } from 'vitest'
import { NewSession, Whoami } from '../../../src/http/routes/shapes/sessions.ts'
import { startService, type TestService } from '../../service.ts'
import { apiOf, problemIn } from './api.ts'

let service: TestService
let api: ReturnType<typeof apiOf>

beforeAll(async () => {
  service = await startService({ clusters: ['lake'] })
  api = apiOf(service)
  await service.makeRole({ name: 'viewer', clusters: [{ id: service.cluster('lake').uuid, perm: '8192' }] })
  await service.makeUser('ann', 'correct horse', ['viewer'])
  return () => service[Symbol.asyncDispose]()
})

function login(body: Record<string, unknown>) {
  return api('POST', '/sessions', { token: undefined, body })
}

describe('logging in', () => {
  test('gives a token that says who one is, with what the store says', async () => {
    const answer = await login({ name: 'ann', password: 'correct horse', lifetimeSeconds: 3600 })
    expect(answer.status).toBe(201)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    const { token, jti, expiresAt } = NewSession.parse(answer.body)
    expect(new Date(expiresAt).getTime() - Date.now()).toBeGreaterThan(3_590_000)
    const { body } = await api('GET', '/whoami', { token })
    expect(Whoami.parse(body)).toMatchObject({
      subject: 'ann',
      isAdministrator: false,
      permissions: [],
      roles: ['viewer'],
      token: { jti, expiresAt },
    })
  })

  test('an administrator holds every permission', async () => {
    const { permissions } = Whoami.parse((await api('GET', '/whoami')).body)
    expect(permissions).toEqual(expect.arrayContaining(['tokens:revoke', 'keys:rotate', 'locks:write']))
  })

  test.each([
    ['a wrong password', { name: 'ann', password: 'wrong' }, 401, 'invalid_credentials'],
    ['an unknown user', { name: 'nobody', password: 'wrong' }, 401, 'invalid_credentials'],
    ['too short a life', { name: 'ann', password: 'correct horse', lifetimeSeconds: 1 }, 422, 'lifetime_invalid'],
    ['too long a life', { name: 'ann', password: 'correct horse', lifetimeSeconds: 1e9 }, 422, 'lifetime_invalid'],
    ['no password', { name: 'ann' }, 422, 'request_invalid'],
  ])('%s is refused', async (_title, body, status, code) => {
    const answer = await login(body)
    expect(answer.status).toBe(status)
    expect(problemIn(answer)).toMatchObject({ code })
  })
})

test('logging out makes the token dead here and on every cluster', async () => {
  const { token } = NewSession.parse((await login({ name: 'ann', password: 'correct horse' })).body)
  expect((await api('DELETE', '/sessions/current', { token })).status).toBe(204)
  expect(service.cluster('lake').knows(token)).toBe(true)
  const answer = await api('GET', '/whoami', { token })
  expect(answer.status).toBe(401)
  expect(problemIn(answer).code).toBe('token_revoked')
  expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"')
})
