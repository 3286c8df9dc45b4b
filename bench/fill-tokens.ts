/** Tokens by the million, written into a service's database while it is stopped. */
import { createHash, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { userName } from './fill.ts'

const dayMs = 86_400_000
/** Every tenth is revoked; each user has a thousand. */
const revokedEvery = 10
const usersPerMillion = 1000
/** Nobody reads it here: as long as a token is. */
const sealedText = Buffer.alloc(700)

/** They live for a day, issued one a millisecond up to now. */
export function fillTokens(folder: string, count: number): void {
  const client = new Database(join(folder, 'gatehouse.db'))
  try {
    client.pragma('synchronous = OFF')
    // Fingerprints and ids land anywhere in their indexes.
    client.pragma('cache_size = -1000000')
    const users = Math.max(1, Math.round((count / 1_000_000) * usersPerMillion))
    client.transaction(() => insertAll(client, count, users))()
    client.pragma('wal_checkpoint(TRUNCATE)')
  } finally {
    client.close()
  }
}

function insertAll(client: Database.Database, count: number, users: number): void {
  const token = client.prepare(
    `INSERT INTO tokens (fingerprint, jti, session, subject, user_key, kid, audience, everywhere, origin, issued_at,
       expires_at, sealed_text)
     VALUES (?, ?, NULL, ?, NULL, 'bench-key', '["bench-cluster-0"]', 0, 'issued', ?, ?, ?)`,
  )
  const cluster = client.prepare("INSERT INTO token_clusters VALUES (?, 'bench-cluster-0', ?)")
  const change = client.prepare(
    `INSERT INTO changes (kind, token_key, expires_at, recorded_at, revocation_key)
     VALUES ('token_revoked', ?, ?, ?, 1)`,
  )
  const start = Date.now() - count
  for (let number = 0; number < count; number += 1) {
    const issuedAt = start + number
    const expiresAt = issuedAt + dayMs
    const fingerprint = createHash('sha256').update(String(number)).digest()
    const subject = userName(number % users)
    const { lastInsertRowid } = token.run(fingerprint, randomUUID(), subject, issuedAt, expiresAt, sealedText)
    cluster.run(lastInsertRowid, expiresAt)
    if (number % revokedEvery === 0) change.run(lastInsertRowid, expiresAt, issuedAt)
  }
}
