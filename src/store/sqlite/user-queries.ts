/** What is asked and written of users; user-store.ts prepares it. */
import { sql } from 'drizzle-orm'
import type { UserListing } from '../../core/users/user.ts'

/** With what a login has to go by: what locks the user, and the last act of revocation that this has seen. */
export const credentialsQuery = `
  SELECT key, password_hash, disabled_at,
    (SELECT max(l.until) FROM locks l WHERE l.user_key = users.key AND l.lifted_at IS NULL),
    (SELECT coalesce(max(key), 0) FROM revocations)
  FROM users WHERE name = ?`

export const userPlaceholders = {
  name: sql.placeholder('name'),
  passwordHash: sql.placeholder('passwordHash'),
  isBuiltIn: sql.placeholder('isBuiltIn'),
  tokensNotBefore: sql.placeholder('tokensNotBefore'),
  createdAt: sql.placeholder('at'),
  updatedAt: sql.placeholder('at'),
}
export const userRolePlaceholders = {
  userKey: sql.placeholder('userKey'),
  position: sql.placeholder('position'),
  roleKey: sql.placeholder('roleKey'),
}

/** One pass over the names of the page; each user's live roles are looked up by key, in the user's order. */
export const pageQuery = `
  SELECT u.key, u.name, (
    SELECT group_concat(ur.role_key ORDER BY ur.position)
    FROM user_roles ur JOIN roles r ON r.key = ur.role_key
    WHERE ur.user_key = u.key AND r.deleted_at IS NULL)
  FROM users u WHERE u.name > ? ORDER BY u.name LIMIT ?`

export function toListing([key, name, roleKeys]: [number, string, string | null]): UserListing {
  return { key, name, roleKeys: roleKeys === null ? [] : roleKeys.split(',').map(Number) }
}
