import type { Cluster } from '../clusters/cluster.ts'
import type { NewRole, RoleContent } from '../roles/role.ts'
import { wholeSecond } from '../users/user.ts'
import type { AccessChanges, UserUpdate } from './access-store.ts'
import type { PlannedClusters, RoleChange, WantedCluster } from './plan.ts'
import { breathe, type Prepared } from './state.ts'

/** A new cluster that trusts our key. */
export interface Admitted {
  readonly cluster: Cluster
  readonly acknowledged: number
  readonly roles: readonly NewRole[]
}

/** What a plan needs to be carried out. */
export interface Means {
  readonly admitted: readonly Admitted[]
  readonly hashes: ReadonlyMap<string, string>
  readonly isPruned: boolean
  readonly at: Date
  readonly narrowed: readonly string[]
  /** As they are registered. */
  readonly present: readonly Cluster[]
}

/** Whether the alias that the cluster has now belongs to another one afterwards. */
function isHandedOn({ id }: WantedCluster, present: readonly Cluster[], { insert, update }: PlannedClusters): boolean {
  const alias = present.find((cluster) => cluster.id === id)?.alias ?? null
  return alias !== null && [...insert, ...update].some((other) => other.id !== id && other.alias === alias)
}

/** What the store is to do. */
export async function toChanges(prepared: Prepared, means: Means): Promise<AccessChanges> {
  const { clusters, roles, names } = prepared.directory
  const { hashes, at } = means
  const narrowed = new Set(means.narrowed)
  await breathe()
  return {
    clusters: {
      insert: means.admitted.map((each) => (means.isPruned ? { ...each, roles: [] } : each)),
      update: clusters.update.map((cluster) => ({
        ...cluster,
        isAliasHandedOn: isHandedOn(cluster, means.present, clusters),
      })),
      delete: clusters.delete,
    },
    roles: {
      insert: roles.insert.map((role) => ({ ...role, annotations: {} })),
      update: roles.update.map((change) => ({
        name: change.role.name,
        content: contentOf(change, names.resolve),
        isNarrower: narrowed.has(change.role.name),
      })),
      delete: roles.delete,
    },
    users: {
      insert: prepared.users.insert.map(({ name, roleNames, isDisabled }) => ({
        name,
        roleNames,
        isDisabled,
        passwordHash: hashes.get(name) ?? '',
        isBuiltIn: false,
        tokensNotBefore: wholeSecond(at),
      })),
      update: prepared.users.update.map((change) => toUpdate(change, hashes)),
      delete: prepared.users.delete.map(({ name }) => name),
    },
  }
}

/** What a dialect keeps beside grants that stay is kept. */
function contentOf({ role, wanted }: RoleChange, resolve: (name: string) => string): RoleContent {
  const placeOf = (clusterId: string, resource: string | null) => JSON.stringify([clusterId, resource])
  const before = new Map(role.grants.map((grant) => [placeOf(resolve(grant.clusterId), grant.resource), grant]))
  const grants = wanted.grants.map((grant) => ({
    ...grant,
    annotations: before.get(placeOf(grant.clusterId, grant.resource))?.annotations ?? {},
  }))
  return { description: wanted.description, grants, annotations: role.annotations }
}

function toUpdate(
  { user, wanted, hasNewPassword }: Prepared['users']['update'][number],
  hashes: ReadonlyMap<string, string>,
): UserUpdate {
  const wantedRoles = new Set(wanted.roleNames)
  const isSame = user.roleNames.length === wantedRoles.size && user.roleNames.every((name) => wantedRoles.has(name))
  const passwordHash = hashes.get(user.name)
  return {
    name: user.name,
    ...(isSame ? {} : { roleNames: wanted.roleNames }),
    ...(user.isDisabled === wanted.isDisabled ? {} : { isDisabled: wanted.isDisabled }),
    ...(hasNewPassword && passwordHash !== undefined ? { passwordHash } : {}),
  }
}
