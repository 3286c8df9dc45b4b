import { describe, expect, test } from 'vitest'
import type { TestService } from '../service.ts'
import { createRsaPair } from '../stand-ins/aistore-mint.ts'
import { pass, passUntil, startProbed } from '../workers/probe-parts.ts'

const proxies = [0, 1, 2]

async function revokeSome(service: TestService, count: number): Promise<readonly string[]> {
  const tokens = await service.issueTokens(count)
  for (const token of tokens) expect((await service.revoke(token)).status).toBe(200)
  return tokens
}

const probesOf = (service: TestService) => service.log().filter(({ event }) => event === 'probe.ended')

test.each([
  ['5.0', 'discovery'],
  ['5.0', 'static_key'],
  ['4.3', 'static_key'],
  ['4.3', 'discovery'],
  ['4.1', 'static_key'],
] as const)(
  '%s with %s: every proxy of a new cluster refuses a canary after the first look',
  async (version, trust) => {
    await using it = await startProbed([{ alias: 'lake', proxies: 3, version, trust }])
    const lake = it.service.cluster('lake')
    expect(lake.pushes()).toEqual([])
    await passUntil(it.clock, () => proxies.every((proxy) => lake.revokedState(proxy).tokens === 1))
    const [canary = ''] = lake.pushes().flatMap(({ tokens }) => tokens)
    const answer = await it.service.request('GET', '/v1/users', { token: canary })
    expect(answer.status).toBe(401)
  },
)

describe.each(['4.1', '4.3', '5.0'] as const)(
  'a cluster of three proxies, version %s, has everything again after',
  (version) => {
    test.each([
      ['its primary alone', [0]],
      ['another proxy', [1]],
      ['all of them', [0, 1, 2]],
    ] as const)('%s restarted', async (_, restarted) => {
      await using it = await startProbed([{ alias: 'lake', proxies: 3, version }])
      const lake = it.service.cluster('lake')
      const tokens = await revokeSome(it.service, 5)
      await passUntil(it.clock, () => proxies.every((proxy) => lake.revokedState(proxy).tokens === 6))
      await pass(it.clock, 2_000)
      for (const proxy of restarted) lake.restartProxy(proxy)
      // Another proxy is given the primary's list as it joins, so nothing is lost.
      if (restarted[0] === 0) expect(tokens.some((token) => lake.knows(token, 0))).toBe(false)
      const passed = await passUntil(it.clock, () => tokens.every((token) => lake.knows(token)))
      expect(passed).toBeLessThan(14_000)
      await passUntil(it.clock, () => new Set(proxies.map((proxy) => lake.revokedState(proxy).version)).size === 1)
      const [next = ''] = await revokeSome(it.service, 1)
      expect(lake.knows(next)).toBe(true)
    })
  },
)

test('a primary whose list was long counts up again until the others take its list', async () => {
  await using it = await startProbed([{ alias: 'lake', proxies: 3 }])
  const lake = it.service.cluster('lake')
  const tokens = await revokeSome(it.service, 40)
  await pass(it.clock, 12_000)
  expect(lake.revokedState(1).version).toBeGreaterThan(40)
  lake.restartProxy(0)
  await pass(it.clock, 12_000)
  // What is revoked meanwhile is on the primary alone, and comes to the others with the spreading.
  const [late = ''] = await revokeSome(it.service, 1)
  await passUntil(it.clock, () => [...tokens, late].every((token) => lake.knows(token)))
  await passUntil(it.clock, () => lake.revokedState(0).version === lake.revokedState(2).version)
  const spreads = probesOf(it.service).filter(({ act }) => act === 'spread')
  expect(spreads.length).toBeGreaterThan(2)
  await pass(it.clock, 30_000)
  expect(probesOf(it.service).filter(({ act }) => act === 'spread')).toHaveLength(spreads.length)
})

test('a primary that restarts ten times in a minute has everything once it stays', async () => {
  await using it = await startProbed([{ alias: 'lake', proxies: 3 }])
  const lake = it.service.cluster('lake')
  const tokens = [...(await revokeSome(it.service, 3))]
  await pass(it.clock, 12_000)
  for (let restart = 0; restart < 10; restart += 1) {
    lake.restartProxy(0)
    tokens.push(...(await revokeSome(it.service, 1)))
    await pass(it.clock, 6_000)
  }
  await passUntil(it.clock, () => tokens.every((token) => lake.knows(token)))
})

test('a cluster that was down and comes back empty gets everything, also what was acknowledged before', async () => {
  await using it = await startProbed([{ alias: 'lake', proxies: 2 }])
  const lake = it.service.cluster('lake')
  const before = await revokeSome(it.service, 3)
  await pass(it.clock, 12_000)
  await lake.stop()
  await pass(it.clock, 30_000)
  await lake.start()
  await passUntil(it.clock, () => before.every((token) => lake.knows(token)))
})

test('a key mismatch shows before a user meets it, and its end brings everything again', async () => {
  await using it = await startProbed([{ alias: 'lake', trust: 'static_key' }])
  const lake = it.service.cluster('lake')
  const tokens = await revokeSome(it.service, 2)
  await pass(it.clock, 12_000)
  lake.trust({ kind: 'static_key', pem: createRsaPair().pem })
  const mismatch = () => probesOf(it.service).some(({ reason }) => reason === 'key_mismatch')
  expect(await passUntil(it.clock, mismatch)).toBeLessThan(13_000)
  lake.restartProxy(0)
  expect(tokens.some((token) => lake.knows(token))).toBe(false)
  const [late = ''] = await revokeSome(it.service, 1)
  await pass(it.clock, 5_000)
  expect(lake.knows(late)).toBe(false)
  lake.trust({ kind: 'static_key', pem: it.service.publicKeyPem })
  await passUntil(it.clock, () => [...tokens, late].every((token) => lake.knows(token)))
})

test('a cluster that lets everybody in is told of once', async () => {
  await using it = await startProbed([{ alias: 'lake', clientAuth: false }])
  await pass(it.clock, 40_000)
  const told = probesOf(it.service).filter(({ isAuthenticationOn }) => isAuthenticationOn === false)
  expect(told.filter(({ act }) => act === 'none').length).toBeGreaterThan(0)
  expect(told[0]).toMatchObject({ reason: 'wrong_mode' })
})

test('another cluster in the place of one is told of, with what to do', async () => {
  await using it = await startProbed([{ alias: 'lake' }])
  const lake = it.service.cluster('lake')
  const [, port] = /:(\d+)$/.exec(lake.url) ?? []
  await pass(it.clock, 12_000)
  await lake.stop()
  await using other = await it.service.startCluster({ alias: 'other', ports: [Number(port)] })
  expect(other.url).toBe(lake.url)
  await passUntil(it.clock, () => probesOf(it.service).some(({ reason }) => reason === 'not_authorized'))
  const [told] = probesOf(it.service).filter(({ reason }) => reason === 'not_authorized')
  expect(told).toMatchObject({ cluster: lake.uuid, advice: expect.stringContaining('another cluster') })
})

test('neither a log line nor an answer shows a canary', async () => {
  await using it = await startProbed([{ alias: 'lake' }])
  const lake = it.service.cluster('lake')
  await passUntil(it.clock, () => lake.pushes().length > 0)
  lake.restartProxy(0)
  await pass(it.clock, 15_000)
  const canaries = lake.pushes().flatMap(({ tokens }) => tokens)
  expect(canaries.length).toBeGreaterThan(1)
  for (const canary of canaries) expect(JSON.stringify(it.service.log())).not.toContain(canary)
})
