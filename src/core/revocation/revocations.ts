import type { Clock } from '../clock.ts'
import type { Sealer } from '../keys/sealer.ts'
import { rowOfToken } from '../tokens/token-issuer.ts'
import type { TokenVerifier } from '../tokens/token-verifier.ts'
import type { Propagation } from './propagation.ts'
import type { RevocationStore } from './revocation-store.ts'

export interface Revocations {
  /**
   * Revokes the token with this text, whoever issued it with a key of ours. Answers when the revocation is on disk and
   * every cluster that is up knows of it, or the budget is over. Revoking it again changes nothing.
   * @throws DomainError token_invalid, token_expired, storage_failed
   */
  revokeByText(text: string, options?: RevokeOptions): Promise<Revoked>
}

export interface RevokeOptions {
  /** Who asked for it; the token's own subject where absent. */
  readonly actor?: string
  /** For people, kept with the change. */
  readonly reason?: string
}

export interface Revoked {
  readonly sequence: number
  /** False where it was revoked already. */
  readonly isNew: boolean
}

export function createRevocations(deps: {
  readonly revocations: RevocationStore
  readonly verifier: TokenVerifier
  readonly sealer: Sealer
  readonly propagation: Propagation
  /** How long an answer waits for clusters. */
  readonly budgetMs: number
  readonly clock: Clock
}): Revocations {
  return {
    async revokeByText(text, { actor, reason = 'revoked by its text' } = {}) {
      const verified = await deps.verifier.verify(text)
      const token = rowOfToken(verified, text, deps.sealer)
      const revoked = await deps.revocations.record({
        token,
        actor: actor ?? verified.subject,
        reason,
        at: deps.clock.now(),
      })
      await deps.propagation.reached(revoked.sequence, deps.budgetMs)
      return revoked
    },
  }
}
