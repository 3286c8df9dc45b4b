import { describe, expect, test } from 'vitest'
import { ClusterBody } from '../../../src/http/routes/shapes/clusters.ts'
import { startService } from '../../service.ts'
import { apiOf, problemIn } from './api.ts'

test('clusters are listed with how they are, in pages, and found by id or alias', async () => {
  await using service = await startService({ clusters: ['lake', 'pond', 'sea'] })
  const api = apiOf(service)
  const first = await api<{ items: unknown[]; next: string }>('GET', '/clusters?limit=2')
  const second = await api<{ items: unknown[]; next: null }>('GET', `/clusters?limit=2&cursor=${first.body.next}`)
  const all = [...first.body.items, ...second.body.items].map((item) => ClusterBody.parse(item))
  expect(all.map(({ alias }) => alias).toSorted()).toEqual(['lake', 'pond', 'sea'])
  expect(second.body.next).toBeNull()
  for (const { id, alias } of all) {
    expect((await api<ClusterBody>('GET', `/clusters/${id}`)).body.alias).toBe(alias)
    expect((await api<ClusterBody>('GET', `/clusters/${alias}`)).body.id).toBe(id)
  }
})

test('a cluster that is down shows what it is behind, since when, why, and when it is asked again', async () => {
  await using service = await startService({ clusters: ['lake'] })
  const api = apiOf(service)
  const tokens = await service.issueTokens(3)
  await service.cluster('lake').stop()
  for (const token of tokens) await service.revoke(token)
  const show = async () => ClusterBody.parse((await api('GET', '/clusters/lake')).body)
  await expect.poll(async () => (await show()).state).toBe('retrying')
  expect(await show()).toMatchObject({
    behind: 3,
    behindSince: expect.any(String),
    trouble: { reason: 'unreachable', advice: expect.stringMatching(/./) },
    nextAttemptAt: expect.any(String),
  })
  expect((await show()).lagSeconds).toBeGreaterThan(0)
  const filtered = await api<{ items: unknown[] }>('GET', '/clusters?state=retrying')
  expect(filtered.body.items).toHaveLength(1)
  await service.cluster('lake').start()
  await expect.poll(async () => (await show()).behind, { timeout: 5000 }).toBe(0)
})

test('a resync tells a cluster everything again', async () => {
  await using service = await startService({ clusters: ['lake'] })
  const [token = ''] = await service.issueTokens(1)
  await service.revoke(token)
  await service.cluster('lake').stop()
  await service.cluster('lake').start()
  expect(service.cluster('lake').knows(token)).toBe(false)
  const answer = await apiOf(service)('POST', '/clusters/lake/resync')
  expect(answer.status).toBe(202)
  expect(ClusterBody.parse(answer.body).state).toMatch(/resyncing|behind|unknown|in_step/)
  await expect.poll(() => service.cluster('lake').knows(token), { timeout: 5000 }).toBe(true)
})

describe('registering', () => {
  test('a cluster is taken in by the handshake, changed, and forgotten', async () => {
    await using service = await startService()
    const api = apiOf(service)
    const cluster = await service.startCluster({ alias: 'lake' })
    const body = { id: cluster.uuid, alias: 'lake', urls: cluster.urls }
    const made = await api('POST', '/clusters', { body })
    expect(made.status).toBe(201)
    expect(made.headers.get('location')).toBe(`/api/v1/clusters/${cluster.uuid}`)
    expect(ClusterBody.parse(made.body)).toMatchObject({ ...body, kind: 'aistore', behind: 0, attempts: 0 })
    expect(problemIn(await api('POST', '/clusters', { body })).code).toBe('cluster_exists')
    const renamed = await api('PATCH', '/clusters/lake', { body: { alias: 'pond' } })
    expect(renamed).toMatchObject({ status: 200, body: { alias: 'pond', urls: cluster.urls } })
    expect(await api('PATCH', '/clusters/pond', { body: { alias: null } })).toMatchObject({ body: { alias: null } })
    const [token = ''] = await service.issueTokens(1)
    await service.revoke(token)
    await expect.poll(() => cluster.knows(token)).toBe(true)
    expect((await api('DELETE', `/clusters/${cluster.uuid}`)).status).toBe(204)
    expect((await api('GET', `/clusters/${cluster.uuid}`)).status).toBe(404)
  })

  test('one that refuses, or is not there, is told with what to do, and nothing is kept', async () => {
    await using service = await startService()
    await using other = await startService({ algorithm: 'HS256' })
    const api = apiOf(service)
    const foreign = await other.startCluster({ alias: 'foreign' })
    for (const urls of [foreign.urls, ['http://127.0.0.1:1']]) {
      const answer = await api('POST', '/clusters', { body: { id: foreign.uuid, urls } })
      expect(problemIn(answer)).toMatchObject({ status: 502, code: 'cluster_refused' })
      expect(problemIn(answer).detail).toMatch(/said: .+\. .+\./)
    }
    expect((await api('GET', `/clusters/${foreign.uuid}`)).status).toBe(404)
  })

  test.each([
    [{ urls: ['http://x'] }, 'id'],
    [{ id: 'a b', urls: ['http://x'] }, 'id'],
    [{ id: 'a', urls: [] }, 'urls'],
    [{ id: 'a', urls: ['x'] }, 'urls'],
    [{ id: 'a', urls: ['http://x'], alias: '-x' }, 'alias'],
    [{ id: 'a', urls: ['http://x'], kind: 'moon' }, 'kind'],
  ])('%j is refused, naming %s', async (body, field) => {
    await using service = await startService()
    const answer = await apiOf(service)('POST', '/clusters', { body })
    expect(answer.status).toBe(422)
    expect(problemIn(answer).fields?.[0]?.field.startsWith(field)).toBe(true)
  })
})

test('a cluster without URLs is shown as such, is not attempted, and keeps tokens from being called dead', async () => {
  await using service = await startService({ clusters: ['lake'] })
  const api = apiOf(service)
  const token = await service.adminToken()
  const body = { id: 'quiet', alias: 'q', urls: [] }
  expect((await service.request('POST', '/v1/clusters', { token, body })).status).toBe(200)
  const [one = ''] = await service.issueTokens(1)
  await service.revoke(one)
  await service.settled()
  expect(ClusterBody.parse((await api('GET', '/clusters/q')).body)).toMatchObject({
    state: 'no_urls',
    behind: 1,
    attempts: 0,
    trouble: { said: 'no URL is registered: it hears of no revocation', advice: expect.stringMatching(/URL/) },
  })
  expect(service.log().filter(({ event, cluster }) => event === 'delivery.attempted' && cluster === 'quiet')).toEqual(
    [],
  )
  const asked = await api<{ clusters: { alias: string }[] }>('POST', '/tokens/introspect', { body: { token: one } })
  expect(asked.body.clusters.find(({ alias }) => alias === 'q')).toMatchObject({
    isHeld: false,
    why: expect.stringContaining('hears of no revocation'),
  })
})
