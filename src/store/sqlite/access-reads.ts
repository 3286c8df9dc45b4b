import type { AccessStore, AccessUser, Holder } from '../../core/access/access-store.ts'
import type { SqliteParts } from './parts.ts'

type UserRow = [key: number, name: string, isBuiltIn: number, disabledAt: number | null, roleNames: string | null]

const userColumns = `SELECT u.key, u.name, u.is_built_in, u.disabled_at, (
    SELECT json_group_array(name) FROM (
      SELECT r.name FROM user_roles ur JOIN roles r ON r.key = ur.role_key
      WHERE ur.user_key = u.key AND r.deleted_at IS NULL ORDER BY ur.position))
  FROM users u`

/** What configuration as code looks at before it changes anything. */
export function prepareAccessReads({ client, read, snapshot }: SqliteParts): Omit<AccessStore, 'apply'> {
  const byName = client.prepare<[string], UserRow>(`${userColumns} WHERE u.name = ?`).raw()
  const page = client
    .prepare<[string, number], UserRow>(`${userColumns} WHERE u.name > ? ORDER BY u.name LIMIT ?`)
    .raw()
  const administrators = client
    .prepare<[number], string>(
      `SELECT DISTINCT u.name FROM roles r CROSS JOIN user_roles ur ON ur.role_key = r.key CROSS JOIN users u ON u.key = ur.user_key
       WHERE r.is_administrator = 1 AND r.deleted_at IS NULL AND u.disabled_at IS NULL LIMIT ?`,
    )
    .pluck()
  const holders = client
    .prepare<[number, number, number], [number, string, string]>(
      `SELECT u.key, u.name, (
         SELECT group_concat(other.role_key ORDER BY other.position)
         FROM user_roles other JOIN roles r ON r.key = other.role_key
         WHERE other.user_key = u.key AND r.deleted_at IS NULL)
       FROM (SELECT DISTINCT user_key FROM user_roles WHERE role_key = ? AND user_key > ? ORDER BY user_key LIMIT ?) held
       JOIN users u ON u.key = held.user_key ORDER BY u.key`,
    )
    .raw()
  const counted = (selection: string) => `SELECT count(*) FROM (${selection} LIMIT @limit)`
  const holderCount = client
    .prepare<[object], number>(counted('SELECT DISTINCT user_key FROM user_roles WHERE role_key = @roleKey'))
    .pluck()
  const unrevoked = 'NOT EXISTS (SELECT 1 FROM changes c WHERE c.token_key = t.key)'
  const roleTokens = client
    .prepare<[object], number>(
      counted(`SELECT 1 FROM token_roles tr WHERE tr.role_key = @roleKey AND tr.expires_at > @now
        AND ${unrevoked.replace('t.key', 'tr.token_key')}`),
    )
    .pluck()
  const userTokens = client
    .prepare<[string, number], number>(
      `SELECT count(*) FROM tokens t WHERE t.subject = ? AND t.expires_at > ? AND ${unrevoked}`,
    )
    .pluck()
  const userTokensByRole = client
    .prepare<[string, number, string], number>(
      `SELECT count(*) FROM tokens t WHERE t.subject = ? AND t.expires_at > ? AND ${unrevoked}
       AND EXISTS (SELECT 1 FROM token_roles tr WHERE tr.token_key = t.key AND tr.role_key IN (SELECT value FROM json_each(?)))`,
    )
    .pluck()

  return {
    users: (names) => read(() => names.flatMap((name) => byName.all(name).map(toUser))),
    usersAfter: ({ after = '', limit }) => read(() => page.all(after, limit).map(toUser)),
    administrators: (limit) => read(() => administrators.all(limit)),
    holders: (roleKey, { after, limit }) => read(() => holders.all(roleKey, after, limit).map(toHolder)),
    reachOfRole: (roleKey, now, limit) =>
      snapshot(() => {
        const asked = { roleKey, limit, now: now.getTime() }
        return { holders: holderCount.get(asked) ?? 0, tokens: roleTokens.get(asked) ?? 0 }
      }),
    tokensOfUser: (name, now, roleKeys) =>
      read(() => {
        if (roleKeys === undefined) return userTokens.get(name, now.getTime()) ?? 0
        return userTokensByRole.get(name, now.getTime(), JSON.stringify(roleKeys)) ?? 0
      }),
  }
}

function toUser([key, name, isBuiltIn, disabledAt, roleNames]: UserRow): AccessUser {
  const names = new Set(JSON.parse(roleNames ?? '[]') as string[])
  return { key, name, roleNames: [...names], isBuiltIn: isBuiltIn === 1, isDisabled: disabledAt !== null }
}

function toHolder([key, name, roleKeys]: [number, string, string]): Holder {
  return { key, name, roleKeys: roleKeys.split(',').map(Number) }
}
