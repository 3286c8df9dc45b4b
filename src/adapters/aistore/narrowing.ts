import type { RoleContent } from '../../core/roles/role.ts'
import type { IsNarrower } from '../../core/roles/role-store.ts'

type Grants = RoleContent['grants']

const clusterWide = ((1n << 64n) - 1n) << 12n

/**
 * Whether the role allows less on some cluster or bucket, by AIStore's rules (contract 1.8): a cluster's own entry counts
 * instead of that for every cluster, and a bucket's entry alone decides on the bucket. An id and an alias count as two
 * clusters here: a role that is only written otherwise may then be taken for narrower, never the other way round.
 */
export const isNarrower: IsNarrower = (before, after) => {
  const all = [...before.grants, ...after.grants]
  const clusters = new Set(['', ...all.map(({ clusterId }) => clusterId)])
  for (const clusterId of clusters) {
    if (loses(ofCluster(before.grants, clusterId), ofCluster(after.grants, clusterId))) return true
  }
  return all.some(({ clusterId, resource }) => {
    if (resource === null) return false
    return loses(ofBucket(before.grants, clusterId, resource), ofBucket(after.grants, clusterId, resource))
  })
}

function loses(before: bigint, after: bigint): boolean {
  return (before & ~after) !== 0n
}

/** Entries of one role for the same thing are merged in a token. */
function union(grants: Grants): bigint | undefined {
  if (grants.length === 0) return undefined
  return grants.reduce((sum, { permissions }) => sum | BigInt(permissions), 0n)
}

function ofCluster(grants: Grants, clusterId: string): bigint {
  const own = union(grants.filter((grant) => grant.resource === null && grant.clusterId === clusterId))
  return own ?? union(grants.filter((grant) => grant.resource === null && grant.clusterId === '')) ?? 0n
}

function ofBucket(grants: Grants, clusterId: string, resource: string): bigint {
  const own = union(grants.filter((grant) => grant.resource === resource && grant.clusterId === clusterId))
  return (own ?? ofCluster(grants, clusterId)) & ~clusterWide
}
