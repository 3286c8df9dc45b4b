import { createHash, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto'
import type { PublicJwk } from './key-store.ts'

/** A key pair that can sign. */
export interface RsaKey {
  readonly jwk: PublicJwk
  /** Public half, SubjectPublicKeyInfo. */
  readonly publicPem: string
  readonly signer: { readonly algorithm: 'RS256'; readonly kid: string; readonly key: KeyObject }
}

/** Makes a private key off the event loop. */
export function makePrivateKey(bits: number): Promise<KeyObject> {
  return new Promise((resolve, reject) => {
    generateKeyPair('rsa', { modulusLength: bits }, (error, _publicKey, privateKey) =>
      error ? reject(error) : resolve(privateKey),
    )
  })
}

export async function toRsaKey(privateKey: KeyObject): Promise<RsaKey> {
  const publicKey = createPublicKey(privateKey)
  const jwk = toPublicJwk(publicKey)
  return {
    jwk,
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    signer: { algorithm: 'RS256', kid: jwk.kid, key: privateKey },
  }
}

/** The key that a published JWK describes, for verifying. */
export function fromPublicJwk({ kty, n, e }: PublicJwk): KeyObject {
  return createPublicKey({ key: { kty, n, e }, format: 'jwk' })
}

function toPublicJwk(publicKey: KeyObject): PublicJwk {
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' })
  return { alg: 'RS256', e, kid: thumbprint(n, e), kty: 'RSA', n, use: 'sig' }
}

/** RFC 7638: SHA-256 over the required members in lexicographic order, unpadded base64url. */
function thumbprint(n: string, e: string): string {
  return createHash('sha256')
    .update(JSON.stringify({ e, kty: 'RSA', n }))
    .digest('base64url')
}
