/**
 * How an AIStore cluster decides whether a token is good: its own code, sharing nothing with Gatehouse's.
 *
 * Made from NVIDIA/aistore `cmn/tok` and `ais/prxauth.go` (main, 5.0; branch main-v4.8 for 4.3 to 4.9): contract
 * sections 2.6, 3.4 and 7 (W8). One difference: a real cluster wants https for the issuer of discovery.
 */
import { createHash, createHmac, createPublicKey, type KeyObject, timingSafeEqual, verify } from 'node:crypto'
import type { BucketAcl, ClusterAcl } from './aistore-permissions.ts'

export type AistoreVersion = '4.1' | '4.3' | '5.0'

export type Trust =
  | { readonly kind: 'shared_secret'; readonly secret: string }
  | { readonly kind: 'static_key'; readonly pem: string }
  | { readonly kind: 'discovery'; readonly issuer: string }

export interface Claims {
  readonly sub?: string
  readonly iss?: string
  readonly admin: boolean
  readonly clusters: readonly ClusterAcl[]
  readonly buckets: readonly BucketAcl[]
  readonly exp?: number
}

export type Verdict =
  | { readonly isGood: true; readonly claims: Claims }
  | { readonly isGood: false; readonly reason: string }

export interface TokenChecker {
  /** Whether the token is one that this cluster accepts, without regard to the revoked list. */
  check(token: string): Promise<Verdict>
  /** Whether `key` is the static key, or in the issuer's key set (contract 3.4, handshake of clusters before 5.0). */
  trustsKey(key: KeyObject): Promise<boolean>
  /** Drops what was learned: keys fetched and tokens seen, as a restart does. */
  forget(): void
}

const refetchPauseMs = 30_000
const hashes: Record<string, string> = { RS256: 'RSA-SHA256', RS384: 'RSA-SHA384', RS512: 'RSA-SHA512' }

interface KeySet {
  find(kid: string): Promise<KeyObject | undefined>
  all(): Promise<readonly KeyObject[]>
  forget(): void
}

