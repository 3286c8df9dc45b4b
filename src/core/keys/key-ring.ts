/**
 * Signing keys: which key signs now, which verify, and what others are shown of them.
 *
 * This folder owns the key ring, the private key's file format, and sealing at rest. It doesn't own what is signed
 * (tokens/).
 */
import type { KeyObject } from 'node:crypto'
import type { CryptoKey } from 'jose'
import type { PublicJwk } from './key-store.ts'

/** What signs now. `kid` is absent under a shared secret. */
export type Signer =
  | { readonly algorithm: 'RS256'; readonly kid: string; readonly key: CryptoKey }
  | { readonly algorithm: 'HS256'; readonly kid: null; readonly key: Uint8Array }

/** What a cluster is shown at the handshake, so that it can tell whether it holds the counterpart. */
export type KeyProof =
  | { readonly kind: 'shared_secret'; readonly sha256Hex: string }
  | { readonly kind: 'public_key'; readonly pem: string }

export interface KeyRing {
  signer(): Signer
  /**
   * What verifies a token with this header, or undefined. Under a shared secret: the secret, whatever the kid. Else: the
   * public key of that kid. A kid that this process doesn't know yet is looked up in the store (another process may
   * have rotated), at most once a second.
   */
  verifier(header: { readonly alg: string; readonly kid?: string }): Promise<KeyObject | CryptoKey | Uint8Array | undefined>
  proof(): KeyProof
  /** Oldest first; empty under a shared secret. */
  publicKeys(): readonly PublicJwk[]
  /** Public key (SubjectPublicKeyInfo PEM). @throws DomainError key_unavailable under a shared secret */
  publicKeyPem(): string
  /**
   * Makes a new key, publishes it, writes its file, then signs with it. Old tokens stay valid.
   * @throws DomainError key_unavailable (shared secret, external mode), storage_failed
   */
  rotate(): Promise<{ readonly kid: string }>
  /** Signs and verifies with this secret from now on (empty = back to RSA). */
  useSharedSecret(secret: string): void
  /** Differs whenever what verifies may have changed: caches of verified tokens are void then. */
  generation(): number
}
