import { asc, ne, sql } from 'drizzle-orm'
import type { Sealer } from '../../core/keys/sealer.ts'
import type { ExportStore, HeldUser } from '../../core/transfer/export.ts'
import { clusterColumns } from './cluster-rows.ts'
import type { SqliteParts } from './parts.ts'
import type { RoleRows } from './role-rows.ts'
import { clusters, signingKeys } from './schema.ts'

/** Read at once; what is in memory doesn't grow with the number of users and tokens. */
const pageSize = 1000

type UserRow = [
  name: string,
  passwordHash: string,
  formerHash: Buffer | null,
  disabledAt: number | null,
  isLocked: number,
  roleKeys: string | null,
]

const usersQuery = `
  SELECT u.name, u.password_hash, u.sealed_former_hash, u.disabled_at,
    EXISTS (SELECT 1 FROM locks l WHERE l.user_key = u.key AND l.lifted_at IS NULL AND l.until > @at),
    (SELECT group_concat(ur.role_key ORDER BY ur.position)
     FROM user_roles ur JOIN roles r ON r.key = ur.role_key
     WHERE ur.user_key = u.key AND r.deleted_at IS NULL)
  FROM users u WHERE u.name > @after ORDER BY u.name LIMIT ${pageSize}`

const tokensQuery = `
  SELECT c.sequence, t.sealed_text FROM changes c JOIN tokens t ON t.key = c.token_key
  WHERE c.sequence > @after AND +c.expires_at > @at ORDER BY c.sequence LIMIT ${pageSize}`

export function createExportStore(
  { client, db, snapshot }: SqliteParts,
  sealer: Sealer,
  roleRows: RoleRows,
): ExportStore {
  const users = client.prepare<[object], UserRow>(usersQuery).raw()
  const tokens = client.prepare<[object], [number, Buffer]>(tokensQuery).raw()
  const lockedRoles = client
    .prepare<[number], number>(
      'SELECT role_key FROM locks WHERE role_key IS NOT NULL AND lifted_at IS NULL AND until > ?',
    )
    .pluck()
  const allClusters = db.select(clusterColumns).from(clusters).orderBy(asc(clusters.id)).prepare()
  const trustedKeys = db
    .select({ publicJwk: signingKeys.publicJwk })
    .from(signingKeys)
    .where(ne(signingKeys.state, 'retired'))
    .orderBy(asc(signingKeys.createdAt), sql`rowid`)
    .prepare()

  function* eachUser(at: number): Generator<HeldUser> {
    for (let after = ''; ; ) {
      const page = users.all({ at, after })
      for (const [name, passwordHash, former, disabledAt, isLocked, roleKeys] of page) {
        yield {
          name,
          passwordHash,
          formerHash: former === null ? undefined : sealer.open(former),
          isDisabled: disabledAt !== null,
          isLocked: isLocked === 1,
          roleKeys: roleKeys === null ? [] : roleKeys.split(',').map(Number),
        }
        after = name
      }
      if (page.length < pageSize) return
    }
  }

  function* eachToken(at: number): Generator<string> {
    for (let after = 0; ; ) {
      const page = tokens.all({ at, after })
      for (const [sequence, sealedText] of page) {
        yield sealer.open(sealedText)
        after = sequence
      }
      if (page.length < pageSize) return
    }
  }

  return {
    read: (at, visit) =>
      snapshot(() =>
        visit({
          roles: roleRows.list(),
          lockedRoles: new Set(lockedRoles.all(at.getTime())),
          clusters: allClusters.all(),
          keys: trustedKeys.all().map(({ publicJwk }) => publicJwk),
          users: () => eachUser(at.getTime()),
          revokedTokens: () => eachToken(at.getTime()),
        }),
      ),
  }
}
