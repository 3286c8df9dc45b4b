import BetterSqlite3, { type Database } from 'better-sqlite3'
import type { Sealer } from '../../core/keys/sealer.ts'
import { isSealedUnder } from './master-key-check.ts'

/**
 * Takes over what a database has revoked that is about to be replaced by this one, so that a revocation which was acknowledged
 * survives a restore from before it. Who did it, when and why comes along. Answers how many tokens that are, or null where
 * the other database can't be read, has another shape or was sealed under another master key: then nothing is taken over.
 */
export function carryRevocationsOver(
  client: Database,
  { replaced, sealer, at }: { readonly replaced: string; readonly sealer: Sealer; readonly at: Date },
): number | null {
  try {
    client.prepare('ATTACH ? AS replaced').run(replaced)
  } catch (error) {
    return nullIfUnreadable(error)
  }
  try {
    if (!isOfThisShape(client) || !isSealedUnder(readCheck(client), sealer)) return null
    return client.transaction(() => carry(client, at.getTime())).immediate()
  } catch (error) {
    return nullIfUnreadable(error)
  } finally {
    client.exec('DETACH replaced')
  }
}

/** Damage may be why a backup is being restored; and a newer program may have given the tables another shape. */
function nullIfUnreadable(error: unknown): null {
  if (error instanceof BetterSqlite3.SqliteError) return null
  throw error
}

/** A table's columns that are copied as they are. */
function columnsOf(client: Database, table: string, except: readonly string[]): string {
  const names = client.prepare<[string], string>('SELECT name FROM pragma_table_info(?)').pluck().all(table)
  return names.filter((name) => !except.includes(name)).join(', ')
}

/** One that a newer program has changed, before the way back to this one, may do too. */
function isOfThisShape(client: Database): boolean {
  const other = client.prepare<[], number>(
    `SELECT count(*) FROM (SELECT name, sha256 FROM main.migrations EXCEPT SELECT name, sha256 FROM replaced.migrations)`,
  )
  return other.pluck().get() === 0
}

function readCheck(client: Database): Buffer | undefined {
  return client.prepare<[], Buffer>('SELECT sealed FROM replaced.master_key_check').pluck().get()
}

type LostRow = [sequence: number, theirTokenKey: number, ourTokenKey: number | null, theirAct: number]

function carry(client: Database, nowMs: number): number {
  const lost = client
    .prepare<[number], LostRow>(
      `SELECT rc.sequence, rt.key, t.key, rc.revocation_key
       FROM replaced.changes rc JOIN replaced.tokens rt ON rt.key = rc.token_key
         LEFT JOIN main.tokens t ON t.fingerprint = rt.fingerprint
         LEFT JOIN main.changes c ON c.token_key = t.key
       WHERE rc.expires_at > ? AND c.sequence IS NULL ORDER BY rc.sequence`,
    )
    .raw()
    .all(nowMs)
  // Keys of users were given anew since the backup, and may be given to others: the name in the token is what is left.
  const ofToken = columnsOf(client, 'tokens', ['key', 'user_key'])
  const copyToken = client.prepare<[number]>(
    `INSERT INTO main.tokens (${ofToken}) SELECT ${ofToken} FROM replaced.tokens WHERE key = ?`,
  )
  const copyClusters = client.prepare<[number | bigint, number]>(
    `INSERT INTO main.token_clusters (token_key, cluster_id, expires_at)
     SELECT ?, cluster_id, expires_at FROM replaced.token_clusters WHERE token_key = ?`,
  )
  const copyChange = client.prepare<[number | bigint, number | bigint, number]>(
    `INSERT INTO main.changes (kind, token_key, expires_at, recorded_at, revocation_key)
     SELECT kind, ?, expires_at, recorded_at, ? FROM replaced.changes WHERE sequence = ?`,
  )
  const actOf = prepareActs(client)

  for (const [sequence, theirTokenKey, ourTokenKey, theirAct] of lost) {
    const tokenKey = ourTokenKey ?? copyToken.run(theirTokenKey).lastInsertRowid
    if (ourTokenKey === null) copyClusters.run(tokenKey, theirTokenKey)
    const act = actOf(theirAct)
    act.count(copyChange.run(tokenKey, act.key, sequence).lastInsertRowid)
  }
  actOf.close()
  return lost.length
}

/** Acts of revoking, copied when the first of their tokens is met; what is said of their tokens is what was copied. */
function prepareActs(client: Database) {
  const ofAct = columnsOf(client, 'revocations', ['key', 'tokens', 'first_sequence', 'last_sequence'])
  const copy = client.prepare<[number]>(
    `INSERT INTO main.revocations (${ofAct}, tokens, first_sequence, last_sequence)
     SELECT ${ofAct}, 0, 0, 0 FROM replaced.revocations WHERE key = ?`,
  )
  const sum = client.prepare<[number, number | bigint, number | bigint, number | bigint]>(
    'UPDATE main.revocations SET tokens = ?, first_sequence = ?, last_sequence = ? WHERE key = ?',
  )
  const acts = new Map<
    number,
    { key: number | bigint; tokens: number; first: number | bigint; last: number | bigint }
  >()

  function actOf(theirs: number) {
    const known = acts.get(theirs)
    const act = known ?? { key: copy.run(theirs).lastInsertRowid, tokens: 0, first: 0, last: 0 }
    if (known === undefined) acts.set(theirs, act)
    return {
      key: act.key,
      count(sequence: number | bigint) {
        if (act.tokens === 0) act.first = sequence
        act.last = sequence
        act.tokens += 1
      },
    }
  }
  actOf.close = () => {
    for (const { key, tokens, first, last } of acts.values()) sum.run(tokens, first, last, key)
  }
  return actOf
}
