import { expect, test } from 'vitest'
import { createHandClock } from './clock.ts'

test('waits end in their order, each at its own instant', async () => {
  const clock = createHandClock(new Date(0))
  const seen: string[] = []
  const waiting = [300, 100, 200].map((ms) => clock.wait(ms).then(() => seen.push(`${ms} at ${clock.now().getTime()}`)))
  await clock.advance(250)
  expect(seen).toEqual(['100 at 100', '200 at 200'])
  await clock.advance(50)
  await Promise.all(waiting)
  expect(seen).toEqual(['100 at 100', '200 at 200', '300 at 300'])
})

test('a wait begun while time is moved ends in the same move if it falls due', async () => {
  const clock = createHandClock(new Date(0))
  let ticks = 0
  const abort = new AbortController()
  const ticking = (async () => {
    while (!abort.signal.aborted) {
      await clock.wait(10, abort.signal)
      ticks += 1
    }
  })()
  await clock.advance(50)
  expect(ticks).toBe(5)
  abort.abort()
  await ticking
  expect(clock.waiting()).toBe(0)
})

test('stepping the wall clock back ends no wait and delays none', async () => {
  const clock = createHandClock(new Date(3_600_000))
  const waiting = clock.wait(100)
  clock.step(-3_600_000)
  expect(clock.now().getTime()).toBe(0)
  await clock.advance(100)
  await waiting
  expect(clock.now().getTime()).toBe(100)
})
