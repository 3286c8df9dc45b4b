import type { Database } from 'better-sqlite3'
import { type AuditRow, cleanText } from '../../core/audit/audit.ts'
import type { AuditFilter, AuditPage, AuditStore } from '../../core/audit/audit-store.ts'
import { prepareVerify } from './audit-chain.ts'
import { auditColumnNames, charactersOf, prepareChainEnd, type RawAuditRow, toAuditRow } from './audit-rows.ts'
import type { SqliteParts } from './parts.ts'

/** What one page may cost, whatever is asked for: rows that are looked at, and characters of what they hold. */
const scannedRows = 4000
const scannedCharacters = 4 * 1024 * 1024

export function createAuditStore({ client, read, snapshot, write, audit }: SqliteParts): AuditStore {
  const one = client.prepare<[number], RawAuditRow>(`SELECT ${auditColumnNames} FROM audit WHERE id = ?`).raw()
  const lastAt = client.prepare<[], number>('SELECT at FROM audit WHERE id = (SELECT max(id) FROM audit)').pluck()
  const readEnd = prepareChainEnd(client)
  const verify = prepareVerify(client)
  const list = prepareList(client)
  const purge = preparePurge(client)

  return {
    list: (page) => read(() => list(page)),

    get: (id) =>
      read(() => {
        const row = one.get(id)
        return row && toAuditRow(row)
      }),

    head: () =>
      snapshot(() => {
        const { id, hash } = readEnd()
        const at = lastAt.get()
        return { id, hash: hash.toString('hex'), at: at === undefined ? null : new Date(at) }
      }),

    verify: (step) => snapshot(() => verify(step)),

    append: (entry, deed) => write(() => audit.append(entry, deed)),

    purge: (before, limit, deed) =>
      write(() => {
        const purged = purge.find(before.getTime(), deed.at.getTime(), limit)
        if (purged === undefined) return 0
        const { first, through, hash } = purged
        const rows = through - first + 1
        audit.append(
          {
            action: 'audit.purged',
            target: { kind: 'audit', name: `${first}-${through}` },
            details: { through, hash, rows },
          },
          deed,
        )
        purge.delete(through, readEnd().id)
        return rows
      }),
  }
}

/** By what a page is found: the condition that leaves the fewest rows goes by its index, the others are looked at. */
const accesses = {
  request: { index: 'audit_by_request', where: 'request_id = @requestId' },
  target: { index: 'audit_by_target', where: 'target_kind = @kind AND target_name = @name' },
  actor: { index: 'audit_by_actor', where: 'actor = @actor' },
  action: { index: 'audit_by_action', where: 'action = @action' },
  refused: { index: 'audit_refused', where: "outcome = 'refused'" },
  time: { index: 'audit_by_time', where: 'TRUE' },
} as const

function chooseAccess({ requestId, target, actor, action, outcome }: AuditFilter): keyof typeof accesses {
  if (requestId !== undefined) return 'request'
  if (target !== undefined) return 'target'
  if (actor !== undefined) return 'actor'
  if (action !== undefined) return 'action'
  return outcome === 'refused' ? 'refused' : 'time'
}

function prepareList(client: Database) {
  const prepare = (sql: string) => client.prepare<[object], RawAuditRow>(`SELECT ${auditColumnNames} FROM ${sql}`).raw()
  const newest = ({ index, where }: (typeof accesses)[keyof typeof accesses]) =>
    prepare(`audit INDEXED BY ${index} WHERE ${where} AND at >= @from AND at <= @at AND (at < @at OR id < @id)
      ORDER BY at DESC, id DESC LIMIT ${scannedRows}`)
  const statements = {
    request: newest(accesses.request),
    target: newest(accesses.target),
    actor: newest(accesses.actor),
    action: newest(accesses.action),
    refused: newest(accesses.refused),
    time: newest(accesses.time),
  }
  const written = prepare(`audit WHERE id > @id ORDER BY id LIMIT ${scannedRows}`)

  function open({ filter, order, after }: AuditPage) {
    const { target, from, until, actor = '', action = '', requestId = '' } = filter
    if (order === 'written') return written.iterate({ id: after?.id ?? 0 })
    // The instant before `until`, with any id.
    const newestAt = until === undefined ? Number.MAX_SAFE_INTEGER : until.getTime() - 1
    const position = after ?? { at: newestAt, id: Number.MAX_SAFE_INTEGER }
    return statements[chooseAccess(filter)].iterate({
      ...position,
      from: from?.getTime() ?? Number.MIN_SAFE_INTEGER,
      actor,
      action,
      requestId,
      kind: target?.kind ?? '',
      name: target?.name ?? '',
    })
  }

  return (page: AuditPage): Awaited<ReturnType<AuditStore['list']>> => {
    const filter = cleanFilter(page.filter)
    const rows: AuditRow[] = []
    let scanned = 0
    let characters = 0
    for (const raw of open({ ...page, filter })) {
      scanned += 1
      if (meets(raw, filter)) {
        rows.push(toAuditRow(raw))
        characters += charactersOf(raw)
      }
      if (rows.length === page.limit || scanned === scannedRows || characters >= scannedCharacters) {
        return { rows, next: { at: raw[1], id: raw[0] } }
      }
    }
    return { rows, next: null }
  }
}

/** Names as rows have them. */
function cleanFilter(filter: AuditFilter): AuditFilter {
  const { actor, target } = filter
  return {
    ...filter,
    ...(actor !== undefined && { actor: cleanText(actor) }),
    ...(target !== undefined && { target: { ...target, name: cleanText(target.name) } }),
  }
}

function meets(raw: RawAuditRow, { requestId, target, actor, action, outcome, from, until }: AuditFilter): boolean {
  return (
    (requestId === undefined || raw[7] === requestId) &&
    (target === undefined || (raw[8] === target.kind && raw[9] === target.name)) &&
    (actor === undefined || raw[4] === actor) &&
    (action === undefined || raw[2] === action) &&
    (outcome === undefined || raw[3] === outcome) &&
    (from === undefined || raw[1] >= from.getTime()) &&
    (until === undefined || raw[1] < until.getTime())
  )
}

function preparePurge(client: Database) {
  const oldest = client
    .prepare<[number], [id: number, at: number, hash: Buffer]>(
      'SELECT id, at, hash FROM audit WHERE id > 0 ORDER BY id LIMIT ?',
    )
    .raw()
  const remove = client.prepare<[number]>('DELETE FROM audit WHERE id <= ?')
  const point = client.prepare<[number]>(
    'INSERT INTO audit_checkpoint (key, id) VALUES (1, ?) ON CONFLICT (key) DO UPDATE SET id = excluded.id',
  )
  return {
    /** The oldest rows up to the first that must stay. A row from the future, by a clock that was wrong, keeps none. */
    find(before: number, now: number, limit: number) {
      const rows = oldest.all(limit)
      const kept = rows.findIndex(([, at]) => at >= before && at <= now)
      const last = rows.at(kept < 0 ? rows.length - 1 : kept - 1)
      const first = rows[0]
      if (kept === 0 || first === undefined || last === undefined) return undefined
      return { first: first[0], through: last[0], hash: last[2].toString('hex') }
    },
    delete(through: number, checkpoint: number) {
      remove.run(through)
      point.run(checkpoint)
    },
  }
}
