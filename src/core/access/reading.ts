import type { Cluster, ClusterKind } from '../clusters/cluster.ts'
import { clusterAdministratorRole, type Role } from '../roles/role.ts'
import { checkName } from '../users/names.ts'
import {
  type AccessDocument,
  type ClusterNames,
  checkUnique,
  everyCluster,
  type Problems,
  readCluster,
  readGrants,
  type UserEntry,
} from './document.ts'
import type { GrantRules } from './grant-rules.ts'
import { nearest } from './near.ts'
import {
  type Planned,
  type PlannedClusters,
  planClusters,
  planComingRole,
  planRoles,
  type RoleChange,
  type RoleForms,
  type WantedCluster,
  type WantedRole,
  type WantedUser,
} from './plan.ts'

/** What is there when a document is read. */
export interface Present {
  readonly clusters: readonly Cluster[]
  readonly roles: readonly Role[]
}

export interface ReadOptions {
  readonly isPruned: boolean
  /** Roles that come with a new cluster where their names are free. */
  readonly rolesWith: (cluster: WantedCluster) => readonly WantedRole[]
}

/** A document's clusters and roles against what is there. */
export interface Directory {
  readonly clusters: PlannedClusters
  readonly roles: Planned<WantedRole, RoleChange>
  /** Names of the roles that there are afterwards. */
  readonly roleNames: ReadonlySet<string>
  readonly names: ClusterNames
  /** Sentences: what is allowed and may not be meant. */
  readonly warnings: readonly string[]
}

export type RulesByKind = Readonly<Record<ClusterKind, GrantRules>>

const mostWarnings = 50

/** What is wrong goes to `problems`; the answer is good where nothing was. */
export function readDirectory(
  document: AccessDocument,
  present: Present,
  { isPruned, rolesWith }: ReadOptions,
  rules: RulesByKind,
  problems: Problems,
): Directory {
  const clusters = planClusters(readClusters(document, present, problems), present.clusters, isPruned)
  const after = applyClusters(present.clusters, clusters)
  checkAliases(document, after, problems)
  const names = clusterNames(after, rules)
  const wanted = readRoles(document, present, names, problems)
  const forms: RoleForms = {
    normalize: (grants) => names.rulesOf('').normalize(grants, names.resolve),
    present: (grant) => presentGrant(grant, after, names),
  }
  const planned = planRoles(wanted, present.roles, isPruned, forms)
  const gone = new Set([...planned.delete, ...clusters.delete.map((id) => clusterAdministratorRole({ id }).name)])
  const kept = present.roles.filter(({ name }) => !gone.has(name))
  const taken = new Set([...present.roles, ...planned.insert].map(({ name }) => name))
  // With --prune a role that nobody names would be gone at the next time.
  const coming = isPruned ? [] : clusters.insert.flatMap(rolesWith).filter(({ name }) => !taken.has(name))
  const ofClusters = clusters.insert.map(clusterAdministratorRole)
  return {
    clusters,
    roles: { ...planned, items: [...planned.items, ...coming.map((role) => planComingRole(role, forms))] },
    // Also those whose entries can't be: what is wrong with them is told by itself.
    roleNames: new Set([...kept, ...(document.roles ?? []), ...coming, ...ofClusters].map(({ name }) => name)),
    names,
    warnings: warn(wanted ?? [], kept, present.clusters, after, names).slice(0, mostWarnings),
  }
}

/** What stands for each cluster, and how its grants are read. */
export function clusterNames(clusters: readonly WantedCluster[], rules: RulesByKind): ClusterNames {
  const ids = new Map(clusters.map(({ id, kind }) => [id, kind]))
  const idOfAlias = new Map(clusters.flatMap(({ id, alias }) => (alias === null ? [] : [[alias, id] as const])))
  return {
    resolve: (name) => (ids.has(name) ? name : (idOfAlias.get(name) ?? name)),
    // What isn't registered, and every cluster at once, is read as the first kind.
    rulesOf: (id) => rules[ids.get(id) ?? 'aistore'],
  }
}

/** How people read a grant: the cluster by its alias. */
function presentGrant(
  { clusterId, resource, permissions }: Role['grants'][number],
  clusters: readonly WantedCluster[],
  { rulesOf }: ClusterNames,
) {
  const rules = rulesOf(clusterId)
  const alias = clusters.find(({ id }) => id === clusterId)?.alias
  const cluster = clusterId === '' ? everyCluster : (alias ?? clusterId)
  const place = resource === null ? cluster : `${cluster} ${rules.presentResource(resource)}`
  return { place, permissions: rules.words.present(permissions) }
}

