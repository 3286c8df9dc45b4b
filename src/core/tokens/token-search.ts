/** A token as lists show it: what is known of it, never its text. */
export interface FoundToken {
  /** Its place in the list: grows. */
  readonly key: number
  readonly jti: string | null
  readonly session: string | null
  readonly subject: string
  readonly kid: string | null
  readonly audience: readonly string[]
  readonly origin: 'issued' | 'foreign'
  readonly issuedAt: Date
  readonly expiresAt: Date
  /** The act that revoked it; null where none has. */
  readonly revocation: { readonly id: number; readonly at: Date } | null
}

export interface TokenFilter {
  readonly subject?: string
  /** Carries the grants of the role of this name. */
  readonly role?: string
  /** Would be taken by this cluster (id or alias). */
  readonly cluster?: string
  readonly kid?: string
  readonly state?: 'live' | 'revoked' | 'expired'
  readonly issuedFrom?: Date
  /** Without that instant itself. */
  readonly issuedUntil?: Date
}

/** Where the next page starts. `issued` = by the instant of issue and the key, else by the key alone. */
export type TokenPosition =
  | { readonly key: number }
  | { readonly key: number; readonly issuedAt: number; readonly expiresAt: number }

export interface TokenPage {
  readonly tokens: readonly FoundToken[]
  /** Undefined where nothing more is to come. A page may be short, or empty, and yet not be the last. */
  readonly next: TokenPosition | undefined
}

export interface TokenSearch {
  /**
   * Up to `limit` tokens that pass the filter, those first that came last. Expired ones are there for an hour. A page
   * costs the same however deep it is, and looks at a bounded number of tokens, whatever passes.
   */
  find(
    filter: TokenFilter,
    page: { readonly after?: TokenPosition; readonly limit: number; readonly now: Date },
  ): Promise<TokenPage>
}
