import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { createHolder, hasEnded, isAbandoned } from '../../src/delivery/holder.ts'

const ourselves = createHolder()
const ended = spawnSync(process.execPath, ['-e', '']).pid

test.each([
  ['our own', ourselves, false],
  ['that of an earlier life of ours under the same number', createHolder(), true],
  ['that of a process that has ended', `${ended}/x`, true],
  ['that of a process that runs', `${process.ppid}/x`, false],
  ['one that names no process', 'somebody', false],
])('a lease is abandoned if its holder has ended: %s', (_, holder, expected) => {
  expect(isAbandoned(holder, ourselves)).toBe(expected)
})

test('while we run, only who has ended in our own place has abandoned its leases', async () => {
  const here = createHolder('here')
  const [holder, elsewhere] = [`${ended}/here/x`, `${ended}/there/x`]
  const others = [`${process.ppid}/here/x`, elsewhere, createHolder('here'), here, 'somebody']
  expect(others.map((other) => hasEnded(other, here))).toEqual(Array(5).fill(false))
  expect(hasEnded(holder, here)).toBe(true)
})
