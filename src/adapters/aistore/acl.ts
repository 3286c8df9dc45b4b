/**
 * Roles <-> AIStore's access control lists: permission bits, buckets, and what a user's token carries of them.
 *
 * Sources: contract sections 1.4 (shapes), 1.8 (bits), 2.2 (claims), 2.3 (merging).
 */
import type { Cluster } from '../../core/clusters/cluster.ts'
import type { JsonObject, JsonValue } from '../../core/json.ts'
import type { Grant, Role } from '../../core/roles/role.ts'
import type { TokenProfile } from '../../core/tokens/token-profile.ts'

/** A cluster entry of a role, a token, or the cluster list. `perm` is a 64-bit number in decimal. */
export interface ClusterAcl {
  readonly id: string
  readonly alias?: string
  readonly urls?: readonly string[]
  readonly perm?: string
}

export interface BucketAcl {
  readonly bck: {
    readonly name: string
    readonly provider: string
    readonly namespace: { readonly uuid: string; readonly name: string }
  }
  readonly perm: string
}

/** A role's list is null until somebody sent one, and `[]` if that was empty; clients are given back what was sent. */
type ListShape = 'null' | 'list'

export function grantOfClusterAcl(acl: ClusterAcl): Grant {
  const annotations: JsonObject = {
    ...(acl.alias ? { alias: acl.alias } : {}),
    ...(acl.urls?.length ? { urls: acl.urls } : {}),
  }
  return { clusterId: acl.id, resource: null, permissions: acl.perm ?? '0', annotations }
}

export function grantOfBucketAcl(acl: BucketAcl): Grant {
  const { name, provider, namespace } = acl.bck
  return {
    clusterId: namespace.uuid,
    resource: JSON.stringify([provider, name, namespace.name]),
    permissions: acl.perm,
    annotations: {},
  }
}

/** Inside a role `perm` is always there: the Python SDK can't read a list in which one is missing. */
function clusterAclOfGrant(grant: Grant): ClusterAcl {
  const { alias, urls } = grant.annotations as { alias?: string; urls?: readonly string[] }
  return { id: grant.clusterId, ...(alias ? { alias } : {}), ...(urls ? { urls } : {}), perm: grant.permissions }
}

function bucketAclOfGrant(grant: Grant & { readonly resource: string }): BucketAcl {
  const [provider = '', name = '', namespaceName = ''] = JSON.parse(grant.resource) as string[]
  return { bck: { name, provider, namespace: { uuid: grant.clusterId, name: namespaceName } }, perm: grant.permissions }
}

function isBucketGrant(grant: Grant): grant is Grant & { readonly resource: string } {
  return grant.resource !== null
}

export function clusterAcls(role: Pick<Role, 'grants'>): ClusterAcl[] {
  return role.grants.filter((grant) => !isBucketGrant(grant)).map(clusterAclOfGrant)
}

export function bucketAcls(role: Pick<Role, 'grants'>): BucketAcl[] {
  return role.grants.filter(isBucketGrant).map(bucketAclOfGrant)
}

/** What a role remembers of how its lists were sent. */
export function listShapes(clusters: readonly unknown[] | null, buckets: readonly unknown[] | null): JsonObject {
  const shape = (list: readonly unknown[] | null): ListShape => (list === null ? 'null' : 'list')
  return { clusters: shape(clusters), buckets: shape(buckets) }
}

/** A list as it is shown: null if it is empty and never was sent. */
export function shownList<T>(list: readonly T[], role: Pick<Role, 'annotations'>, which: 'clusters' | 'buckets') {
  return list.length === 0 && role.annotations[which] !== 'list' ? null : list
}

/** Nicknames that people write for providers; a cluster compares with its canonical names only. */
const canonicalProviders: Readonly<Record<string, string>> = { '': 'ais', s3: 'aws', gs: 'gcp', az: 'azure', oc: 'oci' }

export interface TokenAcls {
  readonly clusters: readonly ClusterAcl[]
  readonly buckets: readonly BucketAcl[]
}

/** An entry of a token, and which grants of which roles went into it. */
export interface Traced<T> {
  readonly entry: T
  readonly sources: readonly { readonly role: Role; readonly grant: Grant }[]
}

/** The id that stands for a cluster in a token, from what a role calls it. */
function nameResolver(clusters: readonly Pick<Cluster, 'id' | 'alias'>[]): (name: string) => string {
  const ids = new Set(clusters.map((cluster) => cluster.id))
  const idOfAlias = new Map<string, string>()
  for (const { id, alias } of clusters) if (alias !== null) idOfAlias.set(alias, id)
  return (name) => (ids.has(name) ? name : (idOfAlias.get(name) ?? name))
}

