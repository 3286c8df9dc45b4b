import { expect, test } from 'vitest'
import { createPurge } from '../../src/workers/purge.ts'
import { createHandClock } from '../clock.ts'
import { keepLog } from '../delivery/script.ts'

test('what is over is cleared away in small steps, again every minute, until told to end', async () => {
  const clock = createHandClock(new Date('2026-03-01T12:00:00Z'))
  const log = keepLog()
  const steps: { readonly before: Date; readonly at: Date }[] = []
  let left = 250
  const purge = createPurge({
    clock,
    log,
    tokens: {
      async purgeExpired(before, limit) {
        steps.push({ before, at: clock.now() })
        const purged = Math.min(limit, left)
        left -= purged
        return purged
      },
    },
    roles: { purgeDeletedRoles: async () => 0 },
    revocationActs: { purge: async () => 0 },
    loginLocks: { purge: async () => 0 },
    once: { purge: async () => 0 },
    audit: { purge: async () => 0 },
    auditRetentionMs: 0,
  })
  const stop = new AbortController()
  const running = purge.run(stop.signal)
  await clock.advance(1_000)
  expect(left).toBe(0)
  expect(steps).toHaveLength(4)
  expect(new Set(steps.map(({ before }) => before.toISOString()))).toEqual(new Set(['2026-03-01T11:00:00.000Z']))
  expect(new Set(steps.map(({ at }) => at.getTime())).size).toBe(4)
  expect(log.entries).toEqual([{ event: 'store.purged', tokens: 250, roles: 0, acts: 0, auditRows: 0 }])
  left = 1
  await clock.advance(60_000)
  expect(left).toBe(0)
  stop.abort()
  await running
})
