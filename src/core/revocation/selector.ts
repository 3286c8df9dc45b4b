/** Which live tokens an operator means. Names are those that people use; ids are resolved by the store. */
export type Selector =
  | { readonly by: 'jti'; readonly jti: string }
  | { readonly by: 'user'; readonly name: string }
  /** All tokens into which the role's grants went. */
  | { readonly by: 'role'; readonly name: string }
  /** All tokens that the cluster would take: those made for it, and those made for every cluster. By id or alias. */
  | { readonly by: 'cluster'; readonly name: string }
  | { readonly by: 'key'; readonly kid: string }
  /** Tokens carry whole seconds, so one that was issued in the second of `at` counts as issued when that began. */
  | { readonly by: 'issued_before'; readonly at: Date }
  | { readonly by: 'session'; readonly session: string }

/** What took tokens with it, since they say what is no longer true. `name` is the user's or the role's. */
export interface Consequence {
  readonly by: 'consequence'
  readonly of:
    | 'user.deleted'
    | 'user.disabled'
    | 'user.password_changed'
    | 'user.roles_changed'
    | 'user.locked'
    | 'role.narrowed'
    | 'role.deleted'
    | 'role.locked'
  readonly name: string
}

/** The token itself was shown. */
export interface ByText {
  readonly by: 'text'
}

/** One act of revoking: one transaction, one row, and one change for each token that clusters must hear of. */
export interface RevocationAct {
  /** Grows; how people name it. */
  readonly id: number
  readonly selector: Selector | ByText | Consequence
  readonly actor: string
  readonly reason: string
  readonly at: Date
  /** How many tokens it revoked: those that lived at `at` and were not revoked before. */
  readonly tokens: number
  /** The last change that it appended to the log; a cluster that has acknowledged it has them all. 0 = none. */
  readonly lastSequence: number
  /** When the last of its tokens ends: from then on it matters to nobody. `at` where there was no token. */
  readonly expiresAt: Date
}

/** What an act of the store that took tokens with it says of them. */
export type Revoked = Pick<RevocationAct, 'tokens' | 'lastSequence'>

export const nothingRevoked: Revoked = { tokens: 0, lastSequence: 0 }
