import { expect, test } from 'vitest'
import { createRouteClasses } from '../../src/http/route-class.ts'

const classOf = createRouteClasses(['/v1/users', '/.well-known/jwks.json', '/api/v1/clusters', '/healthz'])

test.each([
  ['/v1/users', '/v1/users'],
  ['/v1/users/', '/v1/users'],
  ['/v1/users/ann', '/v1/users'],
  ['/v1/usersx', 'other'],
  ['/v1', 'other'],
  ['/', 'other'],
  ['', 'other'],
  ['/.well-known/jwks.json', '/.well-known/jwks.json'],
  ['/.well-known/else', 'other'],
  ['/api/v1/clusters/lake/resync', '/api/v1/clusters'],
  ['/api/v1', 'other'],
  ['/healthz', '/healthz'],
  ['/constructor/x', 'other'],
  ['/__proto__/x', 'other'],
])('%s is of the class %s', (path, expected) => {
  expect(classOf(path)).toBe(expected)
})
