import { describe, expect, test } from 'vitest'
import { canaryLifetimeMs } from '../../../src/core/clusters/canary.ts'
import type { ProxyReport } from '../../../src/core/clusters/probe.ts'
import {
  type Episode,
  noEpisode,
  type ProbeFinding,
  type ProbePlan,
  planProbe,
} from '../../../src/core/clusters/probe-plan.ts'
import { aReport } from '../../delivery/script.ts'

const now = new Date('2026-03-01T12:00:00Z')
const resyncEveryMs = 600_000
const later = (ms: number) => new Date(now.getTime() + ms)
const canary = { expiresAt: later(canaryLifetimeMs), acknowledgedAt: now }

function plan(verdicts: readonly ProxyReport['canary'][], more: Partial<ProbeFinding> = {}): ProbePlan {
  const report = aReport('c1', verdicts)
  const finding = { clusterId: 'c1', report, previous: report, canary, isResyncing: false, episode: noEpisode, now }
  return planProbe({ ...finding, ...more }, { resyncEveryMs })
}

const nothing = { act: { kind: 'none' }, againMs: null, episode: noEpisode }

test('a cluster whose every proxy knows the canary is left alone until the regular time', () => {
  expect(plan(['knows', 'knows', 'knows'])).toEqual(nothing)
})

test('a cluster that does not answer is left to the delivery', () => {
  const report = aReport('c1', ['silent'], { clusterId: null, isKeyTrusted: null, isAuthenticationOn: null })
  expect(plan([], { report, canary: null })).toEqual(nothing)
})

test('the first canary comes with a resync', () => {
  expect(plan(['silent'], { canary: null })).toMatchObject({ act: { kind: 'resync', cause: 'first_canary' } })
})

test('a kind of cluster that has nobody to show a canary to gets none', () => {
  expect(plan([], { canary: null })).toEqual(nothing)
})

test('while a resync is under way nothing is done, and it is looked at again soon', () => {
  expect(plan(['forgot', 'forgot'], { isResyncing: true })).toMatchObject({ act: { kind: 'none' }, againMs: 200 })
})

describe('whoever has forgotten', () => {
  test.each([[['forgot', 'knows']], [['knows', 'forgot']], [['forgot', 'forgot']], [['silent', 'forgot']]] as const)(
    '%j gets everything at once',
    (verdicts) => {
      expect(plan(verdicts)).toMatchObject({ act: { kind: 'resync', cause: 'forgotten' }, againMs: 200 })
    },
  )

  test('or refuses the canary for another reason than its revocation gets it too, if it trusts our key', () => {
    expect(plan(['distrusts'])).toMatchObject({ act: { kind: 'resync', cause: 'forgotten' } })
    const report = aReport('c1', ['distrusts'], { isKeyTrusted: false })
    expect(plan([], { report, previous: report })).toEqual(nothing)
  })

  test('after the resync, a primary that knows spreads its list by ever more empty pushes, with ever longer pauses', () => {
    let episode: Episode = { looks: 1, spreads: 0 }
    const pushes: number[] = []
    const pauses: (number | null)[] = []
    for (let round = 0; round < 14; round += 1) {
      const planned = plan(['knows', 'forgot', 'knows'], { episode })
      if (planned.act.kind !== 'spread') throw new Error(`round ${round}: ${planned.act.kind}`)
      pushes.push(planned.act.pushes)
      pauses.push(planned.againMs)
      episode = planned.episode
    }
    expect(pushes).toEqual(Array.from({ length: 14 }, (_, round) => 2 ** (round + 1)))
    expect(pauses.slice(0, 6)).toEqual([300, 500, 1_000, 2_000, 2_000, 2_000])
    expect(plan(['knows', 'forgot', 'knows'], { episode }).act).toEqual({ kind: 'resync', cause: 'not_spread' })
    expect(plan(['knows', 'knows', 'knows'], { episode })).toEqual(nothing)
  })

  test('after the resync, a primary that has forgotten again gets everything again', () => {
    const planned = plan(['forgot', 'knows'], { episode: { looks: 4, spreads: 3 } })
    expect(planned).toMatchObject({ act: { kind: 'resync', cause: 'forgotten' }, episode: { spreads: 0 } })
  })

  test('and where no primary can be told, the list is spread', () => {
    const { proxies, ...rest } = aReport('c1', ['forgot'])
    const report = { ...rest, proxies: proxies.map((proxy) => ({ ...proxy, isPrimary: false })) }
    expect(plan([], { report, episode: { looks: 1, spreads: 0 } }).act).toEqual({ kind: 'spread', pushes: 2 })
  })

  test('is looked at by the regular interval again if it never ends', () => {
    const planned = plan(['forgot'], { isResyncing: true, episode: { looks: 60, spreads: 0 } })
    expect(planned.againMs).toBeNull()
  })
})

describe('everything is sent again', () => {
  const well = aReport('c1', ['knows'])
  const cause = (more: Partial<ProbeFinding>) => {
    const { act } = plan(['knows'], more)
    return act.kind === 'resync' ? act.cause : act.kind
  }

  test('once when another cluster has taken the place', () => {
    const report = aReport('c1', ['knows'], { clusterId: 'other' })
    expect(cause({ report, previous: well })).toBe('replaced')
    expect(cause({ report, previous: report })).toBe('none')
  })

  test('when our key is trusted again', () => {
    expect(cause({ previous: { ...well, isKeyTrusted: false } })).toBe('key_trusted_again')
    expect(cause({ previous: { ...well, isKeyTrusted: null } })).toBe('none')
  })

  test('before the canary expires', () => {
    expect(cause({ canary: { ...canary, expiresAt: later(canaryLifetimeMs / 4 - 1) } })).toBe('canary_expires')
    expect(cause({ canary: { ...canary, expiresAt: later(-1) } })).toBe('canary_expires')
  })

  test('at the interval, give or take a fifth, which differs by cluster', () => {
    const dueAfter = (clusterId: string) => {
      for (let ms = 0; ; ms += 5_000) {
        const report = aReport(clusterId, ['knows'])
        const acknowledgedAt = later(-ms)
        if (cause({ clusterId, report, previous: report, canary: { ...canary, acknowledgedAt } }) === 'interval')
          return ms
      }
    }
    const dues = Array.from({ length: 100 }, (_, index) => dueAfter(`cluster-${index}`))
    expect(Math.min(...dues)).toBeGreaterThanOrEqual(0.8 * resyncEveryMs)
    expect(Math.max(...dues)).toBeLessThanOrEqual(1.2 * resyncEveryMs)
    expect(new Set(dues).size).toBeGreaterThan(20)
  })

  test('at once after the clock has been set back', () => {
    expect(cause({ canary: { ...canary, acknowledgedAt: later(3_600_000) } })).toBe('interval')
  })

  test('but not by the clock to a cluster that does not trust our key', () => {
    const report = aReport('c1', ['knows'], { isKeyTrusted: false })
    expect(cause({ report, previous: report, canary: { ...canary, acknowledgedAt: later(-86_400_000) } })).toBe('none')
  })
})
