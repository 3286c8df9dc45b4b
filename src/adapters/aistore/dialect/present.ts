/** Users, roles and clusters as AIStore's clients read them (contract 1.3 to 1.5). */
import type { Cluster } from '../../../core/clusters/cluster.ts'
import type { Role } from '../../../core/roles/role.ts'
import type { User } from '../../../core/users/user.ts'
import { bucketAcls, type ClusterAcl, clusterAcls, shownList } from '../acl.ts'

/** `aliases` = id to alias of the registered clusters; where given, an entry shows its cluster's alias of today. */
export function presentRole(role: Role, aliases?: ReadonlyMap<string, string | null>) {
  const clusters = clusterAcls(role).map((acl) => (aliases ? withAlias(acl, aliases) : acl))
  return {
    name: role.name,
    desc: role.description,
    clusters: shownList(clusters, role, 'clusters'),
    buckets: shownList(bucketAcls(role), role, 'buckets'),
    admin: role.isAdministrator,
  }
}

function withAlias(acl: ClusterAcl, aliases: ReadonlyMap<string, string | null>): ClusterAcl {
  const alias = aliases.get(acl.id)
  if (alias === undefined) return acl
  const { id, urls, perm } = acl
  return { id, ...(alias ? { alias } : {}), ...(urls ? { urls } : {}), ...(perm === undefined ? {} : { perm }) }
}

export function presentUser(user: User) {
  return { id: user.name, roles: user.roles.map((role) => presentRole(role)) }
}

/** `isWhole` = with what only people who are logged in may see. */
export function presentCluster(cluster: Cluster, isWhole: boolean): ClusterAcl {
  const { id, alias, urls, annotations } = cluster
  const named = { id, ...(alias ? { alias } : {}) }
  if (!isWhole) return named
  const { perm } = annotations as { perm?: string }
  return { ...named, ...(urls.length > 0 ? { urls } : {}), ...(perm ? { perm } : {}) }
}
