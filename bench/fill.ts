/**
 * Data that would take hours to make through the service: written straight into its database, in its own shape, while
 * it is stopped.
 */
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { createSealer } from '../src/core/keys/sealer.ts'
import { fingerprintOf } from '../src/core/tokens/token-verifier.ts'
import { loadMasterKey } from '../src/store/master-key.ts'
import { administratorName } from './server.ts'

export interface Filling {
  readonly users: number
  /** Roles by name, each held by that many of the users. */
  readonly holders: ReadonlyMap<string, number>
  /** Roles that nobody holds. */
  readonly roles: number
  /** Texts of tokens that are revoked and live on. */
  readonly revokedTokens: readonly string[]
}

export function userName(number: number): string {
  return `user${String(number).padStart(6, '0')}`
}

export function roleName(number: number): string {
  return `role${String(number).padStart(4, '0')}`
}

const dayMs = 86_400_000

/** One transaction; the service must not run. */
export async function fill(folder: string, filling: Filling): Promise<void> {
  const sealer = createSealer(await loadMasterKey({ value: undefined, file: join(folder, 'master.key') }))
  const client = new Database(join(folder, 'gatehouse.db'))
  try {
    client.pragma('foreign_keys = ON')
    client.transaction(() => {
      fillUsersAndRoles(client, filling)
      for (const token of filling.revokedTokens) revoke(client, token, sealer.seal(token))
    })()
    client.pragma('wal_checkpoint(TRUNCATE)')
  } finally {
    client.close()
  }
}

function fillUsersAndRoles(client: Database.Database, { users, holders, roles }: Filling) {
  const now = Date.now()
  const passwordHash = client.prepare('SELECT password_hash FROM users WHERE name = ?').pluck().get(administratorName)
  const insertUser = client.prepare(
    `INSERT INTO users (name, password_hash, is_built_in, tokens_not_before, created_at, updated_at)
     VALUES (?, ?, 0, 0, ?, ?)`,
  )
  const insertHolding = client.prepare('INSERT INTO user_roles (user_key, position, role_key) VALUES (?, ?, ?)')
  const roleKeys = [...holders].map(([name, count]) => ({ key: insertRole(client, name, now), count }))
  for (let number = 0; number < roles; number += 1) insertRole(client, roleName(number), now)
  for (let number = 0; number < users; number += 1) {
    const { lastInsertRowid } = insertUser.run(userName(number), passwordHash, now, now)
    const held = roleKeys.filter(({ count }) => number < count)
    held.forEach(({ key }, position) => {
      insertHolding.run(lastInsertRowid, position, key)
    })
  }
}

function insertRole(client: Database.Database, name: string, now: number): number | bigint {
  const { lastInsertRowid } = client
    .prepare(
      `INSERT INTO roles (name, description, is_administrator, is_built_in, annotations, created_at, updated_at)
       VALUES (?, 'made by the bench', 0, 0, '{}', ?, ?)`,
    )
    .run(name, now, now)
  client
    .prepare(
      `INSERT INTO role_grants (role_key, position, cluster_id, resource, permissions, annotations)
       VALUES (?, 0, 'bench-cluster-0', NULL, '831', '{}')`,
    )
    .run(lastInsertRowid)
  return lastInsertRowid
}

const statements = new WeakMap<Database.Database, { token: Database.Statement; change: Database.Statement }>()

function revoke(client: Database.Database, text: string, sealed: Buffer) {
  const { token, change } = statements.get(client) ?? prepareRevocation(client)
  const now = Date.now()
  const expiresAt = now + dayMs
  const { lastInsertRowid } = token.run(fingerprintOf(text), userName(0), now, expiresAt, now, sealed)
  change.run(lastInsertRowid, expiresAt, now, administratorName)
}

function prepareRevocation(client: Database.Database) {
  const prepared = {
    token: client.prepare(
      `INSERT INTO tokens (fingerprint, subject, audience, origin, issued_at, expires_at, revoked_at, sealed_text)
       VALUES (?, ?, '[]', 'foreign', ?, ?, ?, ?)`,
    ),
    change: client.prepare(
      `INSERT INTO changes (kind, token_key, expires_at, recorded_at, actor, reason)
       VALUES ('token_revoked', ?, ?, ?, ?, 'bench')`,
    ),
  }
  statements.set(client, prepared)
  return prepared
}
