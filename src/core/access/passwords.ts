/**
 * Passwords of new users are hashed before anything is changed, some at a time, so that whoever waits sees how far it is.
 * What is handed back for each is sealed: it is good for that user alone, and only for a while.
 */

import type { Clock } from '../clock.ts'
import { DomainError } from '../errors.ts'
import type { Sealer } from '../keys/sealer.ts'
import type { PasswordHasher } from '../users/password-hasher.ts'

export interface Passwords {
  /** @throws DomainError field_missing, too_busy */
  hash(passwords: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, string>>
  /** The hash in what `hash` answered for this user; undefined where it is none, or too old. */
  open(name: string, sealed: string): string | undefined
}

const purpose = 'access-password'
const goodForMs = 3_600_000
/** How many wait in line for one document: logins have lines of their own. */
const atOnce = 8

export function createPasswords(deps: {
  readonly hasher: Pick<PasswordHasher, 'hash'>
  readonly sealer: Sealer
  readonly clock: Clock
}): Passwords {
  const { hasher, sealer, clock } = deps

  async function hashOne(name: string, password: string): Promise<readonly [string, string]> {
    if (password === '') throw new DomainError('field_missing', { field: `passwords.${name}`, what: 'password' })
    const hash = await hasher.hash(password, { asker: purpose })
    const until = clock.now().getTime() + goodForMs
    return [name, sealer.seal(JSON.stringify([purpose, name, until, hash])).toString('base64url')]
  }

  return {
    async hash(passwords) {
      const hashed: (readonly [string, string])[] = []
      const left = [...passwords]
      while (left.length > 0) {
        hashed.push(...(await Promise.all(left.splice(0, atOnce).map((each) => hashOne(...each)))))
      }
      return new Map(hashed)
    },

    open(name, sealed) {
      try {
        const parts: unknown = JSON.parse(sealer.open(Buffer.from(sealed, 'base64url')))
        if (!Array.isArray(parts) || parts[0] !== purpose || parts[1] !== name) return undefined
        const [, , until, hash] = parts as [string, string, number, string]
        return until > clock.now().getTime() ? hash : undefined
      } catch {
        return undefined
      }
    },
  }
}
