/** Whom or what a lock stops. */
export interface LockTarget {
  readonly kind: 'user' | 'role'
  readonly name: string
}

/** No tokens for a user, or through a role, until a time. Ends by itself. */
export interface Lock {
  readonly id: number
  readonly target: LockTarget
  readonly until: Date
  readonly actor: string
  readonly reason: string
  readonly createdAt: Date
  /** Set where somebody ended it early. */
  readonly liftedAt: Date | null
  readonly liftedBy: string | null
  /** The act that revoked the live tokens concerned. */
  readonly actId: number
}