/** The name of a provider that clusters compare with. */
export function canonicalProvider(provider: string): string {
  return canonicalProviders[provider] ?? provider
}

/**
 * What the roles together allow: entries for one cluster (or one bucket) are one entry with all their bits, the first
 * one's alias and URLs staying. An alias stands for its cluster's id, in bucket entries too, and providers get the names
 * that clusters compare with; entries that become equal by that are merged as well.
 */
export function mergeRoles(roles: readonly Role[], clusters: readonly Cluster[]): TokenAcls {
  const traced = traceRoles(roles, clusters)
  return {
    clusters: traced.clusters.map(({ entry }) => entry),
    buckets: traced.buckets.map(({ entry }) => entry),
  }
}

/** As `mergeRoles`, entry for entry, with where each comes from. */
export function traceRoles(roles: readonly Role[], clusters: readonly Cluster[]) {
  const resolve = nameResolver(clusters)
  const clusterEntries: Entries<ClusterAcl> = new Map()
  const bucketEntries: Entries<BucketAcl> = new Map()
  for (const role of roles) {
    for (const grant of role.grants) {
      if (isBucketGrant(grant)) addBucket(bucketEntries, bucketAclOfGrant(grant), { role, grant }, resolve)
      else addCluster(clusterEntries, clusterAclOfGrant(grant), { role, grant }, resolve)
    }
  }
  return { clusters: [...clusterEntries.values()], buckets: [...bucketEntries.values()] }
}

type Source = Traced<unknown>['sources'][number]
type Entries<T> = Map<string, { entry: T; readonly sources: Source[] }>

function addCluster(
  entries: Entries<ClusterAcl>,
  acl: ClusterAcl,
  source: Source,
  resolve: (name: string) => string,
): void {
  const id = resolve(acl.id)
  const { entry, sources } = entries.get(id) ?? { entry: { ...acl, id, perm: '0' }, sources: [] }
  // A client maps what a role calls by alias to the id in the token through the alias beside it.
  const named = id === acl.id ? entry : { ...entry, alias: acl.id }
  sources.push(source)
  entries.set(id, { entry: { ...named, perm: union(entry.perm, acl.perm) }, sources })
}

function addBucket(
  entries: Entries<BucketAcl>,
  { bck, perm }: BucketAcl,
  source: Source,
  resolve: (name: string) => string,
): void {
  const provider = canonicalProvider(bck.provider)
  const namespace = { uuid: resolve(bck.namespace.uuid), name: bck.namespace.name }
  const key = JSON.stringify([namespace.uuid, namespace.name, provider, bck.name])
  const first: BucketAcl = { bck: { name: bck.name, provider, namespace }, perm: '0' }
  const { entry, sources } = entries.get(key) ?? { entry: first, sources: [] }
  sources.push(source)
  entries.set(key, { entry: { bck: entry.bck, perm: union(entry.perm, perm) }, sources })
}

function union(a = '0', b = '0'): string {
  return (BigInt(a) | BigInt(b)).toString()
}

/** Claims and audience of a token for AIStore clusters. */
export const aistoreTokenProfile: TokenProfile = {
  name: 'aistore',
  present(user, clusters) {
    const all = clusters.map((cluster) => cluster.id)
    if (user.roles.some((role) => role.isAdministrator)) {
      return { claims: { clusters: null, admin: true }, audience: all.sort(), reach: 'everywhere' }
    }
    const merged = mergeRoles(user.roles, clusters)
    const named = [...merged.clusters.map((acl) => acl.id), ...merged.buckets.map((acl) => acl.bck.namespace.uuid)]
    // A grant for every cluster is meant for each of them, also for those that insist on being named in `aud`.
    const audience = new Set(named.includes('') ? [...named, ...all] : named)
    audience.delete('')
    return {
      claims: {
        clusters: merged.clusters.length > 0 ? merged.clusters.map(claimOfClusterAcl) : null,
        ...(merged.buckets.length > 0 ? { buckets: merged.buckets as unknown as JsonValue } : {}),
        admin: false,
      },
      audience: [...audience].sort(),
      reach: named.includes('') ? 'everywhere' : [...audience],
    }
  },
}

/** In a token a permission of zero is left out, as AIStore's own encoder does. */
function claimOfClusterAcl({ id, alias, urls, perm }: ClusterAcl): JsonObject {
  return {
    id,
    ...(alias ? { alias } : {}),
    ...(urls?.length ? { urls } : {}),
    ...(perm !== undefined && perm !== '0' ? { perm } : {}),
  }
}
