/**
 * Roles: named sets of grants on clusters and on what is inside them.
 *
 * A grant speaks in its cluster kind's own words (AIStore: permission bits, buckets); adapters know what they mean.
 */
import type { JsonObject } from '../json.ts'

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
}

export interface NewRole extends RoleContent {
  readonly name: string
}

/** The one role that every store holds from its first migration on. */
export const administratorRoleName = 'Admin'
