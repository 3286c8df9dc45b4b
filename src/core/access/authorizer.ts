/**
 * Access: who may do what on which cluster, why, and what a change would make of it.
 *
 * This folder owns explaining, comparing, and configuration as code. It doesn't own users, roles and clusters themselves,
 * nor what a kind of cluster makes of a token: that is an Authorizer, of the kind's adapter.
 */
import type { Cluster } from '../clusters/cluster.ts'
import type { JsonObject } from '../json.ts'
import type { Grant, Role } from '../roles/role.ts'
import type { User } from '../users/user.ts'

/** May it be done there? */
export interface Question {
  readonly clusterId: string
  /** As `parseAction` answers it. */
  readonly action: string
  /** What inside the cluster, as `parseResource` answers it; null = the cluster as a whole, or any without an entry. */
  readonly resource: string | null
}

/** An entry of a token that speaks of what is asked. */
export interface AccessEntry {
  readonly scope: 'resource' | 'cluster' | 'every_cluster'
  /** For people, in the kind's own notation; null = the cluster as a whole. */
  readonly resource: string | null
  readonly permissions: string
  /** It has what is asked. */
  readonly isGiving: boolean
  /** The grants that went into it; none are known of a token in hand. */
  readonly sources: readonly { readonly role: Role; readonly grant: Grant }[]
}

/** What a cluster answers to a token that it takes, and why. */
export interface Decision {
  readonly isAllowed: boolean
  readonly by: 'administrator' | 'entry' | 'no_entry'
  /** The one that decides alone; null where there is none, or none is needed. */
  readonly entry: AccessEntry | null
  /** Those that speak of it too, and don't count since `entry` comes before them. */
  readonly shadowed: readonly AccessEntry[]
}

/** How one kind of cluster decides. Everything is pure. */
export interface Authorizer {
  /** Everything that can be asked, in the kind's own words. */
  readonly actions: readonly string[]
  /** @throws DomainError field_invalid (permission) */
  parseAction(text: string): string
  /** @throws DomainError field_invalid (bucket) */
  parseResource(text: string): string
  /** For people, in the kind's own notation. */
  presentResource(resource: string): string
  /** Whether the action concerns the cluster as a whole, so that entries for what is inside don't count. */
  isAboutCluster(action: string): boolean
  /** What else is to be known of the action: where versions of the kind differ. */
  remarkOn(action: string): string | null
  /** What a token with these claims may do. */
  decide(claims: JsonObject, question: Question): Decision
  /** What a token that the user got now may do; its entries know the roles that they come from. */
  decideForUser(user: User, clusters: readonly Cluster[], question: Question): Decision
  /** As `decideForUser` decides, without saying why. */
  allows(user: User, clusters: readonly Cluster[], question: Question): boolean
  /** The audience of a token that the user got now. */
  audienceOf(user: User, clusters: readonly Cluster[]): readonly string[]
}
