import { expect, test } from 'vitest'
import { cleanPath } from '../../../../src/adapters/aistore/dialect/routing.ts'

test.each([
  ['/v1/users', '/v1/users'],
  ['/v1/users/', '/v1/users/'],
  ['//v1/users', '/v1/users'],
  ['/v1//users/', '/v1/users/'],
  ['/v1/./users', '/v1/users'],
  ['/v1/x/../users', '/v1/users'],
  ['/..', '/'],
  ['/v1/users/.', '/v1/users'],
  ['/v1/users/..', '/v1'],
  ['/v1/%2e%2e/users', '/v1/%2e%2e/users'],
  ['/v1/..users', '/v1/..users'],
  ['/', '/'],
])('the path %s is cleaned to %s', (path, clean) => {
  expect(cleanPath(path)).toBe(clean)
})
