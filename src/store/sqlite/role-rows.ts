import { and, asc, eq, isNull, sql } from 'drizzle-orm'
import type { Grant, NewRole, Role, RoleContent } from '../../core/roles/role.ts'
import type { SqliteParts } from './parts.ts'
import { roleGrants, roles, userRoles } from './schema.ts'

/** Statements on roles that more than one store runs, inside a transaction or a read of theirs. */
export interface RoleRows {
  get(name: string): Role | undefined
  /** Sorted by name. */
  list(): readonly Role[]
  /** In the user's order; a role that stands there twice comes twice. */
  ofUser(userKey: number): readonly Role[]
  /** Keys of the roles that the user has, each once. */
  keysOfUser(userKey: number): readonly number[]
  /** The role's key, without its grants. */
  key(name: string): number | undefined
  insert(role: NewRole, at: Date): void
  replaceContent(key: number, content: RoleContent, at: Date): void
}

const roleColumns = {
  key: roles.key,
  name: roles.name,
  description: roles.description,
  isAdministrator: roles.isAdministrator,
  isBuiltIn: roles.isBuiltIn,
  annotations: roles.annotations,
}
const grantColumns = {
  clusterId: roleGrants.clusterId,
  resource: roleGrants.resource,
  permissions: roleGrants.permissions,
  annotations: roleGrants.annotations,
}
const isLive = isNull(roles.deletedAt)

export function prepareRoleRows({ db }: Pick<SqliteParts, 'db'>): RoleRows {
  const byName = db
    .select(roleColumns)
    .from(roles)
    .where(and(eq(roles.name, sql.placeholder('name')), isLive))
    .prepare()
  const keyByName = db
    .select({ key: roles.key })
    .from(roles)
    .where(and(eq(roles.name, sql.placeholder('name')), isLive))
    .prepare()
  const all = db.select(roleColumns).from(roles).where(isLive).orderBy(asc(roles.name)).prepare()
  const ofUser = db
    .select(roleColumns)
    .from(userRoles)
    .innerJoin(roles, eq(roles.key, userRoles.roleKey))
    .where(and(eq(userRoles.userKey, sql.placeholder('userKey')), isLive))
    .orderBy(asc(userRoles.position))
    .prepare()
  const keysOfUser = db
    .selectDistinct({ key: roles.key })
    .from(userRoles)
    .innerJoin(roles, eq(roles.key, userRoles.roleKey))
    .where(and(eq(userRoles.userKey, sql.placeholder('userKey')), isLive))
    .prepare()
  const grants = db
    .select(grantColumns)
    .from(roleGrants)
    .where(eq(roleGrants.roleKey, sql.placeholder('roleKey')))
    .orderBy(asc(roleGrants.position))
    .prepare()
  const allGrants = db
    .select({ roleKey: roleGrants.roleKey, ...grantColumns })
    .from(roleGrants)
    .innerJoin(roles, eq(roles.key, roleGrants.roleKey))
    .where(isLive)
    .orderBy(asc(roleGrants.roleKey), asc(roleGrants.position))
    .prepare()

  function insertGrants(roleKey: number, content: RoleContent): void {
    content.grants.forEach((grant, position) => {
      db.insert(roleGrants)
        .values({ roleKey, position, ...grant })
        .run()
    })
  }

  return {
    get(name) {
      const row = byName.get({ name })
      return row && { ...row, grants: grants.all({ roleKey: row.key }) }
    },
    list() {
      const grantsOf = new Map<number, Grant[]>()
      for (const { roleKey, ...grant } of allGrants.all()) {
        const known = grantsOf.get(roleKey)
        if (known === undefined) grantsOf.set(roleKey, [grant])
        else known.push(grant)
      }
      return all.all().map((row) => ({ ...row, grants: grantsOf.get(row.key) ?? [] }))
    },
    ofUser(userKey) {
      const seen = new Map<number, Role>()
      return ofUser.all({ userKey }).map((row) => {
        const role = seen.get(row.key) ?? { ...row, grants: grants.all({ roleKey: row.key }) }
        seen.set(row.key, role)
        return role
      })
    },
    keysOfUser: (userKey) => keysOfUser.all({ userKey }).map(({ key }) => key),
    key: (name) => keyByName.get({ name })?.key,
    insert(role, at) {
      const row = { ...contentColumns(role), name: role.name, isAdministrator: false, isBuiltIn: false }
      const { key } = db
        .insert(roles)
        .values({ ...row, createdAt: at, updatedAt: at })
        .returning({ key: roles.key })
        .get()
      insertGrants(key, role)
    },
    replaceContent(key, content, at) {
      db.update(roles)
        .set({ ...contentColumns(content), updatedAt: at })
        .where(eq(roles.key, key))
        .run()
      db.delete(roleGrants).where(eq(roleGrants.roleKey, key)).run()
      insertGrants(key, content)
    },
  }
}

function contentColumns({ description, annotations }: RoleContent) {
  return { description, annotations }
}
