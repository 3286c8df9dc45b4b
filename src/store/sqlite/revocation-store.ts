import { and, asc, eq, gt, sql } from 'drizzle-orm'
import type { Sealer } from '../../core/keys/sealer.ts'
import type { RevocationStore } from '../../core/revocation/revocation-store.ts'
import type { SqliteParts } from './parts.ts'
import { changes, tokens } from './schema.ts'
import { prepareTokenInsert } from './token-store.ts'

export function createRevocationStore({ client, db, read, write }: SqliteParts, sealer: Sealer): RevocationStore {
  const insertToken = prepareTokenInsert(client)
  const find = client
    .prepare<[Buffer], [number, number | null]>(
      'SELECT t.key, c.sequence FROM tokens t LEFT JOIN changes c ON c.token_key = t.key WHERE t.fingerprint = ?',
    )
    .raw()
  const markRevoked = client.prepare<[number, number]>('UPDATE tokens SET revoked_at = ? WHERE key = ?')
  const append = client.prepare(
    'INSERT INTO changes (kind, token_key, expires_at, recorded_at, actor, reason) VALUES (?, ?, ?, ?, ?, ?)',
  )
  // The plus keeps SQLite on the sequence, which gives the order, instead of the index on expiry.
  const after = db
    .select({
      sequence: changes.sequence,
      kind: changes.kind,
      expiresAt: changes.expiresAt,
      sealedText: tokens.sealedText,
    })
    .from(changes)
    .innerJoin(tokens, eq(tokens.key, changes.tokenKey))
    .where(
      and(gt(changes.sequence, sql.placeholder('sequence')), sql`+${changes.expiresAt} > ${sql.placeholder('now')}`),
    )
    .orderBy(asc(changes.sequence))
    .limit(sql.placeholder('limit'))
    .prepare()
  const last = client.prepare<[], number>("SELECT seq FROM sqlite_sequence WHERE name = 'changes'").pluck()

  return {
    record: ({ token, actor, reason, at }) =>
      write(() => {
        const found = find.get(token.fingerprint)
        if (found !== undefined && found[1] !== null) return { sequence: found[1], isNew: false }
        const tokenKey = found?.[0] ?? insertToken(token, at)
        if (found !== undefined) markRevoked.run(at.getTime(), found[0])
        const change = append.run('token_revoked', tokenKey, token.expiresAt.getTime(), at.getTime(), actor, reason)
        return { sequence: Number(change.lastInsertRowid), isNew: true }
      }),

    after: (sequence, { limit, now }) =>
      read(() =>
        after
          .all({ sequence, limit, now: now.getTime() })
          .map(({ sealedText, ...change }) => ({ ...change, token: sealer.open(sealedText) })),
      ),

    lastSequence: () => read(() => last.get() ?? 0),
  }
}
