import type { Repeatable } from '../once.ts'
import type { Conditional } from '../precondition.ts'
import type { Revoked } from '../revocation/selector.ts'
import type { Deed } from '../sessions/actor.ts'
import type { NewRole, Role, RoleContent } from './role.ts'

export interface RoleAct extends Deed {
  /** Live tokens that carry the role are revoked where it then allows less. */
  readonly revokeNarrowed?: boolean
  /** Whether the role allows less than before; absent = by exact comparison of its grants (narrowing.ts). Must be pure. */
  readonly isNarrower?: IsNarrower
}

/** Both sides name each cluster by its id, also where the role has its alias. */
export type IsNarrower = (before: RoleContent, after: RoleContent) => boolean

/** Each method is one transaction. No method's cost depends on how many users hold a role, only on how many tokens it revokes. */
export interface RoleStore {
  get(name: string): Promise<Role | undefined>
  /** All roles, sorted by name. */
  list(): Promise<readonly Role[]>
  /** @throws DomainError role_exists, idempotency_key_busy */
  insert(role: NewRole, deed: Deed & Repeatable<Role>): Promise<Role>
  /**
   * `edit` gets the role as it is and returns what it shall be; it runs inside the transaction, so it must be pure.
   * @throws DomainError role_not_found, role_protected, and whatever `edit` throws
   */
  update(name: string, edit: (role: Role) => RoleContent, act: RoleAct): Promise<Revoked>
  /**
   * As `update`, and makes the role where there is none: `edit` gets undefined then. A role that already is what it shall
   * be is not written.
   * @throws DomainError role_protected, and whatever `edit` throws
   */
  put(
    name: string,
    edit: (role: Role | undefined) => RoleContent,
    act: RoleAct,
  ): Promise<Revoked & { readonly role: Role; readonly isNew: boolean }>
  /**
   * Holders lose the role in the same instant. `check` gets the role as it is, inside the transaction: it must be pure, and
   * throws to refuse.
   * @throws DomainError role_not_found, role_protected, and whatever `check` and the precondition throw
   */
  delete(
    name: string,
    act: Omit<RoleAct, 'isNarrower'> & Conditional<Role> & { readonly check?: (role: Role) => void },
  ): Promise<Revoked>
  /** Clears away up to `limit` records of deleted roles, which nobody sees any more; answers how many, 0 = none is left. */
  purgeDeletedRoles(limit: number): Promise<number>
}
