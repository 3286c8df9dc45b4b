import type { Database, Statement } from 'better-sqlite3'
import type { FoundUser, UserFilter, UserPage, UserSearch } from '../../core/users/user-search.ts'
import type { SqliteParts } from './parts.ts'

/** So many users one page looks at, however few pass its filter: some milliseconds. */
const looksPerPage = 5000

type Row = [
  key: number,
  name: string,
  roleNames: string | null,
  isBuiltIn: number,
  disabledAt: number | null,
  createdAt: number,
  updatedAt: number,
  isMeant: number,
]

interface Bounds {
  /** Names from here on; the empty one is before all. */
  readonly from: string
  readonly before: string
  readonly roleKey: number
  readonly looks: number
}

/** After every name that there may be: they are ASCII. */
const afterAll = '\u{10ffff}'

export function createUserSearch({ client, snapshot }: SqliteParts): UserSearch {
  const statements = prepareStatements(client)
  const roleKey = client
    .prepare<[string], number>('SELECT key FROM roles WHERE name = ? AND deleted_at IS NULL')
    .pluck()

  return {
    find: (filter, { after, limit, isDescending = false }) =>
      snapshot(() => {
        const key = filter.role === undefined ? 0 : roleKey.get(filter.role)
        if (key === undefined) return { users: [], next: undefined }
        const range = rangeOf(filter.prefix ?? '', after, isDescending)
        const statement = statements({ ...filter, isDescending })
        return takePage(statement.iterate({ ...range, roleKey: key, looks: looksPerPage }), limit)
      }),
  }
}

/** Stops at the first user too many: what lies behind is not read. */
function takePage(rows: Iterable<Row>, limit: number): UserPage {
  const users: FoundUser[] = []
  let seen = 0
  let next: string | undefined
  for (const row of rows) {
    const isMeant = row[7] === 1
    if (isMeant && users.length === limit) return { users, next }
    seen += 1
    next = row[1]
    if (isMeant) users.push(toFound(row))
  }
  return { users, next: seen === looksPerPage ? next : undefined }
}

/** Half open, from `from` up to but without `before`. */
function rangeOf(prefix: string, after: string | undefined, isDescending: boolean) {
  const from = prefix
  const before = prefix === '' ? afterAll : prefix + afterAll
  if (after === undefined) return { from, before }
  // The least text that comes after another is that with a zero behind it.
  return isDescending
    ? { from, before: after < before ? after : before }
    : { from: after >= from ? `${after}\u0000` : from, before }
}

/** One statement for each kind of filter, so that each goes by an index of its own; prepared when it is first asked for. */
function prepareStatements(client: Database) {
  const prepared = new Map<string, Statement<[Bounds], Row>>()
  return ({ role, isDisabled, isDescending }: UserFilter & { readonly isDescending: boolean }) => {
    const text = write(role !== undefined, isDisabled, isDescending ? 'DESC' : 'ASC')
    const statement = prepared.get(text) ?? client.prepare<[Bounds], Row>(text).raw()
    prepared.set(text, statement)
    return statement
  }
}

function write(isByRole: boolean, isDisabled: boolean | undefined, order: 'ASC' | 'DESC'): string {
  const disabled = isDisabled === undefined ? '1' : `u.disabled_at IS ${isDisabled ? 'NOT NULL' : 'NULL'}`
  // Without a role it goes by an index of those alone who are meant.
  const [isMeant, where] = isByRole ? [disabled, ''] : ['1', `AND ${disabled}`]
  const name = isByRole ? 'h.user_name' : 'u.name'
  const source = isByRole
    ? 'role_holders h CROSS JOIN users u ON u.name = h.user_name WHERE h.role_key = @roleKey AND'
    : 'users u WHERE'
  return `
    SELECT u.key, u.name, (
      SELECT json_group_array(r.name ORDER BY ur.position)
      FROM user_roles ur JOIN roles r ON r.key = ur.role_key
      WHERE ur.user_key = u.key AND r.deleted_at IS NULL),
      u.is_built_in, u.disabled_at, u.created_at, u.updated_at, ${isMeant}
    FROM ${source} ${name} >= @from AND ${name} < @before ${where}
    ORDER BY ${name} ${order} LIMIT @looks`
}

function toFound([key, name, roleNames, isBuiltIn, disabledAt, createdAt, updatedAt]: Row): FoundUser {
  return {
    key,
    name,
    roleNames: [...new Set(JSON.parse(roleNames ?? '[]') as string[])],
    isBuiltIn: isBuiltIn === 1,
    isDisabled: disabledAt !== null,
    createdAt: new Date(createdAt),
    changedAt: new Date(updatedAt),
  }
}
