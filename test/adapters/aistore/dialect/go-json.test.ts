import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type GoJson,
  GoJsonError,
  GoNumber,
  goJson,
  parseGoJson,
} from '../../../../src/adapters/aistore/dialect/go-json.ts'

/** What JSON.parse would have given, to compare with. */
function plain(value: GoJson): unknown {
  if (value instanceof GoNumber) return Number(value.text)
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Map) return Object.fromEntries([...value].map(([name, member]) => [name, plain(member)]))
  return value
}

describe('a body is read as the Go server reads it', () => {
  test.each([
    ['names in any case', '{"ID":"u4","Pass":"p"}', { id: 'u4', pass: 'p' }],
    ['the last of two members of one name', '{"id":"a","ID":"b"}', { id: 'b' }],
    ['nothing behind the first value', '{"id":"a"} trailing', { id: 'a' }],
    ['null', 'null', null],
    ['escapes', '"\\u00e4\\n\\""', 'ä\n"'],
    ['white space', ' \r\n\t[ 1 , {} , [] ] ', [1, {}, []]],
  ])('%s', (_, text, expected) => {
    expect(plain(parseGoJson(text))).toEqual(expected)
  })

  test.each([
    '',
    '  ',
    '{',
    '{"a"',
    '{"a":',
    '{"a":1',
    '[1,',
    '[1 2]',
    '{a:1}',
    '"abc',
    '"\\x"',
    'nul',
    '+1',
    '.5',
    '{"a":1,}',
    '"\n"',
  ])('refuses %j', (text) => {
    expect(() => parseGoJson(text)).toThrow(GoJsonError)
  })

  test('an empty body is EOF', () => {
    expect(() => parseGoJson('')).toThrow('EOF')
  })

  test('nesting without end is refused, not followed', () => {
    expect(() => parseGoJson('['.repeat(100_000))).toThrow(/nested deeper/)
    expect(() => parseGoJson('{"a":'.repeat(100_000))).toThrow(/nested deeper/)
  })

  test('numbers keep their text', () => {
    expect(parseGoJson('18446744073709551615')).toEqual(new GoNumber('18446744073709551615'))
    expect(parseGoJson('1.0e9')).toEqual(new GoNumber('1.0e9'))
  })

  test('whatever JSON there is, it means the same as to JSON.parse', () => {
    const lowerKeys = fc.stringMatching(/^[a-z0-9_]{0,8}$/)
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.string(),
        fc.integer(),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(lowerKeys, tie('value'), { maxKeys: 4 }),
      ),
    }))
    fc.assert(
      fc.property(value, (tree) => {
        const text = JSON.stringify(tree)
        expect(JSON.stringify(plain(parseGoJson(text)))).toBe(JSON.stringify(JSON.parse(text)))
      }),
    )
  })
})

test('HTML characters and line separators are escaped in answers', () => {
  expect(goJson({ desc: 'a <b> & c\u2028' })).toBe('{"desc":"a \\u003cb\\u003e \\u0026 c\\u2028"}')
})
