import type { Sealer } from '../../core/keys/sealer.ts'
import type { Change, ChangeKind } from '../../core/revocation/change.ts'
import type { RevocationStore } from '../../core/revocation/revocation-store.ts'
import type { SqliteParts } from './parts.ts'
import { prepareTokenInsert } from './token-store.ts'

/** Clusters are told the same changes at about the same time, so that the last ones are opened once for all of them. */
const keptChanges = 4096

type ChangeRow = [sequence: number, kind: ChangeKind, tokenKey: number, expiresAt: number]

export function createRevocationStore({ client, read, snapshot, write }: SqliteParts, sealer: Sealer): RevocationStore {
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
  const after = client
    .prepare<[number, number, number], ChangeRow>(
      `SELECT sequence, kind, token_key, expires_at FROM changes
       WHERE sequence > ? AND +expires_at > ? ORDER BY sequence LIMIT ?`,
    )
    .raw()
  const sealedText = client.prepare<[number], Buffer>('SELECT sealed_text FROM tokens WHERE key = ?').pluck()
  const last = client.prepare<[], number>("SELECT seq FROM sqlite_sequence WHERE name = 'changes'").pluck()
  const opened = new Map<number, Change>()

  function openChange([sequence, kind, tokenKey, expiresAt]: ChangeRow): Change {
    const kept = opened.get(sequence)
    if (kept !== undefined) return kept
    const sealed = sealedText.get(tokenKey)
    if (sealed === undefined) throw new Error(`change ${sequence} has lost its token`)
    const change = { sequence, kind, token: sealer.open(sealed), expiresAt: new Date(expiresAt) }
    opened.set(sequence, change)
    return change
  }

  function forgetOldest(): void {
    for (const sequence of opened.keys()) {
      if (opened.size <= keptChanges) return
      opened.delete(sequence)
    }
  }

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
      snapshot(() => {
        const changes = after.all(sequence, now.getTime(), limit).map(openChange)
        forgetOldest()
        return changes
      }),

    lastSequence: () => read(() => last.get() ?? 0),
  }
}
