import { createHash, createPrivateKey, createSign, generateKeyPairSync, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { CompactSign } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { isDomainError } from '../../../src/core/errors.ts'
import type { KeyRing } from '../../../src/core/keys/key-ring.ts'
import { createTokenIssuer } from '../../../src/core/tokens/token-issuer.ts'
import { createTokenVerifier, type TokenVerifier } from '../../../src/core/tokens/token-verifier.ts'
import { op } from '../../actors.ts'
import { createTestRing } from '../keys/ring-parts.ts'

type Claims = { readonly [claim: string]: unknown }
type Parts = Awaited<ReturnType<typeof createTestRing>>

const hour = 3600
let rsa: Parts & { readonly kid: string; readonly verifier: TokenVerifier }
let hmac: Parts & { readonly secret: string; readonly verifier: TokenVerifier }

beforeAll(async () => {
  const parts = await createTestRing()
  rsa = { ...parts, kid: parts.ring.signer().kid ?? '', verifier: verifierOf(parts) }
  const secret = randomBytes(24).toString('base64')
  const others = await createTestRing({ sharedSecret: secret })
  hmac = { ...others, secret, verifier: verifierOf(others) }
})

function verifierOf({ ring, clock }: Pick<Parts, 'ring' | 'clock'>, cacheSize = 100) {
  return createTokenVerifier({ ring, clock, cacheSize })
}

function nowSeconds({ clock }: Pick<Parts, 'clock'>) {
  return Math.floor(clock.now().getTime() / 1000)
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Signed with the ring's RSA key by node's own functions, whatever the header says. */
function signRsa(header: object, claims: Claims, hash = 'sha256') {
  const data = `${encode(header)}.${encode(claims)}`
  const key = createPrivateKey((rsa.keyFile.content ?? '').toString())
  return `${data}.${createSign(hash).update(data).sign(key, 'base64url')}`
}

function signHmac(header: { readonly alg: string; readonly kid?: string }, claims: Claims, secret: string) {
  return new CompactSign(Buffer.from(JSON.stringify(claims))).setProtectedHeader(header).sign(Buffer.from(secret))
}

/** An RS256 token that is good unless the claims given make it bad. */
function rsaToken(claims: Claims = {}, header: object = {}) {
  const now = nowSeconds(rsa)
  return signRsa(
    { alg: 'RS256', kid: rsa.kid, typ: 'JWT', ...header },
    { sub: 'ann', iat: now, exp: now + hour, ...claims },
  )
}

async function reasonOf(verified: Promise<unknown>): Promise<string> {
  const error: unknown = await verified.then(
    () => new Error('was accepted'),
    (thrown: unknown) => thrown,
  )
  return isDomainError(error, 'token_invalid') ? error.details.reason : String(error)
}

test('a token that we signed is verified, with all that it says', async () => {
  const now = nowSeconds(rsa)
  const text = rsaToken({ aud: ['c1', 'c2'], jti: 'j1', sid: 's1', iss: 'https://elsewhere', admin: true })
  expect(await rsa.verifier.verify(text)).toMatchObject({
    subject: 'ann',
    jti: 'j1',
    session: 's1',
    kid: rsa.kid,
    audience: ['c1', 'c2'],
    issuedAt: new Date(now * 1000),
    expiresAt: new Date((now + hour) * 1000),
    fingerprint: createHash('sha256').update(text).digest(),
    claims: { admin: true, iss: 'https://elsewhere' },
  })
})

test('RS384 and RS512 with our key are accepted too', async () => {
  const claims = { sub: 'ann', exp: nowSeconds(rsa) + hour }
  for (const bits of ['384', '512']) {
    const text = signRsa({ alg: `RS${bits}`, kid: rsa.kid }, claims, `sha${bits}`)
    expect((await rsa.verifier.verify(text)).subject).toBe('ann')
  }
})

test('under a shared secret HS256 is accepted whatever the kid, and no kid is remembered', async () => {
  const claims = { sub: 'ann', exp: nowSeconds(hmac) + hour }
  for (const header of [{ alg: 'HS256' }, { alg: 'HS256', kid: rsa.kid }]) {
    expect(await hmac.verifier.verify(await signHmac(header, claims, hmac.secret))).toMatchObject({
      subject: 'ann',
      kid: null,
    })
  }
})

test('aud may be a plain string or absent; iat may lie in the future or be absent', async () => {
  expect(await rsa.verifier.verify(rsaToken({ aud: 'c1' }))).toMatchObject({ audience: ['c1'] })
  expect(await rsa.verifier.verify(rsaToken({ iat: nowSeconds(rsa) + 10 * hour }))).toMatchObject({ audience: [] })
  expect(await rsa.verifier.verify(rsaToken({ iat: undefined }))).toMatchObject({ issuedAt: new Date(0) })
  expect(await rsa.verifier.verify(rsaToken({ exp: 1e300 }))).toMatchObject({ expiresAt: new Date(8.64e15) })
})

describe('a token is refused', () => {
  const foreign = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const cases: [string, () => string | Promise<string>, string][] = [
    [
      'with alg none',
      () => `${encode({ alg: 'none', kid: rsa.kid })}.${encode({ sub: 'ann', exp: 4e9 })}.`,
      'token is unverifiable: ',
    ],
    [
      'signed with a foreign key under our kid',
      async () => {
        const data = rsaToken().split('.').slice(0, 2).join('.')
        return `${data}.${createSign('sha256').update(data).sign(foreign, 'base64url')}`
      },
      'token signature is invalid',
    ],
    [
      'signed with HS256 and our public key',
      () => signHmac({ alg: 'HS256', kid: rsa.kid }, { sub: 'ann', exp: 4e9 }, rsa.ring.publicKeyPem()),
      'token is unverifiable: ',
    ],
    [
      'with HS256 and no kid, as the real server words it',
      () => signHmac({ alg: 'HS256' }, { sub: 'ann', exp: 4e9 }, 'guess'),
      "token is unverifiable: error while executing keyfunc: header 'kid' missing",
    ],
    [
      'without a kid',
      () => rsaToken({}, { kid: undefined }),
      "token is unverifiable: error while executing keyfunc: header 'kid' missing",
    ],
    ['with an unknown kid', () => rsaToken({}, { kid: 'unknown' }), 'token is unverifiable: '],
    ['with a kid that is no text', () => rsaToken({}, { kid: 1 }), 'token is malformed: '],
    ['with critical extensions', () => rsaToken({}, { crit: ['exp'] }), 'token is malformed: '],
    ['that calls RS256 RS512', () => rsaToken({}, { alg: 'RS512' }), 'token signature is invalid'],
    ['without exp', () => rsaToken({ exp: undefined }), 'exp claim is required'],
    ['with exp null', () => rsaToken({ exp: null }), 'exp claim is required'],
    ['with exp as text', () => rsaToken({ exp: '4000000000' }), 'token is malformed: exp is not a number'],
    ['with iat as text', () => rsaToken({ iat: '1' }), 'token is malformed: iat is not a number'],
    ['before nbf', () => rsaToken({ nbf: nowSeconds(rsa) + 1 }), 'token is not valid yet'],
    ['without sub', () => rsaToken({ sub: undefined }), 'sub claim is required'],
    ['with an empty sub', () => rsaToken({ sub: '' }), 'sub claim is required'],
    ['with a sub that is no text', () => rsaToken({ sub: 5 }), 'sub claim is required'],
    ['with an aud that is no text', () => rsaToken({ aud: [1] }), 'token is malformed: '],
    ['of one segment', () => 'junk', 'token is malformed: token contains an invalid number of segments'],
    ['of no text', () => '', 'token is malformed: token contains an invalid number of segments'],
    ['of four segments', () => `${rsaToken()}.x`, 'token is malformed: token contains an invalid number of segments'],
    ['whose header is not JSON', () => `eHg.${encode({})}.`, 'token is malformed: could not JSON decode header'],
    ['whose claims are a list', () => `${encode({ alg: 'RS256' })}.${encode([])}.`, 'token is malformed: '],
    ['whose header has no alg', () => `${encode({})}.${encode({})}.`, 'token is malformed: '],
    ['with a signature cut short', () => rsaToken().slice(0, -6), 'token signature is invalid'],
    ['with no signature', () => rsaToken().replace(/[^.]*$/, ''), 'token signature is invalid'],
    ['with a blank before it', () => ` ${rsaToken()}`, 'token is malformed: could not base64 decode header'],
    ['with a line break after it', () => `${rsaToken()}\n`, 'token is malformed: could not base64 decode signature'],
  ]
  test.each(cases)('%s', async (_name, make, reason) => {
    const text = await make()
    const said = await reasonOf(rsa.verifier.verify(text))
    expect(said).toContain(reason)
    for (const part of text.split('.').filter((segment) => segment.length > 8)) expect(said).not.toContain(part)
  })

  test('signed with RS256 while a shared secret rules', async () => {
    expect(await reasonOf(hmac.verifier.verify(rsaToken()))).toContain('token is unverifiable: ')
  })
})

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

test('no other spelling of a good token is accepted', async () => {
  const good = rsaToken()
  await rsa.verifier.verify(good)
  await fc.assert(
    fc.asyncProperty(
      fc.nat(good.length),
      fc.constantFrom('=', '+', '/', ' ', '\n', '\t', '\u0000', '%', 'é', ...alphabet),
      fc.boolean(),
      async (at, character, isInserted) => {
        const text = good.slice(0, at) + character + good.slice(isInserted ? at : at + 1)
        if (text === good) return
        await expect(rsa.verifier.verify(text)).rejects.toMatchObject({ code: 'token_invalid' })
      },
    ),
  )
})

describe('expiry has no leeway', () => {
  test('a token is good until the very second of exp', async () => {
    const parts = await createTestRing()
    const verifier = verifierOf(parts)
    const text = rsaToken({ exp: nowSeconds(parts) + 10 })
    await parts.clock.advance(9_999)
    await verifier.verify(text)
    await parts.clock.advance(1)
    await expect(verifier.verify(text)).rejects.toMatchObject({ code: 'token_expired' })
    await expect(verifierOf(parts).verify(text)).rejects.toMatchObject({ code: 'token_expired' })
  })

  test('a bad signature is told before expiry', async () => {
    const [head, body] = rsaToken({ exp: 1 }).split('.')
    expect(await reasonOf(rsa.verifier.verify(`${head}.${body}.AAAA`))).toBe('token signature is invalid')
  })
})

describe('the cache of verified tokens', () => {
  function counting(parts: Parts) {
    let lookups = 0
    const ring: KeyRing = {
      ...parts.ring,
      verifier: (header) => {
        lookups += 1
        return parts.ring.verifier(header)
      },
    }
    return { ring, lookups: () => lookups }
  }

  test('spares the second verification', async () => {
    const { ring, lookups } = counting(rsa)
    const verifier = verifierOf({ ring, clock: rsa.clock })
    const text = rsaToken()
    const first = await verifier.verify(text)
    expect(await verifier.verify(text)).toBe(first)
    expect(lookups()).toBe(1)
  })

  test('is bounded', async () => {
    const { ring, lookups } = counting(rsa)
    const verifier = verifierOf({ ring, clock: rsa.clock }, 2)
    const texts = ['a', 'b', 'c'].map((sub) => rsaToken({ sub }))
    for (const text of texts) await verifier.verify(text)
    await verifier.verify(texts[0] ?? '')
    expect(lookups()).toBe(4)
  })

  test('is void when the key ring changes', async () => {
    const parts = await createTestRing()
    const verifier = verifierOf(parts)
    const text = rsaToken({ exp: nowSeconds(parts) + hour })
    await verifier.verify(text)
    await parts.ring.useSharedSecret(randomBytes(24).toString('base64'))
    await expect(verifier.verify(text)).rejects.toMatchObject({ code: 'token_invalid' })
    await parts.ring.useSharedSecret('')
    await verifier.verify(text)
  })

  test('keeps nothing of a verification during which the key ring changed', async () => {
    const parts = await createTestRing()
    const [slow, other] = ['ann', 'bob'].map((sub) => rsaToken({ sub, exp: nowSeconds(parts) + hour }))
    let release = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    let isFirst = true
    const ring: KeyRing = {
      ...parts.ring,
      verifier: async (header) => {
        const key = await parts.ring.verifier(header)
        if (isFirst) {
          isFirst = false
          await released
        }
        return key
      },
    }
    const verifier = verifierOf({ ring, clock: parts.clock })
    const begun = verifier.verify(slow ?? '')
    await parts.ring.useSharedSecret(randomBytes(24).toString('base64'))
    await expect(verifier.verify(other ?? '')).rejects.toMatchObject({ code: 'token_invalid' })
    release()
    await begun
    await expect(verifier.verify(slow ?? '')).rejects.toMatchObject({ code: 'token_invalid' })
  })
})

test('tokens of the issuer stand up to the verifier, in both modes and after a rotation', async () => {
  for (const parts of [rsa, hmac]) {
    const issuer = createTokenIssuer({ ...parts, tokens: parts.store.tokens, issuer: 'http://issuer' })
    const request = {
      subject: 'ann',
      userKey: null,
      session: null,
      audience: [],
      reach: [],
      roleKeys: [],
      lifetimeMs: hour * 1000,
      claims: {},
    }
    const { text, jti } = await issuer.issue(request, op)
    if (parts === rsa) await parts.ring.rotate(op)
    expect(await parts.verifier.verify(text)).toMatchObject({ subject: 'ann', jti })
    expect((await parts.verifier.verify((await issuer.issue(request, op)).text)).jti).not.toBe(jti)
  }
})
