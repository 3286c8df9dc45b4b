/** Roles, clusters, keys and users of an import, one by one; runs inside the act's transaction. */
import { eq, sql } from 'drizzle-orm'
import type { PublicJwk } from '../../core/keys/key-store.ts'
import type { Sealer } from '../../core/keys/sealer.ts'
import { administratorRoleName, type NewRole } from '../../core/roles/role.ts'
import type { Imported, ImportedUser, ImportTerms } from '../../core/transfer/import.ts'
import { unusableHash } from '../../core/users/password-hasher.ts'
import type { Acknowledgements } from './acknowledgements.ts'
import { insertClusterRows, prepareFindCluster } from './cluster-store.ts'
import { createCount } from './import-tally.ts'
import type { SqliteParts } from './parts.ts'
import type { RoleRows } from './role-rows.ts'
import { signingKeys } from './schema.ts'

interface DirectoryParts {
  readonly sealer: Sealer
  readonly roleRows: RoleRows
  readonly acknowledgements: Acknowledgements
  readonly terms: ImportTerms
  readonly at: Date
}

/** Ours stays wherever there is something already. */
export function prepareDirectoryImport(parts: SqliteParts, own: DirectoryParts) {
  const { roleRows, terms, at } = own
  const { findings } = terms
  const counts = { users: createCount(), roles: createCount(), clusters: createCount(), keys: createCount() }
  const find = prepareFindCluster(parts)
  const users = prepareUsers(parts, own)
  const keys = prepareKeys(parts, terms, at)
  const keyOfRole = new Map<string, number | undefined>()

  /** A role that is built in here says what somebody may do at Gatehouse: only Admin means the same there. */
  function findRole(name: string): number | undefined {
    if (!keyOfRole.has(name)) {
      const role = roleRows.get(name)
      keyOfRole.set(name, role?.isBuiltIn && name !== administratorRoleName ? undefined : role?.key)
    }
    return keyOfRole.get(name)
  }

  return {
    takeRole(role: NewRole): void {
      const known = roleRows.get(role.name)
      if (known === undefined) {
        roleRows.insert(role, at)
        counts.roles.add('added')
      } else if (contentOf(known) === contentOf(role)) counts.roles.add('unchanged')
      else {
        counts.roles.add('kept')
        findings.add('role_differs', role.name)
      }
    },

    /** `ids` = of all the clusters that are imported: an alias gives way to them. */
    takeCluster(cluster: Imported['clusters'][number], ids: ReadonlySet<string>): void {
      const { id, alias } = cluster
      const known = find.byId(id)
      if (known !== undefined) {
        const isEqual = aspectOf(known) === aspectOf(cluster)
        counts.clusters.add(isEqual ? 'unchanged' : 'kept')
        if (!isEqual) findings.add('cluster_differs', id)
      } else if (find.byIdOrAlias(id) !== undefined) findings.add('cluster_name_taken', id)
      else {
        const isAliasFree =
          alias === null || (find.byIdOrAlias(alias) === undefined && (alias === id || !ids.has(alias)))
        if (!isAliasFree) findings.add('cluster_alias_taken', id)
        const taken = { ...cluster, alias: isAliasFree ? alias : null, registeredAt: at }
        // From the start of the log on: it is told every revocation that matters.
        insertClusterRows(parts, own, taken, 0)
        counts.clusters.add('added')
      }
    },

    takeKey(key: PublicJwk): void {
      const state = keys.stateOf(key.kid)
      if (state === undefined) keys.insert(key)
      counts.keys.add(state === undefined ? 'added' : state === 'retired' ? 'kept' : 'unchanged')
      if (state === 'retired') findings.add('key_retired', key.kid)
    },
    activateKey: keys.activate,

    takeUser({ name, passwordHash, roleNames }: ImportedUser): void {
      const roleKeys = roleNames.flatMap((roleName) => {
        const key = findRole(roleName)
        if (key === undefined) findings.add('user_role_unknown', `${name}: ${roleName}`)
        return key ?? []
      })
      const outcome = users.take(name, passwordHash ?? unusableHash, roleKeys)
      counts.users.add(outcome)
      if (outcome === 'kept') findings.add('user_differs', name)
    },

    tally: () => ({
      users: counts.users.tally(),
      roles: counts.roles.tally(),
      clusters: counts.clusters.tally(),
      keys: counts.keys.tally(),
    }),
  }
}

