import { createHash, randomBytes } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { expect, test } from 'vitest'
import { DomainError } from '../../../src/core/errors.ts'
import type { KeyRingDeps } from '../../../src/core/keys/key-ring.ts'
import type { Deed } from '../../../src/core/sessions/actor.ts'
import { canarySubject, createTokenIssuer, rowOfToken, serviceSubject } from '../../../src/core/tokens/token-issuer.ts'
import type { TokenRow } from '../../../src/core/tokens/token-store.ts'
import { createTokenVerifier } from '../../../src/core/tokens/token-verifier.ts'
import { op } from '../../actors.ts'
import { createTestRing } from '../keys/ring-parts.ts'

const day = 86_400_000
const request = {
  subject: 'ann',
  userKey: 7,
  session: 's1',
  audience: ['c1', 'c2'],
  reach: ['c1', 'c2'],
  roleKeys: [3],
  lifetimeMs: day,
  claims: { clusters: null, admin: true },
}

async function createParts(given: Partial<KeyRingDeps> = {}) {
  const parts = await createTestRing(given)
  const rows: TokenRow[] = []
  const tokens = {
    ...parts.store.tokens,
    record: async (row: TokenRow) => {
      rows.push(row)
    },
  }
  const issuer = createTokenIssuer({ ...parts, tokens, issuer: 'https://issuer.example/base/' })
  return { ...parts, rows, issuer, verifier: createTokenVerifier({ ...parts, cacheSize: 10 }) }
}

function textOf(token: string, part: 0 | 1) {
  return Buffer.from(token.split('.')[part] ?? '', 'base64url').toString()
}

test("a token's header and claims have the contract's members in the contract's order", async () => {
  const { issuer, ring, clock } = await createParts()
  await clock.advance(700)
  const { text, jti, expiresAt } = await issuer.issue(request, op)
  expect(textOf(text, 0)).toBe(JSON.stringify({ alg: 'RS256', kid: ring.signer().kid, typ: 'JWT' }))
  const iat = Math.floor(clock.now().getTime() / 1000)
  const claims = { clusters: null, admin: true, iss: 'https://issuer.example/base/', sub: 'ann', aud: ['c1', 'c2'] }
  expect(textOf(text, 1)).toBe(JSON.stringify({ ...claims, exp: iat + day / 1000, iat, jti }))
  expect(expiresAt).toEqual(new Date((iat + day / 1000) * 1000))
})

test('under a shared secret the header has no kid', async () => {
  const { issuer } = await createParts({ sharedSecret: randomBytes(24).toString('base64') })
  const { text } = await issuer.issue(request, op)
  expect(textOf(text, 0)).toBe('{"alg":"HS256","typ":"JWT"}')
})

test('aud is absent where there is no audience, and an array with a single one', async () => {
  const { issuer } = await createParts()
  const none = await issuer.issue({ ...request, audience: [] }, op)
  expect('aud' in decodeJwt(none.text)).toBe(false)
  const one = await issuer.issue({ ...request, audience: ['c1'] }, op)
  expect(decodeJwt(one.text).aud).toEqual(['c1'])
})

test('a profile cannot say who issued the token, to whom or until when', async () => {
  const { issuer } = await createParts()
  const { text } = await issuer.issue({ ...request, claims: { sub: 'admin', iss: 'x', exp: 1, iat: 1, jti: 'x' } }, op)
  expect(decodeJwt(text)).toMatchObject({ sub: 'ann', iss: 'https://issuer.example/base/' })
  expect(decodeJwt(text).exp).toBeGreaterThan(1)
})

test('times are whole seconds even where the lifetime is not', async () => {
  const { issuer, clock } = await createParts()
  await clock.advance(500)
  const { text } = await issuer.issue({ ...request, lifetimeMs: 60_000.25 }, op)
  const { exp = 0, iat = 0 } = decodeJwt(text)
  expect([Number.isInteger(exp), Number.isInteger(iat), exp - iat]).toEqual([true, true, 60])
})

