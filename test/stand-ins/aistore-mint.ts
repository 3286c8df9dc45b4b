/** Tokens made by hand, to try a cluster with: compact JWS over any header and claims. */
import { createHmac, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

export interface MintKey {
  readonly alg: 'HS256' | 'RS256'
  readonly kid?: string
  readonly sign: (signed: string) => Buffer
}

export function createSecret(): string {
  return randomBytes(24).toString('hex')
}

export function secretKey(secret: string): MintKey {
  return { alg: 'HS256', sign: (signed) => createHmac('sha256', secret).update(signed).digest() }
}

export interface RsaPair {
  readonly privateKey: KeyObject
  readonly pem: string
  /** SubjectPublicKeyInfo, base64 without armour. */
  readonly bareDer: string
  readonly jwk: Readonly<Record<string, unknown>>
}

export function createRsaPair(kid = 'one'): RsaPair {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return {
    privateKey,
    pem: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    bareDer: publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' },
  }
}

export function rsaKey({ privateKey, jwk }: RsaPair): MintKey {
  const kid = String(jwk.kid)
  return { alg: 'RS256', kid, sign: (signed) => sign('RSA-SHA256', Buffer.from(signed), privateKey) }
}

/** A token of `claims`; `exp`, `iat` and `sub` have defaults, `undefined` leaves a claim out. */
export function mint(key: MintKey, claims: Record<string, unknown>, now: Date = new Date()): string {
  const iat = Math.floor(now.getTime() / 1000)
  const header = { alg: key.alg, ...(key.kid === undefined ? {} : { kid: key.kid }), typ: 'JWT' }
  const payload = { sub: 'somebody', iat, exp: iat + 3600, ...claims }
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${encode(header)}.${encode(payload)}`
  return `${signed}.${key.sign(signed).toString('base64url')}`
}
