/**
 * Roles: named sets of grants on clusters and on what is inside them.
 *
 * A grant speaks in its cluster kind's own words (AIStore: permission bits, buckets); adapters know what they mean.
 */
import type { JsonObject } from '../json.ts'
import type { Authority } from '../sessions/actor.ts'

export interface Grant {
  /** Id of a cluster, or what the operator wrote for it (an alias); empty = every cluster without a grant of its own. */
  readonly clusterId: string
  /** What inside the cluster, as text that its adapter made and reads (a bucket); null = the cluster as a whole. */
  readonly resource: string | null
  /** In the kind's own words. AIStore: unsigned 64-bit number in decimal. */
  readonly permissions: string
  /** What a dialect must give back as it was sent; means nothing to anyone else. */
  readonly annotations: JsonObject
}

export interface RoleContent {
  readonly description: string
  readonly grants: readonly Grant[]
  readonly annotations: JsonObject
}

export interface Role extends RoleContent {
  /** Never used again. */
  readonly key: number
  readonly name: string
  /** Whoever holds it administers Gatehouse itself. */
  readonly isAdministrator: boolean
  /** Can be neither changed nor removed. */
  readonly isBuiltIn: boolean
  /** What its holders may do at Gatehouse itself; null = nothing. Only built-in roles have one, and those have no grants. */
  readonly authority: Authority | null
}

export interface NewRole extends RoleContent {
  readonly name: string
}

/** The one role that every store holds from its first migration on. */
export const administratorRoleName = 'Admin'

/** The built-in role that every registered cluster has. No name that is given to a role may hold a colon. */
export function clusterAdministratorRole({ id }: { readonly id: string }): NewRole & Pick<Role, 'authority'> {
  return {
    name: `gatehouse:cluster-administrator:${id}`,
    description: `Makes, changes and gives roles within the cluster ${id}`,
    grants: [],
    annotations: {},
    authority: { role: 'cluster_administrator', clusterId: id },
  }
}
