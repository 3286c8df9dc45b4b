import { randomUUID } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { Canary } from '../clusters/canary.ts'
import type { JsonObject } from '../json.ts'
import type { KeyRing, Signer } from '../keys/key-ring.ts'
import type { Sealer } from '../keys/sealer.ts'
import { type Actor, serviceActor } from '../sessions/actor.ts'
import { signCompactJws } from './compact-jws.ts'
import type { Reach, TokenRow, TokenStore } from './token-store.ts'
import { fingerprintOf, type VerifiedToken } from './token-verifier.ts'

/** What a token is to say, beside who issued it and when. */
export interface TokenRequest {
  readonly subject: string
  readonly userKey: number | null
  readonly session: string | null
  /** Empty = no `aud` claim. */
  readonly audience: readonly string[]
  readonly reach: Reach
  readonly roleKeys: readonly number[]
  readonly lifetimeMs: number
  /** The claims of the cluster kind's profile, put first, in this order. */
  readonly claims: JsonObject
}

export interface IssuedToken {
  readonly text: string
  readonly jti: string
  readonly expiresAt: Date
}

export interface TokenIssuer {
  /**
   * Signs a token and records its row before answering, in the name of whom it was given to. `asOf` as TokenStore.record has it.
   * @throws DomainError token_revoked where an act since `asOf` meets it
   */
  issue(request: TokenRequest, by: Actor, options?: { readonly asOf: number }): Promise<IssuedToken>
  /**
   * Signs a token for talking to a cluster: minutes of life, one audience, no row, subject `serviceSubject`. Our own API
   * never accepts it.
   */
  mintServiceToken(request: {
    readonly clusterId: string
    readonly claims: JsonObject
    readonly lifetimeMs: number
  }): Promise<string>
  /** Signs a canary for one cluster: one audience, no row, subject `canarySubject`. Our own API never accepts it. */
  mintCanary(request: {
    readonly clusterId: string
    readonly claims: JsonObject
    readonly lifetimeMs: number
  }): Promise<Canary>
}

/** Subjects of the tokens that we show to clusters. No user can have such a name: the colon breaks the name rule. */
export const serviceSubject = serviceActor.subject
export const canarySubject = 'gatehouse:canary'

/** Whether a token with this subject is one that only clusters are shown. */
export function isOwnSubject(subject: string): boolean {
  return subject === serviceSubject || subject === canarySubject
}

export interface TokenIssuerDeps {
  readonly ring: Pick<KeyRing, 'signer'>
  readonly tokens: TokenStore
  readonly sealer: Sealer
  /** External URL, character for character: the `iss` claim. */
  readonly issuer: string
  readonly clock: Clock
}

export function createTokenIssuer({ ring, tokens, sealer, issuer, clock }: TokenIssuerDeps): TokenIssuer {
  async function sign(
    signer: Signer,
    { subject, audience, lifetimeMs, claims }: Pick<TokenRequest, 'subject' | 'audience' | 'lifetimeMs' | 'claims'>,
  ) {
    const nowMs = clock.now().getTime()
    const iat = Math.floor(nowMs / 1000)
    const exp = Math.floor((nowMs + lifetimeMs) / 1000)
    const jti = randomUUID()
    const aud = audience.length > 0 ? { aud: audience } : {}
    const payload = { ...claims, iss: issuer, sub: subject, ...aud, exp, iat, jti }
    const text = await signCompactJws(payload, signer)
    return { text, jti, issuedAt: new Date(iat * 1000), expiresAt: new Date(exp * 1000) }
  }

  return {
    async issue(request, by, options) {
      const signer = ring.signer()
      const { text, jti, issuedAt, expiresAt } = await sign(signer, request)
      const row: TokenRow = {
        fingerprint: fingerprintOf(text),
        jti,
        session: request.session,
        subject: request.subject,
        userKey: request.userKey,
        kid: signer.kid,
        audience: request.audience,
        reach: request.reach,
        roleKeys: request.roleKeys,
        issuedAt,
        expiresAt,
        sealedText: sealer.seal(text),
        origin: 'issued',
      }
      await tokens.record(row, { by, at: clock.now() }, options)
      return { text, jti, expiresAt }
    },
    async mintServiceToken({ clusterId, claims, lifetimeMs }) {
      const { text } = await sign(ring.signer(), { subject: serviceSubject, audience: [clusterId], lifetimeMs, claims })
      return text
    },
    async mintCanary({ clusterId, claims, lifetimeMs }) {
      const audience = [clusterId]
      const { text, expiresAt } = await sign(ring.signer(), { subject: canarySubject, audience, lifetimeMs, claims })
      return { token: text, expiresAt }
    },
  }
}

/** The row of a token that somebody showed, for the case that the table doesn't know it. */
export function rowOfToken(token: VerifiedToken, text: string, sealer: Sealer): TokenRow {
  return {
    fingerprint: token.fingerprint,
    jti: token.jti,
    session: token.session,
    subject: token.subject,
    userKey: null,
    kid: token.kid,
    audience: token.audience,
    reach: 'everywhere',
    roleKeys: [],
    issuedAt: token.issuedAt,
    expiresAt: token.expiresAt,
    sealedText: sealer.seal(text),
    origin: 'foreign',
  }
}
