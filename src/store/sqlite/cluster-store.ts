import { and, asc, eq, ne, or, sql } from 'drizzle-orm'
import { clusterSnapshot } from '../../core/audit/snapshots.ts'
import type { Cluster } from '../../core/clusters/cluster.ts'
import type { ClusterStore } from '../../core/clusters/cluster-store.ts'
import { DomainError } from '../../core/errors.ts'
import { clusterAdministratorRole } from '../../core/roles/role.ts'
import type { Acknowledgements } from './acknowledgements.ts'
import { clusterColumns } from './cluster-rows.ts'
import { startResync } from './cursor-rows.ts'
import type { OnceRows } from './once-store.ts'
import type { SqliteParts } from './parts.ts'
import type { RoleRows } from './role-rows.ts'
import { clusterCursors, clusterProbes, clusters, roles as roleTable } from './schema.ts'

export function createClusterStore(
  parts: SqliteParts,
  roleRows: RoleRows,
  acknowledgements: Acknowledgements,
  once: OnceRows,
): ClusterStore {
  const { db, read, write, audit } = parts
  const directory = { changesDirectory: true }
  const all = db.select(clusterColumns).from(clusters).orderBy(asc(clusters.id)).prepare()
  const find = prepareFindCluster(parts)

  return {
    get: (name) => read(() => find.byIdOrAlias(name)),
    list: () => read(() => all.all()),
    findClash: (id, alias) => read(() => find.clash(id, alias)),

    insert: (cluster, acknowledged, roles, deed) =>
      write(() => {
        const { id, alias, registeredAt } = cluster
        const clash = find.clash(id, alias)
        if (clash !== undefined) throw new DomainError('cluster_exists', { id, foundId: clash.id })
        insertClusterRows(parts, { acknowledgements, roleRows }, cluster, acknowledged)
        const made = roles.filter((role) => roleRows.key(role.name) === undefined)
        for (const role of made) roleRows.insert(role, registeredAt)
        const details = { rolesCreated: [clusterAdministratorRole(cluster), ...made].map(({ name }) => name) }
        audit.append(
          { action: 'cluster.registered', target: targetOf(id), after: clusterSnapshot(cluster), details },
          deed,
        )
        once.keep(deed.once, cluster, registeredAt)
      }, directory),

    update: (id, { alias, urls }, deed) =>
      write(() => {
        const { at } = deed
        const cluster = find.byId(id)
        if (cluster === undefined) throw new DomainError('cluster_not_found', { name: id })
        deed.precondition?.(cluster)
        const owner = typeof alias === 'string' ? find.nameOwner(alias, id) : undefined
        if (typeof alias === 'string' && owner !== undefined) {
          throw new DomainError('alias_taken', { alias, clusterId: owner.id })
        }
        db.update(clusters)
          .set({ updatedAt: at, ...(alias !== undefined && { alias }), ...(urls !== undefined && { urls }) })
          .where(eq(clusters.id, id))
          .run()
        startResync(parts, id, at)
        const [before, after] = [clusterSnapshot(cluster), clusterSnapshot(find.byId(id) ?? cluster)]
        audit.append({ action: 'cluster.changed', target: targetOf(id), before, after }, deed)
      }, directory),

    delete: (name, deed) =>
      write((): Cluster => {
        const cluster = find.byIdOrAlias(name)
        if (cluster === undefined) throw new DomainError('cluster_not_found', { name })
        deed.precondition?.(cluster)
        db.delete(clusters).where(eq(clusters.id, cluster.id)).run()
        const ownRole = roleRows.key(clusterAdministratorRole(cluster).name)
        if (ownRole !== undefined) {
          db.update(roleTable).set({ deletedAt: deed.at, updatedAt: deed.at }).where(eq(roleTable.key, ownRole)).run()
        }
        const before = clusterSnapshot(cluster)
        audit.append({ action: 'cluster.deregistered', target: targetOf(cluster.id), before }, deed)
        return cluster
      }, directory),
  }
}

const targetOf = (id: string) => ({ kind: 'cluster', name: id }) as const

/** The cluster, its cursor at `acknowledged`, its place among the probes, its own role; runs inside the caller's transaction. */
export function insertClusterRows(
  { db }: SqliteParts,
  { acknowledgements, roleRows }: { readonly acknowledgements: Acknowledgements; readonly roleRows: RoleRows },
  cluster: Cluster,
  acknowledged: number,
): void {
  const { id, registeredAt } = cluster
  db.insert(clusters)
    .values({ ...cluster, updatedAt: registeredAt })
    .run()
  db.insert(clusterCursors)
    .values({
      clusterId: id,
      acknowledged,
      resyncUntil: 0,
      attempts: 0,
      nextAttemptAt: registeredAt,
      canaryWanted: false,
    })
    .run()
  acknowledgements.keep(id, acknowledged, registeredAt)
  db.insert(clusterProbes).values({ clusterId: id }).run()
  roleRows.insert(clusterAdministratorRole(cluster), registeredAt)
}

export function prepareFindCluster({ db }: SqliteParts) {
  const name = sql.placeholder('name')
  const byId = db.select(clusterColumns).from(clusters).where(eq(clusters.id, name)).prepare()
  const byAlias = db.select(clusterColumns).from(clusters).where(eq(clusters.alias, name)).prepare()
  const owner = db
    .select(clusterColumns)
    .from(clusters)
    .where(and(or(eq(clusters.id, name), eq(clusters.alias, name)), ne(clusters.id, sql.placeholder('exceptId'))))
    .limit(1)
    .prepare()

  const byIdOrAlias = (wanted: string): Cluster | undefined =>
    byId.get({ name: wanted }) ?? byAlias.get({ name: wanted })
  return {
    byId: (id: string): Cluster | undefined => byId.get({ name: id }),
    byIdOrAlias,
    /** Who, but for `exceptId`, is known by this name. */
    nameOwner: (wanted: string, exceptId: string): Cluster | undefined => owner.get({ name: wanted, exceptId }),
    clash: (id: string, alias: string | null): Cluster | undefined =>
      byIdOrAlias(id) ?? (alias === null ? undefined : byIdOrAlias(alias)),
  }
}
