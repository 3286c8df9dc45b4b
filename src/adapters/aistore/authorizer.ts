/**
 * How an AIStore cluster decides what a token may do (contract section 1.8): an administrator may do everything; what
 * concerns the cluster needs its own entry, else that for every cluster; what concerns a bucket is decided by the bucket's
 * entry alone where there is one. The first entry that matches counts.
 */
import type { AccessEntry, Authorizer, Decision, Question } from '../../core/access/authorizer.ts'
import { DomainError } from '../../core/errors.ts'
import type { JsonObject } from '../../core/json.ts'
import { aistoreTokenProfile, type BucketAcl, type ClusterAcl, traceRoles } from './acl.ts'
import { bucketOfResource, parseBucket, presentBucket } from './buckets.ts'
import { aistoreGrantWords } from './grant-words.ts'

/** From here on bits concern the cluster. */
const firstClusterBit = 12

/** The place in the list is the bit. */
const bitNames: readonly string[] = aistoreGrantWords.words.map(({ name }) => name)

export const aistoreAuthorizer: Authorizer = {
  actions: bitNames,
  parseAction(text) {
    const name = text.toUpperCase()
    if (bitOf(name) >= 0) return name
    const parsed = aistoreGrantWords.parse([text])
    const rule = 'problems' in parsed ? parsed.problems[0]?.detail : 'stands for several: ask for one of them'
    const value = text.slice(0, 64)
    throw new DomainError('field_invalid', {
      field: 'permission',
      what: 'permission',
      value,
      rule: rule ?? 'is unknown',
    })
  },
  parseResource(text) {
    const { provider, name, namespace } = parseBucket(text)
    return JSON.stringify([provider, name, namespace])
  },
  presentResource: (resource) => presentBucket(bucketOfResource(resource)),
  isAboutCluster: (action) => bitOf(action) >= firstClusterBit,
  remarkOn: (action) =>
    action === 'PROMOTE' ? 'Clusters of AIStore 4.8 and 4.9 refuse PROMOTE to all but administrators.' : null,
  decide: (claims, question) => decide(readClaims(claims), question).decision,
  decideForUser(user, clusters, question) {
    const { claims } = aistoreTokenProfile.present(user, clusters)
    const { decision, places } = decide(readClaims(claims), question)
    const traced = traceRoles(user.roles, clusters)
    const [entry, ...shadowed] = places.map(({ entry, list, index }) => ({
      ...entry,
      sources: traced[list][index]?.sources ?? [],
    }))
    return { ...decision, entry: entry ?? null, shadowed }
  },
  allows: (user, clusters, question) =>
    decide(readClaims(aistoreTokenProfile.present(user, clusters).claims), question).decision.isAllowed,
  audienceOf: (user, clusters) => aistoreTokenProfile.present(user, clusters).audience,
}

function bitOf(action: string): number {
  return bitNames.indexOf(action)
}

interface Claims {
  readonly isAdministrator: boolean
  readonly clusters: readonly Partial<ClusterAcl>[]
  readonly buckets: readonly { readonly bck?: Partial<BucketAcl['bck']>; readonly perm?: string }[]
}

/** Of a token in hand nothing is certain but that it is JSON. */
function readClaims({ admin, clusters, buckets }: JsonObject): Claims {
  const list = (value: unknown) => (Array.isArray(value) ? value.map((entry) => entry ?? {}) : [])
  return { isAdministrator: admin === true, clusters: list(clusters), buckets: list(buckets) }
}

/** An entry that speaks of what is asked, and where in the claims it stands. */
interface Place {
  readonly entry: AccessEntry
  readonly list: 'clusters' | 'buckets'
  readonly index: number
}

function decide(
  claims: Claims,
  question: Question,
): { readonly decision: Decision; readonly places: readonly Place[] } {
  if (claims.isAdministrator) {
    return { decision: { isAllowed: true, by: 'administrator', entry: null, shadowed: [] }, places: [] }
  }
  const bit = bitOf(question.action)
  const places = [...(bit < firstClusterBit ? findBuckets(claims, question) : []), ...findClusters(claims, question)]
  const [entry, ...shadowed] = places.map((place) => place.entry)
  if (entry === undefined) {
    return { decision: { isAllowed: false, by: 'no_entry', entry: null, shadowed: [] }, places }
  }
  return { decision: { isAllowed: entry.isGiving, by: 'entry', entry, shadowed }, places }
}

/** By provider, name and cluster; the namespace is not looked at. */
function findBuckets({ buckets }: Claims, { clusterId, resource, action }: Question): Place[] {
  if (resource === null) return []
  const wanted = bucketOfResource(resource)
  return buckets.flatMap(({ bck, perm }, index) => {
    const { name = '', provider = '', namespace } = bck ?? {}
    if (namespace?.uuid !== clusterId || name !== wanted.name || provider !== wanted.provider) return []
    const shown = presentBucket({ provider, name, namespace: namespace.name ?? '' })
    return [{ entry: toEntry('resource', shown, perm, action), list: 'buckets', index }]
  })
}

function findClusters({ clusters }: Claims, { clusterId, action }: Question): Place[] {
  const places = (scope: 'cluster' | 'every_cluster', id: string) =>
    clusters.flatMap((acl, index): Place[] =>
      (acl.id ?? '') === id ? [{ entry: toEntry(scope, null, acl.perm, action), list: 'clusters', index }] : [],
    )
  return [...places('cluster', clusterId), ...places('every_cluster', '')]
}

function toEntry(scope: AccessEntry['scope'], resource: string | null, perm: unknown, action: string): AccessEntry {
  const permissions = typeof perm === 'string' && /^\d{1,20}$/.test(perm) ? perm : '0'
  const isGiving = ((BigInt(permissions) >> BigInt(bitOf(action))) & 1n) === 1n
  return { scope, resource, permissions, isGiving, sources: [] }
}
