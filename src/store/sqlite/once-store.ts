import { DomainError } from '../../core/errors.ts'
import type { Sealer } from '../../core/keys/sealer.ts'
import { type Once, type OnceStore, onceKeptMs } from '../../core/once.ts'
import type { SqliteParts } from './parts.ts'

/** Runs inside the caller's transaction. */
export interface OnceRows {
  /** Keeps the key with the answer; nothing where there is no key. @throws DomainError idempotency_key_busy */
  keep<T>(once: Once<T> | undefined, made: T, at: Date): void
}

export function prepareOnceRows({ client }: Pick<SqliteParts, 'client'>, sealer: Sealer): OnceRows {
  const keep = client.prepare<[number, string, Buffer, string, number, number]>(
    `INSERT INTO idempotency_keys (user_key, key, sealed_digest, answer, kept_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (user_key, key) DO UPDATE
     SET sealed_digest = excluded.sealed_digest, answer = excluded.answer, kept_at = excluded.kept_at
     WHERE kept_at < ?`,
  )
  return {
    keep(once, made, at) {
      if (once === undefined) return
      const { userKey, key, digest, answer } = once
      const oldest = at.getTime() - onceKeptMs
      const { changes } = keep.run(userKey, key, sealer.seal(digest), answer(made), at.getTime(), oldest)
      // Another process has made it meanwhile: what was made here is undone.
      if (changes === 0) throw new DomainError('idempotency_key_busy', { key })
    },
  }
}

export function createOnceStore({ client, read, write }: SqliteParts, sealer: Sealer): OnceStore {
  const find = client.prepare<[number, string, number], { sealed_digest: Buffer; answer: string }>(
    'SELECT sealed_digest, answer FROM idempotency_keys WHERE user_key = ? AND key = ? AND kept_at >= ?',
  )
  const purge = client.prepare<[number, number]>(
    `DELETE FROM idempotency_keys WHERE (user_key, key) IN (
       SELECT user_key, key FROM idempotency_keys WHERE kept_at < ? ORDER BY kept_at LIMIT ?)`,
  )
  return {
    find: ({ userKey, key }, since) =>
      read(() => {
        const row = find.get(userKey, key, since.getTime())
        return row && { digest: sealer.open(row.sealed_digest), answer: row.answer }
      }),
    purge: (before, limit) => write(() => purge.run(before.getTime(), limit).changes),
  }
}
