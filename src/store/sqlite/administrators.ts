import { DomainError, type ErrorDetails } from '../../core/errors.ts'
import type { SqliteParts } from './parts.ts'

type Act = ErrorDetails['last_administrator']['act']

/** Keeps it possible to administer Gatehouse; runs inside the caller's transaction. */
export interface Administrators {
  /**
   * Runs what may take a user's administration away for good, where somebody else could administer at `at`.
   * @throws DomainError last_administrator
   */
  keepOne(user: { readonly key: number; readonly name: string }, act: Act, at: Date, change: () => void): void
  /** Whether nobody else could administer at `at`, while the user may: somebody must be there to lift a lock. */
  isOnlyOne(userKey: number, at: Date): boolean
  /** Whether anybody who isn't disabled administers. */
  isAnybody(): boolean
}

/** No user's key. */
const nobody = 0

/** All go from the few roles that administer, or from one user, to the rows between: never over all users. */
export function prepareAdministrators({ client }: Pick<SqliteParts, 'client'>): Administrators {
  const one = client
    .prepare<[number], number>(
      `SELECT 1 FROM users u JOIN user_roles ur ON ur.user_key = u.key JOIN roles r ON r.key = ur.role_key
       WHERE u.key = ? AND u.disabled_at IS NULL AND r.is_administrator = 1 AND r.deleted_at IS NULL LIMIT 1`,
    )
    .pluck()
  const others = `
    SELECT 1 FROM roles r CROSS JOIN user_roles ur ON ur.role_key = r.key CROSS JOIN users u ON u.key = ur.user_key
    WHERE r.is_administrator = 1 AND r.deleted_at IS NULL AND u.disabled_at IS NULL AND u.key <> ?`
  const other = client.prepare<[number], number>(`${others} LIMIT 1`).pluck()
  const otherUnlocked = client
    .prepare<[number, number], number>(
      `${others} AND NOT EXISTS (
         SELECT 1 FROM locks l WHERE l.user_key = u.key AND l.lifted_at IS NULL AND l.until > ?) LIMIT 1`,
    )
    .pluck()
  const isEnabled = (userKey: number) => one.get(userKey) !== undefined

  return {
    keepOne({ key, name }, act, at, change) {
      const wasAdministrator = isEnabled(key)
      change()
      if (wasAdministrator && !isEnabled(key) && otherUnlocked.get(key, at.getTime()) === undefined) {
        throw new DomainError('last_administrator', { name, act })
      }
    },
    isAnybody: () => other.get(nobody) !== undefined,
    isOnlyOne: (userKey, at) => isEnabled(userKey) && otherUnlocked.get(userKey, at.getTime()) === undefined,
  }
}
