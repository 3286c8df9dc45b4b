import { DomainError, type ErrorDetails } from '../errors.ts'
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

export function isAdministrator({ authorities }: Pick<Actor, 'authorities'>): boolean {
  return authorities.some(({ role }) => role === 'administrator')
}

/** Whether somebody may do all that an authority allows, where it allows it; who holds nothing less may hand it on. */
export function holds(actor: Pick<Actor, 'authorities'>, { role, clusterId }: Authority): boolean {
  return [...permissionsOfRole[role]].every((permission) => {
    const scope = scopeOf(actor, permission)
    return scope === 'everywhere' || (clusterId !== null && scope.includes(clusterId))
  })
}

type Asking = Pick<Principal, 'authorities' | 'subject' | 'expiresAt'>

function may({ authorities }: Pick<Actor, 'authorities'>, permission: Permission): boolean {
  return authorities.some(({ role }) => permissionsOfRole[role].has(permission))
}

/**
 * Asks whether it is permitted at all; for which cluster is for the rule to ask.
 * @param needs who could do it in any case, for people
 * @throws DomainError permission_denied
 */
export function requirePermission(
  principal: Asking,
  permission: Permission,
  needs: ErrorDetails['permission_denied']['needs'] = 'administrator',
): void {
  if (may(principal, permission)) return
  const { subject, expiresAt } = principal
  throw new DomainError('permission_denied', { needs, permission, subject, expiresAt })
}

/** @param name the user whom the act is about. @throws DomainError permission_denied */
export function requirePermissionOrSelf(principal: Asking, permission: Permission, name: string): void {
  if (principal.subject !== name) requirePermission(principal, permission, 'administrator_or_self')
}

/** Asks whether it is permitted for this cluster. @throws DomainError beyond_authority */
export function requireScope(actor: Actor, permission: Permission, cluster: { readonly id: string }): void {
  const scope = scopeOf(actor, permission)
  if (scope === 'everywhere' || scope.includes(cluster.id)) return
  const reason = `it holds that for ${presentScope(scope)} only, not for ${cluster.id}`
  throw new DomainError('beyond_authority', { subject: actor.subject, permission, reason })
}

/** For people. */
export function presentScope(scope: readonly string[]): string {
  if (scope.length === 0) return 'no cluster'
  return `the ${scope.length === 1 ? 'cluster' : 'clusters'} ${scope.join(', ')}`
}
