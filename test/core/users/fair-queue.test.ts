import { expect, test } from 'vitest'
import { isDomainError } from '../../../src/core/errors.ts'
import { createFairQueue } from '../../../src/core/users/fair-queue.ts'

/** Work that ends when it is told to, in the order in which it was begun. */
function createWork() {
  const begun: string[] = []
  const ends: (() => void)[] = []
  const work = (name: string) => () =>
    new Promise<string>((resolve) => {
      begun.push(name)
      ends.push(() => resolve(name))
    })
  return { begun, work, endNext: () => ends.shift()?.() }
}

const options = { concurrency: 1, maximumWaiting: 10, maximumWaitingOfOne: 5, perSecond: 50 }

test('who asks for one thing does not wait behind all that another asks for', async () => {
  const queue = createFairQueue(options)
  const { begun, work, endNext } = createWork()
  const many = [1, 2, 3, 4].map((n) => queue.run('many', work(`many ${n}`)))
  const one = queue.run('one', work('one'))
  await Promise.resolve()
  for (let turn = 0; turn < 5; turn += 1) {
    endNext()
    await new Promise((resolve) => setImmediate(resolve))
  }
  await Promise.all([...many, one])
  expect(begun).toEqual(['many 1', 'many 2', 'one', 'many 3', 'many 4'])
})

test('no more runs at once than may, and what fails makes room too', async () => {
  const queue = createFairQueue({ ...options, concurrency: 2 })
  let running = 0
  let most = 0
  const work = async () => {
    running += 1
    most = Math.max(most, running)
    await new Promise((resolve) => setImmediate(resolve))
    running -= 1
    throw new Error('failed')
  }
  const outcomes = await Promise.allSettled(Array.from({ length: 6 }, (_, n) => queue.run(`${n % 3}`, work)))
  expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true)
  expect(most).toBe(2)
})

test.each([
  ['of one asker', { maximumWaiting: 10, maximumWaitingOfOne: 2 }, ['a', 'a', 'a', 'a'], 'a', 'b'],
  ['of all together', { maximumWaiting: 2, maximumWaitingOfOne: 2 }, ['a', 'a', 'b'], 'c', undefined],
])('what is too much %s is turned away, with when to come back', async (_what, limits, before, refused, welcome) => {
  const queue = createFairQueue({ ...options, ...limits })
  const { work, endNext } = createWork()
  const waiting = before.slice(0, 3).map((asker) => queue.run(asker, work(asker)))
  const error = await queue.run(refused, work('too much')).catch((reason: unknown) => reason)
  expect(isDomainError(error, 'too_busy') && error.details.retryAfterSeconds).toBe(1)
  const more = welcome === undefined ? [] : [queue.run(welcome, work(welcome))]
  for (let turn = 0; turn < 8; turn += 1) {
    endNext()
    await new Promise((resolve) => setImmediate(resolve))
  }
  await Promise.all([...waiting, ...more])
})
