import { expect, test } from 'vitest'
import { pass, passUntil, startProbed } from './probe-parts.ts'

const proxies = [0, 1, 2]

test.each([
  ['5.0', 'discovery'],
  ['5.0', 'static_key'],
  ['4.3', 'static_key'],
  ['4.3', 'discovery'],
  ['4.1', 'static_key'],
] as const)('%s with %s: the first probe leaves a canary that every proxy refuses', async (version, trust) => {
  await using it = await startProbed([{ alias: 'lake', proxies: 3, version, trust }])
  const lake = it.service.cluster('lake')
  expect(lake.pushes()).toEqual([])
  await passUntil(it.clock, () => proxies.every((proxy) => lake.revokedState(proxy).tokens === 1))
  const [canary = ''] = lake.pushes().flatMap(({ tokens }) => tokens)
  const answer = await it.service.request('GET', '/v1/users', { token: canary })
  expect(answer.status).toBe(401)
})

test.each([
  ['the primary alone', [0]],
  ['another proxy', [1]],
  ['all', [0, 1, 2]],
] as const)('%s restarts: every proxy holds every revocation again', async (_, restarted) => {
  await using it = await startProbed([{ alias: 'lake', proxies: 3 }])
  const lake = it.service.cluster('lake')
  const tokens = await it.service.issueTokens(5)
  for (const token of tokens) await it.service.revoke(token)
  await passUntil(it.clock, () => lake.revokedState(2).tokens === 6)
  await pass(it.clock, 12_000)
  for (const proxy of restarted) lake.restartProxy(proxy)
  const passed = await passUntil(it.clock, () => tokens.every((token) => lake.knows(token)))
  expect(passed).toBeLessThan(16_000)
  // The list goes on to be spread: a revocation from now on reaches every proxy at once.
  const states = () => proxies.map((proxy) => lake.revokedState(proxy).version)
  await passUntil(it.clock, () => new Set(states()).size === 1)
})
