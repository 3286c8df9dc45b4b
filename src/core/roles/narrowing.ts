import type { Grant, RoleContent } from './role.ts'

type Granting = Pick<RoleContent, 'grants'>

/**
 * Whether a role that changes from `before` to `after` may allow less, by exact comparison: a grant is gone, has other
 * permissions, or no longer counts because a new one that says it more closely stands before it. What permissions mean,
 * only a kind's adapter knows.
 */
export function isNarrowerByGrants(before: Granting, after: Granting): boolean {
  if (before.grants.some((grant) => !holds(after, grant))) return true
  return after.grants.some((grant) => !holds(before, grant) && before.grants.some((wider) => isWithin(grant, wider)))
}

function holds({ grants }: Granting, { clusterId, resource, permissions }: Grant): boolean {
  return grants.some(
    (grant) => grant.clusterId === clusterId && grant.resource === resource && grant.permissions === permissions,
  )
}

/** A cluster's own grant counts instead of that for every cluster, one for what is inside instead of the cluster's. */
function isWithin(grant: Grant, wider: Grant): boolean {
  if (wider.resource !== null) return false
  const isWiderInCluster = wider.clusterId === '' && grant.clusterId !== ''
  const isWiderInside = grant.resource !== null && wider.clusterId === grant.clusterId
  return isWiderInCluster || isWiderInside
}
