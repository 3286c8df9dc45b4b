import type { Grant, RoleContent } from './role.ts'

type Granting = Pick<RoleContent, 'grants'>

/**
 * Whether a role that changes from `before` to `after` may allow less, by exact comparison: a grant is gone, has other
 * permissions, or no longer counts because a new one that says it more closely stands before it. What permissions mean,
 * only a kind's adapter knows.
 */
export function isNarrowerByGrants(before: Granting, after: Granting): boolean {
  const [had, has] = [keysOf(before), keysOf(after)]
  if (before.grants.some((grant) => !has.has(keyOf(grant)))) return true
  const asWhole = new Set(before.grants.flatMap(({ clusterId, resource }) => (resource === null ? [clusterId] : [])))
  return after.grants.some((grant) => !had.has(keyOf(grant)) && isWithin(grant, asWhole))
}

function keysOf({ grants }: Granting): ReadonlySet<string> {
  return new Set(grants.map(keyOf))
}

function keyOf({ clusterId, resource, permissions }: Grant): string {
  return JSON.stringify([clusterId, resource, permissions])
}

/**
 * A cluster's own grant counts instead of that for every cluster, one for what is inside instead of the cluster's.
 * @param asWhole the clusters that are granted as a whole; the empty id = every cluster
 */
function isWithin({ clusterId, resource }: Grant, asWhole: ReadonlySet<string>): boolean {
  return (asWhole.has('') && clusterId !== '') || (resource !== null && asWhole.has(clusterId))
}
