import type { Authority, Deed } from '../sessions/actor.ts'
import type { Lock, LockTarget } from './lock.ts'
import type { ReasonedDeed } from './revocation-store.ts'
import type { RevocationAct } from './selector.ts'

/** Gets what the locked user, or holders of the locked role, may do at Gatehouse. It must be pure, and throws to refuse. */
export type CheckLocked = (authorities: readonly Authority[]) => void

/** Each method is one transaction; checks run inside it. */
export interface LockStore {
  /**
   * Keeps the lock and revokes the live tokens concerned: all of the user's, or all that carry the role.
   * @throws DomainError user_not_found, role_not_found, last_administrator (a user's lock that would leave nobody),
   *   role_protected (the administrators' role: nobody could end the lock), and whatever the check throws
   */
  create(
    lock: { readonly target: LockTarget; readonly until: Date; readonly check?: CheckLocked } & ReasonedDeed,
  ): Promise<{
    readonly lock: Lock
    readonly act: RevocationAct
  }>
  get(id: number): Promise<Lock | undefined>
  /** Those that hold at `now`, or all there ever were; newest first. */
  list(options: { readonly now: Date; readonly isEndedIncluded?: boolean }): Promise<readonly Lock[]>
  /**
   * Ends a lock early. One that has ended by itself or was lifted stays as it is.
   * @throws DomainError lock_not_found, and whatever the check throws
   */
  lift(id: number, deed: Deed & { readonly check?: CheckLocked }): Promise<Lock>
  /** The keys of the roles that are locked at `now`. */
  lockedRoleKeys(now: Date): Promise<ReadonlySet<number>>
}
