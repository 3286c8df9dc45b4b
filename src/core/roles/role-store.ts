import type { NewRole, Role, RoleContent } from './role.ts'

/** Each method is one transaction. No method's cost depends on how many users hold a role. */
export interface RoleStore {
  get(name: string): Promise<Role | undefined>
  /** All roles, sorted by name. */
  list(): Promise<readonly Role[]>
  /** @throws DomainError role_exists */
  insert(role: NewRole, at: Date): Promise<void>
  /**
   * `edit` gets the role as it is and returns what it shall be; it runs inside the transaction, so it must be pure.
   * @throws DomainError role_not_found, role_protected, and whatever `edit` throws
   */
  update(name: string, edit: (role: Role) => RoleContent, at: Date): Promise<void>
  /** Holders lose the role in the same instant. @throws DomainError role_not_found, role_protected */
  delete(name: string, at: Date): Promise<void>
  /** Clears away up to `limit` records of deleted roles, which nobody sees any more; answers how many, 0 = none is left. */
  purgeDeletedRoles(limit: number): Promise<number>
}
