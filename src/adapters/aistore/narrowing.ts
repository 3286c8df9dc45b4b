import type { Grant, RoleContent } from '../../core/roles/role.ts'
import type { IsNarrower } from '../../core/roles/role-store.ts'
import { canonicalProvider } from './acl.ts'

const clusterWide = ((1n << 64n) - 1n) << 12n

/**
 * Whether the role allows less on some cluster or bucket, by AIStore's rules (contract 1.8): a cluster's own entry counts
 * instead of that for every cluster, and a bucket's entry alone decides on the bucket. Goes through each side once, since a
 * role may have ten thousand entries.
 */
export const isNarrower: IsNarrower = (before, after) => {
  const [had, has] = [effectOf(before), effectOf(after)]
  for (const clusterId of new Set(['', ...had.clusters.keys(), ...has.clusters.keys()])) {
    if (loses(onCluster(had, clusterId), onCluster(has, clusterId))) return true
  }
  for (const [key, { clusterId }] of [...had.buckets, ...has.buckets]) {
    if (loses(onBucket(had, key, clusterId), onBucket(has, key, clusterId))) return true
  }
  return false
}

interface Effect {
  readonly clusters: ReadonlyMap<string, bigint>
  readonly buckets: ReadonlyMap<string, { readonly clusterId: string; readonly permissions: bigint }>
}

/** Entries of one role for the same thing are merged in a token. */
function effectOf({ grants }: Pick<RoleContent, 'grants'>): Effect {
  const clusters = new Map<string, bigint>()
  const buckets = new Map<string, { readonly clusterId: string; readonly permissions: bigint }>()
  for (const { clusterId, resource, permissions } of grants) {
    const more = BigInt(permissions)
    if (resource === null) clusters.set(clusterId, (clusters.get(clusterId) ?? 0n) | more)
    else {
      const key = bucketKey(clusterId, resource)
      buckets.set(key, { clusterId, permissions: (buckets.get(key)?.permissions ?? 0n) | more })
    }
  }
  return { clusters, buckets }
}

/** One for each bucket, under whatever name of its provider it was sent. */
function bucketKey(clusterId: string, resource: NonNullable<Grant['resource']>): string {
  const [provider = '', ...rest] = JSON.parse(resource) as string[]
  return JSON.stringify([clusterId, canonicalProvider(provider), ...rest])
}

function onCluster({ clusters }: Effect, clusterId: string): bigint {
  return clusters.get(clusterId) ?? clusters.get('') ?? 0n
}

function onBucket(effect: Effect, key: string, clusterId: string): bigint {
  return (effect.buckets.get(key)?.permissions ?? onCluster(effect, clusterId)) & ~clusterWide
}

function loses(before: bigint, after: bigint): boolean {
  return (before & ~after) !== 0n
}
