/**
 * Tokens: minting, verifying, and what is kept of each.
 *
 * This folder owns JWT rules (RFC 7519) and the token row. It doesn't own keys (keys/) nor who may revoke what
 * (revocation/).
 */

/** A token whose signature and times are good. Says nothing yet about whether it is revoked: that is for the store. */
export interface VerifiedToken {
  readonly subject: string
  readonly jti: string | null
  readonly session: string | null
  readonly kid: string | null
  readonly audience: readonly string[]
  readonly issuedAt: Date
  readonly expiresAt: Date
  /** SHA-256 of the text. */
  readonly fingerprint: Buffer
  readonly claims: { readonly [claim: string]: unknown }
}

export interface TokenVerifier {
  /**
   * Checks form (compact JWS, strict base64url: no padding, no non-zero trailing bits), algorithm against key, signature,
   * `exp` (required, no leeway), `nbf` if present, `sub` non-empty; never `iss` or `aud`. Verified tokens are kept in a
   * bounded cache until they expire or the key ring changes.
   * @throws DomainError token_invalid, token_expired
   */
  verify(text: string): Promise<VerifiedToken>
}