function contentOf({ description, grants, annotations }: Pick<NewRole, 'description' | 'grants' | 'annotations'>) {
  const told = grants.map((grant) => [grant.clusterId, grant.resource, grant.permissions, grant.annotations])
  return JSON.stringify([description, told, annotations])
}

function aspectOf({ kind, alias, urls, annotations }: Imported['clusters'][number]) {
  return JSON.stringify([kind, alias, urls, annotations])
}

function prepareUsers({ client }: SqliteParts, { sealer, at }: DirectoryParts) {
  const byName = client
    .prepare<[string], [number, string, Buffer | null]>(
      'SELECT key, password_hash, sealed_former_hash FROM users WHERE name = ?',
    )
    .raw()
  // Whatever the age of their tokens, the other server has issued them to this user.
  const insert = client.prepare<[string, string, number, number]>(
    `INSERT INTO users (name, password_hash, is_built_in, tokens_not_before, created_at, updated_at)
     VALUES (?, ?, 0, 0, ?, ?)`,
  )
  const rolesOf = client
    .prepare<[number], number>(
      `SELECT ur.role_key FROM user_roles ur JOIN roles r ON r.key = ur.role_key
       WHERE ur.user_key = ? AND r.deleted_at IS NULL ORDER BY ur.position`,
    )
    .pluck()
  const insertRole = client.prepare<[number, number, number]>(
    'INSERT INTO user_roles (user_key, position, role_key) VALUES (?, ?, ?)',
  )

  function isEqual(
    known: readonly [number, string, Buffer | null],
    hash: string,
    roleKeys: readonly number[],
  ): boolean {
    const [key, passwordHash, former] = known
    const isHash = passwordHash === hash || (former !== null && sealer.open(former) === hash)
    return isHash && rolesOf.all(key).join() === roleKeys.join()
  }

  return {
    take(name: string, hash: string, roleKeys: readonly number[]): 'added' | 'unchanged' | 'kept' {
      const known = byName.get(name)
      if (known !== undefined) return isEqual(known, hash, roleKeys) ? 'unchanged' : 'kept'
      const atMs = at.getTime()
      const userKey = Number(insert.run(name, hash, atMs, atMs).lastInsertRowid)
      roleKeys.forEach((roleKey, position) => {
        insertRole.run(userKey, position, roleKey)
      })
      return 'added'
    },
  }
}

function prepareKeys({ db }: SqliteParts, { signingKid, keysTrustedUntil }: ImportTerms, at: Date) {
  const state = db
    .select({ state: signingKeys.state })
    .from(signingKeys)
    .where(eq(signingKeys.kid, sql.placeholder('kid')))
    .prepare()
  const active = db.select({ kid: signingKeys.kid }).from(signingKeys).where(eq(signingKeys.state, 'active')).prepare()
  return {
    stateOf: (kid: string) => state.get({ kid })?.state,
    insert(publicJwk: PublicJwk): void {
      const { kid } = publicJwk
      db.insert(signingKeys)
        .values({ kid, publicJwk, state: 'retiring', createdAt: at, foreignUntil: keysTrustedUntil })
        .run()
    },
    /** Where a key signs already, the next start sees which one the file holds. */
    activate(): void {
      if (signingKid === undefined || active.get() !== undefined) return
      db.update(signingKeys).set({ state: 'active', activatedAt: at }).where(eq(signingKeys.kid, signingKid)).run()
    },
  }
}
