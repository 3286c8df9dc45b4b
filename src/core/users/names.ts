import { DomainError } from '../errors.ts'

const maximumBytes = 32
const rule = 'must be less than 32 characters and may only contain letters, numbers, dashes (-), underscores (_)'

/**
 * The rule for names of users and roles and for aliases of clusters (contract 1.6): ASCII letters, digits, `-` and `_`, the
 * latter two not first or last, at most 32 bytes. Empty passes: whether a name must be there is the caller's to say.
 * @param what how people call the thing, for instance `role name`
 * @throws DomainError field_invalid
 */
export function checkName(what: string, field: string, value: string): void {
  if (value === '' || (value.length <= maximumBytes && /^[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?$/i.test(value))) return
  throw new DomainError('field_invalid', { field, what, value, rule })
}
