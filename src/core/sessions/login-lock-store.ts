import type { Deed } from './actor.ts'

/** Whom too many failed logins have locked out: a user's name, everywhere or from one address, or an address. */
export type LoginLockTarget =
  | { readonly kind: 'user'; readonly name: string }
  | { readonly kind: 'user_at_address'; readonly name: string; readonly address: string }
  | { readonly kind: 'address'; readonly address: string }

export interface LoginLock {
  readonly id: number
  readonly target: LoginLockTarget
  readonly until: Date
  /** How many failures led to it. */
  readonly failures: number
  readonly at: Date
}

/** Locks outlive a restart, and hold for every process on the database. Each method is one transaction. */
export interface LoginLockStore {
  /** Until when the last of those locks holds that meet one of these targets; undefined where none holds at `now`. */
  holding(targets: readonly LoginLockTarget[], now: Date): Promise<Date | undefined>
  /** Locks, or prolongs a lock. */
  put(lock: Omit<LoginLock, 'id' | 'at'>, deed: Deed): Promise<void>
  /** Those that hold at `now`, newest first, at most `limit`. */
  list(options: { readonly now: Date; readonly limit: number }): Promise<readonly LoginLock[]>
  /** Ends all locks of a user's name, or those of an address; answers how many. */
  lift(target: { readonly name: string } | { readonly address: string }, deed: Deed): Promise<number>
  /** Clears away up to `limit` locks that ended before `before`; answers how many. */
  purge(before: Date, limit: number): Promise<number>
}
