/**
 * Grants of roles as an AIStore cluster counts them (contract sections 1.8 and 2.3): what is written differently and means
 * the same is one, and two sets of roles are compared by what a cluster would answer to their tokens.
 */
import type { GrantRules, ScopeChange } from '../../core/access/grant-rules.ts'
import type { Grant, Role } from '../../core/roles/role.ts'
import { type BucketAcl, type ClusterAcl, canonicalProvider, mergeRoles } from './acl.ts'
import { type BucketName, bucketOfResource, parseBucket, presentBucket } from './buckets.ts'
import { aistoreGrantWords } from './grant-words.ts'

const allBits = 2n ** 64n - 1n
/** What a bucket's entry decides (bits 0 to 11); the others are the cluster's. */
const bucketBits = 2n ** 12n - 1n

export const aistoreGrantRules: GrantRules = {
  words: aistoreGrantWords,
  parseResource: (text) => resourceOf(parseBucket(text)),
  presentResource: (resource) => presentBucket(bucketOfResource(resource)),
  normalize,
  allowsLess: (before, after) =>
    compareEntries(entriesOfGrants(before), entriesOfGrants(after)).some(({ lost }) => lost !== '0'),
  compare(before, after, clusters) {
    const isAdministrator = (roles: readonly Role[]) => roles.some((role) => role.isAdministrator)
    const entries = (roles: readonly Role[]) =>
      isAdministrator(roles) ? everything : entriesOfToken(mergeRoles(roles, clusters))
    return compareEntries(entries(before), entries(after))
  },
}

function resourceOf({ provider, name, namespace }: BucketName): string {
  return JSON.stringify([provider, name, namespace])
}

function normalize(grants: readonly Grant[], resolve: (name: string) => string): readonly Grant[] {
  const merged = new Map<string, Grant>()
  for (const grant of grants) {
    const clusterId = resolve(grant.clusterId)
    const resource = grant.resource === null ? null : canonicalResource(grant.resource)
    const key = JSON.stringify([clusterId, resource])
    const known = merged.get(key)
    const bits = BigInt(known?.permissions ?? '0') | BigInt(grant.permissions)
    merged.set(key, { clusterId, resource, permissions: bits.toString(), annotations: known?.annotations ?? {} })
  }
  return [...merged.values()]
}

function canonicalResource(resource: string): string {
  const { provider, name, namespace } = bucketOfResource(resource)
  return resourceOf({ provider: canonicalProvider(provider), name, namespace })
}

/** Bits by place. Clusters are ids, '' is every cluster; buckets are told apart as a cluster does, without a namespace. */
interface Entries {
  readonly clusters: ReadonlyMap<string, bigint>
  readonly buckets: ReadonlyMap<string, BucketEntry>
}

interface BucketEntry {
  readonly clusterId: string
  readonly shown: string
  readonly bits: bigint
}

const everything: Entries = { clusters: new Map([['', allBits]]), buckets: new Map() }

function entriesOfToken(acls: { readonly clusters: readonly ClusterAcl[]; readonly buckets: readonly BucketAcl[] }) {
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

function compareEntries(before: Entries, after: Entries): ScopeChange[] {
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
