import { randomBytes } from 'node:crypto'
import * as argon2 from '@node-rs/argon2'
import * as bcrypt from '@node-rs/bcrypt'
import { describe, expect, test } from 'vitest'
import { isDomainError } from '../../../src/core/errors.ts'
import { createPasswordHasher, type PasswordHasher } from '../../../src/core/users/password-hasher.ts'

const hasher = createPasswordHasher({ concurrency: 2 })
const password = randomBytes(12).toString('base64')
const refused = { isVerified: false, isOutdated: false }

test("a password is hashed with argon2id at OWASP's cost, under a salt of its own", async () => {
  const [first, second] = await Promise.all([hasher.hash(password), hasher.hash(password)])
  expect(first).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  expect(first).not.toBe(second)
  expect(await hasher.verify(password, first)).toEqual({ isVerified: true, isOutdated: false })
  expect(await hasher.verify(`${password}x`, first)).toEqual(refused)
})

test('every byte of a long password counts', async () => {
  const long = 'x'.repeat(5000)
  const hash = await hasher.hash(`${long}a`)
  expect((await hasher.verify(`${long}a`, hash)).isVerified).toBe(true)
  expect((await hasher.verify(`${long}b`, hash)).isVerified).toBe(false)
})

describe('an imported bcrypt hash', () => {
  test.each(['$2a$', '$2b$', '$2y$'])('of the form %s is verified and outdated', async (prefix) => {
    const hash = (await bcrypt.hash(password, 4)).replace(/^\$2.\$/, prefix)
    expect(await hasher.verify(password, hash)).toEqual({ isVerified: true, isOutdated: true })
    expect(await hasher.verify(`${password}x`, hash)).toEqual(refused)
  })

  test('counts the first 72 bytes alone, as where it was made', async () => {
    const start = 'ä'.repeat(36)
    const hash = await bcrypt.hash(Buffer.from(start), 4)
    expect((await hasher.verify(start, hash)).isVerified).toBe(true)
    expect((await hasher.verify(`${start}anything`, hash)).isVerified).toBe(true)
    expect((await hasher.verify(start.slice(1), hash)).isVerified).toBe(false)
  })
})

test('an argon2 hash of another cost is verified and outdated', async () => {
  for (const cost of [{ memoryCost: 8192 }, { timeCost: 1 }, { parallelism: 2 }, { algorithm: 1 }]) {
    const hash = await argon2.hash(password, cost)
    expect(await hasher.verify(password, hash)).toEqual({ isVerified: true, isOutdated: true })
  }
})

test('no hash and hashes that cannot be read are never verified, and never throw', async () => {
  const broken = ['', 'x', '$2b$10$short', '$2b$99$', '$argon2id$v=19$m=19456,t=2,p=1$', `$argon2id$${'x'.repeat(200)}`]
  for (const hash of [undefined, ...broken]) expect(await hasher.verify(password, hash)).toEqual(refused)
  expect(await hasher.verify('', undefined)).toEqual(refused)
})

/** The shortest of some runs for each hash, in turn, each with a wrong password. */
async function timesOf(of: PasswordHasher, hashes: readonly (string | undefined)[]): Promise<readonly number[]> {
  const shortest = hashes.map(() => Number.POSITIVE_INFINITY)
  for (let run = 0; run < 9; run += 1) {
    for (const [at, hash] of hashes.entries()) {
      const start = performance.now()
      await of.verify('wrong', hash)
      shortest[at] = Math.min(shortest[at] ?? 0, performance.now() - start)
    }
  }
  return shortest
}

test('an unknown user costs the same work as a known one', async () => {
  const fresh = createPasswordHasher({ concurrency: 2 })
  const [known = 0, ...others] = await timesOf(fresh, [await fresh.hash(password), undefined, 'x'])
  // The work is some 10 ms; skipping it would take microseconds. Wide bounds bear with a busy machine.
  for (const other of others) expect(other / known).toBeGreaterThan(0.3)
})

test('where users were imported, unknown users, they, and all others cost the same work', async () => {
  const even = createPasswordHasher({ concurrency: 2, isBcryptExpected: true })
  const hashes = [await bcrypt.hash(password, 10), undefined, 'x', await even.hash(password)]
  const [imported = 0, ...others] = await timesOf(even, hashes)
  // argon2id alone takes a sixth of it.
  for (const other of others) {
    expect(other / imported).toBeGreaterThan(0.5)
    expect(other / imported).toBeLessThan(2)
  }
})

test('more work than may wait is turned away, with when to come back', async () => {
  const small = createPasswordHasher({ concurrency: 1, maximumWaiting: 2, maximumWaitingOfOne: 2 })
  const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => small.hash(password)))
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected'])
  const reasons = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
  for (const reason of reasons) {
    expect(isDomainError(reason, 'too_busy') && reason.details.retryAfterSeconds).toBeGreaterThan(0)
  }
})
