/**
 * Tokens: minting, verifying, and what is kept of each.
 *
 * This folder owns JWT rules (RFC 7519) and the token row. It doesn't own keys (keys/) nor who may revoke what
 * (revocation/).
 */

import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import { DomainError } from '../errors.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import { isSignedBy, parseCompactJws } from './compact-jws.ts'

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

export interface TokenVerifierDeps {
  readonly ring: KeyRing
  readonly clock: Clock
  /** How many verified tokens are kept at most. */
  readonly cacheSize: number
}

interface Times {
  readonly expiresAtMs: number
  readonly notBeforeMs: number
}

const maximumCacheBytes = 32 * 2 ** 20
const latestMs = 8.64e15

/** Signatures are checked synchronously: 20 microseconds for RS256, less than handing the work to another thread. */
export function createTokenVerifier({ ring, clock, cacheSize }: TokenVerifierDeps): TokenVerifier {
  const cache = new LRUCache<string, { readonly token: VerifiedToken; readonly times: Times }>({
    max: cacheSize,
    maxSize: maximumCacheBytes,
    // The text and what was decoded from it.
    sizeCalculation: (_entry, text) => 512 + 4 * text.length,
  })
  let cacheGeneration = ring.generation()

  async function verifyAnew(text: string) {
    const jws = parseCompactJws(text)
    const key = await ring.verifier(jws.header)
    if (!key) throw invalid(`token is unverifiable: error while executing keyfunc: ${whyNoKey(ring, jws.header)}`)
    if (!isSignedBy(jws, key)) throw invalid('token signature is invalid')
    const kid = jws.header.alg === 'HS256' ? null : (jws.header.kid ?? null)
    return toVerifiedToken(jws.claims, kid, text)
  }

  return {
    async verify(text) {
      const generation = ring.generation()
      if (generation !== cacheGeneration) {
        cache.clear()
        cacheGeneration = generation
      }
      const known = cache.get(text)
      const entry = known ?? (await verifyAnew(text))
      checkTimes(entry.times, clock.now().getTime())
      // A key that is gone since this verification began must not leave a trace.
      if (!known && ring.generation() === generation) cache.set(text, entry)
      return entry.token
    },
  }
}

function whyNoKey(ring: KeyRing, { alg, kid }: { readonly alg: string; readonly kid?: string }): string {
  if (ring.signer().algorithm === 'HS256') return 'only HS256 is accepted'
  if (kid === undefined) return "header 'kid' missing"
  return alg.startsWith('RS') ? "no key of that 'kid'" : 'only RS256, RS384 and RS512 are accepted'
}

/** No leeway. @throws DomainError token_expired, token_invalid */
function checkTimes({ expiresAtMs, notBeforeMs }: Times, nowMs: number): void {
  if (nowMs >= expiresAtMs) throw new DomainError('token_expired', {})
  if (nowMs < notBeforeMs) throw invalid('token has invalid claims: token is not valid yet')
}

function toVerifiedToken(claims: VerifiedToken['claims'], kid: string | null, text: string) {
  const { sub, jti, sid, aud } = claims
  const expiresAtMs = readInstant(claims, 'exp')
  if (expiresAtMs === undefined) {
    throw invalid('token has invalid claims: token is missing required claim: exp claim is required')
  }
  if (typeof sub !== 'string' || sub === '') throw invalid('token has invalid claims: sub claim is required')
  const token: VerifiedToken = {
    subject: sub,
    jti: typeof jti === 'string' ? jti : null,
    session: typeof sid === 'string' ? sid : null,
    kid,
    audience: readAudience(aud),
    // A token that doesn't say when it was issued counts as older than any user who got a name later.
    issuedAt: new Date(readInstant(claims, 'iat') ?? 0),
    expiresAt: new Date(expiresAtMs),
    fingerprint: fingerprintOf(text),
    claims,
  }
  return { token, times: { expiresAtMs, notBeforeMs: readInstant(claims, 'nbf') ?? Number.NEGATIVE_INFINITY } }
}

/** NumericDate (RFC 7519 section 2) in milliseconds, within what a Date can hold; undefined where the claim is absent. */
function readInstant(claims: VerifiedToken['claims'], claim: 'exp' | 'iat' | 'nbf'): number | undefined {
  const seconds = claims[claim]
  if (seconds === undefined || seconds === null) return undefined
  if (typeof seconds !== 'number') throw invalid(`token is malformed: ${claim} is not a number`)
  return Math.min(Math.max(seconds * 1000, -latestMs), latestMs)
}

function readAudience(aud: unknown): readonly string[] {
  if (aud === undefined || aud === null) return []
  const audience: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  if (!audience.every((entry) => typeof entry === 'string')) throw invalid('token is malformed: aud is not text')
  return audience
}

/** SHA-256 of a token's text: how the store knows it. */
export function fingerprintOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function invalid(reason: string): DomainError {
  return new DomainError('token_invalid', { reason })
}
