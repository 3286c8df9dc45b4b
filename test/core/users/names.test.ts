import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DomainError } from '../../../src/core/errors.ts'
import { checkName } from '../../../src/core/users/names.ts'

const check = (value: string) => () => checkName('role name', 'name', value)

test.each(['', 'a', '7', 'ann', 'Ann-Marie_2', 'a--b', 'a'.repeat(32)])('%j is a name', (value) =>
  expect(check(value)).not.toThrow(),
)

test.each(['-a', 'a-', '_', 'a b', 'a.b', 'a/b', 'ä', 'a\n', ' a', 'a'.repeat(33), 'gatehouse:service'])(
  '%j is not a name, and the rule is told',
  (value) => {
    const rule = 'must be less than 32 characters and may only contain letters, numbers, dashes (-), underscores (_)'
    const details = { field: 'name', what: 'role name', value, rule }
    expect(check(value)).toThrow(expect.objectContaining({ code: 'field_invalid', details }))
  },
)

test('nothing but ASCII letters, digits, dashes and underscores is ever in a name', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (value) => {
      try {
        checkName('name', 'name', value)
      } catch (error) {
        return error instanceof DomainError
      }
      return /^[A-Za-z0-9_-]{0,32}$/.test(value)
    }),
  )
})
