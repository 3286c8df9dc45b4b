import { desc, isNull, sql } from 'drizzle-orm'
import type { Sealer } from '../../core/keys/sealer.ts'
import type { RestoreStore } from '../../core/recovery/restore.ts'
import type { SqliteParts } from './parts.ts'
import { restores } from './schema.ts'

export function createRestoreStore({ client, db, read, write }: SqliteParts, sealer: Sealer): RestoreStore {
  const newest = db.select().from(restores).where(isNull(restores.completedAt)).orderBy(desc(restores.key)).prepare()
  const counts = client.prepare<[number, number], { users: number; clusters: number; tokens: number; changes: number }>(
    `SELECT (SELECT count(*) FROM users) AS users, (SELECT count(*) FROM clusters) AS clusters,
      (SELECT count(*) FROM tokens WHERE expires_at > ?) AS tokens,
      (SELECT count(*) FROM changes WHERE expires_at > ?) AS changes`,
  )

  return {
    pending: (now) =>
      read(() => {
        const row = newest.get()
        const found = row && counts.get(now.getTime(), now.getTime())
        if (row === undefined || found === undefined) return undefined
        const { backup, backupAt, restoredAt, carriedRevocations, sealedSigningKey } = row
        return {
          backup,
          backupAt,
          restoredAt,
          carriedRevocations,
          signingKey: sealedSigningKey === null ? undefined : openKeyFile(sealedSigningKey, sealer),
          users: found.users,
          clusters: found.clusters,
          liveTokens: found.tokens,
          liveRevocations: found.changes,
        }
      }),

    forgetSigningKey: () =>
      write(() => {
        db.update(restores).set({ sealedSigningKey: null }).where(sql`sealed_signing_key IS NOT NULL`).run()
      }),

    complete: (at) =>
      write(() => {
        db.update(restores).set({ completedAt: at }).where(isNull(restores.completedAt)).run()
      }),
  }
}

/** A key file that is encrypted is no text, and the sealer takes text. */
export function sealKeyFile(content: Buffer, sealer: Sealer): Buffer {
  return sealer.seal(content.toString('base64'))
}

/** @throws Error where it was sealed under another master key */
export function openKeyFile(sealed: Buffer, sealer: Sealer): Buffer {
  return Buffer.from(sealer.open(sealed), 'base64')
}
