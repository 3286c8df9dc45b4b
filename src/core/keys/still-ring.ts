import { type KeyRing, toSharedSecret } from './key-ring.ts'
import type { RsaKey } from './rsa-key.ts'

/** What signs, for somebody who looks and changes nothing: the key doesn't change, and none is made or published. */
export function createStillRing(
  key: { readonly sharedSecret: string } | { readonly rsa: RsaKey },
): Pick<KeyRing, 'signer' | 'proof' | 'generation'> {
  if ('rsa' in key) {
    return {
      signer: () => key.rsa.signer,
      proof: () => ({ kind: 'public_key', pem: key.rsa.publicPem }),
      generation: () => 0,
    }
  }
  const { signer, proof } = toSharedSecret(key.sharedSecret)
  return { signer: () => signer, proof: () => proof, generation: () => 0 }
}
