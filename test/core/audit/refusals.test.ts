import { expect, test } from 'vitest'
import type { AuditEntry } from '../../../src/core/audit/audit.ts'
import { createRefusalCounter, createRefusals, denialIn, type Refusal } from '../../../src/core/audit/refusals.ts'
import { DomainError } from '../../../src/core/errors.ts'
import type { Deed } from '../../../src/core/sessions/actor.ts'
import { createAuditWatch } from '../../../src/workers/audit-watch.ts'
import { createHandClock } from '../../clock.ts'
import { keepLog } from '../../delivery/script.ts'

const start = new Date('2026-03-01T12:00:00Z')
const at = (ms: number) => new Date(start.getTime() + ms)

function aRefusal(subject: string, more: Partial<Refusal> = {}): Refusal {
  const origin = { address: '192.0.2.1', requestId: 'request-1', via: 'aistore' } as const
  const target = { kind: 'user', name: subject } as const
  return { action: 'login.refused', subject, origin, target, why: 'wrong_password', ...more }
}

test('the first of a kind is a row at once, the others one row when the minute is over', () => {
  const counter = createRefusalCounter()
  expect(counter.count(aRefusal('ann'), at(0))).toMatchObject({
    entry: { action: 'login.refused', outcome: 'refused', details: { why: 'wrong_password' } },
    refusal: { origin: { requestId: 'request-1' } },
    at: at(0),
  })
  for (let ms = 1000; ms <= 40_000; ms += 1000) expect(counter.count(aRefusal('ann'), at(ms))).toBeUndefined()
  expect(counter.take('ended', at(59_999))).toEqual([])
  expect(counter.take('ended', at(60_000))).toMatchObject([
    {
      entry: { repeats: 40, since: at(1000) },
      refusal: { subject: 'ann', origin: { requestId: null } },
      at: at(40_000),
    },
  ])
  // Nothing since: the next one is the first again.
  expect(counter.take('ended', at(120_000))).toEqual([])
  expect(counter.count(aRefusal('ann'), at(120_001))).toBeDefined()
})

test('another name, address, reason or door is another kind', () => {
  const counter = createRefusalCounter()
  const { origin } = aRefusal('ann')
  const kinds = [
    aRefusal('ann'),
    aRefusal('bob'),
    aRefusal('ann', { why: 'locked' }),
    aRefusal('ann', { origin: { ...origin, address: '192.0.2.2' } }),
    aRefusal('ann', { origin: { ...origin, via: 'native' } }),
    aRefusal('ann', { action: 'permission.denied' }),
  ]
  for (const kind of kinds) expect(counter.count(kind, at(0))).toBeDefined()
  for (const kind of kinds) expect(counter.count(kind, at(1))).toBeUndefined()
})

test('a storm of 100,000 refusals of made-up names writes a bounded number of rows, and loses no count', () => {
  const counter = createRefusalCounter()
  const written: { readonly repeats?: number; readonly subject: string }[] = []
  const note = (each: ReturnType<typeof counter.count>) => {
    if (each !== undefined) written.push({ ...each.entry, subject: each.refusal.subject })
  }
  for (let number = 0; number < 100_000; number += 1) note(counter.count(aRefusal(`name-${number}`), at(number / 100)))
  for (const each of counter.take('ended', at(60_000))) note(each)
  for (const each of counter.take('all', at(61_000))) note(each)
  expect(written.length).toBeLessThanOrEqual(502)
  const total = written.reduce((sum, { repeats = 1 }) => sum + repeats, 0)
  expect(total).toBe(100_000)
  expect(written.at(-1)).toMatchObject({
    subject: '(others)',
    details: { why: 'various', counts: { wrong_password: 99_500 } },
    target: null,
  })
})

