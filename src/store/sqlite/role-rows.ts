import { and, asc, eq, isNull, sql } from 'drizzle-orm'
import type { Grant, NewRole, Role, RoleContent } from '../../core/roles/role.ts'
import type { Authority } from '../../core/sessions/actor.ts'
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
  /** What the user's roles, locked or not, allow at Gatehouse itself. */
  authoritiesOfUser(userKey: number): readonly Authority[]
  /** What holders of the role may do at Gatehouse itself: one thing at most. */
  authoritiesOfRole(roleKey: number): readonly Authority[]
  /** Their names, in the user's order. */
  namesOfUser(userKey: number): readonly string[]
  /** The role's key, without its grants. */
  key(name: string): number | undefined
  /** A role with an authority is a built-in one. */
  insert(role: NewRole & Partial<Pick<Role, 'authority'>>, at: Date): void
  replaceContent(key: number, content: RoleContent, at: Date): void
}

const roleColumns = {
  key: roles.key,
  name: roles.name,
  description: roles.description,
  isAdministrator: roles.isAdministrator,
  isBuiltIn: roles.isBuiltIn,
  annotations: roles.annotations,
  ownRole: roles.ownRole,
  ownClusterId: roles.ownClusterId,
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
  const authorityColumns = { ownRole: roles.ownRole, ownClusterId: roles.ownClusterId }
  const ownOfUser = db
    .select(authorityColumns)
    .from(userRoles)
    .innerJoin(roles, eq(roles.key, userRoles.roleKey))
    .where(and(eq(userRoles.userKey, sql.placeholder('userKey')), isLive))
    .prepare()
  const ownOfRole = db
    .select(authorityColumns)
    .from(roles)
    .where(and(eq(roles.key, sql.placeholder('roleKey')), isLive))
    .prepare()
  const namesOfUser = db
    .select({ name: roles.name })
    .from(userRoles)
    .innerJoin(roles, eq(roles.key, userRoles.roleKey))
    .where(and(eq(userRoles.userKey, sql.placeholder('userKey')), isLive))
    .orderBy(asc(userRoles.position))
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

  const insertGrant = db
    .insert(roleGrants)
    .values({
      roleKey: sql.placeholder('roleKey'),
      position: sql.placeholder('position'),
      clusterId: sql.placeholder('clusterId'),
      resource: sql.placeholder('resource'),
      permissions: sql.placeholder('permissions'),
      annotations: sql.placeholder('annotations'),
    })
    .prepare()

  function insertGrants(roleKey: number, content: RoleContent): void {
    for (const [position, grant] of content.grants.entries()) insertGrant.run({ roleKey, position, ...grant })
  }

  return {
    get(name) {
      const row = byName.get({ name })
      return row && toRole(row, grants.all({ roleKey: row.key }))
    },
    list() {
      const grantsOf = new Map<number, Grant[]>()
      for (const { roleKey, ...grant } of allGrants.all()) {
        const known = grantsOf.get(roleKey)
        if (known === undefined) grantsOf.set(roleKey, [grant])
        else known.push(grant)
      }
      return all.all().map((row) => toRole(row, grantsOf.get(row.key) ?? []))
    },
    ofUser(userKey) {
      const seen = new Map<number, Role>()
      return ofUser.all({ userKey }).map((row) => {
        const role = seen.get(row.key) ?? toRole(row, grants.all({ roleKey: row.key }))
        seen.set(row.key, role)
        return role
      })
    },
    keysOfUser: (userKey) => keysOfUser.all({ userKey }).map(({ key }) => key),
    authoritiesOfUser: (userKey) => ownOfUser.all({ userKey }).flatMap((row) => toAuthority(row) ?? []),
    authoritiesOfRole: (roleKey) => ownOfRole.all({ roleKey }).flatMap((row) => toAuthority(row) ?? []),
    namesOfUser: (userKey) => namesOfUser.all({ userKey }).map(({ name }) => name),
    key: (name) => keyByName.get({ name })?.key,
    insert({ authority = null, ...role }, at) {
      const row = { ...contentColumns(role), name: role.name, isAdministrator: false, isBuiltIn: authority !== null }
      const own = { ownRole: authority?.role ?? null, ownClusterId: authority?.clusterId ?? null }
      const { key } = db
        .insert(roles)
        .values({ ...row, ...own, createdAt: at, updatedAt: at })
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

type RoleRow = Pick<typeof roles.$inferSelect, keyof typeof roleColumns>

function toRole({ ownRole, ownClusterId, ...row }: RoleRow, grants: readonly Grant[]): Role {
  return { ...row, grants, authority: toAuthority({ ownRole, ownClusterId }) }
}

function toAuthority({ ownRole, ownClusterId }: Pick<RoleRow, 'ownRole' | 'ownClusterId'>): Authority | null {
  return ownRole === null ? null : { role: ownRole, clusterId: ownClusterId }
}

function contentColumns({ description, annotations }: RoleContent) {
  return { description, annotations }
}
