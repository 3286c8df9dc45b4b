/** What an AIStore cluster makes of the entries of a token or a role (contract 1.8), place by place, and how two differ. */
import type { ScopeChange } from '../../core/access/grant-rules.ts'
import type { Grant, Role } from '../../core/roles/role.ts'
import { type BucketAcl, type ClusterAcl, mergeRoles } from './acl.ts'
import { presentBucket } from './buckets.ts'

const allBits = 2n ** 64n - 1n
/** What a bucket's entry decides (bits 0 to 11); the others are the cluster's. */
const bucketBits = 2n ** 12n - 1n

/** Bits by place. Clusters are ids, '' is every cluster; buckets are told apart as a cluster does, without a namespace. */
export interface Entries {
  readonly clusters: ReadonlyMap<string, bigint>
  readonly buckets: ReadonlyMap<string, BucketEntry>
}

interface BucketEntry {
  readonly clusterId: string
  readonly shown: string
  readonly bits: bigint
}

export const everything: Entries = { clusters: new Map([['', allBits]]), buckets: new Map() }

export function entriesOfToken(acls: {
  readonly clusters: readonly ClusterAcl[]
  readonly buckets: readonly BucketAcl[]
}) {
  const buckets = new Map<string, BucketEntry>()
  for (const { bck, perm } of acls.buckets) {
    const { uuid, name: namespace } = bck.namespace
    const key = JSON.stringify([uuid, bck.provider, bck.name])
    // The first one counts.
    if (buckets.has(key)) continue
    buckets.set(key, { clusterId: uuid, shown: presentBucket({ ...bck, namespace }), bits: BigInt(perm) })
  }
  return { clusters: new Map(acls.clusters.map(({ id, perm = '0' }) => [id, BigInt(perm)])), buckets }
}

function entriesOfGrants(grants: readonly Grant[]): Entries {
  const role: Role = {
    key: 0,
    name: '',
    description: '',
    annotations: {},
    isAdministrator: false,
    isBuiltIn: false,
    authority: null,
    grants,
  }
  return entriesOfToken(mergeRoles([role], []))
}

/** A cluster's own entry, else that for every cluster. */
function onCluster({ clusters }: Entries, clusterId: string): bigint {
  return clusters.get(clusterId) ?? clusters.get('') ?? 0n
}

export function compareEntries(before: Entries, after: Entries): ScopeChange[] {
  const changes: ScopeChange[] = []
  const add = (clusterId: string, resource: string | null, from: bigint, to: bigint) => {
    if (from === to) return
    changes.push({ clusterId, resource, gained: (to & ~from).toString(), lost: (from & ~to).toString() })
  }
  for (const clusterId of new Set(['', ...before.clusters.keys(), ...after.clusters.keys()])) {
    add(clusterId, null, onCluster(before, clusterId), onCluster(after, clusterId))
  }
  for (const key of new Set([...before.buckets.keys(), ...after.buckets.keys()])) {
    const { clusterId, shown } = (before.buckets.get(key) ?? after.buckets.get(key)) as BucketEntry
    const bits = (entries: Entries) => (entries.buckets.get(key)?.bits ?? onCluster(entries, clusterId)) & bucketBits
    add(clusterId, shown, bits(before), bits(after))
  }
  return changes
}

/**
 * Whether a role, by itself, allows less somewhere: a cluster's own entry counts instead of that for every cluster, and a
 * bucket's entry alone decides on the bucket. Clusters are told apart by what the grants call them. Goes through each side
 * once, since a role may have ten thousand entries.
 */
export function allowsLess(before: readonly Grant[], after: readonly Grant[]): boolean {
  return compareEntries(entriesOfGrants(before), entriesOfGrants(after)).some(({ lost }) => lost !== '0')
}