test('a storm that goes on for a day writes some rows a minute, however it varies', () => {
  const counter = createRefusalCounter()
  let rows = 0
  let total = 0
  const note = (each: ReturnType<typeof counter.count>) => {
    if (each === undefined) return
    rows += 1
    total += each.entry.repeats ?? 1
  }
  const minutes = 24 * 60
  for (let minute = 0; minute < minutes; minute += 1) {
    const now = at(minute * 60_000)
    for (const each of counter.take('ended', now)) note(each)
    // A hundred that stay the same, and a hundred that are new each time.
    for (let number = 0; number < 100; number += 1) {
      note(counter.count(aRefusal(`name-${number}`), now))
      note(counter.count(aRefusal(`name-${number}`), now))
      note(counter.count(aRefusal(`name-${minute}-${number}`), now))
    }
  }
  for (const each of counter.take('all', at(minutes * 60_000))) note(each)
  for (const each of counter.take('all', at(minutes * 60_000))) note(each)
  expect(total).toBe(300 * minutes)
  expect(rows).toBeLessThan(500 + 13 * minutes)
})

test('a clock that is set back neither stops the counting nor makes room', () => {
  const counter = createRefusalCounter()
  counter.count(aRefusal('ann'), at(0))
  counter.count(aRefusal('ann'), at(-3_600_000))
  expect(counter.take('ended', at(-3_600_000))).toMatchObject([{ entry: { repeats: 1 } }])
})

function startWatch(append: (entry: AuditEntry, deed: Deed) => Promise<void>) {
  const clock = createHandClock(start)
  const log = keepLog()
  const refusals = createRefusals({ audit: { append }, clock, log })
  const audit = { head: async () => ({ id: 7, hash: 'ab', at: null }) }
  const worker = createAuditWatch({ audit, refusals, clock, log })
  const stop = new AbortController()
  const running = worker.run(stop.signal)
  function end() {
    stop.abort()
    return running
  }
  return { clock, log, refusals, stop: end }
}

test('what was counted is written when its minute is over, and the rest when the service ends', async () => {
  const rows: string[] = []
  const watch = startWatch(async ({ repeats = 1, target }, { by }) => {
    rows.push(`${by.subject} ${target?.name} ${repeats}`)
  })
  for (let time = 0; time < 5; time += 1) watch.refusals.note(aRefusal('ann'))
  expect(rows).toEqual(['ann ann 1'])
  await watch.clock.advance(65_000)
  expect(rows).toEqual(['ann ann 1', 'ann ann 4'])
  watch.refusals.note(aRefusal('ann'))
  await watch.stop()
  expect(rows).toEqual(['ann ann 1', 'ann ann 4', 'ann ann 1'])
  expect(watch.log.entries).toEqual([{ event: 'audit.head', id: 7, hash: 'ab' }])
})

test('a refusal that can not be written is in the log, and is nobody\u2019s failure', async () => {
  const watch = startWatch(() => Promise.reject(new Error('the disk is full')))
  watch.refusals.note(aRefusal('ann'))
  await watch.clock.advance(5_000)
  await watch.stop()
  expect(watch.log.entries).toContainEqual(
    expect.objectContaining({ event: 'audit.refusal_lost', action: 'login.refused', repeats: 1 }),
  )
})

test('who lacks a permission, or goes beyond it, is denied; other failures deny nobody', () => {
  const expiresAt = at(0)
  const denied = { needs: 'administrator', subject: 'ann', expiresAt } as const
  const action = 'permission.denied'
  expect(denialIn(new DomainError('permission_denied', denied))).toEqual({
    action,
    subject: 'ann',
    why: 'administrator',
  })
  const named = new DomainError('permission_denied', { ...denied, permission: 'audit:read' })
  expect(denialIn(named)).toEqual({ action, subject: 'ann', why: 'audit:read' })
  const beyond = new DomainError('beyond_authority', { subject: 'ann', permission: 'roles:grant', reason: 'no' })
  expect(denialIn(beyond)).toEqual({ action, subject: 'ann', why: 'roles:grant, beyond what is held' })
  expect(denialIn(new DomainError('user_not_found', { name: 'ann' }))).toBeUndefined()
  expect(denialIn(new Error('broken'))).toBeUndefined()
})
