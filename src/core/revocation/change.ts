/**
 * Revocation: what makes an issued token worth nothing, here and on every cluster.
 *
 * A change is what clusters must learn. It is appended to a log in the transaction that makes it true and leaves the log
 * only when its token has expired.
 */

/** More kinds come with other systems (a disabled user, a rotated credential); log and cursors don't care. */
export type ChangeKind = 'token_revoked'

export interface Change {
  /** Position in the log: grows, has gaps, is never used again. */
  readonly sequence: number
  readonly kind: ChangeKind
  /** The whole token, since AIStore clusters match revoked tokens by their text. Never logged. */
  readonly token: string
  /** Null for what has no place in the log. */
  readonly recordedAt: Date | null
  /** From then on the change matters to nobody. */
  readonly expiresAt: Date
}
