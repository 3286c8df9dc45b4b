import { afterEach, beforeEach, expect, test } from 'vitest'
import type { RevocationStore } from '../../src/core/revocation/revocation-store.ts'
import { createRecentChanges } from '../../src/delivery/recent-changes.ts'
import { openMemoryStore, recordRevocations } from './script.ts'

const now = new Date('2026-03-01T12:00:00Z')
const later = new Date(now.getTime() + 3_600_000)
const many = { changes: 1_000, bytes: 1_000_000 }
const kept = { changes: 10, bytes: 1_000_000 }

let opened = openMemoryStore()
let reads: number[] = []

beforeEach(() => {
  opened = openMemoryStore()
  reads = []
})
afterEach(() => opened.store.close())

/** The log, with the positions noted from which it was read. */
function watched(): Pick<RevocationStore, 'after' | 'lastSequence'> {
  const { revocations } = opened.store
  return {
    lastSequence: () => revocations.lastSequence(),
    after(sequence, options) {
      reads.push(sequence)
      return revocations.after(sequence, options)
    },
  }
}

const record = (texts: readonly string[], expiresAt = later) => recordRevocations(opened, texts, { at: now, expiresAt })
const names = (count: number, prefix = 't') => Array.from({ length: count }, (_, index) => `${prefix}${index}`)
const textsOf = ({ changes }: { changes: readonly { token: string }[] }) => changes.map(({ token }) => token)

test('clusters that are equally far get the very same batch, read once', async () => {
  const recent = createRecentChanges(watched(), kept)
  await recent.after(0, many, now)
  const last = await record(names(3))
  reads = []
  const batches = await Promise.all([1, 2, 3].map(() => recent.after(0, many, now)))
  expect(batches.map(textsOf)).toEqual([names(3), names(3), names(3)])
  expect(batches[1]?.changes).toBe(batches[0]?.changes)
  expect(batches[0]).toMatchObject({ upTo: last, isCut: false })
  expect(reads.filter((from) => from === 0)).toHaveLength(1)
})

test('a read sees everything that was committed before it', async () => {
  const recent = createRecentChanges(watched(), kept)
  await recent.after(0, many, now)
  const reading = recent.after(0, many, now)
  await record(['a'])
  expect(textsOf(await recent.after(0, many, now))).toEqual(['a'])
  await reading
})

test('limits cut a batch, and the next one goes on where it ended', async () => {
  const recent = createRecentChanges(watched(), kept)
  await recent.after(0, many, now)
  await record(['aaa', 'bbb', 'ccc', 'd'.repeat(50), 'eee'])
  const limits = { changes: 2, bytes: 12 }
  const batches = []
  let after = 0
  for (let isCut = true; isCut; ) {
    const batch = await recent.after(after, limits, now)
    batches.push(textsOf(batch))
    after = batch.upTo
    isCut = batch.isCut
  }
  expect(batches).toEqual([['aaa', 'bbb'], ['ccc'], ['d'.repeat(50)], ['eee']])
})

test('a cluster that is further behind than what is kept still gets all, in one batch', async () => {
  await record(names(30, 'old'))
  const recent = createRecentChanges(watched(), kept)
  await recent.after(0, many, now)
  await record(names(15, 'new'))
  await recent.after(30, many, now)
  const batch = await recent.after(0, many, now)
  expect(textsOf(batch)).toEqual([...names(30, 'old'), ...names(15, 'new')])
  expect(batch).toMatchObject({ upTo: 45, isCut: false })
})

test('several that are as far behind share one reading until it is let go of', async () => {
  await record(names(30))
  const recent = createRecentChanges(watched(), kept)
  const [one, two] = await Promise.all([recent.between(0, 20, many, now), recent.between(0, 20, many, now)])
  expect(textsOf(one)).toEqual(names(20))
  expect(two).toBe(one)
  recent.forgetOlder()
  expect(await recent.between(0, 20, many, now)).not.toBe(one)
})

test('what has expired is left out, kept or not, and does not hold up the position', async () => {
  const soon = new Date(now.getTime() + 1_000)
  const recent = createRecentChanges(watched(), kept)
  await recent.after(0, many, now)
  await record(['lives'])
  const last = await record(['dies'], soon)
  expect(textsOf(await recent.after(0, many, now))).toEqual(['lives', 'dies'])
  const batch = await recent.after(0, many, soon)
  expect(textsOf(batch)).toEqual(['lives'])
  expect(batch.upTo).toBe(last)
  expect(textsOf(await recent.between(0, last, many, now))).toEqual(['lives', 'dies'])
  expect(textsOf(await recent.between(0, last, many, soon))).toEqual(['lives'])
})

test('many at once are read in steps', async () => {
  const recent = createRecentChanges(watched(), { changes: 5_000, bytes: 10_000_000 })
  await recent.after(0, many, now)
  for (let part = 0; part < 10; part += 1) await record(names(250, `p${part}-`))
  const batch = await recent.after(0, { changes: 10_000, bytes: 10_000_000 }, now)
  expect(batch.changes).toHaveLength(2_500)
  expect(batch.isCut).toBe(false)
})
