import { expect, test } from 'vitest'
import { parseClusterUrls } from '../../../src/core/clusters/urls.ts'
import type { DomainError } from '../../../src/core/errors.ts'

test('URLs are kept as written, without slashes at the end and without doubles, in order', () => {
  expect(
    parseClusterUrls(['http://A.example:8080//', 'https://b.example/path/', 'http://A.example:8080', 'http://[::1]:1']),
  ).toEqual(['http://A.example:8080', 'https://b.example/path', 'http://[::1]:1'])
})

test.each([
  ['ftp://a.example', 'http://'],
  ['a.example:8080', 'http://'],
  ['', 'http://'],
  ['http://', 'http://'],
  ['http://a b.example', 'http://'],
  ['http://a.example\\@b.example', 'http://'],
  ['http://a.example:99999', 'http://'],
  ['http://a.example/\u0001', 'http://'],
  ['http://a.example?x=1', 'query'],
  ['http://a.example/#x', 'fragment'],
  [`http://a.example/${'x'.repeat(2050)}`, 'characters'],
])('%s is refused', (url, rule) => {
  expect(() => parseClusterUrls([url])).toThrow(
    expect.objectContaining({
      code: 'field_invalid',
      details: expect.objectContaining({ field: 'urls', rule: expect.stringContaining(rule) }),
    }),
  )
})

test.each([
  'http://ann:hunter2@a.example',
  'http://hunter2@a.example',
  'http://:hunter2@a.example',
  'ftp://x:hunter2@a',
  'http://ann:hunter2/x@a.example',
  'http://ann:hunter2?x@a.example',
  `http://ann:hunter2@a.example/${'x'.repeat(2050)}`,
  'http://a.example:99999/?key=hunter2',
  'hunter2@a.example',
])('a URL with credentials is refused, and they are not repeated: %s', (url) => {
  expect(() => parseClusterUrls([url])).toThrow(
    expect.objectContaining({
      code: 'field_invalid',
      details: expect.not.objectContaining({ value: expect.stringContaining('hunter2') }),
    }),
  )
})

test('a URL that is refused is shown as far as it is harmless', () => {
  const shown = (url: string) => {
    try {
      return parseClusterUrls([url])
    } catch (error) {
      return (error as DomainError<'field_invalid'>).details.value
    }
  }
  expect(shown('ftp://a.example/x')).toBe('ftp://a.example/x')
  expect(shown('http://ann:pw@a.example/x')).toBe('http://…@a.example/x')
  expect(shown(`ftp://${'x'.repeat(100)}`)).toBe(`ftp://${'x'.repeat(58)}…`)
})

test('more than sixteen URLs are refused', () => {
  const urls = Array.from({ length: 17 }, (_, index) => `http://c${index}.example`)
  expect(() => parseClusterUrls(urls)).toThrow()
  expect(parseClusterUrls(urls.slice(1))).toHaveLength(16)
})
