import type { Deed } from '../sessions/actor.ts'

/** Public half of a signing key, as JWKS shows it (RFC 7517). */
export interface PublicJwk {
  readonly alg: 'RS256'
  readonly e: string
  readonly kid: string
  readonly kty: 'RSA'
  readonly n: string
  readonly use: 'sig'
}

/** next: published, not signing yet; active: signs; retiring: verifies until its last token has ended; retired: nothing. */
export type KeyState = 'next' | 'active' | 'retiring' | 'retired'

export interface KeyRecord {
  readonly kid: string
  readonly publicJwk: PublicJwk
  readonly state: KeyState
  /** When it was published. */
  readonly createdAt: Date
  /** Since when it signs, or when it began to; null for a key that never did. */
  readonly activatedAt: Date | null
  /** Its private key lies in the store, sealed, until it signs. */
  readonly isPrivateKeyKept: boolean
  /** Until when another server's tokens that it has signed may live, of which nothing is known here; null = ours alone. */
  readonly foreignUntil: Date | null
}

export interface KeyStore {
  /** Oldest first. */
  list(): Promise<readonly KeyRecord[]>
  /**
   * Adds a key that is published but doesn't sign yet; a known kid is left as it is. The private key, sealed, is kept
   * until the key is active or retired.
   */
  publish(key: PublicJwk, deed: Deed, sealedPrivateKey?: Buffer): Promise<void>
  sealedPrivateKey(kid: string): Promise<Buffer | undefined>
  /** Makes a published key the active one; the one that was active is retiring from then on. */
  activate(kid: string, deed: Deed): Promise<void>
  /** Ends all trust in a key; false where it is unknown or the active one. */
  retire(kid: string, deed: Deed): Promise<boolean>
  /** Whether a token that the key has signed lives at `now`. */
  isInUse(kid: string, now: Date): Promise<boolean>
}

/** Where the private key lives: one file, written whole or not at all. */
export interface KeyFile {
  /** How people know it. */
  readonly path: string
  /** Undefined where there is no such file. */
  read(): Promise<Buffer | undefined>
  /** Mode 0600, through a sibling and a rename. */
  write(content: Buffer): Promise<void>
}
