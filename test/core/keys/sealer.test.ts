import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createSealer } from '../../../src/core/keys/sealer.ts'

test('what is sealed opens to the same text', () => {
  const sealer = createSealer(randomBytes(32))
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(sealer.open(sealer.seal(text))).toBe(text)
    }),
  )
})

test('the same text is never sealed the same way twice, and cannot be seen', () => {
  const sealer = createSealer(randomBytes(32))
  const text = randomBytes(16).toString('hex')
  const sealed = sealer.seal(text)
  expect(sealed.equals(sealer.seal(text))).toBe(false)
  expect(sealed.includes(text)).toBe(false)
  expect(sealed[0]).toBe(1)
  expect(sealed.length).toBe(1 + 12 + Buffer.byteLength(text) + 16)
})

test('another master key opens nothing', () => {
  const sealed = createSealer(randomBytes(32)).seal('text')
  expect(() => createSealer(randomBytes(32)).open(sealed)).toThrow('sealed under another master key')
})

test('a sealed message in which any byte was changed does not open', () => {
  const sealer = createSealer(randomBytes(32))
  const sealed = sealer.seal('text')
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Buffer.from(sealed)
    changed[at] = (changed[at] ?? 0) ^ 1
    expect(() => sealer.open(changed)).toThrow()
  }
  expect(() => sealer.open(sealed.subarray(0, 20))).toThrow('not a sealed message')
})

test('a master key of another length is refused', () => {
  expect(() => createSealer(randomBytes(16))).toThrow('32 bytes')
})
