import type { Cluster } from '../clusters/cluster.ts'
import type { Revoked } from '../revocation/selector.ts'
import type { NewRole, RoleContent } from '../roles/role.ts'
import type { Deed } from '../sessions/actor.ts'
import type { NewUser } from '../users/user-store.ts'

/** A user as configuration as code sees it. */
export interface AccessUser {
  readonly key: number
  readonly name: string
  /** Live roles, each once, in the user's order. */
  readonly roleNames: readonly string[]
  readonly isBuiltIn: boolean
  readonly isDisabled: boolean
}

/** A user who holds a role: roles by key, since many users share them. */
export interface Holder {
  readonly key: number
  readonly name: string
  readonly roleKeys: readonly number[]
}

/** Everything that one act changes. What is named must be there, and what is new must not. */
export interface AccessChanges {
  readonly clusters: {
    /** With what each has acknowledged, and the roles that come with it where their names are free. */
    readonly insert: readonly {
      readonly cluster: Cluster
      readonly acknowledged: number
      readonly roles: readonly NewRole[]
    }[]
    readonly update: readonly (Pick<Cluster, 'id' | 'alias' | 'urls'> & {
      /** Another cluster gets the alias that this one has. */
      readonly isAliasHandedOn: boolean
    })[]
    readonly delete: readonly string[]
  }
  readonly roles: {
    readonly insert: readonly NewRole[]
    readonly update: readonly { readonly name: string; readonly content: RoleContent; readonly isNarrower: boolean }[]
    readonly delete: readonly string[]
  }
  readonly users: {
    readonly insert: readonly (NewUser & { readonly isDisabled: boolean })[]
    readonly update: readonly UserUpdate[]
    readonly delete: readonly string[]
  }
}

/** What is absent stays as it is. */
export interface UserUpdate {
  readonly name: string
  readonly roleNames?: readonly string[]
  readonly isDisabled?: boolean
  readonly passwordHash?: string
}

/** The reads are short, and `apply` lets others go on while it works, so that nobody waits for a large document. */
export interface AccessStore {
  /** Those of the users who are there, in any order. */
  users(names: readonly string[]): Promise<readonly AccessUser[]>
  /** Up to `limit` users whose name comes after `after`, sorted by name. */
  usersAfter(page: { readonly after?: string; readonly limit: number }): Promise<readonly AccessUser[]>
  /** Names of those who administer and aren't disabled; at most `limit`. */
  administrators(limit: number): Promise<readonly string[]>
  /** Up to `limit` holders of the role whose key comes after `after`, sorted by key. */
  holders(roleKey: number, page: { readonly after: number; readonly limit: number }): Promise<readonly Holder[]>
  /** How many hold the role, and how many live tokens carry it; `limit` where there are more. */
  reachOfRole(roleKey: number, now: Date, limit: number): Promise<{ readonly holders: number; readonly tokens: number }>
  /** How many live tokens the user has, of those that carry one of the roles if these are given. */
  tokensOfUser(name: string, now: Date, roleKeys?: readonly number[]): Promise<number>
  /**
   * All of it or nothing: one transaction, in which other readers see the state before. Tokens that say too much are
   * revoked with it, as where each change was made alone. Answers `outdated`, and does nothing, where users, roles or
   * clusters have changed since `revision` (Revisions).
   * @throws DomainError last_administrator, storage_failed
   */
  apply(changes: AccessChanges, revision: number, deed: Deed): Promise<Revoked | 'outdated'>
}
