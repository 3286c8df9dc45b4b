import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { createHolder, isAbandoned } from '../../src/delivery/holder.ts'

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
