import type { Deed } from '../sessions/actor.ts'
import type { Lock, LockTarget } from './lock.ts'
import type { ReasonedDeed } from './revocation-store.ts'
import type { RevocationAct } from './selector.ts'

/** Each method is one transaction. */
export interface LockStore {
  /**
   * Keeps the lock and revokes the live tokens concerned: all of the user's, or all that carry the role.
   * @throws DomainError user_not_found, role_not_found, last_administrator (a user's lock that would leave nobody)
   */
  create(lock: { readonly target: LockTarget; readonly until: Date } & ReasonedDeed): Promise<{
    readonly lock: Lock
    readonly act: RevocationAct
  }>
  get(id: number): Promise<Lock | undefined>
  /** Those that hold at `now`, or all there ever were; newest first. */
  list(options: { readonly now: Date; readonly isEndedIncluded?: boolean }): Promise<readonly Lock[]>
  /**
   * Ends a lock early. One that has ended by itself or was lifted stays as it is.
   * @throws DomainError lock_not_found
   */
  lift(id: number, deed: Deed): Promise<Lock>
  /** The keys of the roles that are locked at `now`. */
  lockedRoleKeys(now: Date): Promise<ReadonlySet<number>>
}
