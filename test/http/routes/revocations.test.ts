import { describe, expect, test } from 'vitest'
import type { RevocationProgressBody } from '../../../src/http/routes/shapes/revocations.ts'
import { Revocation, RevocationProgress } from '../../../src/http/routes/shapes/revocations.ts'
import { startService, type TestService } from '../../service.ts'
import { apiOf, problemIn } from './api.ts'

async function makeUser(service: TestService, name: string) {
  const acls = ['lake', 'pond'].map((alias) => ({ id: service.cluster(alias).uuid, perm: '8192' }))
  await service.makeRole({ name: `${name}-role`, clusters: acls })
  await service.makeUser(name, name, [`${name}-role`])
  return service.login(name, name)
}

function jtiOf(token: string): string {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).jti
}

describe('POST /revocations', () => {
  const choices: readonly (readonly [string, (token: string, service: TestService) => object])[] = [
    ['text', (token) => ({ token })],
    ['jti', (token) => ({ jti: jtiOf(token) })],
    ['user', () => ({ user: 'ann' })],
    ['role', () => ({ role: 'ann-role' })],
    ['cluster', () => ({ cluster: 'lake' })],
    ['issued_before', () => ({ issuedBefore: new Date(Date.now() + 5000).toISOString() })],
  ]

  test.each(choices)('by %s: the tokens meant are dead on every cluster when it answers', async (by, choose) => {
    await using service = await startService({ clusters: ['lake', 'pond'] })
    const api = apiOf(service)
    const token = await makeUser(service, 'ann')
    const answer = await api('POST', '/revocations', { body: { ...choose(token, service), reason: 'a leak' } })
    expect(answer.status).toBe(201)
    const made = RevocationProgress.parse(answer.body)
    expect(made).toMatchObject({ by, actor: 'admin', reason: 'a leak', isEverywhere: true })
    expect(made.tokens).toBeGreaterThan(0)
    expect(made.clusters.map(({ alias, isHeld }) => ({ alias, isHeld }))).toEqual(
      expect.arrayContaining(['lake', 'pond'].map((alias) => ({ alias, isHeld: true }))),
    )
    for (const alias of ['lake', 'pond']) expect(service.cluster(alias).knows(token)).toBe(true)
    expect(answer.headers.get('location')).toBe(`/api/v1/revocations/${made.id}`)
  })

  test.each([
    [{ user: 'nobody' }, 'user_not_found'],
    [{ role: 'nothing' }, 'role_not_found'],
    [{ cluster: 'nowhere' }, 'cluster_not_found'],
    [{ key: 'no-key' }, 'key_not_found'],
    [{ jti: 'no-token' }, 'token_not_found'],
  ])('%j is not found', async (body, code) => {
    await using service = await startService()
    const answer = await apiOf(service)('POST', '/revocations', { body })
    expect(answer.status).toBe(404)
    expect(problemIn(answer).code).toBe(code)
  })
})

test('a token in the body that is no good is the fault of the body, not of the caller', async () => {
  await using service = await startService()
  await using other = await startService({ algorithm: 'HS256' })
  const answer = await apiOf(service)('POST', '/revocations', { body: { token: await other.adminToken() } })
  expect(answer.status).toBe(422)
  expect(problemIn(answer).fields).toMatchObject([
    { in: 'body', field: 'token', detail: expect.stringContaining('no token of ours') },
  ])
})

test('a cluster that is down is named with what it said and when it is asked again, until it has it', async () => {
  await using service = await startService({ clusters: ['lake', 'pond'] })
  const api = apiOf(service)
  const token = await makeUser(service, 'ann')
  await service.cluster('pond').stop()
  const { body } = await api<RevocationProgressBody>('POST', '/revocations', { body: { token } })
  expect(body.isEverywhere).toBe(false)
  const show = async () => RevocationProgress.parse((await api('GET', `/revocations/${body.id}`)).body)
  const pond = async () => (await show()).clusters.find(({ alias }) => alias === 'pond')
  await expect
    .poll(pond)
    .toMatchObject({ isHeld: false, since: null, why: expect.stringContaining('could not be told') })
  expect(await pond()).toMatchObject({ trouble: { reason: 'unreachable' }, nextAttemptAt: expect.any(String) })
  expect((await show()).clusters.find(({ alias }) => alias === 'lake')).toMatchObject({ isHeld: true, why: null })
  await service.cluster('pond').start()
  await expect.poll(async () => (await show()).isEverywhere, { timeout: 5000 }).toBe(true)
  expect(service.cluster('pond').knows(token)).toBe(true)
})

test('the list is paged, newest first, and each is in it once', async () => {
  await using service = await startService({ clusters: ['lake', 'pond'] })
  const api = apiOf(service)
  await makeUser(service, 'ann')
  for (let count = 0; count < 5; count += 1) {
    await api('POST', '/revocations', { body: { user: 'ann', reason: `the ${count}th` } })
  }
  await service.revoke(await service.login('ann', 'ann'))
  const seen: string[] = []
  let cursor = ''
  do {
    const { body } = await api<{ items: unknown[]; next: string | null }>(
      'GET',
      `/revocations?limit=2&singles=leave_out${cursor}`,
    )
    expect(body.items.length).toBeLessThanOrEqual(2)
    seen.push(...body.items.map((item) => Revocation.parse(item).reason))
    cursor = body.next === null ? '' : `&cursor=${body.next}`
  } while (cursor !== '')
  expect(seen).toEqual([4, 3, 2, 1, 0].map((count) => `the ${count}th`))
  const { body } = await api<{ items: unknown[] }>('GET', '/revocations')
  expect(Revocation.parse(body.items[0])).toMatchObject({ by: 'text', tokens: 1 })
})
