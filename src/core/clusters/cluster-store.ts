import type { Repeatable } from '../once.ts'
import type { Conditional } from '../precondition.ts'
import type { NewRole } from '../roles/role.ts'
import type { Deed } from '../sessions/actor.ts'
import type { Cluster } from './cluster.ts'

export interface ClusterChange {
  /** Absent = as it was, null = none from now on. */
  readonly alias?: string | null
  readonly urls?: readonly string[]
}

/** Each method is one transaction. `name` is an id or an alias; an id is looked for first. */
export interface ClusterStore {
  get(name: string): Promise<Cluster | undefined>
  /** All clusters, sorted by id. */
  list(): Promise<readonly Cluster[]>
  /** The cluster, if any, that has this id or alias as its id or alias. */
  findClash(id: string, alias: string | null): Promise<Cluster | undefined>
  /**
   * Stores the cluster, its delivery cursor at `acknowledged` (the last change it holds already), the role of its
   * administrators, and those of `roles` whose names are free.
   * @throws DomainError cluster_exists, idempotency_key_busy
   */
  insert(
    cluster: Cluster,
    acknowledged: number,
    roles: readonly NewRole[],
    deed: Deed & Repeatable<Cluster>,
  ): Promise<void>
  /**
   * Changes the record and starts a resync of the revocations.
   * @throws DomainError cluster_not_found, alias_taken, and what the precondition throws
   */
  update(id: string, change: ClusterChange, deed: Deed & Conditional<Cluster>): Promise<void>
  /**
   * The role of its administrators goes with it; roles that name the cluster stay.
   * @throws DomainError cluster_not_found, and what the precondition throws
   */
  delete(name: string, deed: Deed & Conditional<Cluster>): Promise<Cluster>
}
