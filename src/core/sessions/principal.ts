/**
 * Sessions: being logged in. Who is acting, and how a password becomes a token.
 *
 * This folder owns logging in and authenticating a request. It doesn't own users (users/), JWT rules (tokens/) nor
 * revoking (revocation/).
 */

import type { Actor } from './actor.ts'

/** Who is acting, as the store sees it at this moment. */
export interface Principal extends Actor {
  readonly userKey: number
  /** What the store says now, not what the token claims. */
  readonly isAdministrator: boolean
  /** When the token ends that was shown. */
  readonly expiresAt: Date
  readonly jti: string | null
  /** SHA-256 of the token that was shown. */
  readonly fingerprint: Buffer
  readonly session: string | null
}
