import type { ClusterStatus } from '../../core/clusters/cluster-status.ts'
import type { TokenStatus } from '../../core/revocation/revocation-acts.ts'
import type { FoundToken } from '../../core/tokens/token-search.ts'
import type { ProgressOf } from './cluster-statuses.ts'
import { presentInstant } from './present-cluster.ts'
import { presentHoldings, presentRevocation } from './present-revocation.ts'
import type { TokenBody, TokenSummary } from './shapes/tokens.ts'

/** Which clusters refuse the token, and why the others don't. */
export function presentToken(
  token: TokenStatus,
  known: { readonly statusOf: ReadonlyMap<string, ClusterStatus>; readonly progressOf: ProgressOf },
  now: Date,
): TokenBody {
  const { expiresAt, revocation } = token
  const isExpired = expiresAt <= now
  const facts = presentTokenFacts(token, now)
  const sequence = revocation?.sequence ?? 0
  const clusters = presentHoldings(revocation?.holdings ?? [], { sequence, ...known })
  const missing = clusters.filter(({ isHeld }) => !isHeld).length
  const isDeadEverywhere = isExpired || (revocation !== null && missing === 0)
  return {
    ...facts,
    active: facts.state === 'live',
    isDeadEverywhere,
    why: explain({ isExpired, isRevoked: revocation !== null, clusters: clusters.length, missing }),
    revocation: revocation && presentRevocation(revocation.act),
    clusters,
  }
}

/** What is shown of a token wherever it is shown. */
export function presentTokenFacts(token: FoundToken | TokenStatus, now: Date): Omit<TokenSummary, 'revocation'> {
  const { jti, session, subject, kid, audience, origin, issuedAt, expiresAt, revocation } = token
  const state = revocation !== null ? 'revoked' : expiresAt <= now ? 'expired' : 'live'
  return {
    jti,
    subject,
    session,
    kid,
    audience: [...audience],
    issuedAt: presentInstant(issuedAt),
    expiresAt: presentInstant(expiresAt),
    isIssuedHere: origin === 'issued',
    state,
  }
}

function explain(facts: { isExpired: boolean; isRevoked: boolean; clusters: number; missing: number }): string {
  const { isExpired, isRevoked, clusters, missing } = facts
  if (isExpired) return 'It has expired: nobody takes it any more.'
  if (!isRevoked) return 'It is alive: nobody has revoked it.'
  if (missing > 0) return `It is revoked, but ${missing} of ${clusters} clusters may still take it.`
  return clusters === 0
    ? 'It is revoked, and no cluster is registered.'
    : `It is revoked, and ${clusters === 1 ? 'the one cluster refuses' : `all ${clusters} clusters refuse`} it.`
}

/** A token of which nothing is known but its text. */
export function unknownToken(state: 'expired' | 'invalid', why: string): TokenBody {
  return {
    active: false,
    state,
    isDeadEverywhere: true,
    why,
    jti: null,
    subject: null,
    session: null,
    kid: null,
    audience: [],
    issuedAt: null,
    expiresAt: null,
    isIssuedHere: false,
    revocation: null,
    clusters: [],
  }
}
