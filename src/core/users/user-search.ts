import type { User } from './user.ts'

/** A user as lists show it. */
export interface FoundUser extends Omit<User, 'roles'> {
  /** Names, in the order in which they were given, each once. */
  readonly roleNames: readonly string[]
}

export interface UserFilter {
  /** How the name begins, as it is written. */
  readonly prefix?: string
  /** Holds the role of this name. */
  readonly role?: string
  readonly isDisabled?: boolean
}

export interface UserSearch {
  /**
   * Up to `limit` users that pass the filter, by name, after the one named `after`. A page costs what is on it, however
   * deep it is; by role and being disabled together, what holders of the role lie between.
   */
  find(
    filter: UserFilter,
    page: { readonly after?: string; readonly limit: number; readonly isDescending?: boolean },
  ): Promise<readonly FoundUser[]>
}
