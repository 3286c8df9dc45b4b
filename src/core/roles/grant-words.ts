import type { IsNarrower } from './role-store.ts'

/** One permission of a kind of cluster, as its people call it. */
export interface PermissionWord {
  readonly name: string
  /** In the form of Grant.permissions. */
  readonly permissions: string
  readonly meaning: string
  /** Whether it counts in grants on a cluster alone, or also in those on what is inside it. */
  readonly isClusterWide: boolean
}

/** A word for several permissions. */
export type PermissionSet = Omit<PermissionWord, 'isClusterWide'>

/** Something inside a cluster, as people name it. */
export interface ResourceName {
  readonly provider: string
  readonly name: string
  readonly namespace: string
}

/** What was written can't be read. `detail` completes the sentence "<field> …". */
export interface WordProblem {
  /** Path below what was given, for instance `1` for the second name. */
  readonly field: string
  readonly detail: string
}

/**
 * How the grants of one kind of cluster (roles/role.ts) are written by people and programs. Each kind's adapter has its own;
 * what it reads it also writes.
 */
export interface GrantWords {
  readonly words: readonly PermissionWord[]
  readonly sets: readonly PermissionSet[]
  /** Names, in the order of `words`; what has no name of its own has one made up that `parse` reads. */
  present(permissions: string): readonly string[]
  /** Names of words and sets, in any case, each as often as one likes. */
  parse(names: readonly string[]): { readonly permissions: string } | { readonly problems: readonly WordProblem[] }
  /** The number of the form of Grant.permissions, where the text is one. */
  parseNumber(text: string): string | undefined
  presentResource(resource: string): ResourceName
  /** From its parts, or from one text that names it whole. */
  parseResource(
    given: string | Partial<ResourceName>,
  ): { readonly resource: string } | { readonly problems: readonly WordProblem[] }
  /** By what the permissions mean on a cluster. */
  readonly isNarrower: IsNarrower
}
