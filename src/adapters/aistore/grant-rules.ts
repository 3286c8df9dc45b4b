/**
 * Grants of roles as an AIStore cluster counts them (contract sections 1.8 and 2.3): what is written differently and means
 * the same is one, and two sets of roles are compared by what a cluster would answer to their tokens.
 */
import type { GrantRules } from '../../core/access/grant-rules.ts'
import type { Grant, Role } from '../../core/roles/role.ts'
import { canonicalProvider, mergeRoles } from './acl.ts'
import { type BucketName, bucketOfResource, parseBucket, presentBucket } from './buckets.ts'
import { allowsLess, compareEntries, entriesOfToken, everything } from './entries.ts'
import { aistoreGrantWords } from './grant-words.ts'

export const aistoreGrantRules: GrantRules = {
  words: aistoreGrantWords,
  parseResource: (text) => resourceOf(parseBucket(text)),
  presentResource: (resource) => presentBucket(bucketOfResource(resource)),
  normalize,
  allowsLess,
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
