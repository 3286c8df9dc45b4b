import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import { DomainError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { type Deed, serviceActor } from './actor.ts'
import { type FailureRules, isLockDue, planDelay, recentFailures } from './failure-window.ts'
import type { LoginLockStore, LoginLockTarget } from './login-lock-store.ts'

/**
 * Limits on guessing passwords. Failures are counted for each user's name, known or not, and for each address, in a window
 * that slides; beyond a few each further try has to wait, longer each time, and many lock the name or the address for a
 * while. Nothing here tells a name that exists from one that does not.
 *
 * Whoever has logged in from an address before is counted apart there: somebody else's guesses from elsewhere don't keep
 * him out.
 */
export interface LoginLimits {
  /** @throws DomainError login_limited */
  admit(attempt: LoginAttempt): Promise<void>
  /** The same by what this process has counted alone, without asking the store. @throws DomainError login_limited */
  admitAtOnce(attempt: LoginAttempt): void
  /** The password was wrong. */
  failed(attempt: LoginAttempt): Promise<void>
  /**
   * The password was right: nothing is counted against the user at this address. What strangers have guessed elsewhere still
   * counts there, so that a user who logs in often doesn't give them as many guesses anew.
   */
  succeeded(attempt: LoginAttempt): void
  /** Ends locks and forgets what this process has counted; answers how many locks there were. */
  unlock(target: { readonly name: string } | { readonly address: string }, deed: Deed): Promise<number>
}

export interface LoginAttempt {
  readonly name: string
  /** Null where it is not known. */
  readonly address: string | null
}

export interface LoginLimitRules {
  readonly user: FailureRules
  readonly address: FailureRules
}

const minuteMs = 60_000

export const defaultLoginLimitRules: LoginLimitRules = {
  user: {
    windowMs: 15 * minuteMs,
    freeFailures: 5,
    firstDelayMs: 1_000,
    longestDelayMs: 30_000,
    failuresToLock: 20,
    lockMs: 15 * minuteMs,
  },
  // Many people may share one.
  address: {
    windowMs: 15 * minuteMs,
    freeFailures: 30,
    firstDelayMs: 500,
    longestDelayMs: 30_000,
    failuresToLock: 200,
    lockMs: 15 * minuteMs,
  },
}

/** An entry is some hundred bytes. Who floods it with made-up names is stopped by the limit of the address first. */
const windowsKept = 50_000
const acquaintancesKept = 50_000
const acquaintanceMs = 30 * 24 * 60 * minuteMs
const longestName = 256

/** What is counted against one target. */
interface Counted {
  readonly target: LoginLockTarget
  readonly key: string
  readonly rules: FailureRules
}

export function createLoginLimits(deps: {
  readonly locks: LoginLockStore
  readonly clock: Clock
  readonly log: Logger
  readonly rules?: LoginLimitRules
}): LoginLimits {
  const { locks, clock, log, rules = defaultLoginLimitRules } = deps
  const windows = new LRUCache<string, readonly number[]>({ max: windowsKept })
  /** Who has logged in from where, and when last (ms). */
  const acquaintances = new LRUCache<string, number>({ max: acquaintancesKept })
  /** Whose locks are being written. */
  const locking = new Set<string>()

  function countedOf({ name: given, address }: LoginAttempt): readonly Counted[] {
    const name = given.slice(0, longestName)
    const network = networkOf(address)
    const pair = keyOf({ kind: 'user_at_address', name, address: network })
    const seenAt = acquaintances.get(pair)
    const isKnown = seenAt !== undefined && clock.now().getTime() - seenAt < acquaintanceMs
    const user: LoginLockTarget = isKnown ? { kind: 'user_at_address', name, address: network } : { kind: 'user', name }
    const where: LoginLockTarget = { kind: 'address', address: network }
    return [
      { target: user, key: keyOf(user), rules: rules.user },
      { target: where, key: keyOf(where), rules: rules.address },
    ]
  }

  function refuse(ms: number): never {
    throw new DomainError('login_limited', { retryAfterSeconds: Math.max(1, Math.ceil(ms / 1000)) })
  }

  function admitAtOnce(attempt: LoginAttempt): void {
    const now = clock.now().getTime()
    const waits = countedOf(attempt).map(({ key, rules: each }) => planDelay(windows.get(key) ?? [], each, now))
    const longest = Math.max(...waits)
    if (longest > 0) refuse(longest)
  }

  /** Until a lock is on disk the longest pause holds, also where the disk does not take it. */
  async function count({ target, key, rules: each }: Counted): Promise<void> {
    const at = clock.now()
    const failures = [...recentFailures(windows.get(key) ?? [], each, at.getTime()), at.getTime()]
    windows.set(key, failures)
    if (!isLockDue(failures, each, at.getTime()) || locking.has(key)) return
    locking.add(key)
    try {
      await lock(target, each, failures.length, at)
      windows.delete(key)
    } finally {
      locking.delete(key)
    }
  }

  async function lock(target: LoginLockTarget, each: FailureRules, failures: number, at: Date): Promise<void> {
    const until = new Date(at.getTime() + each.lockMs)
    await locks.put({ target, until, failures }, { by: serviceActor, at })
    log.warn({ event: 'login.locked', ...target, until: until.toISOString(), failures })
  }

  return {
    admitAtOnce,

    async admit(attempt) {
      const now = clock.now()
      const until = await locks.holding(
        countedOf(attempt).map(({ target }) => target),
        now,
      )
      if (until !== undefined) refuse(until.getTime() - now.getTime())
      admitAtOnce(attempt)
    },

    async failed(attempt) {
      const outcomes = await Promise.allSettled(countedOf(attempt).map(count))
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
    },

    succeeded(attempt) {
      const address = networkOf(attempt.address)
      const name = attempt.name.slice(0, longestName)
      const pair = keyOf({ kind: 'user_at_address', name, address })
      windows.delete(pair)
      acquaintances.set(pair, clock.now().getTime())
    },

    async unlock(target, deed) {
      const concerns = 'name' in target ? nameConcern(target.name) : addressConcern(networkOf(target.address))
      for (const key of [...windows.keys()]) if (concerns(key)) windows.delete(key)
      return locks.lift('name' in target ? target : { address: networkOf(target.address) }, deed)
    },
  }
}

/** For GATEHOUSE_LOGIN_LIMITS=off: nothing is limited, and nothing is counted. */
export function createNoLoginLimits({ locks }: { readonly locks: LoginLockStore }): LoginLimits {
  return {
    admit: async () => undefined,
    admitAtOnce: () => undefined,
    failed: async () => undefined,
    succeeded: () => undefined,
    unlock: (target, deed) => locks.lift(target, deed),
  }
}

function keyOf(target: LoginLockTarget): string {
  if (target.kind === 'address') return `address\n${target.address}`
  return target.kind === 'user' ? `user\n${target.name}` : `pair\n${target.name}\n${target.address}`
}

function nameConcern(name: string): (key: string) => boolean {
  return (key) => key === `user\n${name}` || key.startsWith(`pair\n${name}\n`)
}

function addressConcern(address: string): (key: string) => boolean {
  return (key) => key === `address\n${address}` || (key.startsWith('pair\n') && key.endsWith(`\n${address}`))
}

/** An IPv6 client has a whole /64 to choose addresses from, and counts as one. IPv4 as such, also where it comes mapped. */
export function networkOf(address: string | null): string {
  if (address === null) return 'unknown'
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
  if (!plain.includes(':')) return plain
  const [head = '', tail] = plain.split('::', 2)
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  const groups = [...left, ...Array.from({ length: zeros }, () => '0'), ...right]
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group || '0', 16).toString(16))
    .join(':')}::/64`
}
