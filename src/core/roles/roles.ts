import type { Clock } from '../clock.ts'
import { DomainError } from '../errors.ts'
import type { Repeatable } from '../once.ts'
import type { Conditional } from '../precondition.ts'
import { awaitClusters, type Propagation } from '../revocation/propagation.ts'
import type { Actor } from '../sessions/actor.ts'
import { checkName } from '../users/names.ts'
import { checkRoleChange } from './granting.ts'
import type { NewRole, Role, RoleContent } from './role.ts'
import type { IsNarrower, RoleStore } from './role-store.ts'

/** The rules for roles. Whoever may change roles at all still gives no more than they hold (granting.ts). */
export interface Roles {
  get(name: string): Promise<Role | undefined>
  /** All roles, sorted by name. */
  list(): Promise<readonly Role[]>
  /**
   * `isAdministrator`: a caller who asks for a role that administers Gatehouse itself is refused, there is only the
   * built-in one.
   * @throws DomainError field_missing (name), field_invalid (name, grants), role_protected, role_exists, beyond_authority
   */
  create(
    role: NewRole,
    options: Repeatable<Role> & { readonly by: Actor; readonly isAdministrator?: boolean },
  ): Promise<Role>
  /**
   * `edit` gets the role as it is and returns what it shall be. It must be pure.
   * @throws DomainError role_not_found, role_protected, field_invalid (grants), beyond_authority, and whatever `edit` throws
   */
  update(name: string, edit: (role: Role) => RoleContent, options: RoleChangeOptions): Promise<void>
  /**
   * As `update`, and makes the role where there is none.
   * @throws DomainError field_invalid (name, grants), role_protected, beyond_authority, and whatever `edit` throws
   */
  put(
    name: string,
    edit: (role: Role | undefined) => RoleContent,
    options: RoleChangeOptions,
  ): Promise<{ readonly role: Role; readonly isNew: boolean }>
  /** @throws DomainError role_not_found, role_protected, beyond_authority, and what the precondition throws */
  delete(name: string, options: Omit<RoleChangeOptions, 'isNarrower'> & Conditional<Role>): Promise<void>
}

/** What revokes tokens answers when every cluster that is up knows of it, or the budget is over. */
export interface RoleChangeOptions {
  readonly by: Actor
  /** Revokes the live tokens that carry the role where it then allows less, or is gone. */
  readonly revokeNarrowed?: boolean
  /** Whether the role allows less than before; absent = by exact comparison of its grants. Must be pure. */
  readonly isNarrower?: IsNarrower
}

export interface RolesDeps {
  readonly roles: RoleStore
  readonly clock: Clock
  readonly propagation: Propagation
  /** How long an answer waits for clusters. */
  readonly budgetMs: number
}

/** A token with so many fits into no header. A PUT appends: without a limit many small requests make a role of any size. */
const maximumGrants = 10_000

/** How error messages call a role's name (contract 1.6). */
const whatName = 'role name'

export function createRoles({ roles, clock, propagation, budgetMs }: RolesDeps): Roles {
  return {
    get: (name) => roles.get(name),
    list: () => roles.list(),
    async create(role, { by, isAdministrator = false, ...repeatable }) {
      if (role.name === '') throw new DomainError('field_missing', { field: 'name', what: whatName })
      checkName(whatName, 'name', role.name)
      if (isAdministrator) throw new DomainError('role_protected', { name: role.name, act: 'create' })
      checkRoleChange(by, role.name, role)
      checkGrantCount(role)
      return roles.insert(role, { by, at: clock.now(), ...repeatable })
    },
    async put(name, edit, options) {
      const { by } = options
      const checkedEdit = (role: Role | undefined) => {
        // A role whose name came with a cluster may break the rule: it can be changed, not made.
        if (role === undefined) checkName(whatName, 'name', name)
        else checkRoleChange(by, name, role)
        const content = edit(role)
        checkRoleChange(by, name, content)
        checkGrantCount(content, role)
        return content
      }
      const { role, isNew, ...revoked } = await roles.put(name, checkedEdit, { ...options, at: clock.now() })
      await awaitClusters(propagation, revoked, budgetMs)
      return { role, isNew }
    },
    async update(name, edit, options) {
      const { by } = options
      const checkedEdit = (role: Role) => {
        checkRoleChange(by, name, role)
        const content = edit(role)
        checkRoleChange(by, name, content)
        checkGrantCount(content, role)
        return content
      }
      const revoked = await roles.update(name, checkedEdit, { ...options, at: clock.now() })
      await awaitClusters(propagation, revoked, budgetMs)
    },
    async delete(name, options) {
      const check = (role: Role) => checkRoleChange(options.by, name, role)
      const revoked = await roles.delete(name, { ...options, at: clock.now(), check })
      await awaitClusters(propagation, revoked, budgetMs)
    },
  }
}

/** One that was imported with more may become smaller. */
function checkGrantCount({ grants }: RoleContent, before?: RoleContent): void {
  const { length } = grants
  if (length <= Math.max(maximumGrants, before?.grants.length ?? 0)) return
  const rule = `must be at most ${maximumGrants} entries for clusters and buckets`
  throw new DomainError('field_invalid', { field: 'grants', what: 'list of grants', value: `${length} grants`, rule })
}
