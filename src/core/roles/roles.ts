import type { Clock } from '../clock.ts'
import { DomainError } from '../errors.ts'
import { checkName } from '../users/names.ts'
import type { NewRole, Role, RoleContent } from './role.ts'
import type { RoleStore } from './role-store.ts'

/** The rules for roles. */
export interface Roles {
  get(name: string): Promise<Role | undefined>
  /** All roles, sorted by name. */
  list(): Promise<readonly Role[]>
  /**
   * `isAdministrator`: a caller who asks for a role that administers Gatehouse itself is refused, there is only the
   * built-in one.
   * @throws DomainError field_missing (name), field_invalid, role_protected, role_exists
   */
  create(role: NewRole, options?: { readonly isAdministrator?: boolean }): Promise<void>
  /**
   * `edit` gets the role as it is and returns what it shall be. It must be pure.
   * @throws DomainError role_not_found, role_protected, and whatever `edit` throws
   */
  update(name: string, edit: (role: Role) => RoleContent): Promise<void>
  /** @throws DomainError role_not_found, role_protected */
  delete(name: string): Promise<void>
}

/** How error messages call a role's name (contract 1.6). */
const whatName = 'role name'

export function createRoles({ roles, clock }: { readonly roles: RoleStore; readonly clock: Clock }): Roles {
  return {
    get: (name) => roles.get(name),
    list: () => roles.list(),
    async create(role, { isAdministrator = false } = {}) {
      if (role.name === '') throw new DomainError('field_missing', { field: 'name', what: whatName })
      checkName(whatName, 'name', role.name)
      if (isAdministrator) throw new DomainError('role_protected', { name: role.name, act: 'create' })
      await roles.insert(role, clock.now())
    },
    update: (name, edit) => roles.update(name, edit, clock.now()),
    delete: (name) => roles.delete(name, clock.now()),
  }
}
