import type { JsonObject } from '../json.ts'

/** What a token is to say, beside who issued it and when. */
export interface TokenRequest {
  readonly subject: string
  readonly userKey: number | null
  readonly session: string | null
  /** Empty = no `aud` claim. */
  readonly audience: readonly string[]
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
  /** Signs a token and records its row before answering. */
  issue(request: TokenRequest): Promise<IssuedToken>
  /**
   * Signs a token for talking to a cluster: minutes of life, one audience, no row, subject `serviceSubject`. Our own API
   * never accepts it.
   */
  mintServiceToken(request: { readonly clusterId: string; readonly claims: JsonObject; readonly lifetimeMs: number }): Promise<string>
}

/** Subject of the tokens that we show to clusters. No user can have this name: it breaks the name rule. */
export const serviceSubject = 'gatehouse:service'
