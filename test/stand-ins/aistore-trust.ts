/**
 * `POST /v1/tokens` (does the cluster trust this signer?) and `DELETE /v1/tokens` (tokens revoked) as each version of a
 * cluster answers them: the table of contract section 3.4, from NVIDIA/aistore `ais/prxauth.go` at 4.1, 4.3 and 5.0.
 */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { type Answer, done, parseObject, type ReadRequest, Refusal } from './aistore-answers.ts'
import { isAllowed } from './aistore-permissions.ts'
import type { RevokedLists } from './aistore-revoked.ts'
import { type AistoreVersion, type Claims, hashSecret, type TokenChecker, type Trust } from './aistore-tokens.ts'

export interface Gate {
  /** The bearer's claims, or a Refusal with 401: missing, revoked (known to this proxy), or not good. */
  admit(request: ReadRequest): Promise<Claims>
}

/** Takes the token as clusters do: exactly `Bearer`, else the S3 header. */
export function takeToken(request: ReadRequest): string | undefined {
  const [scheme, ...rest] = (request.headers.authorization ?? '').split(' ')
  const bearer = rest.join(' ')
  if (scheme === 'Bearer' && bearer !== '') return bearer
  const other = request.headers['x-amz-security-token']
  return typeof other === 'string' && other !== '' ? other : undefined
}

export function createGate(checker: TokenChecker, revoked: RevokedLists): Gate {
  return {
    async admit(request) {
      const token = takeToken(request)
      if (token === undefined) throw new Refusal(401, 'token required')
      if (revoked.has(request.proxy, token)) throw new Refusal(401, 'not authorized: token revoked')
      const verdict = await checker.check(token)
      if (!verdict.isGood) throw new Refusal(401, `not authorized: invalid token [err: ${verdict.reason}]`)
      return verdict.claims
    },
  }
}

interface Handshake {
  readonly secret: string
  readonly publicKey: string
}

function readHandshake(request: ReadRequest): Handshake {
  const body = parseObject(request)
  const take = (name: string) => {
    const value = body[name] ?? ''
    if (typeof value !== 'string') throw new Refusal(400, `failed to unmarshal: ${name} is not a string`)
    return value
  }
  return { secret: take('secret'), publicKey: take('public_key') }
}

function readBareDer(text: string): KeyObject | undefined {
  if (!/^[A-Za-z0-9+/]+=*$/.test(text)) return undefined
  try {
    return createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' })
  } catch {
    return undefined
  }
}

function readPemOrDer(text: string): KeyObject | undefined {
  if (!text.includes('-----BEGIN PUBLIC KEY-----')) return readBareDer(text)
  try {
    return createPublicKey(text)
  } catch {
    return undefined
  }
}

/** 4.1: whatever is sent must match; PEM is not understood yet. */
async function checkBefore43({ secret, publicKey }: Handshake, trust: Trust, checker: TokenChecker) {
  if (secret === '' && publicKey === '') throw new Refusal(400, 'neither a secret nor a public key was sent')
  if (secret !== '' && (trust.kind !== 'shared_secret' || hashSecret(trust.secret) !== secret)) {
    throw new Refusal(400, 'cluster secret does not match')
  }
  if (publicKey === '') return
  const key = readBareDer(publicKey)
  if (key === undefined || !(await checker.trustsKey(key))) throw new Refusal(400, 'cluster public key does not match')
}

/** 4.3 to 4.9: the cluster's own source of keys decides what must be sent. */
async function checkFrom43({ secret, publicKey }: Handshake, trust: Trust, checker: TokenChecker) {
  if (trust.kind === 'shared_secret') {
    if (publicKey !== '') throw new Refusal(400, 'public key sent, but the cluster is configured with HMAC')
    if (secret === '') throw new Refusal(400, 'no secret was sent')
    if (hashSecret(trust.secret) !== secret) throw new Refusal(403, 'secret hash does not match')
    return
  }
  if (secret !== '') throw new Refusal(400, 'secret sent, but the cluster is configured with RSA keys')
  const key = readPemOrDer(publicKey)
  if (key === undefined) throw new Refusal(400, 'failed to parse public key')
  if (!(await checker.trustsKey(key))) throw new Refusal(403, 'public key does not match')
}

export function createTrustRoutes(cluster: {
  readonly version: AistoreVersion
  readonly trust: () => Trust
  readonly clientAuth: boolean
  readonly uuid: string
  readonly checker: TokenChecker
  readonly revoked: RevokedLists
  readonly gate: Gate
  readonly taken: (tokens: readonly string[]) => void
}) {
  const { version, checker, gate } = cluster

  async function validate(request: ReadRequest): Promise<Answer> {
    if (version === '5.0') await gate.admit(request)
    else await (version === '4.1' ? checkBefore43 : checkFrom43)(readHandshake(request), cluster.trust(), checker)
    return done
  }

  async function revoke(request: ReadRequest): Promise<Answer> {
    if (version === '5.0' && cluster.clientAuth) {
      const claims = await gate.admit(request)
      if (!isAllowed(claims, cluster.uuid, 'admin')) throw new Refusal(403, 'not authorized: requires ADMIN')
    }
    const { tokens, version: listVersion } = parseObject(request)
    const isList = Array.isArray(tokens) && tokens.every((token) => typeof token === 'string')
    if (tokens !== undefined && tokens !== null && !isList) throw new Refusal(400, 'failed to unmarshal: tokens')
    if (listVersion !== undefined && !(typeof listVersion === 'string' && /^\d+$/.test(listVersion))) {
      throw new Refusal(400, 'failed to unmarshal: version is not a string of digits')
    }
    const list = isList ? (tokens as string[]) : []
    cluster.revoked.add(list)
    cluster.taken(list)
    return done
  }

  return { validate, revoke }
}
