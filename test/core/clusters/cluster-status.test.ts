import { expect, test } from 'vitest'
import {
  type ClusterState,
  type DeliveryFacts,
  type ProbeFacts,
  presentClusterStatus,
} from '../../../src/core/clusters/cluster-status.ts'
import type { ProbeReport } from '../../../src/core/clusters/probe.ts'
import { aReport } from '../../delivery/script.ts'

const now = new Date('2026-03-01T12:00:00Z')
const ago = (ms: number) => new Date(now.getTime() - ms)

const delivered: DeliveryFacts = {
  hasUrls: true,
  resyncFrom: null,
  attempts: 0,
  nextAttemptAt: ago(5_000),
  isCanaryWanted: false,
  lastReason: null,
  lastSaid: null,
  lastAcknowledgedAt: ago(5_000),
  canary: { expiresAt: ago(-3_600_000), acknowledgedAt: ago(60_000) },
  behind: 0,
  behindSince: null,
}

function probed(report: ProbeReport): ProbeFacts {
  return { report, probedAt: ago(2_000), lastRestartSeenAt: null, inStepSince: ago(30_000) }
}

function stateOf(facts: Partial<DeliveryFacts>, report: ProbeReport | undefined = aReport('c1', ['knows', 'knows'])) {
  return presentClusterStatus({ ...delivered, ...facts }, report && probed(report), now).state
}

const trouble = { said: 'it said so', advice: 'Do that.' }
const unreachable = { clusterId: null, isKeyTrusted: null, isAuthenticationOn: null }

test.each<[ClusterState, string, Partial<DeliveryFacts>, ProbeReport | undefined]>([
  ['in_step', 'every proxy knows the canary and nothing is waiting', {}, aReport('c1', ['knows', 'knows'])],
  [
    'in_step',
    'no single proxy can be reached, and who stands for them knows',
    {},
    aReport('c1', ['out_of_reach', 'knows']),
  ],
  ['unknown', 'a proxy of several is silent', {}, aReport('c1', ['knows', 'silent'])],
  [
    'unknown',
    'whoever was asked knows, but the map could not be read',
    {},
    aReport('c1', ['knows'], { clusterId: null }),
  ],
  [
    'unknown',
    'it asks nobody for a token',
    {},
    aReport('c1', ['knows'], { isAuthenticationOn: false, trouble: { reason: 'wrong_mode', ...trouble } }),
  ],
  ['no_urls', 'it has no URL', { hasUrls: false, behind: 3, resyncFrom: 0 }, undefined],
  ['spreading', 'one is silent and another has forgotten', {}, aReport('c1', ['knows', 'silent', 'forgot'])],
  ['unknown', 'it has not been looked at yet', {}, undefined],
  ['unknown', 'it has no canary yet', { canary: null }, aReport('c1', ['silent'])],
  ['behind', 'a change is on its way', { behind: 2, behindSince: ago(50) }, aReport('c1', ['knows'])],
  ['spreading', 'another proxy than the primary has forgotten', {}, aReport('c1', ['knows', 'forgot'])],
  ['resyncing', 'the primary has forgotten', {}, aReport('c1', ['forgot', 'knows'])],
  ['resyncing', 'a resync is under way', { resyncFrom: 3 }, aReport('c1', ['knows'])],
  ['resyncing', 'a new canary is wanted', { isCanaryWanted: true, canary: null }, aReport('c1', ['silent'])],
  ['retrying', 'the last push failed', { attempts: 1, lastReason: 'timed_out' }, aReport('c1', ['knows'])],
  [
    'retrying',
    'nothing of it answers a probe',
    {},
    aReport('c1', ['silent'], { ...unreachable, trouble: { reason: 'unreachable', ...trouble } }),
  ],
  ['refused', 'the last push was refused', { attempts: 4, lastReason: 'key_mismatch' }, aReport('c1', ['knows'])],
  [
    'refused',
    'it does not trust our key',
    {},
    aReport('c1', ['knows'], { isKeyTrusted: false, trouble: { reason: 'key_mismatch', ...trouble } }),
  ],
  [
    'refused',
    'something else answers at its URLs',
    {},
    aReport('c1', ['silent'], { ...unreachable, trouble: { reason: 'not_a_cluster', ...trouble } }),
  ],
])('%s: %s', (state, _, facts, report) => {
  // `undefined` stands for a cluster that was never looked at, so the default does not apply.
  expect(presentClusterStatus({ ...delivered, ...facts }, report && probed(report), now).state).toBe(state)
})

