/** No tokens for a user, or through a role, until a time. Ends by itself. */
export interface Lock {
  readonly id: number
  readonly target: { readonly kind: 'user' | 'role'; readonly name: string }
  readonly until: Date
  readonly actor: string
  readonly reason: string
  readonly createdAt: Date
  /** Set where somebody ended it early. */
  readonly liftedAt: Date | null
}
