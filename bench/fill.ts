/**
 * Data that would take hours to make through the service: written into its database while it is stopped.
 */

import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { createSealer, type Sealer } from '../src/core/keys/sealer.ts'
import type { TokenRow } from '../src/core/tokens/token-store.ts'
import { fingerprintOf } from '../src/core/tokens/token-verifier.ts'
import { loadMasterKey } from '../src/store/master-key.ts'
import { openSqliteStore } from '../src/store/sqlite/sqlite-store.ts'
import { actorNamed } from '../test/actors.ts'
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
const revokedAtOnce = 5000

/** The service must not run. */
export async function fill(folder: string, filling: Filling): Promise<void> {
  const file = join(folder, 'gatehouse.db')
  const sealer = createSealer(await loadMasterKey({ value: undefined, file: join(folder, 'master.key') }))
  await revokeAll(file, sealer, filling.revokedTokens)
  const client = new Database(file)
  try {
    client.pragma('foreign_keys = ON')
    client.transaction(() => fillUsersAndRoles(client, filling))()
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

/** Through the store itself, which writes many of them in one transaction. */
async function revokeAll(file: string, sealer: Sealer, texts: readonly string[]) {
  const store = openSqliteStore({ file, sealer })
  const at = new Date()
  const revoke = (text: string) =>
    store.revocations.record({ token: toRow(text, sealer, at), by: actorNamed(administratorName), reason: 'bench', at })
  try {
    for (let from = 0; from < texts.length; from += revokedAtOnce) {
      await Promise.all(texts.slice(from, from + revokedAtOnce).map(revoke))
    }
  } finally {
    await store.close()
  }
}

function toRow(text: string, sealer: Sealer, issuedAt: Date): TokenRow {
  return {
    fingerprint: fingerprintOf(text),
    jti: randomUUID(),
    session: null,
    subject: userName(0),
    userKey: null,
    kid: null,
    audience: [],
    reach: 'everywhere',
    roleKeys: [],
    issuedAt,
    expiresAt: new Date(issuedAt.getTime() + dayMs),
    sealedText: sealer.seal(text),
    origin: 'foreign',
  }
}
