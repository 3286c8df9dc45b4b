import type { Authority, Deed } from '../sessions/actor.ts'

/** Every cluster there is or will be, or those with these ids. */
export type Reach = 'everywhere' | readonly string[]

/** A token that we signed, or that a server signed whose key we took over. */
export interface TokenRow {
  /** SHA-256 of the token's text: how a token in hand is found. */
  readonly fingerprint: Buffer
  readonly jti: string | null
  /** Groups the tokens of one login. */
  readonly session: string | null
  readonly subject: string
  /** The user it was issued to; null where only the subject's name is known. */
  readonly userKey: number | null
  /** Null under a shared secret. */
  readonly kid: string | null
  readonly audience: readonly string[]
  /** Which clusters would take it. */
  readonly reach: Reach
  /** The roles whose grants went into it; none are known of a foreign one. */
  readonly roleKeys: readonly number[]
  readonly issuedAt: Date
  readonly expiresAt: Date
  /** The token's text under the master key (keys/sealer.ts). */
  readonly sealedText: Buffer
  /** `issued` by us, or `foreign`: known only since somebody showed it. */
  readonly origin: 'issued' | 'foreign'
}

/** What the store says now about a token in hand and about the user it names. */
export interface Standing {
  readonly isRevoked: boolean
  /**
   * Whether the token has a row: `kept`; `none`; or `lost`, no row although it was issued after the backup was taken that
   * this store was restored from.
   */
  readonly record: 'kept' | 'none' | 'lost'
  /** Undefined where no user has that name, or the token was issued to an earlier user of that name. */
  readonly user:
    | {
        readonly key: number
        /** Through roles that aren't locked. */
        readonly authorities: readonly Authority[]
        readonly isDisabled: boolean
        /** Until when no token for the user is good; null where no lock holds. */
        readonly lockedUntil: Date | null
      }
    | undefined
}

export interface TokenStore {
  /**
   * Keeps a token's row. `asOf` is the last act of revocation that the token's claims and its user's credentials knew of
   * (UserCredentials.asOf): an act since then that would have met this token refuses it, so that a log-in under way while
   * a user is deleted or a role is locked doesn't slip through.
   * @throws DomainError token_revoked, nothing is kept then
   */
  record(token: TokenRow, deed: Deed, options?: { readonly asOf: number }): Promise<void>
  isRevoked(fingerprint: Buffer): Promise<boolean>
  /** The token's text under the master key; undefined where no token of this `jti` is known. */
  sealedText(jti: string): Promise<Buffer | undefined>
  /** One look-up for every authenticated request. `issuedAt` matters where the token has no row. */
  standing(token: {
    readonly fingerprint: Buffer
    readonly subject: string
    readonly issuedAt: Date
    readonly now: Date
  }): Promise<Standing>
  /** Deletes up to `limit` tokens, with their changes, that expired before `before`; answers how many. */
  purgeExpired(before: Date, limit: number): Promise<number>
}
