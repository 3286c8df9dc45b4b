import { describe, expect, test } from 'vitest'
import { LockShape, NewLock } from '../../../src/http/routes/shapes/locks.ts'
import { startService, type TestService } from '../../service.ts'
import { apiOf, problemIn } from './api.ts'

async function listLocks(service: TestService, query = '') {
  const { body } = await apiOf(service)<{ items: unknown[] }>('GET', `/locks${query}`)
  return body.items.map((item) => LockShape.parse(item))
}

describe('a lock', () => {
  test('revokes what there is, keeps the user out, and ends when it is lifted', async () => {
    await using service = await startService({ clusters: ['lake'] })
    const api = apiOf(service)
    await service.makeUser('ann', 'ann')
    const token = await service.login('ann', 'ann')
    const made = await api('POST', '/locks', { body: { user: 'ann', forSeconds: 3600, reason: 'on leave' } })
    expect(made.status).toBe(201)
    const { lock, revocation } = NewLock.parse(made.body)
    expect(lock).toMatchObject({ target: { kind: 'user', name: 'ann' }, isActive: true, actor: 'admin' })
    expect(revocation).toMatchObject({ tokens: 1, cause: 'user.locked', isEverywhere: true })
    expect(service.cluster('lake').knows(token)).toBe(true)
    const refused = await api('POST', '/sessions', { token: undefined, body: { name: 'ann', password: 'ann' } })
    expect(refused.status).toBe(403)
    expect(problemIn(refused)).toMatchObject({ code: 'locked', detail: expect.stringContaining(lock.until) })

    expect(await listLocks(service)).toEqual([lock])
    const lifted = await api('DELETE', `/locks/${lock.id}`)
    expect(LockShape.parse(lifted.body)).toMatchObject({ isActive: false, liftedBy: 'admin' })
    expect(await listLocks(service)).toEqual([])
    expect(await listLocks(service, '?ended=include')).toHaveLength(1)
    await service.login('ann', 'ann')
  })

  test.each([
    [{ user: 'nobody', forSeconds: 60 }, 404, 'user_not_found'],
    [{ role: 'nothing', forSeconds: 60 }, 404, 'role_not_found'],
    [{ user: 'admin', forSeconds: 60 }, 409, 'last_administrator'],
    [{ role: 'Admin', forSeconds: 60 }, 403, 'role_protected'],
    [{ user: 'admin', until: '2020-01-01T00:00:00Z' }, 422, 'field_invalid'],
    [{ user: 'admin' }, 422, 'request_invalid'],
    [{ user: 'admin', role: 'x', forSeconds: 60 }, 422, 'request_invalid'],
  ])('%j is refused', async (body, status, code) => {
    await using service = await startService()
    const answer = await apiOf(service)('POST', '/locks', { body })
    expect(answer.status).toBe(status)
    expect(problemIn(answer).code).toBe(code)
  })

  test('one that there is not can not be lifted', async () => {
    await using service = await startService()
    expect((await apiOf(service)('DELETE', '/locks/7')).status).toBe(404)
    expect((await apiOf(service)('DELETE', '/locks/seven')).status).toBe(422)
  })
})
