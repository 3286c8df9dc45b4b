/** Tokens by the thousand, signed with the service's own key: log-ins are slow on purpose. */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, randomUUID, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type MintKey, mint, secretKey } from '../stand-ins/aistore-mint.ts'

export interface Mill {
  /** Of one user, good for every cluster, all different. */
  make(count: number, options?: { readonly now?: Date; readonly livesMs?: number; readonly ballast?: number }): string[]
}

export function secretMill(secret: string): Mill {
  return createMill(secretKey(secret))
}

/** @param file the private key as the service wrote it: PEM, not encrypted */
export function keyMill(file: string): Mill {
  const key = createPrivateKey(readFileSync(file))
  const kid = thumbprint(createPublicKey(key))
  return createMill({ alg: 'RS256', kid, sign: (signed) => sign('RSA-SHA256', Buffer.from(signed), key) })
}

/** RFC 7638. */
function thumbprint(key: KeyObject): string {
  const { e, kty, n } = key.export({ format: 'jwk' })
  return createHash('sha256').update(JSON.stringify({ e, kty, n })).digest('base64url')
}

function createMill(key: MintKey): Mill {
  return {
    make(count, { now = new Date(), livesMs = 12 * 3_600_000, ballast = 0 } = {}) {
      const note = 'x'.repeat(ballast)
      const exp = Math.floor((now.getTime() + livesMs) / 1000)
      return Array.from({ length: count }, () =>
        mint(key, { sub: 'miller', clusters: [], admin: false, exp, jti: randomUUID(), note }, now),
      )
    },
  }
}

/** When the token ends, in milliseconds. */
export function expiryOf(token: string): number {
  const payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { exp: number }
  return payload.exp * 1000
}
