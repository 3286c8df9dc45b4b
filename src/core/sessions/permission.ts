import { DomainError } from '../errors.ts'
import type { Actor, Authority, BuiltInRole } from './actor.ts'
import type { Principal } from './principal.ts'

/** What may be done at Gatehouse itself. What may be done on a cluster is a matter of roles and their grants (roles/). */
export const permissions = [
  'clusters:read',
  'clusters:register',
  'clusters:resync',
  'tokens:read',
  'tokens:revoke',
  'revocations:read',
  'locks:read',
  'locks:write',
  'keys:read',
  'keys:rotate',
  'users:read',
  'users:write',
  'users:unlock',
  'roles:read',
  'roles:write',
  'roles:grant',
  'settings:read',
  'settings:write',
  'audit:read',
  'access:explain',
  'access:apply',
] as const

export type Permission = (typeof permissions)[number]

/** The built-in roles, widest first, and what each may do. A cluster administrator may do it for the named cluster alone. */
export const permissionsOfRole: Readonly<Record<BuiltInRole, ReadonlySet<Permission>>> = {
  administrator: new Set(permissions),
  operator: new Set([
    'clusters:read',
    'clusters:resync',
    'tokens:read',
    'tokens:revoke',
    'revocations:read',
    'locks:read',
    'locks:write',
    'keys:read',
    'keys:rotate',
    'users:read',
    'users:unlock',
    'roles:read',
    'settings:read',
    'audit:read',
    'access:explain',
  ]),
  auditor: new Set([
    'clusters:read',
    'tokens:read',
    'revocations:read',
    'locks:read',
    'keys:read',
    'users:read',
    'roles:read',
    'settings:read',
    'audit:read',
    'access:explain',
  ]),
  cluster_administrator: new Set([
    'clusters:read',
    'clusters:resync',
    'users:read',
    'roles:read',
    'roles:write',
    'roles:grant',
    'access:explain',
  ]),
}

/** What somebody may do, by what the store says now; somewhere at least. */
export function permissionsOf({ authorities }: Pick<Actor, 'authorities'>): ReadonlySet<Permission> {
  return new Set(authorities.flatMap(({ role }) => [...permissionsOfRole[role]]))
}

/** For which clusters somebody may do it: every one, or those with these ids (none where the list is empty). */
export function scopeOf(
  { authorities }: Pick<Actor, 'authorities'>,
  permission: Permission,
): 'everywhere' | readonly string[] {
  const holding = authorities.filter(({ role }) => permissionsOfRole[role].has(permission))
  if (holding.some(({ clusterId }) => clusterId === null)) return 'everywhere'
  return holding.flatMap(({ clusterId }: Authority) => clusterId ?? [])
}

/** Asks whether it is permitted at all; for which cluster is for the rule to ask. @throws DomainError permission_denied */
export function requirePermission(principal: Principal, permission: Permission): void {
  if (principal.authorities.some(({ role }) => permissionsOfRole[role].has(permission))) return
  const { subject, expiresAt } = principal
  throw new DomainError('permission_denied', { needs: 'administrator', permission, subject, expiresAt })
}
