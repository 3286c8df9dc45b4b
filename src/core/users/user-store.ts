import type { Repeatable } from '../once.ts'
import type { Conditional } from '../precondition.ts'
import type { Revoked } from '../revocation/selector.ts'
import type { Role } from '../roles/role.ts'
import type { Deed } from '../sessions/actor.ts'
import type { User, UserCredentials, UserListing } from './user.ts'

export interface NewUser {
  readonly name: string
  readonly passwordHash: string
  readonly roleNames: readonly string[]
  readonly isBuiltIn: boolean
  /** Tokens for this name that were issued earlier belong to somebody else who had it, and open nothing. */
  readonly tokensNotBefore: Date
}

export interface UserChange {
  readonly passwordHash?: string
  /** Fingerprint of the token with which the user changes the own password: it outlives the change. */
  readonly keptToken?: Buffer
  /** Replaces all roles of the user. */
  readonly roleNames?: readonly string[]
  /** Given beside those that the user has; one that the user has already changes nothing. */
  readonly givenRoleNames?: readonly string[]
  /** Taken from those that the user has; one that the user has not changes nothing. */
  readonly takenRoleNames?: readonly string[]
  readonly isDisabled?: boolean
  /** A user who loses a role loses the live tokens that carry it. */
  readonly revokeNarrowed?: boolean
}

/** A deed that somebody may do depending on the roles of the user. */
export interface UserDeed extends Deed {
  /** Gets the user's roles as they were and as they shall be, inside the transaction: it must be pure, and throws to refuse. */
  readonly check?: (before: readonly Role[], after: readonly Role[]) => void
}

/** Each method is one transaction. */
export interface UserStore {
  get(name: string): Promise<User | undefined>
  credentials(name: string): Promise<UserCredentials | undefined>
  /** Up to `limit` users whose name comes after `after` in code point order, sorted by name. */
  list(page: { readonly after?: string; readonly limit: number }): Promise<readonly UserListing[]>
  /** @throws DomainError user_exists, roles_unknown (all of them named), idempotency_key_busy, and whatever the check throws */
  insert(user: NewUser, deed: UserDeed & Repeatable<User>): Promise<User>
  /** Whether anybody who isn't disabled administers. */
  hasAdministrator(): Promise<boolean>
  /** Whether any password hash is bcrypt. Looks at all of them: for the start. */
  hasBcryptHash(): Promise<boolean>
  /** Inserts only where nobody administers yet; answers whether it did. @throws DomainError user_exists */
  insertFirst(user: NewUser, deed: Deed): Promise<boolean>
  /**
   * A new password revokes all live tokens of the user but `keptToken`; disabling revokes them all.
   * @throws DomainError user_not_found, roles_unknown, user_protected, last_administrator, and whatever check and
   * precondition throw
   */
  update(name: string, change: UserChange, deed: UserDeed & Conditional<User>): Promise<Revoked>
  /**
   * A disabled user can't log in and opens nothing; disabling revokes all live tokens of the user.
   * @throws DomainError user_not_found, user_protected, last_administrator, and whatever the check throws
   */
  setDisabled(name: string, isDisabled: boolean, deed: UserDeed): Promise<Revoked>
  /**
   * Replaces the hash only if it is still `from`: a login that rehashes must not undo a password change. A bcrypt hash is
   * kept beside it, sealed, until there is a new password: where the user came from nothing else can be checked.
   */
  rehash(key: number, from: string, to: string): Promise<void>
  /**
   * Revokes all live tokens of the user with it.
   * @throws DomainError user_not_found, user_protected, last_administrator, and whatever check and precondition throw
   */
  delete(name: string, deed: UserDeed & Conditional<User>): Promise<Revoked>
}
