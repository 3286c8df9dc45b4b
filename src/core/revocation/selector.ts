/** Which live tokens an operator means. Names are those that people use; ids are resolved by the store. */
export type Selector =
  | { readonly by: 'jti'; readonly jti: string }
  | { readonly by: 'user'; readonly name: string }
  /** All tokens into which the role's grants went. */
  | { readonly by: 'role'; readonly name: string }
  /** All tokens that the cluster would take: those made for it, and those made for every cluster. By id or alias. */
  | { readonly by: 'cluster'; readonly name: string }
  | { readonly by: 'key'; readonly kid: string }
  | { readonly by: 'issued_before'; readonly at: Date }
  | { readonly by: 'session'; readonly session: string }

/** One act of revoking: one transaction, one row, and one change for each token that clusters must hear of. */
export interface RevocationAct {
  /** Grows; how people name it. */
  readonly id: number
  readonly selector: Selector | { readonly by: 'text' } | { readonly by: 'consequence'; readonly of: string }
  readonly actor: string
  readonly reason: string
  readonly at: Date
  readonly tokens: number
  /** The last change that it appended to the log; a cluster that has acknowledged it has them all. 0 = none. */
  readonly lastSequence: number
}
