import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { createHolder, isAbandoned, watchHolders } from '../../src/delivery/holder.ts'

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

test('while we run, only who was seen to run and has ended since has abandoned its leases', async () => {
  const hasEnded = watchHolders(ourselves)
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'])
  const holder = `${child.pid}/x`
  expect([holder, `${ended}/never seen`, createHolder(), ourselves, 'somebody'].map(hasEnded)).toEqual(
    Array(5).fill(false),
  )
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(hasEnded(holder)).toBe(true)
})