/** Keys of an issuer: fetched once, and again for an unknown kid, at most every 30 s. */
function createKeySet(issuer: string, now: () => Date): KeySet {
  let keys = new Map<string, KeyObject>()
  let fetchedAt: number | undefined
  let inFlight: Promise<void> | undefined

  async function fetchJson(url: string): Promise<Record<string, unknown>> {
    const answer = await fetch(url, { redirect: 'error' })
    if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}`)
    return (await answer.json()) as Record<string, unknown>
  }

  async function fetchKeys() {
    const discovery = await fetchJson(`${issuer}/.well-known/openid-configuration`)
    if (discovery.issuer !== issuer) throw new Error('the discovery document names another issuer')
    const set = await fetchJson(String(discovery.jwks_uri))
    const fresh = new Map<string, KeyObject>()
    for (const jwk of set.keys as Record<string, string>[]) {
      fresh.set(String(jwk.kid), createPublicKey({ key: jwk as never, format: 'jwk' }))
    }
    keys = fresh
  }

  async function refresh() {
    const at = now().getTime()
    if (inFlight === undefined) {
      if (fetchedAt !== undefined && at - fetchedAt < refetchPauseMs) return
      fetchedAt = at
      inFlight = fetchKeys()
        .catch(() => {
          // An issuer that can't be reached leaves the keys as they were; the token is then refused.
        })
        .finally(() => {
          inFlight = undefined
        })
    }
    await inFlight
  }

  return {
    async find(kid) {
      if (!keys.has(kid)) await refresh()
      return keys.get(kid)
    },
    async all() {
      if (keys.size === 0) await refresh()
      return [...keys.values()]
    },
    forget() {
      keys = new Map()
      fetchedAt = undefined
    },
  }
}

function decodePart(text: string, isStrict: boolean): Buffer {
  const bytes = Buffer.from(text, 'base64url')
  if (!/^[A-Za-z0-9_-]*$/.test(text) || (isStrict && bytes.toString('base64url') !== text)) {
    throw new Error('token is malformed: illegal base64 data')
  }
  return bytes
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Go decodes `perm` only from a decimal string of 64 bits; anything else makes the token unreadable. */
function checkPermissions(entries: unknown): readonly unknown[] {
  if (entries === null || entries === undefined) return []
  if (!Array.isArray(entries)) throw new Error('token is malformed: ACLs are not a list')
  for (const entry of entries) {
    const perm = isObject(entry) ? entry.perm : undefined
    const isAbsent = perm === undefined
    if (!isAbsent && (typeof perm !== 'string' || !/^\d+$/.test(perm) || BigInt(perm) >= 1n << 64n)) {
      throw new Error('token is malformed: perm is not a decimal string')
    }
  }
  return entries.filter(isObject)
}

export function createTokenChecker(options: {
  readonly version: AistoreVersion
  readonly trust: Trust
  readonly requiredAudience: string | undefined
  readonly now: () => Date
}): TokenChecker {
  const { version, trust, now } = options
  const isStrict = version === '5.0'
  const keySet = trust.kind === 'discovery' ? createKeySet(trust.issuer, now) : undefined
  const staticKey = trust.kind === 'static_key' ? createPublicKey(trust.pem) : undefined
  /** Tokens found good: a 5.0 cluster does not look at their key again (contract W8). */
  const seen = new Map<string, Claims>()

  async function checkSignature(signed: string, header: Record<string, unknown>, signature: Buffer, iss: unknown) {
    const alg = String(header.alg)
    if (trust.kind === 'shared_secret') {
      if (alg !== 'HS256') throw new Error(`token is unverifiable: signing method ${alg} is not HS256`)
      const expected = createHmac('sha256', trust.secret).update(signed).digest()
      if (expected.length !== signature.length || !timingSafeEqual(expected, signature)) {
        throw new Error('token signature is invalid')
      }
      return
    }
    const hash = hashes[alg]
    if (hash === undefined) throw new Error(`token is unverifiable: signing method ${alg} is not RSA`)
    const key = keySet === undefined ? staticKey : await findKey(header.kid, iss)
    if (key === undefined) throw new Error('token is unverifiable: no key of that kid')
    if (!verify(hash, Buffer.from(signed), key, signature)) throw new Error('token signature is invalid')
  }

  async function findKey(kid: unknown, iss: unknown) {
    if (trust.kind !== 'discovery' || iss !== trust.issuer) throw new Error('issuer is not allowed')
    if (typeof kid !== 'string' || kid === '') throw new Error("token is unverifiable: header 'kid' missing")
    if (kid.length > 256 || /[/\\|;&$<>`"'()]/.test(kid)) throw new Error('token is unverifiable: bad kid')
    return keySet?.find(kid)
  }

  function checkClaims(payload: Record<string, unknown>): Claims {
    const seconds = now().getTime() / 1000
    const { exp, nbf, sub, aud } = payload
    if (exp === undefined && isStrict) throw new Error('exp claim is required')
    if (exp !== undefined && (typeof exp !== 'number' || exp <= seconds)) throw new Error('token expired')
    if (typeof nbf === 'number' && nbf > seconds) throw new Error('token is not valid yet')
    if (version !== '4.1' && (typeof sub !== 'string' || sub === '')) throw new Error('sub claim is required')
    if (options.requiredAudience !== undefined && version !== '4.1') {
      const audiences = typeof aud === 'string' ? [aud] : Array.isArray(aud) ? aud : []
      if (audiences.length === 0) throw new Error('aud claim is required')
      if (!audiences.includes(options.requiredAudience)) throw new Error('invalid audience')
    }
    return {
      admin: payload.admin === true,
      clusters: checkPermissions(payload.clusters) as readonly ClusterAcl[],
      buckets: checkPermissions(payload.buckets) as readonly BucketAcl[],
      ...(typeof sub === 'string' ? { sub } : {}),
      ...(typeof payload.iss === 'string' ? { iss: payload.iss } : {}),
      ...(typeof exp === 'number' ? { exp } : {}),
    }
  }

  async function read(token: string): Promise<Claims> {
    const [head, body, tail, ...rest] = token.split('.')
    if (head === undefined || body === undefined || tail === undefined || rest.length > 0) {
      throw new Error('token is malformed: token contains an invalid number of segments')
    }
    const header: unknown = JSON.parse(decodePart(head, isStrict).toString())
    const payload: unknown = JSON.parse(decodePart(body, isStrict).toString())
    if (!isObject(header) || !isObject(payload)) throw new Error('token is malformed')
    await checkSignature(`${head}.${body}`, header, decodePart(tail, isStrict), payload.iss)
    return checkClaims(payload)
  }

  return {
    async check(token) {
      const known = seen.get(token)
      if (known?.exp !== undefined && known.exp > now().getTime() / 1000) return { isGood: true, claims: known }
      seen.delete(token)
      try {
        const claims = await read(token)
        if (version === '5.0') seen.set(token, claims)
        return { isGood: true, claims }
      } catch (error) {
        return { isGood: false, reason: error instanceof Error ? error.message : String(error) }
      }
    },
    async trustsKey(key) {
      if (staticKey !== undefined) return staticKey.equals(key)
      return ((await keySet?.all()) ?? []).some((one) => one.equals(key))
    },
    forget() {
      seen.clear()
      keySet?.forget()
    },
  }
}

/** What a shared-secret cluster compares in a handshake (contract 3.1): lower-case hex SHA-256. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}
