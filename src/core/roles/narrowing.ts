import type { RoleContent } from './role.ts'

/**
 * Whether a role that changes from `before` to `after` may allow less, by exact comparison: a grant is gone, or has other
 * permissions. What permissions mean, and whether a grant more can take something away, only a kind's adapter knows.
 */
export function isNarrowerByGrants(before: Pick<RoleContent, 'grants'>, after: Pick<RoleContent, 'grants'>): boolean {
  return before.grants.some(
    ({ clusterId, resource, permissions }) =>
      !after.grants.some(
        (grant) => grant.clusterId === clusterId && grant.resource === resource && grant.permissions === permissions,
      ),
  )
}
