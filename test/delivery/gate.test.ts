import { expect, test } from 'vitest'
import { createGate } from '../../src/delivery/gate.ts'
import { createHandClock } from '../clock.ts'
import { isDone } from './harness.ts'

const signal = new AbortController().signal

test('so many are in at once, the others in the order in which they came', async () => {
  const gate = createGate(2, createHandClock())
  const order: number[] = []
  const leaves = new Map<number, () => void>()
  for (const one of [1, 2, 3, 4]) {
    void gate.enter(signal).then((leave) => {
      order.push(one)
      leaves.set(one, leave)
    })
  }
  await isDone(Promise.resolve())
  expect([order, gate.room()]).toEqual([[1, 2], 0])
  leaves.get(2)?.()
  await isDone(Promise.resolve())
  expect(order).toEqual([1, 2, 3])
  for (const one of [1, 3]) leaves.get(one)?.()
  await isDone(Promise.resolve())
  expect([order, gate.room()]).toEqual([[1, 2, 3, 4], 1])
})

test('whoever stays longer than a second makes room, and leaves no place twice', async () => {
  const clock = createHandClock()
  let rooms = 0
  const gate = createGate(1, clock, {
    onRoom: () => {
      rooms += 1
    },
  })
  const leave = await gate.enter(signal)
  const next = gate.enter(signal)
  await clock.advance(900)
  expect(await isDone(next)).toBe(false)
  await clock.advance(350)
  const leaveNext = await next
  leave()
  expect(gate.room()).toBe(0)
  leaveNext()
  leaveNext()
  expect([gate.room(), rooms]).toEqual([1, 1])
})

test('who gives up while waiting keeps no place and holds up nobody', async () => {
  const gate = createGate(1, createHandClock())
  const leave = await gate.enter(signal)
  const impatient = new AbortController()
  const gone = gate.enter(impatient.signal)
  const next = gate.enter(signal)
  impatient.abort()
  ;(await gone)()
  leave()
  ;(await next)()
  expect(gate.room()).toBe(1)
})