test('two tokens of one second are two tokens', async () => {
  const { issuer } = await createParts()
  const [first, second] = [await issuer.issue(request, op), await issuer.issue(request, op)]
  expect(first.text).not.toBe(second.text)
  expect(first.jti).not.toBe(second.jti)
})

test('every issued token has a row, with its text sealed, before the answer', async () => {
  const { issuer, rows, sealer, ring } = await createParts()
  const { text, jti, expiresAt } = await issuer.issue(request, op)
  expect(rows).toHaveLength(1)
  expect(rows[0]).toMatchObject({
    fingerprint: createHash('sha256').update(text).digest(),
    jti,
    session: 's1',
    subject: 'ann',
    userKey: 7,
    kid: ring.signer().kid,
    audience: ['c1', 'c2'],
    reach: ['c1', 'c2'],
    roleKeys: [3],
    issuedAt: new Date(expiresAt.getTime() - day),
    expiresAt,
    origin: 'issued',
  })
  expect(rows[0]?.sealedText.includes(text)).toBe(false)
  expect(sealer.open(rows[0]?.sealedText ?? Buffer.alloc(0))).toBe(text)
})

test('a token whose row cannot be kept is not given out', async () => {
  const { ring, sealer, clock, store } = await createParts()
  const tokens = { ...store.tokens, record: () => Promise.reject(new Error('disk full')) }
  const issuer = createTokenIssuer({ ring, sealer, clock, tokens, issuer: 'http://issuer' })
  await expect(issuer.issue(request, op)).rejects.toThrow('disk full')
})

test('what the token knew of goes with its row, and an act that meets it is passed on', async () => {
  const { ring, sealer, clock, store } = await createParts()
  const given: unknown[] = []
  const tokens = {
    ...store.tokens,
    record: async (_row: TokenRow, _deed: Deed, options?: unknown) => {
      given.push(options)
      throw new DomainError('token_revoked', {})
    },
  }
  const issuer = createTokenIssuer({ ring, sealer, clock, tokens, issuer: 'http://issuer' })
  await expect(issuer.issue(request, op, { asOf: 7 })).rejects.toMatchObject({ code: 'token_revoked' })
  expect(given).toEqual([{ asOf: 7 }])
})

test('a service token is for one cluster, lives as long as asked, and has no row', async () => {
  const { issuer, rows, ring, verifier } = await createParts()
  const text = await issuer.mintServiceToken({ clusterId: 'c1', claims: { admin: false }, lifetimeMs: 300_000 })
  expect(rows).toEqual([])
  expect(decodeProtectedHeader(text)).toEqual({ alg: 'RS256', kid: ring.signer().kid, typ: 'JWT' })
  const { exp = 0, iat = 0, ...claims } = decodeJwt(text)
  expect(exp - iat).toBe(300)
  expect(claims).toMatchObject({ admin: false, sub: serviceSubject, aud: ['c1'] })
  await verifier.verify(text)
})

test('a token in hand makes a foreign row that holds what the token says', async () => {
  const { issuer, verifier, sealer } = await createParts()
  const { text, jti, expiresAt } = await issuer.issue(request, op)
  const verified = await verifier.verify(text)
  const row = rowOfToken(verified, text, sealer)
  expect(row).toMatchObject({ jti, subject: 'ann', userKey: null, session: null, kid: verified.kid, expiresAt })
  expect(row).toMatchObject({ origin: 'foreign', fingerprint: verified.fingerprint, audience: ['c1', 'c2'] })
  expect(sealer.open(row.sealedText)).toBe(text)
})

test('a canary is for one cluster, carries no rights, says when it ends, and has no row', async () => {
  const { issuer, rows, verifier } = await createParts()
  const claims = { clusters: null, admin: false }
  const { token, expiresAt } = await issuer.mintCanary({ clusterId: 'c1', claims, lifetimeMs: 86_400_000 })
  expect(rows).toEqual([])
  expect(decodeJwt(token)).toMatchObject({
    ...claims,
    sub: canarySubject,
    aud: ['c1'],
    exp: expiresAt.getTime() / 1000,
  })
  await verifier.verify(token)
})
