import type { Database } from 'better-sqlite3'
import { type AuditAction, type AuditEntry, type AuditRow, cleanText, scrubbedJson } from '../../core/audit/audit.ts'
import { type AuditColumns, type ChainEnd, chainStart, hashRow, type Link } from '../../core/audit/chain.ts'
import type { JsonValue } from '../../core/json.ts'
import type { Deed } from '../../core/sessions/actor.ts'

/** Runs inside the transaction of the act that the row tells of. */
export interface AuditRows {
  append(entry: AuditEntry, deed: Deed): void
}

/** A row as SQLite gives it: the columns in their order, then the hash. */
export type RawAuditRow = [...AuditColumns, hash: Buffer]

export const auditColumnNames =
  'id, at, action, outcome, actor, via, address, request_id, target_kind, target_name, before, after, details, reason, repeats, since, hash'

const maximumReason = 1000

/** The hash before is read anew for each row: other processes write as well, though never during this transaction. */
export function prepareAuditRows(client: Database): AuditRows {
  const insert = client.prepare(
    `INSERT INTO audit (${auditColumnNames}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  // In one statement, since every revocation waits for it.
  const readLast = client
    .prepare<[], [id: number, hash: Buffer, sequence: number]>(
      `SELECT id, hash, (SELECT seq FROM sqlite_sequence WHERE name = 'audit')
       FROM audit WHERE id = (SELECT max(id) FROM audit)`,
    )
    .raw()
  const readSequence = prepareAuditSequence(client)

  return {
    append(entry, deed) {
      const [last, previous, sequence] = readLast.get() ?? [0, chainStart.hash, readSequence()]
      // Where rows were cut off, the gap stays to be seen.
      const columns = toColumns(Math.max(last, sequence) + 1, entry, deed)
      insert.run(...columns, hashRow(previous, columns))
    },
  }
}

function toColumns(id: number, entry: AuditEntry, { by, at }: Deed): AuditColumns {
  const { subject, origin } = by
  const { action, target, outcome = 'done', reason, repeats = 1, since } = entry
  return [
    id,
    at.getTime(),
    action,
    outcome,
    cleanText(subject),
    origin.via,
    origin.address,
    origin.requestId,
    target === null ? null : target.kind,
    target === null ? null : cleanText(target.name),
    toText(entry.before),
    toText(entry.after),
    toText(entry.details),
    reason === undefined || reason === '' ? null : cleanText(reason, maximumReason),
    repeats,
    since?.getTime() ?? null,
  ]
}

function toText(value: JsonValue | undefined): string | null {
  return value === undefined || value === null ? null : scrubbedJson(value)
}

/** The last row there is. */
export function prepareChainEnd(client: Database): () => ChainEnd {
  const last = client
    .prepare<[], [number, Buffer]>('SELECT id, hash FROM audit WHERE id = (SELECT max(id) FROM audit)')
    .raw()
  return () => {
    const row = last.get()
    return row === undefined ? chainStart : { id: row[0], hash: row[1] }
  }
}

/** How many rows were ever written. */
export function prepareAuditSequence(client: Database): () => number {
  const sequence = client.prepare<[], number>("SELECT seq FROM sqlite_sequence WHERE name = 'audit'").pluck()
  return () => sequence.get() ?? 0
}

/** How much a row holds, but for what is always short. */
export function charactersOf(row: RawAuditRow): number {
  return (row[10]?.length ?? 0) + (row[11]?.length ?? 0) + (row[12]?.length ?? 0)
}

export function toLink(row: RawAuditRow): Link {
  const hash = row.at(-1)
  return { columns: row.slice(0, -1) as unknown as AuditColumns, hash: Buffer.isBuffer(hash) ? hash : Buffer.alloc(0) }
}

export function toAuditRow(raw: RawAuditRow): AuditRow {
  const [id, at, action, outcome, actor, via, address, requestId, kind, name, before, after, details, reason] = raw
  const [repeats, since, hash] = [raw[14], raw[15], raw[16]]
  return {
    id,
    at: new Date(at),
    action: action as AuditAction,
    outcome: outcome as AuditRow['outcome'],
    actor,
    via: via as AuditRow['via'],
    address,
    requestId,
    target: kind === null || name === null ? null : ({ kind, name } as AuditRow['target']),
    before: fromText(before),
    after: fromText(after),
    details: fromText(details) as AuditRow['details'],
    reason,
    repeats,
    since: since === null ? null : new Date(since),
    hash: hash.toString('hex'),
  }
}

/** What somebody has put in its place, and which is no JSON, is shown as it is: it is the chain that tells of it. */
function fromText(text: string | null): JsonValue {
  if (text === null) return null
  try {
    return JSON.parse(text) as JsonValue
  } catch {
    return text
  }
}
