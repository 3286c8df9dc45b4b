import { describe, expect, test } from 'vitest'
import { isDomainError } from '../../../src/core/errors.ts'
import { planDelay } from '../../../src/core/sessions/failure-window.ts'
import { createLoginLimits, defaultLoginLimitRules, networkOf } from '../../../src/core/sessions/login-limits.ts'
import { deedAt } from '../../actors.ts'
import { createHandClock } from '../../clock.ts'
import { keepLog, openMemoryStore } from '../../delivery/script.ts'

const ann = { name: 'ann', address: '192.0.2.1' }
const minute = 60_000
const { user, address } = defaultLoginLimitRules

function start() {
  const { store } = openMemoryStore()
  const clock = createHandClock()
  const make = () => createLoginLimits({ locks: store.loginLocks, clock, log: keepLog() })
  const limits = make()
  /** Seconds until the next try; 0 = at once. */
  const wait = async (attempt: { name: string; address: string | null }, by = limits) => {
    try {
      await by.admit(attempt)
      return 0
    } catch (error) {
      if (isDomainError(error, 'login_limited')) return error.details.retryAfterSeconds
      throw error
    }
  }
  /** As a guesser does who waits as long as he is told to. */
  const fail = async (times: number, attempt = ann) => {
    for (let n = 0; n < times; n += 1) {
      await clock.advance((await wait(attempt)) * 1000)
      await limits.failed(attempt)
    }
  }
  return { store, clock, limits, make, wait, fail }
}

describe('the pause after failed logins', () => {
  const at = 1_000_000
  const after = (count: number) => planDelay(Array(count).fill(at), user, at)

  test('is none for the first few, then doubles up to the longest', () => {
    expect([0, 1, 5, 6, 7, 8, 9, 10, 11, 15, 500].map(after)).toEqual([
      0, 0, 0, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000,
    ])
  })

  test('counts from the last failure, and each failure ages by itself', () => {
    const failures = [0, 1, 2, 3, 4, 5, 6].map((n) => at + n * 1000)
    expect(planDelay(failures, user, at + 6500)).toBe(1_500)
    expect(planDelay(failures, user, at + 8000)).toBe(0)
    expect(planDelay(failures, user, at + user.windowMs + 5500)).toBe(0)
  })

  test('is no longer for a clock that was set back', () => {
    expect(planDelay(Array(20).fill(at), user, at - 3 * 3_600_000)).toBe(0)
    expect(planDelay(Array(20).fill(at), user, at - 60_000)).toBeLessThanOrEqual(user.longestDelayMs)
  })
})

describe('a user', () => {
  test('may fail a few times, then has to wait, whether there is such a user or not', async () => {
    const { wait, fail } = start()
    await fail(5)
    expect(await wait(ann)).toBe(0)
    await fail(1)
    expect(await wait(ann)).toBe(1)
    expect(await wait({ ...ann, address: '198.51.100.7' })).toBe(1)
    expect(await wait({ ...ann, name: 'bob' })).toBe(0)
  })

  test('is locked after many failures, for every process and across a restart, until that ends by itself', async () => {
    const { store, clock, make, wait, fail } = start()
    await fail(user.failuresToLock)
    expect(await wait(ann)).toBe(user.lockMs / 1000)
    expect(await wait(ann, make())).toBe(user.lockMs / 1000)
    expect(await store.loginLocks.list({ now: clock.now(), limit: 9 })).toMatchObject([
      { target: { kind: 'user', name: 'ann' }, failures: user.failuresToLock },
    ])
    await clock.advance(user.lockMs)
    expect(await wait(ann)).toBe(0)
    expect(await store.loginLocks.list({ now: clock.now(), limit: 9 })).toEqual([])
  })

  test('is free at once when an administrator says so', async () => {
    const { limits, clock, wait, fail } = start()
    await fail(user.failuresToLock)
    expect(await limits.unlock({ name: 'ann' }, deedAt(clock.now()))).toBe(1)
    expect(await wait(ann)).toBe(0)
    await fail(7)
    expect(await limits.unlock({ name: 'ann' }, deedAt(clock.now()))).toBe(0)
    expect(await wait(ann)).toBe(0)
  })

  test('who logs in is forgiven what was counted', async () => {
    const { limits, wait, fail } = start()
    await fail(8)
    limits.succeeded(ann)
    expect(await wait(ann)).toBe(0)
    await fail(5)
    expect(await wait(ann)).toBe(0)
  })

  test('who logs in gives those who guess elsewhere no more guesses', async () => {
    const { limits, wait, fail } = start()
    await fail(8)
    limits.succeeded({ name: 'ann', address: '203.0.113.9' })
    expect(await wait(ann)).toBe(4)
  })

  test('whose lock the disk does not take has to wait as long as can be, and is locked when it does', async () => {
    const { store, clock, wait } = start()
    let isFull = true
    const put: typeof store.loginLocks.put = async (...lock) => {
      if (isFull) throw new Error('the disk is full')
      await store.loginLocks.put(...lock)
    }
    const limits = createLoginLimits({ locks: { ...store.loginLocks, put }, clock, log: keepLog() })
    for (let n = 1; n < user.failuresToLock; n += 1) await limits.failed(ann)
    await expect(limits.failed(ann)).rejects.toThrow('the disk is full')
    expect(await wait(ann, limits)).toBe(user.longestDelayMs / 1000)
    isFull = false
    await limits.failed(ann)
    expect(await wait(ann, limits)).toBe(user.lockMs / 1000)
  })

  test('who has logged in from somewhere is not kept out there by guesses from elsewhere', async () => {
    const { limits, clock, wait, fail } = start()
    limits.succeeded(ann)
    const stranger = { name: 'ann', address: '203.0.113.9' }
    await fail(user.failuresToLock, stranger)
    expect(await wait(stranger)).toBeGreaterThan(60)
    expect(await wait(ann)).toBe(0)
    await fail(user.failuresToLock, ann)
    expect(await wait(ann)).toBe(user.lockMs / 1000)
    await clock.advance(user.lockMs)
    expect(await wait(ann)).toBe(0)
  })
})

describe('an address', () => {
  test('that tries many names has to wait, and is locked in the end', async () => {
    const { store, clock, limits, wait } = start()
    const guess = (n: number) => ({ name: `user-${n}`, address: '192.0.2.1' })
    for (let n = 0; n <= address.freeFailures; n += 1) await limits.failed(guess(n))
    expect(await wait(guess(-1))).toBe(1)
    expect(await wait({ name: 'user-1', address: '192.0.2.2' })).toBe(0)
    for (let n = address.freeFailures + 1; n < address.failuresToLock; n += 1) await limits.failed(guess(n))
    expect(await wait(guess(-1))).toBe(address.lockMs / 1000)
    expect(await limits.unlock({ address: '192.0.2.1' }, deedAt(clock.now()))).toBe(1)
    expect(await wait(guess(-1))).toBe(0)
    expect(await store.loginLocks.list({ now: clock.now(), limit: 9 })).toEqual([])
  })

  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    [null, 'unknown'],
  ])('%s counts as %s', (given, network) => {
    expect(networkOf(given)).toBe(network)
  })
})

test('failures alone write nothing to the disk; only a lock does', async () => {
  const { store, clock, limits } = start()
  for (let n = 0; n < 100; n += 1) await limits.failed({ name: `name-${n}`, address: `10.0.${n}.1` })
  expect(await store.loginLocks.list({ now: clock.now(), limit: 9 })).toEqual([])
  expect(await store.loginLocks.purge(new Date(clock.now().getTime() + 60 * minute), 100)).toBe(0)
})
