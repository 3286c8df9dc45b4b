import { createHmac, createSecretKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { expect, test } from 'vitest'
import { isSignedBy, parseCompactJws } from '../../../src/core/tokens/compact-jws.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** Ends in a byte of its own, so that four bits of the last character mean nothing. */
const header = Buffer.from('{"alg":"RS256","k":"x"}     ').toString('base64url')
const good = [header, Buffer.from('{"sub":"an"} ').toString('base64url'), Buffer.alloc(256, 7).toString('base64url')]

test('a token is taken apart into header, claims, what was signed and the signature', () => {
  const [head, body] = good
  expect(parseCompactJws(good.join('.'))).toEqual({
    header: { alg: 'RS256' },
    claims: { sub: 'an' },
    signed: `${head}.${body}`,
    signature: Buffer.alloc(256, 7),
  })
})

test.each([0, 1, 2])('non-zero trailing bits and padding are refused in part %i', (part) => {
  const segment = good[part] ?? ''
  expect(segment.length % 4).toBe(2)
  const last = alphabet.indexOf(segment.at(-1) ?? '')
  const respelled = Array.from({ length: 15 }, (_, bits) => segment.slice(0, -1) + alphabet.charAt(last + bits + 1))
  for (const spelling of [...respelled, `${segment}==`, `${segment}=`]) {
    expect(Buffer.from(spelling, 'base64url')).toEqual(Buffer.from(segment, 'base64url'))
    expect(() => parseCompactJws(good.with(part, spelling).join('.'))).toThrow(
      expect.objectContaining({
        code: 'token_invalid',
        details: { reason: expect.stringMatching(/^token is malformed: could not base64 decode /) },
      }),
    )
  }
})

test('a signature counts only with a key of its algorithm, whichever key it is held against', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const secret = randomBytes(32)
  const pem = publicKey.export({ type: 'spki', format: 'pem' })
  const jws = (alg: string, signature: (signed: string) => Buffer) => {
    const signed = `${Buffer.from(JSON.stringify({ alg })).toString('base64url')}.e30`
    return parseCompactJws(`${signed}.${signature(signed).toString('base64url')}`)
  }
  const rs256 = jws('RS256', (signed) => sign('sha256', Buffer.from(signed), privateKey))
  const hs256 = jws('HS256', (signed) => createHmac('sha256', secret).update(signed).digest())
  const confused = jws('HS256', (signed) => createHmac('sha256', pem).update(signed).digest())
  const es256 = jws('RS256', (signed) => sign('sha256', Buffer.from(signed), ec.privateKey))
  const none = jws('none', () => Buffer.alloc(0))

  expect(isSignedBy(rs256, publicKey)).toBe(true)
  expect(isSignedBy(hs256, createSecretKey(secret))).toBe(true)
  for (const each of [hs256, confused, es256, none]) expect(isSignedBy(each, publicKey)).toBe(false)
  for (const each of [rs256, confused, none]) expect(isSignedBy(each, createSecretKey(secret))).toBe(false)
  expect(isSignedBy(es256, ec.publicKey)).toBe(false)
})
