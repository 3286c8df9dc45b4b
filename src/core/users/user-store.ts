import type { User, UserCredentials, UserListing } from './user.ts'

export interface NewUser {
  readonly name: string
  readonly passwordHash: string
  readonly roleNames: readonly string[]
  readonly isBuiltIn: boolean
  /** Tokens for this name that were issued earlier belong to somebody else who had it, and open nothing. */
  readonly tokensNotBefore: Date
  readonly at: Date
}

export interface UserChange {
  readonly passwordHash?: string
  /** Replaces all roles of the user. */
  readonly roleNames?: readonly string[]
  readonly at: Date
}

/** Each method is one transaction. */
export interface UserStore {
  get(name: string): Promise<User | undefined>
  credentials(name: string): Promise<UserCredentials | undefined>
  /** Up to `limit` users whose name comes after `after` in code point order, sorted by name. */
  list(page: { readonly after?: string; readonly limit: number }): Promise<readonly UserListing[]>
  /** @throws DomainError user_exists, roles_unknown (all of them named) */
  insert(user: NewUser): Promise<void>
  /** Inserts only where no user exists yet; answers whether it did. */
  insertFirst(user: NewUser): Promise<boolean>
  /** @throws DomainError user_not_found, roles_unknown, user_protected, last_administrator */
  update(name: string, change: UserChange): Promise<void>
  /** Replaces the hash only if it is still `from`: a login that rehashes must not undo a password change. */
  rehash(key: number, from: string, to: string): Promise<void>
  /** @throws DomainError user_not_found, user_protected, last_administrator */
  delete(name: string): Promise<void>
}
