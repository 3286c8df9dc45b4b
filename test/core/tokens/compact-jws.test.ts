import { expect, test } from 'vitest'
import { parseCompactJws } from '../../../src/core/tokens/compact-jws.ts'

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
