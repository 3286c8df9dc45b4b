import { expect, test } from 'vitest'
import { ClusterBody } from '../../../src/http/routes/shapes/clusters.ts'
import { startService } from '../../service.ts'
import { apiOf } from './api.ts'

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
