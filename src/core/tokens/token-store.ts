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
  /** Undefined where no user has that name, or the token was issued to an earlier user of that name. */
  readonly user: { readonly key: number; readonly isAdministrator: boolean; readonly isDisabled: boolean } | undefined
}

export interface TokenStore {
  record(token: TokenRow): Promise<void>
  isRevoked(fingerprint: Buffer): Promise<boolean>
  /** One look-up for every authenticated request. `issuedAt` matters where the token has no row. */
  standing(token: {
    readonly fingerprint: Buffer
    readonly subject: string
    readonly issuedAt: Date
  }): Promise<Standing>
  /** Deletes up to `limit` tokens, with their changes, that expired before `before`; answers how many. */
  purgeExpired(before: Date, limit: number): Promise<number>
}
