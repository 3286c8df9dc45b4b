import type { Cluster } from '../clusters/cluster.ts'
import type { PublicJwk } from '../keys/key-store.ts'
import type { Role } from '../roles/role.ts'

export interface HeldUser {
  readonly name: string
  /** Keys of live roles, in the user's order. */
  readonly roleKeys: readonly number[]
  readonly passwordHash: string
  /** The hash that came with an import and that log-in has replaced since; undefined where there is none. */
  readonly formerHash: string | undefined
  readonly isDisabled: boolean
  readonly isLocked: boolean
}

export interface Held {
  /** Sorted by name. */
  readonly roles: readonly Role[]
  /** Keys of the roles that are locked. */
  readonly lockedRoles: ReadonlySet<number>
  /** Sorted by id. */
  readonly clusters: readonly Cluster[]
  /** Those that verify, oldest first. */
  readonly keys: readonly PublicJwk[]
  /** Sorted by name; read once. */
  users(): Iterable<HeldUser>
  /** Texts of revoked tokens that live, oldest revocation first; read once. */
  revokedTokens(): Iterable<string>
}

export interface ExportStore {
  /** Shows `visit` everything as it is in one moment. `visit` must not await anything. */
  read<T>(at: Date, visit: (held: Held) => T): Promise<T>
}