test('a refusal weighs more than a resync, a resync more than being behind', () => {
  expect(stateOf({ attempts: 1, lastReason: 'not_authorized', resyncFrom: 0, behind: 3 })).toBe('refused')
  expect(stateOf({ resyncFrom: 0, behind: 3 })).toBe('resyncing')
})

test('how far behind, since when, and when it is asked again', () => {
  const nextAttemptAt = ago(-4_000)
  const failing = {
    behind: 3,
    behindSince: ago(9_000),
    attempts: 2,
    lastReason: 'failing',
    lastSaid: 'HTTP 500',
  } as const
  expect(presentClusterStatus({ ...delivered, ...failing, nextAttemptAt }, undefined, now)).toMatchObject({
    behind: 3,
    behindSince: ago(9_000),
    behindMs: 9_000,
    attempts: 2,
    nextAttemptAt,
    lastReason: 'failing',
    lastSaid: 'HTTP 500',
    advice: expect.stringContaining('log'),
  })
  expect(presentClusterStatus(delivered, undefined, now)).toMatchObject({
    nextAttemptAt: null,
    behindMs: 0,
    advice: null,
  })
})

test('where push and probe meet the same trouble, the probe’s own advice is given', () => {
  const report = aReport('c1', ['knows'], { isKeyTrusted: false, trouble: { reason: 'key_mismatch', ...trouble } })
  const refused = { ...delivered, attempts: 1, lastReason: 'key_mismatch', lastSaid: 'no key' } as const
  expect(presentClusterStatus(refused, probed(report), now)).toMatchObject({ lastSaid: 'no key', advice: 'Do that.' })
  expect(presentClusterStatus(delivered, probed(report), now)).toMatchObject({
    lastSaid: 'it said so',
    advice: 'Do that.',
  })
})

test('in step since when is told only of a cluster that is in step', () => {
  const report = aReport('c1', ['knows'])
  expect(presentClusterStatus(delivered, probed(report), now).inStepSince).toEqual(ago(30_000))
  expect(presentClusterStatus({ ...delivered, behind: 1 }, probed(report), now).inStepSince).toBeNull()
})

test('a proxy that is silent is named, with since when, what came instead and what to do', () => {
  const { proxies, ...report } = aReport('c1', ['knows', 'silent', 'silent', 'silent', 'silent'])
  const silent = proxies.map((proxy) =>
    proxy.canary === 'silent' ? { ...proxy, said: 'HTTP 503', silentSince: ago(30_000) } : proxy,
  )
  const status = presentClusterStatus(delivered, probed({ ...report, proxies: silent }), now)
  expect(status).toMatchObject({ state: 'unknown', isConfirmed: false, lastReason: 'unreachable', inStepSince: null })
  expect(status.lastSaid).toContain(
    `proxy p1 (http://p1.c1.test) has given no usable answer since ${ago(30_000).toISOString()}: HTTP 503`,
  )
  expect(status.lastSaid).toMatch(/p3 .*, and 1 more$/)
  expect(status.advice).toContain('reach')
})

test('a cluster without URLs is told of in plain words', () => {
  expect(presentClusterStatus({ ...delivered, hasUrls: false }, undefined, now)).toMatchObject({
    lastSaid: 'no URL is registered: it hears of no revocation',
    advice: expect.stringContaining('URL'),
  })
})
