import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { exitCodes, presentFailure } from '../../src/cli/failures.ts'
import { DomainError } from '../../src/core/errors.ts'

function systemError(): unknown {
  try {
    return readFileSync('/nowhere/at/all')
  } catch (error) {
    return error
  }
}

test('a disk that takes nothing is one line with its reason', () => {
  const cause = new DomainError('storage_failed', { reason: 'inner' }, { cause: systemError() })
  const error = new DomainError('storage_failed', { reason: "the key can't be written to /x" }, { cause })
  expect(presentFailure(error, 'gatehouse')).toEqual({
    exitCode: exitCodes.storeUnusable,
    line: "gatehouse: the key can't be written to /x (ENOENT)",
  })
})

test('a first administrator whose name is not allowed is one line', () => {
  const error = new DomainError('field_invalid', { field: 'name', what: 'user ID', value: 'a"b', rule: 'is reserved' })
  expect(presentFailure(error, 'authn')).toEqual({
    exitCode: exitCodes.wrongUse,
    line: 'authn: user ID "a\\"b" is invalid: is reserved',
  })
})

test('what no operator can mend is no failure but a bug', () => {
  expect(presentFailure(new TypeError('x'), 'gatehouse')).toBeUndefined()
  expect(presentFailure(new DomainError('user_exists', { name: 'x' }), 'gatehouse')).toBeUndefined()
})
