import { DomainError } from '../errors.ts'
import type { Principal } from './principal.ts'

/** What may be done at Gatehouse itself. What may be done on a cluster is a matter of roles and their grants (roles/). */
export const permissions = [
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
  'users:write',
  'roles:read',
  'roles:write',
] as const

export type Permission = (typeof permissions)[number]

const all: ReadonlySet<Permission> = new Set(permissions)
const none: ReadonlySet<Permission> = new Set()

/** What the principal may do, by what the store says now: an administrator everything, others nothing. */
export function permissionsOf(principal: Pick<Principal, 'isAdministrator'>): ReadonlySet<Permission> {
  return principal.isAdministrator ? all : none
}

/** @throws DomainError permission_denied, which names the permission */
export function requirePermission(principal: Principal, permission: Permission): void {
  if (permissionsOf(principal).has(permission)) return
  const { subject, expiresAt } = principal
  throw new DomainError('permission_denied', { needs: 'administrator', permission, subject, expiresAt })
}
