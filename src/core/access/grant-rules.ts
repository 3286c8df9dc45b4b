import type { Cluster } from '../clusters/cluster.ts'
import type { GrantWords } from '../roles/grant-words.ts'
import type { Grant, Role } from '../roles/role.ts'

/** What somebody may do more, or less, in one place. */
export interface ScopeChange {
  /** Empty = every cluster without a grant of its own. */
  readonly clusterId: string
  /** For people, in the kind's notation; null = the cluster as a whole. */
  readonly resource: string | null
  /** In the kind's encoding. */
  readonly gained: string
  readonly lost: string
}

/** What one kind of cluster makes of grants: how they are written, compared, and put together. Everything is pure. */
export interface GrantRules {
  readonly words: Pick<GrantWords, 'present' | 'parse'>
  /** From what people write to what a grant holds. @throws DomainError field_invalid (bucket) */
  parseResource(text: string): string
  /** Nothing is lost: what is parsed from it means the same. */
  presentResource(resource: string): string
  /**
   * Grants of one role as they count: clusters by the ids that `resolve` gives their names, resources by their one
   * spelling, those that are then equal made one, in the order of the first. What is equal by this means the same.
   */
  normalize(grants: readonly Grant[], resolve: (name: string) => string): readonly Grant[]
  /** Whether a role, by itself, allows less somewhere. Both are normalized. */
  allowsLess(before: readonly Grant[], after: readonly Grant[]): boolean
  /** What changes for somebody who had some roles and then has others. Nothing where nothing changes. */
  compare(before: readonly Role[], after: readonly Role[], clusters: readonly Cluster[]): readonly ScopeChange[]
}
