import { and, eq, sql } from 'drizzle-orm'
import { DomainError } from '../../core/errors.ts'
import type { UserListing } from '../../core/users/user.ts'
import type { NewUser, UserStore } from '../../core/users/user-store.ts'
import type { SqliteParts } from './parts.ts'
import type { RoleRows } from './role-rows.ts'
import { userRoles, users } from './schema.ts'

type Act = 'delete' | 'change_roles'

export function createUserStore(parts: SqliteParts, roleRows: RoleRows): UserStore {
  const { client, db, read, snapshot, write } = parts
  const directory = { changesDirectory: true }
  const byName = db
    .select()
    .from(users)
    .where(eq(users.name, sql.placeholder('name')))
    .prepare()
  const credentials = client
    .prepare<[string], [number, string, number | null]>(
      'SELECT key, password_hash, disabled_at FROM users WHERE name = ?',
    )
    .raw()
  const page = client.prepare<[string, number], [number, string, string | null]>(pageQuery).raw()
  const insertRow = db.insert(users).values(userPlaceholders).returning({ key: users.key }).prepare()
  const insertRole = db.insert(userRoles).values(userRolePlaceholders).prepare()
  const anyUser = client.prepare<[], number>('SELECT 1 FROM users LIMIT 1').pluck()
  const { isEnabledAdministrator, hasOtherAdministrator } = prepareAdministratorChecks(parts)

  /** @throws DomainError roles_unknown */
  function findRoleKeys(names: readonly string[]): readonly number[] {
    const keys = new Map(names.map((name) => [name, roleRows.key(name)]))
    const unknown = [...keys].filter(([, key]) => key === undefined).map(([name]) => name)
    if (unknown.length > 0) throw new DomainError('roles_unknown', { names: unknown })
    return names.flatMap((name) => keys.get(name) ?? [])
  }

  function insertRoles(userKey: number, roleKeys: readonly number[]): void {
    roleKeys.forEach((roleKey, position) => {
      insertRole.run({ userKey, position, roleKey })
    })
  }

  function insertUser({ at, roleNames, ...user }: NewUser): void {
    const roleKeys = findRoleKeys(roleNames)
    const { key } = insertRow.get({ ...user, at })
    insertRoles(key, roleKeys)
  }

  /** @throws DomainError user_not_found */
  function find(name: string) {
    const user = byName.get({ name })
    if (user === undefined) throw new DomainError('user_not_found', { name })
    return user
  }

  /** Runs what may take a user's administration away. @throws DomainError last_administrator */
  function keepAdministrator(
    user: { readonly key: number; readonly name: string },
    act: Act,
    change: () => void,
  ): void {
    const wasAdministrator = isEnabledAdministrator(user.key)
    change()
    if (wasAdministrator && !isEnabledAdministrator(user.key) && !hasOtherAdministrator(user.key)) {
      throw new DomainError('last_administrator', { name: user.name, act })
    }
  }

  return {
    get: (name) =>
      snapshot(() => {
        const user = byName.get({ name })
        if (user === undefined) return undefined
        const { key, isBuiltIn, disabledAt, createdAt } = user
        return { key, name, roles: roleRows.ofUser(key), isBuiltIn, isDisabled: disabledAt !== null, createdAt }
      }),

    credentials: (name) =>
      read(() => {
        const row = credentials.get(name)
        return row && { key: row[0], name, passwordHash: row[1], isDisabled: row[2] !== null }
      }),

    list: ({ after = '', limit }) => read(() => page.all(after, limit).map(toListing)),

    insert: (user) =>
      write(() => {
        if (byName.get({ name: user.name }) !== undefined) throw new DomainError('user_exists', { name: user.name })
        insertUser(user)
      }, directory),

    insertFirst: (user) =>
      write(() => {
        if (anyUser.get() !== undefined) return false
        insertUser(user)
        return true
      }, directory),

    update: (name, { passwordHash, roleNames, at }) =>
      write(() => {
        const user = find(name)
        if (roleNames !== undefined) {
          if (user.isBuiltIn) throw new DomainError('user_protected', { name, act: 'change_roles' })
          const roleKeys = findRoleKeys(roleNames)
          keepAdministrator(user, 'change_roles', () => {
            db.delete(userRoles).where(eq(userRoles.userKey, user.key)).run()
            insertRoles(user.key, roleKeys)
          })
        }
        db.update(users)
          .set({ updatedAt: at, ...(passwordHash !== undefined && { passwordHash }) })
          .where(eq(users.key, user.key))
          .run()
      }, directory),

    // Nothing that anybody is shown changes, so that answers built earlier stay good.
    rehash: (key, from, to) =>
      write(() => {
        db.update(users)
          .set({ passwordHash: to })
          .where(and(eq(users.key, key), eq(users.passwordHash, from)))
          .run()
      }),

    delete: (name) =>
      write(() => {
        const user = find(name)
        if (user.isBuiltIn) throw new DomainError('user_protected', { name, act: 'delete' })
        keepAdministrator(user, 'delete', () => {
          db.delete(users).where(eq(users.key, user.key)).run()
        })
      }, directory),
  }
}

const userPlaceholders = {
  name: sql.placeholder('name'),
  passwordHash: sql.placeholder('passwordHash'),
  isBuiltIn: sql.placeholder('isBuiltIn'),
  tokensNotBefore: sql.placeholder('tokensNotBefore'),
  createdAt: sql.placeholder('at'),
  updatedAt: sql.placeholder('at'),
}
const userRolePlaceholders = {
  userKey: sql.placeholder('userKey'),
  position: sql.placeholder('position'),
  roleKey: sql.placeholder('roleKey'),
}

/** One pass over the names of the page; each user's live roles are looked up by key, in the user's order. */
const pageQuery = `
  SELECT u.key, u.name, (
    SELECT group_concat(ur.role_key ORDER BY ur.position)
    FROM user_roles ur JOIN roles r ON r.key = ur.role_key
    WHERE ur.user_key = u.key AND r.deleted_at IS NULL)
  FROM users u WHERE u.name > ? ORDER BY u.name LIMIT ?`

function toListing([key, name, roleKeys]: [number, string, string | null]): UserListing {
  return { key, name, roleKeys: roleKeys === null ? [] : roleKeys.split(',').map(Number) }
}

/** Both go from the few roles that administer, or from one user, to the rows between: never over all users. */
function prepareAdministratorChecks({ client }: Pick<SqliteParts, 'client'>) {
  const one = client
    .prepare<[number], number>(
      `SELECT 1 FROM users u JOIN user_roles ur ON ur.user_key = u.key JOIN roles r ON r.key = ur.role_key
       WHERE u.key = ? AND u.disabled_at IS NULL AND r.is_administrator = 1 AND r.deleted_at IS NULL LIMIT 1`,
    )
    .pluck()
  const other = client
    .prepare<[number], number>(
      `SELECT 1 FROM roles r CROSS JOIN user_roles ur ON ur.role_key = r.key CROSS JOIN users u ON u.key = ur.user_key
       WHERE r.is_administrator = 1 AND r.deleted_at IS NULL AND u.disabled_at IS NULL AND u.key <> ? LIMIT 1`,
    )
    .pluck()
  return {
    isEnabledAdministrator: (userKey: number) => one.get(userKey) !== undefined,
    hasOtherAdministrator: (userKey: number) => other.get(userKey) !== undefined,
  }
}
