import { beforeEach, describe, expect, test } from 'vitest'
import { createPropagation } from '../../src/delivery/propagation.ts'
import { createHandClock } from '../clock.ts'
import { isDone } from './harness.ts'

let clock = createHandClock()
let awaited: number[] = []
let tracker = createPropagation({ clock, onAwaited: () => {} })

const up = (clusterId: string, acknowledged = 0) => ({ clusterId, acknowledged, attempts: 0 })
const down = (clusterId: string, acknowledged = 0) => ({ clusterId, acknowledged, attempts: 3 })

beforeEach(() => {
  clock = createHandClock()
  awaited = []
  tracker = createPropagation({ clock, onAwaited: (sequence) => awaited.push(sequence) })
})

test('without clusters, or with none that is up, nothing is waited for', async () => {
  expect(await isDone(tracker.reached(1, 250))).toBe(true)
  tracker.load([down('a')])
  expect(await isDone(tracker.reached(2, 250))).toBe(true)
  expect(awaited).toEqual([1, 2])
})

test('what all have acknowledged already is not waited for', async () => {
  tracker.load([up('a', 7), up('b', 9)])
  expect(await isDone(tracker.reached(7, 250))).toBe(true)
})

test('a wait ends when the last cluster that is up has acknowledged, not before', async () => {
  tracker.load([up('a'), up('b'), down('c')])
  const wait = tracker.reached(5, 250)
  tracker.acknowledged('a', 5)
  tracker.acknowledged('b', 4)
  expect(await isDone(wait)).toBe(false)
  tracker.acknowledged('b', 5)
  expect(await isDone(wait)).toBe(true)
})

test('waits for several positions end each at its own, in any order of asking', async () => {
  tracker.load([up('a'), up('b')])
  const waits = [5, 3, 8, 3].map((sequence) => tracker.reached(sequence, 250))
  const done = () => Promise.all(waits.map(isDone))
  tracker.acknowledged('a', 8)
  tracker.acknowledged('b', 3)
  expect(await done()).toEqual([false, true, false, true])
  tracker.acknowledged('b', 6)
  expect(await done()).toEqual([true, true, false, true])
  tracker.acknowledged('b', 8)
  expect(await done()).toEqual([true, true, true, true])
})

test('a wait for what is reached already ends at once though others wait for more', async () => {
  tracker.load([up('a', 4), up('b', 5)])
  const long = tracker.reached(9, 250)
  expect(await isDone(tracker.reached(4, 250))).toBe(true)
  expect(await isDone(long)).toBe(false)
})

test('a cluster whose attempt fails is not waited for any longer', async () => {
  tracker.load([up('a'), up('b')])
  const wait = tracker.reached(5, 250)
  tracker.acknowledged('a', 5)
  tracker.failed('b')
  expect(await isDone(wait)).toBe(true)
  expect(await isDone(tracker.reached(5, 250))).toBe(true)
  tracker.acknowledged('b', 4)
  expect(await isDone(tracker.reached(5, 250))).toBe(false)
})

test('a cluster that is being sent a large piece of a resync is not waited for until it has taken that', async () => {
  tracker.load([up('a'), up('b')])
  const wait = tracker.reached(5, 250)
  tracker.acknowledged('a', 5)
  tracker.started('b')
  expect(await isDone(wait)).toBe(false)
  tracker.started('b', { isLongPast: true })
  expect(await isDone(wait)).toBe(true)
  tracker.acknowledged('b', 0)
  expect(await isDone(tracker.reached(6, 250))).toBe(false)
})

test('a cluster that is gone is not waited for any longer', async () => {
  tracker.load([up('a', 5), up('b')])
  const wait = tracker.reached(5, 250)
  tracker.load([up('a', 5)])
  expect(await isDone(wait)).toBe(true)
})

test('a cluster that another process has told counts as told', async () => {
  tracker.load([up('a')])
  const wait = tracker.reached(5, 250)
  tracker.load([up('a', 5)])
  expect(await isDone(wait)).toBe(true)
})

describe('the budget', () => {
  test('ends a wait, and who made it run out is not waited for until it acknowledges', async () => {
    tracker.load([up('a', 0)])
    tracker.started('a')
    const wait = tracker.reached(5, 250)
    await clock.advance(249)
    expect(await isDone(wait)).toBe(false)
    await clock.advance(1)
    expect(await isDone(wait)).toBe(true)
    expect(await isDone(tracker.reached(6, 250))).toBe(true)
    tracker.acknowledged('a', 5)
    expect(await isDone(tracker.reached(6, 250))).toBe(false)
  })

  test('is not held against a cluster whose attempt has only begun', async () => {
    tracker.load([up('a', 0)])
    const wait = tracker.reached(5, 250)
    await clock.advance(200)
    tracker.started('a')
    await clock.advance(50)
    expect(await isDone(wait)).toBe(true)
    expect(await isDone(tracker.reached(6, 250))).toBe(false)
  })

  test('is kept though the time of day is set back', async () => {
    tracker.load([up('a', 0)])
    const wait = tracker.reached(5, 250)
    clock.step(-3_600_000)
    await clock.advance(250)
    expect(await isDone(wait)).toBe(true)
  })

  test('of zero waits for nobody', async () => {
    tracker.load([up('a', 0)])
    const wait = tracker.reached(5, 0)
    await clock.advance(0)
    expect(await isDone(wait)).toBe(true)
  })
})

test('a thousand clusters and a thousand waits cost little', async () => {
  const ids = Array.from({ length: 1_000 }, (_, index) => `c${index}`)
  tracker.load(ids.map((id) => up(id)))
  const startedAt = performance.now()
  const waits = ids.map((_, index) => tracker.reached(index + 1, 250))
  for (const sequence of [250, 500, 750, 1_000]) for (const id of ids) tracker.acknowledged(id, sequence)
  await Promise.all(waits)
  expect(performance.now() - startedAt).toBeLessThan(500)
})
