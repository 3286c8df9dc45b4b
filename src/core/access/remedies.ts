import type { Cluster } from '../clusters/cluster.ts'
import type { Role } from '../roles/role.ts'
import type { User } from '../users/user.ts'
import type { Authorizer, Question } from './authorizer.ts'

/** What would have to be so for the answer to be yes. */
export interface Remedies {
  /** Roles there are that would give it, those that give least first; at most `mostShown`. */
  readonly roles: readonly string[]
  /** How many there are. */
  readonly count: number
}

const mostShown = 10

/**
 * Each role is tried beside those that the user has: one whose entry would be shadowed by another doesn't help. Locked
 * roles are left out by the caller. What gives nothing by itself gives nothing beside others, and most roles don't.
 */
export function findRemedies(
  user: User,
  candidates: readonly Role[],
  cluster: Cluster,
  question: Question,
  authorizer: Authorizer,
): Remedies {
  const held = new Set(user.roles.map(({ key }) => key))
  const called = new Set(['', cluster.id, ...(cluster.alias === null ? [] : [cluster.alias])])
  const gives = (roles: readonly Role[]) => authorizer.allows({ ...user, roles }, [cluster], question)
  const helping = candidates.filter(
    (role) =>
      !held.has(role.key) &&
      (role.isAdministrator || role.grants.some(({ clusterId }) => called.has(clusterId))) &&
      gives([role]) &&
      gives([...user.roles, role]),
  )
  const sorted = helping.sort((a, b) => breadthOf(a) - breadthOf(b) || (a.name < b.name ? -1 : 1))
  return { roles: sorted.slice(0, mostShown).map(({ name }) => name), count: sorted.length }
}

/** How much a role gives, roughly: what is inside a cluster, a cluster, every cluster, everything. */
function breadthOf({ isAdministrator, grants }: Role): number {
  if (isAdministrator) return Number.POSITIVE_INFINITY
  const sizes = grants.map(({ clusterId, resource }) => (clusterId === '' ? 10_000 : resource === null ? 100 : 1))
  return sizes.reduce((sum, size) => sum + size, 0)
}
