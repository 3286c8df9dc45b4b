import type { Clock } from '../clock.ts'
import { DomainError } from '../errors.ts'
import { isOwnSubject } from '../tokens/token-issuer.ts'
import type { TokenStore } from '../tokens/token-store.ts'
import { fingerprintOf, type TokenVerifier, type VerifiedToken } from '../tokens/token-verifier.ts'
import type { Origin } from './actor.ts'
import { isAdministrator } from './permission.ts'
import type { Principal } from './principal.ts'

export interface Authenticator {
  /**
   * Who acts with this token: the signature must be good, and the store decides the rest. A token that was revoked is said
   * to be revoked even where it has expired or its key is gone.
   * @throws DomainError token_required, token_invalid, token_expired, token_revoked, locked
   */
  authenticate(text: string | undefined, origin: Origin): Promise<Principal>
}

export interface AuthenticatorDeps {
  readonly verifier: TokenVerifier
  readonly tokens: TokenStore
  /** Our own, character for character. */
  readonly issuer: string
  readonly clock: Clock
}

export function createAuthenticator({ verifier, tokens, issuer, clock }: AuthenticatorDeps): Authenticator {
  async function verify(text: string): Promise<VerifiedToken> {
    try {
      return await verifier.verify(text)
    } catch (error) {
      if (error instanceof DomainError && (await tokens.isRevoked(fingerprintOf(text)))) {
        throw new DomainError('token_revoked', {})
      }
      throw error
    }
  }

  return {
    async authenticate(text, origin) {
      if (text === undefined || text === '') throw new DomainError('token_required', {})
      const token = await verify(text)
      if (isOwnSubject(token.subject)) throw invalid('a token made for a cluster')
      const { fingerprint, subject, issuedAt } = token
      const { isRevoked, record, user } = await tokens.standing({ fingerprint, subject, issuedAt, now: clock.now() })
      if (isRevoked) throw new DomainError('token_revoked', {})
      if (record === 'lost') throw invalid('it was issued after the backup that was restored')
      // Those that a replaced server issued have no id (contract section 2.2), and all of ours have a row.
      if (record === 'none' && token.jti !== null && token.claims.iss === issuer) {
        throw invalid('there is no record of it')
      }
      if (!user) throw invalid('the user no longer exists')
      if (user.isDisabled) throw invalid('the user is disabled')
      if (user.lockedUntil) throw new DomainError('locked', { name: subject, until: user.lockedUntil })
      return {
        subject,
        authorities: user.authorities,
        origin,
        userKey: user.key,
        isAdministrator: isAdministrator(user),
        expiresAt: token.expiresAt,
        jti: token.jti,
        fingerprint,
        session: token.session,
      }
    },
  }
}

function invalid(reason: string): DomainError {
  return new DomainError('token_invalid', { reason })
}
