import { expect, test } from 'vitest'
import { planPause } from '../../src/delivery/schedule.ts'

const retryMs = [100, 1_000, 60_000]
const middle = 0.5

test.each([
  [1, 100],
  [2, 1_000],
  [3, 60_000],
  [4, 60_000],
  [1_000_000, 60_000],
  [0, 100],
])('after failure %i the pause is %i ms, and the last one repeats for ever', (attempts, ms) => {
  expect(planPause(attempts, retryMs, middle, undefined)).toBe(ms)
})

test('the pause is spread by a fifth either way', () => {
  expect(planPause(2, retryMs, 0, undefined)).toBe(800)
  expect(planPause(2, retryMs, 0.999_999, undefined)).toBe(1_200)
})

test('a cluster that asks for a longer pause gets it, up to five minutes', () => {
  expect(planPause(1, retryMs, middle, 7_000)).toBe(7_000)
  expect(planPause(3, retryMs, middle, 7_000)).toBe(60_000)
  expect(planPause(1, retryMs, middle, 3_600_000)).toBe(300_000)
})

test('an empty schedule means a second', () => {
  expect(planPause(5, [], middle, undefined)).toBe(1_000)
})
