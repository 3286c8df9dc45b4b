import type { Deed } from '../sessions/actor.ts'
import type { TokenRow } from '../tokens/token-store.ts'
import type { Change } from './change.ts'
import type { RevocationAct, Selector } from './selector.ts'

/** An act that somebody gives a reason for. */
export interface ReasonedDeed extends Deed {
  /** For people, kept with the act. */
  readonly reason: string
}

export interface NewRevocation extends ReasonedDeed {
  /** The token as a row; stored if the table doesn't know it (issued by a server that we replaced). */
  readonly token: TokenRow
}

/** Each method is one transaction. */
export interface RevocationStore {
  /**
   * Appends the change that makes the token worthless, in one durable transaction with the act's row. For a token that is
   * revoked already, nothing changes and the first revocation is answered.
   */
  record(revocation: NewRevocation): Promise<{
    readonly sequence: number
    readonly actId: number
    readonly isNew: boolean
  }>
  /**
   * Revokes all tokens meant that live at `at` and are not revoked yet. Where there are none, the act is kept all the
   * same. The cost grows with the tokens revoked, not with those there are.
   * @throws DomainError user_not_found, role_not_found, cluster_not_found, key_not_found, token_not_found (jti, session)
   */
  revokeSelected(selector: Selector, deed: ReasonedDeed): Promise<RevocationAct>
  /** Up to `limit` changes after `sequence` whose tokens live at `now`, in order. */
  after(sequence: number, options: { readonly limit: number; readonly now: Date }): Promise<readonly Change[]>
  /** The highest sequence in the log, 0 if there never was one. */
  lastSequence(): Promise<number>
}
