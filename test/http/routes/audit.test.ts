import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import {
  AuditHeadShape,
  type AuditRowBody,
  AuditRowShape,
  AuditVerificationShape,
} from '../../../src/http/routes/shapes/audit.ts'
import { createHandClock } from '../../clock.ts'
import { startService, type TestService } from '../../service.ts'
import { apiOf, problemIn } from './api.ts'

const Page = z.object({ items: z.array(AuditRowShape), next: z.string().nullable() })

async function list(service: TestService, query = ''): Promise<z.output<typeof Page>> {
  const { status, body } = await apiOf(service)('GET', `/audit${query}`)
  expect(status, JSON.stringify(body)).toBe(200)
  return Page.parse(body)
}

const logIn = (service: TestService, name: string, password: string) =>
  service.request('POST', `/v1/users/${name}`, { body: { password } })

describe('the list', () => {
  test('goes from page to page, newest first, or as it was written', async () => {
    await using service = await startService()
    for (let number = 0; number < 5; number += 1) await service.makeRole({ name: `r${number}` })
    const { items: all } = await list(service)
    expect(all.length).toBeGreaterThanOrEqual(8)
    for (const order of ['newest', 'written']) {
      const seen: AuditRowBody[] = []
      let cursor = ''
      do {
        const page = await list(service, `?order=${order}&limit=3${cursor}`)
        expect(page.items.length).toBeLessThanOrEqual(3)
        seen.push(...page.items)
        cursor = page.next === null ? '' : `&cursor=${page.next}`
      } while (cursor !== '')
      expect(seen).toEqual(order === 'newest' ? all : all.toReversed())
    }
    const last = all[0]?.id ?? 0
    expect((await list(service, `?order=written&after=${last - 2}`)).items.map(({ id }) => id)).toEqual([
      last - 1,
      last,
    ])
    expect((await list(service, `?order=written&after=${last}`)).items).toEqual([])
  })

  test('takes conditions, each and together', async () => {
    await using service = await startService()
    await service.makeRole({ name: 'reader' })
    await service.makeUser('ann', 'pw', ['reader'])
    await logIn(service, 'ann', 'wrong')
    const actions = async (query: string) => (await list(service, query)).items.map(({ action }) => action)
    expect(await actions('?target=user:ann')).toEqual(['login.refused', 'user.created'])
    expect(await actions('?target=user:ann&outcome=done')).toEqual(['user.created'])
    expect(await actions('?action=role.created&actor=admin')).toEqual(['role.created'])
    expect(await actions('?outcome=refused&actor=ann')).toEqual(['login.refused'])
    expect(await actions('?from=2100-01-01T00:00:00Z')).toEqual([])
    expect(await actions('?until=2100-01-01T00:00:00%2B02:00&target=role:reader')).toEqual(['role.created'])
  })

  test.each([
    ['?action=user.eaten', 'action'],
    ['?target=ann', 'target'],
    ['?target=planet:mars', 'target'],
    ['?from=yesterday', 'from'],
    ['?order=oldest', 'order'],
    ['?after=x', 'after'],
    ['?cursor=x', 'cursor'],
    ['?limit=0', 'limit'],
    ['?what=ever', ''],
  ])('%s is refused by name', async (query, field) => {
    await using service = await startService()
    const answer = await apiOf(service)('GET', `/audit${query}`)
    expect(answer.status).toBe(422)
    expect(problemIn(answer).fields?.[0]).toMatchObject({ in: 'query', ...(field && { field }) })
  })
})

test('one row, and one that there is not', async () => {
  await using service = await startService()
  const api = apiOf(service)
  await service.makeRole({ name: 'reader' })
  const [newest] = (await list(service, '?action=role.created')).items
  const { body } = await api('GET', `/audit/${newest?.id}`)
  expect(AuditRowShape.parse(body)).toEqual(newest)
  expect((await api('GET', '/audit/999')).status).toBe(404)
  expect((await api('GET', '/audit/first')).status).toBe(422)
})

test('the head, and the check that leads there in steps', async () => {
  await using service = await startService()
  const api = apiOf(service)
  for (let number = 0; number < 5; number += 1) await service.makeRole({ name: `r${number}` })
  const head = AuditHeadShape.parse((await api('GET', '/audit/head')).body)
  const first = AuditVerificationShape.parse((await api('GET', '/audit/verify?limit=4')).body)
  expect(first).toMatchObject({ checked: 4, isAtEnd: false, fault: null, head: { id: 4 } })
  const rest = AuditVerificationShape.parse((await api('GET', '/audit/verify?after=4')).body)
  expect(rest).toEqual({ checked: head.id - 4, isAtEnd: true, fault: null, head: { id: head.id, hash: head.hash } })
  expect((await api('GET', '/audit/verify?limit=5000')).status).toBe(422)
})

