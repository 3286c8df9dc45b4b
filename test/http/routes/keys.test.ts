import { expect, test } from 'vitest'
import { Keys, Rotation } from '../../../src/http/routes/shapes/keys.ts'
import { startService } from '../../service.ts'
import { apiOf, problemIn } from './api.ts'

test('a rotation names the clusters that do not trust the new key, and those that have not answered', async () => {
  await using service = await startService({
    clusters: [{ alias: 'fixed', trust: 'static_key' }, { alias: 'gone' }],
  })
  const api = apiOf(service)
  const [before] = Keys.parse((await api('GET', '/keys')).body).items
  await service.cluster('gone').stop()
  const answer = await api('POST', '/keys/rotate')
  expect(answer.status).toBe(200)
  const rotation = Rotation.parse(answer.body)
  expect(rotation.signsAt).toBeNull()
  expect(rotation.refusedBy).toMatchObject([
    { alias: 'fixed', trouble: { reason: 'key_mismatch', advice: expect.stringContaining('public key') } },
  ])
  expect(rotation.notAsked).toMatchObject([{ alias: 'gone' }])

  const { signsWith, items } = Keys.parse((await api('GET', '/keys')).body)
  expect(signsWith).toBe('RS256')
  expect(items).toMatchObject([
    { kid: before?.kid, state: 'retiring' },
    { kid: rotation.kid, state: 'active', activatedAt: expect.any(String) },
  ])
})

test('a key that signs no more can be retired: what it signed opens nothing', async () => {
  await using service = await startService()
  const api = apiOf(service)
  const old = await service.login('admin', service.administrator.password)
  const [before] = Keys.parse((await api('GET', '/keys')).body).items
  const active = await api('POST', `/keys/${before?.kid}/retire`)
  expect(active.status).toBe(409)
  expect(problemIn(active).code).toBe('key_unavailable')

  await api('POST', '/keys/rotate')
  const token = await service.login('admin', service.administrator.password)
  expect((await api('POST', `/keys/${before?.kid}/retire`, { token })).status).toBe(204)
  expect((await api('GET', '/whoami', { token: old })).status).toBe(401)
  expect((await api('GET', '/whoami', { token })).status).toBe(200)
  const unknown = await api('POST', '/keys/nothing/retire', { token })
  expect(problemIn(unknown).code).toBe('key_not_found')
})

test('under a shared secret there is no key to rotate', async () => {
  await using service = await startService({ algorithm: 'HS256' })
  const api = apiOf(service)
  expect(Keys.parse((await api('GET', '/keys')).body).signsWith).toBe('HS256')
  const answer = await api('POST', '/keys/rotate')
  expect(answer.status).toBe(409)
  expect(problemIn(answer)).toMatchObject({ code: 'key_unavailable', detail: expect.stringContaining('shared secret') })
})
