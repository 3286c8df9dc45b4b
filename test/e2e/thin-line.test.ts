import { describe, expect, test } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { createHandClock } from '../clock.ts'
import { startService, type TestService } from '../service.ts'
import type { AistoreCluster, AistoreClusterOptions, AistoreVersion, Trust } from '../stand-ins/aistore.ts'

const versions: readonly AistoreVersion[] = ['4.1', '4.3', '5.0']
const trusts: readonly Trust['kind'][] = ['shared_secret', 'static_key', 'discovery']
const combinations = versions.flatMap((version) => trusts.map((trust) => ({ version, trust })))

async function startWith(version: AistoreVersion, trust: Trust['kind'], more: Partial<AistoreClusterOptions> = {}) {
  const algorithm = trust === 'shared_secret' ? 'HS256' : 'RS256'
  const clusters = [{ alias: 'lake', version, trust, ...(more.proxies === undefined ? {} : { proxies: more.proxies }) }]
  return startService({ algorithm, clusters })
}

/** Reads the cluster's map, which needs SHOW-CLUSTER. */
async function show(cluster: AistoreCluster, token: string, proxy = 0) {
  const headers = { Authorization: `Bearer ${token}` }
  const answer = await fetch(`${cluster.urls[proxy]}/v1/daemon?what=smap`, { headers })
  return { status: answer.status, text: await answer.text() }
}

async function makeViewer(service: TestService, cluster: AistoreCluster) {
  await service.makeRole({ name: 'viewer', clusters: [{ id: cluster.uuid, perm: '8192' }] })
  await service.makeUser('ann', 'correct horse', ['viewer'])
  return service.login('ann', 'correct horse')
}

describe.each(combinations)('a cluster of $version with $trust', ({ version, trust }) => {
  test('takes our handshake, our users, and at once our revocations', async () => {
    await using service = await startWith(version, trust)
    const lake = service.cluster('lake')
    expect(lake.handshakes().at(-1)?.status).toBe(200)

    const token = await makeViewer(service, lake)
    expect((await show(lake, token)).status).toBe(200)

    expect((await service.revoke(token)).status).toBe(200)
    expect(lake.pushes()).toEqual([{ tokens: [token] }])
    expect(await show(lake, token)).toMatchObject({ status: 401, text: expect.stringContaining('revoked') })
    expect((await show(lake, await service.login('ann', 'correct horse'))).status).toBe(200)
  })

  test('is told of earlier revocations before its registration is answered', async () => {
    await using service = await startWith(version, trust)
    const lake = service.cluster('lake')
    const token = await makeViewer(service, lake)
    await service.revoke(token)
    await service.request('DELETE', '/v1/clusters/lake', { token: await service.adminToken() })
    await lake.stop()
    await lake.start()
    expect(lake.knows(token)).toBe(false)
    expect((await service.registerCluster('lake', lake)).status).toBe(200)
    expect(lake.knows(token)).toBe(true)
  })
})

test.each([
  { version: '4.1', trust: 'static_key', advice: 'key' },
  { version: '4.3', trust: 'static_key', advice: 'key' },
  { version: '4.3', trust: 'shared_secret', advice: 'secret' },
  { version: '5.0', trust: 'static_key', advice: 'key' },
] as const)('a cluster of $version that has another $trust refuses, and nothing is stored', async (refusing) => {
  await using stranger = await startService()
  await using service = await startService({ algorithm: refusing.trust === 'shared_secret' ? 'HS256' : 'RS256' })
  // Not this service's secret, and a key that the service has given up.
  if (refusing.trust === 'static_key') {
    expect((await service.request('POST', '/v1/rotate-key', { token: await service.adminToken() })).status).toBe(200)
  }
  const cluster =
    refusing.trust === 'static_key'
      ? await service.startCluster({ alias: 'lake', ...refusing })
      : await stranger.startCluster({ alias: 'lake', ...refusing })
  const answer = await service.registerCluster('lake', cluster)
  expect(answer.status).toBe(400)
  expect(answer.text).toContain(refusing.advice)
  expect((await service.request('GET', '/v1/clusters/lake')).status).toBe(404)
})

test.each([
  ['by the hand-set clock', createHandClock()],
  ['by the real clock', systemClock],
])('a cluster that was down gets every revocation in one batch when it returns, %s', async (_name, clock) => {
  await using service = await startService({ clusters: ['lake'], clock })
  const lake = service.cluster('lake')
  const tokens = await service.issueTokens(20)
  await lake.stop()
  for (const token of tokens) expect((await service.revoke(token)).status).toBe(200)
  await lake.start()
  await service.settled()
  expect(lake.pushes()).toEqual([{ tokens }])
})

test('what was acknowledged before a restart reaches a cluster that was away', async () => {
  await using service = await startService({ store: 'file', clusters: ['lake'] })
  const lake = service.cluster('lake')
  const [token = ''] = await service.issueTokens(1)
  await lake.stop()
  expect((await service.revoke(token)).status).toBe(200)
  await service.restart()
  await lake.start()
  await service.settled()
  expect(lake.knows(token)).toBe(true)
})

test('every proxy of a cluster refuses a revoked token', async () => {
  await using service = await startWith('5.0', 'discovery', { proxies: 3 })
  const lake = service.cluster('lake')
  const token = await makeViewer(service, lake)
  await service.revoke(token)
  for (const proxy of lake.urls.keys()) expect((await show(lake, token, proxy)).status).toBe(401)
})

test('what a cluster is shown of us is good for it alone, for minutes, and not on our own interface', async () => {
  await using service = await startService({ clusters: ['lake', 'pond'] })
  const lake = service.cluster('lake')
  const bearer = lake.handshakes().at(-1)?.bearer ?? ''
  const claims = JSON.parse(Buffer.from(bearer.split('.')[1] ?? '', 'base64url').toString())
  expect(claims).toMatchObject({ aud: [lake.uuid] })
  expect(claims.admin ?? false).toBe(false)
  expect(claims.exp - claims.iat).toBeLessThanOrEqual(300)
  expect((await service.request('GET', '/v1/users', { token: bearer })).status).toBe(401)
  expect((await show(service.cluster('pond'), bearer)).status).toBe(403)
})
