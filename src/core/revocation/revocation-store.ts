import type { TokenRow } from '../tokens/token-store.ts'
import type { Change } from './change.ts'

export interface NewRevocation {
  /** The token as a row; stored if the table doesn't know it (issued by a server that we replaced). */
  readonly token: TokenRow
  /** Who revoked it: a user's name, or the token's own subject. */
  readonly actor: string
  readonly reason: string
  readonly at: Date
}

export interface RevocationStore {
  /**
   * Marks the token revoked and appends the change, in one durable transaction. For a token that is revoked already,
   * nothing changes and the sequence of the first revocation is answered.
   */
  record(revocation: NewRevocation): Promise<{ readonly sequence: number; readonly isNew: boolean }>
  /** Up to `limit` changes after `sequence` whose tokens live at `now`, in order. */
  after(sequence: number, options: { readonly limit: number; readonly now: Date }): Promise<readonly Change[]>
  /** The highest sequence in the log, 0 if there never was one. */
  lastSequence(): Promise<number>
}
