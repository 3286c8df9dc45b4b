import type { Clock } from '../clock.ts'
import { DomainError, isDomainError } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import type { Sealer } from '../keys/sealer.ts'
import type { RevocationActStore } from '../revocation/revocation-acts.ts'
import { parseCompactJws } from '../tokens/compact-jws.ts'
import type { TokenStore } from '../tokens/token-store.ts'
import { fingerprintOf, type TokenVerifier } from '../tokens/token-verifier.ts'

/** A token that somebody shows, or names by its id. */
export type TokenReference = { readonly text: string } | { readonly jti: string }

/** What a token says, and whether it is still good. */
export interface TokenInHand {
  readonly state: 'live' | 'revoked' | 'expired' | 'invalid'
  /** Why it is none of ours; null where it is one. */
  readonly fault: string | null
  readonly claims: JsonObject
  readonly jti: string | null
  readonly subject: string
  readonly audience: readonly string[]
  readonly issuedAt: Date | null
  readonly expiresAt: Date | null
  /** Clusters, by id, that have not been told that it is revoked and would take it. */
  readonly untold: ReadonlySet<string>
}

export interface TokenReaderDeps {
  readonly tokens: Pick<TokenStore, 'sealedText'>
  readonly acts: Pick<RevocationActStore, 'token'>
  readonly verifier: TokenVerifier
  readonly sealer: Sealer
  /** Up to which change a cluster has acknowledged, as this process knows: up to a second ahead of the store. */
  readonly progressOf: (clusterId: string) => { readonly acknowledged: number } | undefined
  readonly clock: Clock
}

/**
 * Reads a token for people: also one that is revoked, has expired, or was signed by somebody else.
 * @throws DomainError token_not_found (by id), field_invalid where it is no token at all
 */
export async function readToken(reference: TokenReference, deps: TokenReaderDeps): Promise<TokenInHand> {
  const text = 'text' in reference ? reference.text : await findText(reference.jti, deps)
  const claims = parse(text)
  const { fault, isExpired } = await check(text, deps.verifier)
  const status = await deps.acts.token({ fingerprint: fingerprintOf(text) })
  const revocation = status?.revocation ?? null
  const hasHeard = (clusterId: string) => (deps.progressOf(clusterId)?.acknowledged ?? 0) >= (revocation?.sequence ?? 0)
  const holdings = revocation?.holdings ?? []
  return {
    state: fault !== null ? 'invalid' : revocation !== null ? 'revoked' : isExpired ? 'expired' : 'live',
    fault,
    claims,
    jti: typeof claims.jti === 'string' ? claims.jti : null,
    subject: typeof claims.sub === 'string' ? claims.sub : '',
    audience: [claims.aud].flat().filter((entry): entry is string => typeof entry === 'string'),
    issuedAt: instantOf(claims.iat),
    expiresAt: instantOf(claims.exp),
    untold: new Set(
      holdings.flatMap(({ clusterId, isHeld, isResyncing }) =>
        isHeld || (!isResyncing && hasHeard(clusterId)) ? [] : [clusterId],
      ),
    ),
  }
}

async function findText(jti: string, { tokens, sealer }: TokenReaderDeps): Promise<string> {
  const sealed = await tokens.sealedText(jti)
  if (sealed === undefined) throw new DomainError('token_not_found', { name: jti })
  return sealer.open(sealed)
}

/** @throws DomainError field_invalid */
function parse(text: string): JsonObject {
  try {
    return parseCompactJws(text).claims as JsonObject
  } catch (error) {
    if (!isDomainError(error, 'token_invalid')) throw error
    // Its text is never repeated.
    const details = { field: 'token', what: 'token', value: 'what was given', rule: error.details.reason }
    throw new DomainError('field_invalid', details)
  }
}

/** The signature is looked at before the times. */
async function check(text: string, verifier: TokenVerifier) {
  try {
    await verifier.verify(text)
    return { fault: null, isExpired: false }
  } catch (error) {
    if (isDomainError(error, 'token_expired')) return { fault: null, isExpired: true }
    if (isDomainError(error, 'token_invalid')) return { fault: error.details.reason, isExpired: false }
    throw error
  }
}

function instantOf(claim: unknown): Date | null {
  if (typeof claim !== 'number') return null
  const at = new Date(claim * 1000)
  return Number.isNaN(at.getTime()) ? null : at
}
