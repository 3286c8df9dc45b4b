import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { TokenBody } from '../../../src/http/routes/shapes/tokens.ts'
import { createHandClock } from '../../clock.ts'
import { startService, type TestService } from '../../service.ts'
import { apiOf, problemIn } from './api.ts'

async function introspect(service: TestService, token: string) {
  const answer = await apiOf(service)('POST', '/tokens/introspect', { body: { token } })
  expect(answer.status).toBe(200)
  return TokenBody.parse(answer.body)
}

describe('whether a token is dead everywhere', () => {
  test('a live one is not', async () => {
    await using service = await startService({ clusters: ['lake'] })
    const [token = ''] = await service.issueTokens(1)
    const found = await introspect(service, token)
    expect(found).toMatchObject({ active: true, state: 'live', isDeadEverywhere: false, isIssuedHere: true })
    expect(found.why).toContain('alive')
    const byId = await apiOf(service)('GET', `/tokens/${found.jti}`)
    expect(TokenBody.parse(byId.body)).toEqual(found)
  })

  test('a revoked one is where every cluster has acknowledged, and else says where not and why', async () => {
    await using service = await startService({ clusters: ['lake', 'pond'] })
    const [first = '', second = ''] = await service.issueTokens(2)
    await service.revoke(first)
    expect(await introspect(service, first)).toMatchObject({
      active: false,
      state: 'revoked',
      isDeadEverywhere: true,
      why: 'It is revoked, and all 2 clusters refuse it.',
      revocation: { by: 'text', tokens: 1 },
    })
    await service.cluster('pond').stop()
    await service.revoke(second)
    const found = await introspect(service, second)
    expect(found).toMatchObject({ isDeadEverywhere: false, why: expect.stringContaining('1 of 2 clusters') })
    await expect
      .poll(async () => (await introspect(service, second)).clusters.filter(({ isHeld }) => !isHeld))
      .toMatchObject([{ alias: 'pond', why: expect.stringContaining('could not be told') }])
  })

  test('an expired one is', async () => {
    const clock = createHandClock(new Date())
    await using service = await startService({ clock })
    const token = await service.login('admin', service.administrator.password, 60e9)
    const admin = await service.adminToken()
    clock.step(61_000)
    const answer = await apiOf(service)('POST', '/tokens/introspect', { token: admin, body: { token } })
    expect(TokenBody.parse(answer.body)).toMatchObject({ active: false, state: 'expired', isDeadEverywhere: true })
  })

  test('what is none of ours is said to be none', async () => {
    await using service = await startService()
    await using other = await startService({ algorithm: 'HS256' })
    for (const text of [randomBytes(20).toString('hex'), await other.adminToken()]) {
      expect(await introspect(service, text)).toMatchObject({ active: false, state: 'invalid', jti: null })
    }
  })

  test('an unknown id is not found', async () => {
    await using service = await startService()
    const answer = await apiOf(service)('GET', '/tokens/unknown')
    expect(answer.status).toBe(404)
    expect(problemIn(answer).code).toBe('token_not_found')
  })
})
