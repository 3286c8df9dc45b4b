import { createHmac, type KeyObject, sign, timingSafeEqual, verify } from 'node:crypto'
import { DomainError } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import type { Signer } from '../keys/key-ring.ts'

/** A compact JWS (RFC 7515 section 7.1), decoded but not verified. */
export interface CompactJws {
  readonly header: { readonly alg: string; readonly kid?: string }
  readonly claims: { readonly [claim: string]: unknown }
  /** What the signature covers. */
  readonly signed: string
  readonly signature: Buffer
}

/** `hash` for RSASSA-PKCS1-v1_5 and HMAC; an algorithm that isn't here can't be verified, `none` among them. */
const algorithms: Readonly<Record<string, { readonly keyType: 'public' | 'secret'; readonly hash: string }>> = {
  RS256: { keyType: 'public', hash: 'sha256' },
  RS384: { keyType: 'public', hash: 'sha384' },
  RS512: { keyType: 'public', hash: 'sha512' },
  HS256: { keyType: 'secret', hash: 'sha256' },
}

/**
 * Decodes a token. Reasons start like Go's, since clients of AIStore show them.
 * @throws DomainError token_invalid
 */
export function parseCompactJws(text: string): CompactJws {
  const parts = text.split('.', 4)
  const [head, body, tail] = parts
  if (parts.length !== 3 || head === undefined || body === undefined || tail === undefined) {
    throw malformed('token contains an invalid number of segments')
  }
  const header = parseJsonObject(decodeSegment(head, 'header'), 'header')
  const claims = parseJsonObject(decodeSegment(body, 'claims'), 'claims')
  const signature = decodeSegment(tail, 'signature')
  const { alg, kid } = header
  if (typeof alg !== 'string') throw malformed('the header has no alg')
  if (kid !== undefined && typeof kid !== 'string') throw malformed("the header's kid is not a string")
  // RFC 7515 section 4.1.11: an extension that is marked critical and not understood makes the token invalid.
  if ('crit' in header) throw malformed('the header names critical extensions')
  return {
    header: kid === undefined ? { alg } : { alg, kid },
    claims,
    signed: text.slice(0, head.length + 1 + body.length),
    signature,
  }
}

/**
 * The claims as a token (RFC 7515 section 7.1). RSA is done off the event loop, by the call that costs it least: a token is
 * signed for each push to each cluster.
 */
export async function signCompactJws(claims: JsonObject, { algorithm, kid, key }: Signer): Promise<string> {
  const header = kid === null ? { alg: algorithm, typ: 'JWT' } : { alg: algorithm, kid, typ: 'JWT' }
  const signed = `${encodeSegment(header)}.${encodeSegment(claims)}`
  const signature =
    algorithm === 'RS256' ? await signRsa(signed, key) : createHmac('sha256', key).update(signed).digest()
  return `${signed}.${signature.toString('base64url')}`
}

function signRsa(signed: string, key: KeyObject): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    sign('sha256', Buffer.from(signed), key, (error, signature) => (error ? reject(error) : resolve(signature)))
  })
}

function encodeSegment(value: JsonObject): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

/** Whether the signature is that of this key. False where the key is not of the algorithm's kind. */
export function isSignedBy(jws: CompactJws, key: KeyObject): boolean {
  const algorithm = algorithms[jws.header.alg]
  if (algorithm === undefined || key.type !== algorithm.keyType) return false
  if (algorithm.keyType === 'public') {
    return key.asymmetricKeyType === 'rsa' && verify(algorithm.hash, Buffer.from(jws.signed), key, jws.signature)
  }
  const expected = createHmac(algorithm.hash, key).update(jws.signed).digest()
  return expected.length === jws.signature.length && timingSafeEqual(expected, jws.signature)
}

/**
 * Strict base64url (RFC 7515 section 2): the one spelling that an encoder makes. Padding, foreign characters and non-zero
 * trailing bits are refused, or a revoked token could be spelled anew.
 */
function decodeSegment(segment: string, what: string): Buffer {
  const bytes = Buffer.from(segment, 'base64url')
  if (bytes.toString('base64url') !== segment) throw malformed(`could not base64 decode ${what}`)
  return bytes
}

function parseJsonObject(bytes: Buffer, what: string): { readonly [member: string]: unknown } {
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch {
    throw malformed(`could not JSON decode ${what}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(`${what} is not an object`)
  return { ...value }
}

function malformed(what: string): DomainError {
  return new DomainError('token_invalid', { reason: `token is malformed: ${what}` })
}
