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
  readonly createdAt: Date
}

export interface KeyStore {
  /** Oldest first. */
  list(): Promise<readonly KeyRecord[]>
  /** Adds a key that is published but doesn't sign yet; a known kid is left as it is. */
  publish(key: PublicJwk, at: Date): Promise<void>
  /** Makes a published key the active one; the one that was active is retiring from then on. */
  activate(kid: string, at: Date): Promise<void>
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