test('who may not read it is told so, and that is in it', async () => {
  await using service = await startService()
  await service.makeUser('ann', 'pw')
  const token = await service.login('ann', 'pw')
  for (const path of ['/audit', '/audit/1', '/audit/head', '/audit/verify']) {
    expect((await apiOf(service)('GET', path, { token })).status).toBe(403)
    expect((await apiOf(service)('GET', path, { token: undefined })).status).toBe(401)
  }
  await service.request('GET', '/v1/daemon', { token })
  const { items } = await list(service, '?action=permission.denied')
  expect(items.map(({ target, via }) => [via, target?.name])).toEqual([
    ['aistore', 'GET /v1/daemon'],
    ['native', 'GET /api/v1/audit/verify'],
    ['native', 'GET /api/v1/audit/head'],
    ['native', 'GET /api/v1/audit/{id}'],
    ['native', 'GET /api/v1/audit'],
  ])
  expect(items[4]).toMatchObject({ actor: 'ann', outcome: 'refused', details: { why: 'audit:read' }, repeats: 1 })
})

describe('a login that is refused', () => {
  test('says why, which the caller is not told', async () => {
    await using service = await startService()
    await service.makeUser('ann', 'pw')
    await service.makeUser('bob', 'pw')
    await apiOf(service)('POST', '/locks', { body: { user: 'bob', forSeconds: 60 } })
    const answers = [await logIn(service, 'ann', 'wrong'), await logIn(service, 'nobody', 'wrong')]
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]))
    await logIn(service, 'bob', 'pw')
    await service.request('POST', '/v1/users/ann', { body: { password: 'pw', expires_in: 1 } })
    const { items } = await list(service, '?action=login.refused')
    expect(items.map(({ actor, details }) => [actor, details?.why])).toEqual([
      ['ann', 'lifetime_invalid'],
      ['bob', 'locked'],
      ['nobody', 'unknown_user'],
      ['ann', 'wrong_password'],
    ])
  })

  test('again and again is one row that counts, written when its minute is over or the service ends', async () => {
    const clock = createHandClock()
    await using service = await startService({ clock, store: 'file' })
    await service.makeUser('ann', 'pw')
    // The first few; those after them are told to wait, which is another reason.
    for (let time = 0; time < 4; time += 1) await logIn(service, 'ann', 'wrong')
    expect((await list(service, '?action=login.refused')).items.map(({ repeats }) => repeats)).toEqual([1])
    await clock.advance(66_000)
    await expect
      .poll(async () => (await list(service, '?action=login.refused')).items)
      .toMatchObject([
        { repeats: 3, requestId: null, since: expect.any(String), details: { why: 'wrong_password' } },
        { repeats: 1 },
      ])
    await logIn(service, 'ann', 'wrong')
    await service.restart()
    const { items } = await list(service, '?action=login.refused')
    expect(items.map(({ repeats }) => repeats)).toEqual([1, 3, 1])
    expect((await apiOf(service)('GET', '/audit/verify')).body).toMatchObject({ isAtEnd: true, fault: null })
  })
})

test('no password, secret or token is in any row', async () => {
  await using service = await startService()
  const secrets = Array.from({ length: 4 }, () => randomBytes(12).toString('hex'))
  const [password = '', other = '', shared = '', wrong = ''] = secrets
  await service.makeUser('ann', password)
  const token = await service.login('ann', password)
  await logIn(service, 'ann', wrong)
  const admin = await service.adminToken()
  await service.revoke(token)
  await service.request('PUT', '/v1/users/ann', { token: admin, body: { pass: other } })
  await service.request('DELETE', '/v1/users/ann', { token: admin })
  const { status } = await service.request('PUT', '/v1/daemon', { token: admin, body: { auth: { secret: shared } } })
  expect(status).toBe(200)
  const again = await service.login('admin', service.administrator.password)
  const answer = await service.request('GET', '/api/v1/audit?limit=1000', { token: again })
  expect(answer.status).toBe(200)
  const { items } = Page.parse(answer.json())
  const actions = ['login.refused', 'setting.changed', 'token.issued', 'token.revoked', 'user.changed', 'user.deleted']
  expect(items.map(({ action }) => action)).toEqual(expect.arrayContaining(actions))
  const texts = [
    ...secrets,
    service.administrator.password,
    token.split('.')[2],
    admin.split('.')[2],
    again.split('.')[2],
  ]
  for (const secret of texts) expect(answer.text).not.toContain(secret)
  expect(answer.text).not.toMatch(/\$argon2|\$2[aby]\$|eyJ/)
})

test('a login is a row: which token, session and roles, until when', async () => {
  await using service = await startService()
  await service.makeRole({ name: 'reader' })
  await service.makeUser('ann', 'pw', ['reader'])
  await service.login('ann', 'pw')
  const [row] = (await list(service, '?action=token.issued&target=user:ann')).items
  expect(row).toMatchObject({ actor: 'ann', via: 'aistore', address: '127.0.0.1', reason: null })
  expect(row?.details).toMatchObject({
    jti: expect.stringMatching(/^[\w-]{36}$/),
    session: expect.stringMatching(/^[\w-]{36}$/),
    roles: ['reader'],
    expiresAt: expect.stringMatching(/Z$/),
  })
})
