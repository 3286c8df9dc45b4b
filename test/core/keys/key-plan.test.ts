import { describe, expect, test } from 'vitest'
import { findPending, planActivation, planRetirement } from '../../../src/core/keys/key-plan.ts'
import type { KeyRecord } from '../../../src/core/keys/key-store.ts'

const hour = 3_600_000
const now = new Date('2026-03-01T12:00:00Z')
const ago = (ms: number) => new Date(now.getTime() - ms)

function aKey(kid: string, more: Partial<KeyRecord>): KeyRecord {
  const publicJwk = { alg: 'RS256', e: 'AQAB', kid, kty: 'RSA', n: 'n', use: 'sig' } as const
  return {
    kid,
    publicJwk,
    state: 'retiring',
    createdAt: now,
    activatedAt: null,
    isPrivateKeyKept: false,
    foreignUntil: null,
    ...more,
  }
}

describe('a published key', () => {
  const next = (createdAt: Date) => [aKey('next', { state: 'next', createdAt, isPrivateKeyKept: true })]

  test('signs when it has been published for as long as the lead, not before', () => {
    expect(planActivation(next(ago(29_999)), 30_000, now)).toBeUndefined()
    expect(planActivation(next(ago(30_000)), 30_000, now)?.kid).toBe('next')
    expect(planActivation(next(now), 0, now)?.kid).toBe('next')
  })

  test('is not kept waiting by a clock that was set back', () => {
    expect(planActivation(next(ago(-hour)), 30_000, now)?.kid).toBe('next')
  })

  test('whose private key is nowhere can not sign', () => {
    const lost = [aKey('lost', { state: 'next', createdAt: ago(hour) })]
    expect(findPending(lost)).toBeUndefined()
    expect(planActivation(lost, 0, now)).toBeUndefined()
  })
})

describe('a key may go', () => {
  const facts = { now, maximumLifetimeMs: 90 * 24 * hour, isExternal: false }
  const first = aKey('first', { createdAt: ago(100 * 24 * hour), activatedAt: ago(100 * 24 * hour) })
  const active = aKey('active', { state: 'active', createdAt: ago(hour), activatedAt: ago(hour) })

  test('ten minutes after another has taken over, when what clusters were shown has expired', () => {
    const second = aKey('second', { createdAt: ago(2 * hour), activatedAt: ago(2 * hour) })
    expect(planRetirement([first, second, active], facts)).toEqual(['first', 'second'])
    const fresh = aKey('active', { state: 'active', createdAt: ago(9 * 60_000), activatedAt: ago(9 * 60_000) })
    expect(planRetirement([first, second, fresh], facts)).toEqual(['first'])
  })

  test('which was there first only when tokens of a server before us have expired too', () => {
    const young = aKey('first', { createdAt: ago(89 * 24 * hour), activatedAt: ago(89 * 24 * hour) })
    expect(planRetirement([young, active], facts)).toEqual([])
    expect(planRetirement([first, active], facts)).toEqual(['first'])
  })

  test('that came with an import only when what its server may have signed has expired', () => {
    const imported = (foreignUntil: Date) => aKey('imported', { createdAt: ago(2 * hour), foreignUntil })
    const records = (foreignUntil: Date) => [first, imported(foreignUntil), active]
    expect(planRetirement(records(ago(-1)), facts)).toEqual(['first'])
    expect(planRetirement(records(now), facts)).toEqual(['first', 'imported'])
  })

  test('that others brought likewise', () => {
    const second = aKey('second', { createdAt: ago(2 * hour), activatedAt: ago(2 * hour) })
    expect(planRetirement([first, second, active], { ...facts, isExternal: true })).toEqual(['first'])
  })

  test('never while it signs or is about to', () => {
    const next = aKey('next', { state: 'next', createdAt: ago(48 * hour), isPrivateKeyKept: true })
    const old = aKey('active', { state: 'active', createdAt: ago(900 * 24 * hour), activatedAt: ago(900 * 24 * hour) })
    expect(planRetirement([old, next], facts)).toEqual([])
  })

  test('if it was left over by a rotation that failed', () => {
    const leftOver = aKey('left', { state: 'next', createdAt: ago(2 * hour) })
    expect(planRetirement([first, active, leftOver], facts)).toEqual(['first', 'left'])
    expect(planRetirement([active, aKey('left', { state: 'next', createdAt: ago(60_000) })], facts)).toEqual([])
  })
})