function readClusters({ clusters }: AccessDocument, present: Present, problems: Problems) {
  if (clusters === undefined) return undefined
  const known = new Map(present.clusters.map((cluster) => [cluster.id, cluster]))
  checkUnique(
    problems,
    'clusters',
    'id',
    clusters.map(({ id }) => id),
  )
  return clusters.flatMap(
    (entry, index) => readCluster(entry, `clusters.${index}`, known.get(entry.id), problems) ?? [],
  )
}

function applyClusters(present: readonly Cluster[], planned: PlannedClusters): readonly WantedCluster[] {
  const changed = new Map(planned.update.map((cluster) => [cluster.id, cluster]))
  const gone = new Set(planned.delete)
  const kept = present.filter(({ id }) => !gone.has(id)).map((cluster) => changed.get(cluster.id) ?? cluster)
  return [...kept, ...planned.insert]
}

/** An alias is nobody else's id or alias. */
function checkAliases({ clusters = [] }: AccessDocument, after: readonly WantedCluster[], problems: Problems): void {
  const owners = new Map<string, string>()
  for (const { id, alias } of after) if (alias !== null && !owners.has(alias)) owners.set(alias, id)
  const ids = new Set(after.map(({ id }) => id))
  for (const [index, { id, alias }] of clusters.entries()) {
    if (!alias) continue
    const owner = ids.has(alias) ? alias : owners.get(alias)
    if (owner !== undefined && owner !== id) {
      problems.add(`clusters.${index}.alias`, `${alias} is the id or alias of the cluster ${owner}`)
    }
  }
}

function readRoles(
  { roles }: AccessDocument,
  present: Present,
  names: ClusterNames,
  problems: Problems,
): readonly WantedRole[] | undefined {
  if (roles === undefined) return undefined
  const known = new Map(present.roles.map((role) => [role.name, role]))
  checkUnique(
    problems,
    'roles',
    'name',
    roles.map(({ name }) => name),
  )
  return roles.flatMap(({ name, description = '', grants: entries = [] }, index) => {
    const at = `roles.${index}`
    const role = known.get(name)
    if (role?.isBuiltIn) problems.add(`${at}.name`, `${name} is built in: it is always there and can't be changed`)
    if (role === undefined) checkNewName(problems, `${at}.name`, 'role name', name)
    const grants = readGrants(entries, `${at}.grants`, names, problems)
    return grants === undefined ? [] : [{ name, description, grants }]
  })
}

/** What is there already may have a name that breaks the rule, and keeps it. */
export function checkNewName(problems: Problems, at: string, what: string, name: string): void {
  if (name === '') problems.add(at, 'must not be empty')
  else problems.try(at, () => checkName(what, 'name', name))
}

/** Roles that a user gets must be there afterwards. */
export function readUser(
  { name, roles = [], isDisabled = false, password, updatePassword = false }: UserEntry,
  at: string,
  roleNames: ReadonlySet<string>,
  problems: Problems,
): WantedUser {
  for (const [index, role] of roles.entries()) {
    if (roleNames.has(role)) continue
    const near = nearest(role, roleNames)
    const meant = near.length === 0 ? '' : `; did you mean ${near.join(' or ')}?`
    problems.add(`${at}.roles.${index}`, `there is no role ${role}${meant}`)
  }
  if (updatePassword && password === undefined) problems.add(`${at}.updatePassword`, 'needs a password')
  const fixed = { name, isDisabled, hasPassword: password !== undefined, isPasswordUpdated: updatePassword }
  return { ...fixed, roleNames: [...new Set(roles)] }
}

function warn(
  wanted: readonly WantedRole[],
  kept: readonly Role[],
  before: readonly Cluster[],
  after: readonly WantedCluster[],
  names: ClusterNames,
): readonly string[] {
  const ids = new Set(after.map(({ id }) => id))
  const warnings: string[] = []
  for (const { name, grants } of wanted) {
    for (const clusterId of new Set(grants.map((grant) => grant.clusterId))) {
      if (clusterId === '' || ids.has(clusterId)) continue
      warnings.push(`The role ${name} names the cluster ${clusterId}, which is not registered.`)
    }
    if (grants.some(({ clusterId, resource }) => clusterId === '' && resource !== null)) {
      warnings.push(`The role ${name} names a bucket for every cluster, which has no effect: name the cluster.`)
    }
  }
  const named = new Set(wanted.map(({ name }) => name))
  const aliases = new Set(before.flatMap(({ alias }) => alias ?? []))
  for (const { name, grants } of kept) {
    const lost = grants.find(({ clusterId }) => aliases.has(clusterId) && !ids.has(names.resolve(clusterId)))
    if (lost === undefined || named.has(name)) continue
    warnings.push(`The role ${name} calls a cluster ${lost.clusterId}, which nothing is called any more.`)
  }
  return warnings
}
