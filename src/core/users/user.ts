/**
 * Users: people and programs that log in with a name and a password.
 *
 * This folder owns their type, the rules for names and passwords, and password hashing. It doesn't own what a user may
 * do (roles/) nor being logged in (sessions/).
 */
import type { Role } from '../roles/role.ts'

export interface User {
  /** Never used again: a user who is deleted and made anew under the same name is another user. */
  readonly key: number
  readonly name: string
  /** In the order in which they were given; the same role may stand there twice. */
  readonly roles: readonly Role[]
  /** Made at first start; can't be removed, nor lose its roles. */
  readonly isBuiltIn: boolean
  readonly isDisabled: boolean
  readonly createdAt: Date
  /** When something of it was last changed, the password too. */
  readonly changedAt: Date
}

/** What logging in needs, without the roles. */
export interface UserCredentials {
  readonly key: number
  readonly name: string
  /** PHC string (argon2id) or modular crypt (bcrypt, from imported users). */
  readonly passwordHash: string
  readonly isDisabled: boolean
  /** Until when the last of the user's locks holds, also where that is over; null where there is none. */
  readonly lockedUntil: Date | null
  /** The last act of revocation when this was read: what a token is recorded with (TokenStore.record). */
  readonly asOf: number
}

/** A row of a long list: role keys instead of whole roles, since many users share them. */
export interface UserListing {
  readonly key: number
  readonly name: string
  readonly roleKeys: readonly number[]
}

/** Tokens carry whole seconds: one that is issued within the second in which its user was made must not look older. */
export function wholeSecond(at: Date): Date {
  return new Date(Math.floor(at.getTime() / 1000) * 1000)
}
