import { randomBytes } from 'node:crypto'
import * as argon2 from '@node-rs/argon2'
import * as bcrypt from '@node-rs/bcrypt'
import { createFairQueue } from './fair-queue.ts'

/** Hashing of passwords on the thread pool, never more at once than the machine has cores for, each asker in turn. */
export interface PasswordHasher {
  /**
   * argon2id at OWASP's cost, PHC string. Any length of password.
   * @throws DomainError too_busy
   */
  hash(password: string, turn?: Turn): Promise<string>
  /**
   * Verifies argon2id and bcrypt (`$2a$`, `$2b$`, `$2y$`: only the first 72 bytes count, as where it was made).
   * `isOutdated` = verified, but to be hashed anew. An undefined hash costs the same work and is never verified, so that
   * unknown users can't be told from known ones by time; so does a hash that can't be read. As long as there may be bcrypt
   * hashes, whatever isn't verified costs the work of both kinds: else imported users stood out.
   * @throws DomainError too_busy
   */
  verify(
    password: string,
    hash: string | undefined,
    turn?: Turn,
  ): Promise<{ readonly isVerified: boolean; readonly isOutdated: boolean }>
}

/** In whose name something is hashed. */
export interface Turn {
  /** Who waits for it, for instance an address: nobody's many wait in front of somebody else's one. */
  readonly asker: string
  /** Asked when the turn has come; what it throws is thrown, and nothing is hashed. */
  readonly admit?: () => void
}

export interface PasswordHasherOptions {
  /** How many passwords are hashed at the same time. */
  readonly concurrency: number
  /** How many may wait for their turn, in all and of one asker; more are turned away. */
  readonly maximumWaiting?: number
  readonly maximumWaitingOfOne?: number
  /** There are bcrypt hashes. The first one that is verified says so as well. */
  readonly isBcryptExpected?: boolean
}

// OWASP's cost, as the PHC string spells it: what a current hash starts with.
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const
const currentPrefix = `$argon2id$v=19$m=${cost.memoryCost},t=${cost.timeCost},p=${cost.parallelism}$`
const bcryptBytes = 72
/** Hashes a second that one thread is good for at least, to tell a refused caller when to come back. */
const hashesPerSecond = 50

/** Gatehouse's own work waits in a line of its own. */
const nobodyInParticular: Turn = { asker: '' }

export function createPasswordHasher(options: PasswordHasherOptions): PasswordHasher {
  const { concurrency, maximumWaiting = 1000, maximumWaitingOfOne = Math.ceil(maximumWaiting / 2) } = options
  const perSecond = concurrency * hashesPerSecond
  const queue = createFairQueue({ concurrency, maximumWaiting, maximumWaitingOfOne, perSecond })
  const unmatchable = makeUnmatchableHash()
  const unmatchableBcrypt = makeUnmatchableBcrypt()
  let isBcryptExpected = options.isBcryptExpected ?? false

  function inTurn<T>({ asker, admit }: Turn, work: () => Promise<T>): Promise<T> {
    return queue.run(asker, async () => {
      admit?.()
      return work()
    })
  }

  async function matches(password: string, hash: string): Promise<boolean> {
    try {
      return await (isBcrypt(hash) ? matchesBcrypt(password, hash) : argon2.verify(hash, password))
    } catch {
      await argon2.verify(unmatchable, password)
      return false
    }
  }

  async function verifyEvenly(password: string, hash: string): Promise<boolean> {
    const isOfBcrypt = isBcrypt(hash)
    isBcryptExpected ||= isOfBcrypt
    const isVerified = await matches(password, hash)
    if (isVerified || !isBcryptExpected) return isVerified
    await (isOfBcrypt ? argon2.verify(unmatchable, password) : matchesBcrypt(password, unmatchableBcrypt))
    return false
  }

  return {
    hash: async (password, turn = nobodyInParticular) => inTurn(turn, () => argon2.hash(password, cost)),
    async verify(password, hash, turn = nobodyInParticular) {
      const isVerified = await inTurn(turn, () => verifyEvenly(password, hash ?? unmatchable))
      return { isVerified, isOutdated: isVerified && hash !== undefined && !hash.startsWith(currentPrefix) }
    },
  }
}

function matchesBcrypt(password: string, hash: string): Promise<boolean> {
  return bcrypt.verify(Buffer.from(password).subarray(0, bcryptBytes), hash)
}

/** Whether it is one that imported users come with. */
export function isBcrypt(hash: string): boolean {
  return /^\$2[aby]\$/.test(hash)
}

/** What stands in the place of a hash for a user whose password nobody can tell: none fits. */
export const unusableHash = '!'

/** A well-formed hash of nothing: verifying against it is the full work, and no password is known that fits. */
function makeUnmatchableHash(): string {
  const unpadded = (bytes: number) => randomBytes(bytes).toString('base64').replace(/=+$/, '')
  return `${currentPrefix}${unpadded(16)}$${unpadded(32)}`
}

/** The same of bcrypt, at the cost of AIStore's AuthN. The last characters of salt and hash hold bits that must be zero. */
function makeUnmatchableBcrypt(): string {
  const letters = (count: number) => randomBytes(count).toString('base64').replace(/[+=]/g, '.').slice(0, count)
  return `$2b$10$${letters(21)}.${letters(30)}.`
}
