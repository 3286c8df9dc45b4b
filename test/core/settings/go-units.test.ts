import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatGoDuration, formatGoSize, parseGoDuration, parseGoSize } from '../../../src/core/settings/go-units.ts'

const second = 1000
const minute = 60 * second
const hour = 60 * minute

describe('parseGoDuration reads what Go reads', () => {
  test.each([
    ['90s', 90 * second],
    ['1h30m', 90 * minute],
    ['1.5h', 90 * minute],
    ['300ms', 300],
    ['0', 0],
    ['-0', 0],
    ['+5m', 5 * minute],
    ['-5m', -5 * minute],
    ['2160h', 2160 * hour],
    ['.5s', 500],
    ['1.s', 1000],
    ['1us', 0.001],
    ['1\u00b5s', 0.001],
    ['1\u03bcs', 0.001],
    ['1500000ns', 1.5],
    ['1h1h', 2 * hour],
    ['2562047h47m16.854775807s', 9_223_372_036_854.775],
  ])('%s', (text, ms) => expect(parseGoDuration(text)).toBeCloseTo(ms, 2))

  test.each([
    '',
    ' ',
    '5',
    '1.5',
    '1d',
    '1 h',
    ' 1h',
    '1h ',
    'h',
    '.s',
    '-',
    '+',
    '--1s',
    '1H',
    '1e3s',
    'a day',
    '-+1s',
    '2562048h',
  ])('and refuses %j', (text) => expect(parseGoDuration(text)).toBeUndefined())
})

describe('formatGoDuration writes what AIStore writes', () => {
  test.each([
    [24 * hour, '24h0m'],
    [2160 * hour, '2160h0m'],
    [30 * minute, '30m'],
    [90 * second, '1m30s'],
    [0, '0s'],
    [30 * second, '30s'],
    [hour + second, '1h0m1s'],
    [1500, '1.5s'],
    [300, '300ms'],
    [1.5, '1.5ms'],
    [0.0015, '1.5\u00b5s'],
    [0.000001, '1ns'],
    [-90 * second, '-1m30s'],
  ])('%d ms', (ms, text) => expect(formatGoDuration(ms)).toBe(text))
})

test('a duration that is written is read as the same duration', () => {
  fc.assert(
    fc.property(fc.integer({ min: -(2 ** 43), max: 2 ** 43 }), (ms) => {
      expect(parseGoDuration(formatGoDuration(ms))).toBe(ms)
    }),
  )
})

test('a duration of any terms is their sum', () => {
  const units = { h: hour, m: minute, s: second, ms: 1 } as const
  const term = fc.record({
    count: fc.nat(1000),
    unit: fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[])),
  })
  fc.assert(
    fc.property(fc.array(term, { minLength: 1, maxLength: 6 }), (terms) => {
      const text = terms.map(({ count, unit }) => `${count}${unit}`).join('')
      const sum = terms.reduce((total, { count, unit }) => total + count * units[unit], 0)
      expect(parseGoDuration(text)).toBe(sum)
    }),
  )
})

test('whatever the text, reading a duration ends without a throw', () => {
  const text = fc.string({ unit: fc.constantFrom(...'0123456789.+-hmsunµ e') })
  fc.assert(fc.property(text, (value) => ['number', 'undefined'].includes(typeof parseGoDuration(value))))
})

describe('parseGoSize reads what AIStore reads', () => {
  test.each([
    ['', 0],
    ['4MiB', 4 * 2 ** 20],
    ['4mb', 4 * 2 ** 20],
    ['4M', 4 * 2 ** 20],
    ['1.5MiB', 1.5 * 2 ** 20],
    ['1KiB', 1024],
    ['1 KiB', 1024],
    ['2g', 2 * 2 ** 30],
    ['1TiB', 2 ** 40],
    ['100B', 100],
    ['100', 100],
  ])('%j', (text, bytes) => expect(parseGoSize(text)).toBe(bytes))

  test.each(['MiB', '1.5', '1.5B', 'x', '1PiB', '1 2', '1e3', '4MiBs', '.MiB'])('and refuses %j', (text) =>
    expect(parseGoSize(text)).toBeUndefined(),
  )
})

test.each([
  [0, '0B'],
  [100, '100B'],
  [4 * 2 ** 20, '4MiB'],
  [1.5 * 2 ** 20, '2MiB'],
  [2.5 * 2 ** 20, '2MiB'],
  [64 * 2 ** 20, '64MiB'],
  [1024, '1KiB'],
  [2 ** 30, '1GiB'],
  [2 ** 40, '1TiB'],
])('a size of %d bytes is written as %s', (bytes, text) => expect(formatGoSize(bytes)).toBe(text))
