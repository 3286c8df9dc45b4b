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

export interface UserPage {
  readonly users: readonly FoundUser[]
  /** The name after which the next page starts; undefined = there is none. */
  readonly next: string | undefined
}

export interface UserSearch {
  /**
   * Up to `limit` users that pass the filter, by name, after the one named `after`. A page costs what is on it, however
   * deep it is, and looks at a bounded number of users: by role and being disabled together it may hold fewer than
   * `limit`, or none, and yet not be the last.
   */
  find(
    filter: UserFilter,
    page: { readonly after?: string; readonly limit: number; readonly isDescending?: boolean },
  ): Promise<UserPage>
}
