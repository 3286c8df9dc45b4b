/**
 * The audit trail with a million rows: a page at its end, one in its depths, with a filter and without, and a piece of the
 * check. The rows are written straight into the database, chained as the service chains them.
 */
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { type AuditColumns, hashRow } from '../../src/core/audit/chain.ts'
import { call } from '../calls.ts'
import { userName } from '../fill.ts'
import { median } from '../load.ts'
import type { Workbench } from '../workbench.ts'

const pageRows = 100
const actors = 10_000
const startAt = Date.UTC(2026, 0, 1)
/** Between two rows. */
const stepMs = 20

export async function measureAudit(bench: Workbench): Promise<void> {
  if (!bench.wants('audit')) return
  const rows = bench.size.auditRows
  const folder = await bench.emptyFolder()
  fillAudit(join(folder, 'gatehouse.db'), rows)
  await using server = await bench.start(folder)

  async function measure(id: string, what: string, query: string, limit: string) {
    const ask = () => call(server.port, { method: 'GET', path: `/api/v1/audit${query}`, bearer: server.bearer })
    const first = await ask()
    const times: number[] = []
    for (let repeat = 0; repeat < bench.size.repeats * 4; repeat += 1) times.push((await ask()).ms)
    const aside = `the first time ${first.ms.toFixed(1)} ms`
    bench.report({ id, what, value: median(times), unit: 'ms', aside, limit })
  }

  const deep = new Date(startAt + Math.floor(rows / 2) * stepMs).toISOString()
  const page = `limit=${pageRows}`
  const shown = "the service's main thread: rows to JSON"
  await measure('audit-first', `audit of ${rows} rows: the newest ${pageRows}`, `?${page}`, shown)
  await measure('audit-deep', `  ${pageRows} from its middle`, `?${page}&until=${deep}`, shown)
  await measure('audit-actor', '  of one actor, from its middle', `?${page}&actor=${userName(7)}&until=${deep}`, shown)
  const both = `?${page}&actor=${userName(7)}&action=role.created`
  await measure('audit-both', '  of one actor and an action that he never did', both, 'rows looked at')
  const written = `?${page}&order=written&after=${Math.floor(rows / 2)}`
  await measure('audit-written', '  followed from its middle', written, shown)
  const piece = `/verify?after=${Math.floor(rows / 2)}`
  await measure('audit-verify', '  2,000 rows of it checked', piece, "the service's main thread: SHA-256 and JSON")
}

function fillAudit(file: string, rows: number): void {
  const client = new Database(file)
  const insert = client.prepare('INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const last = client.prepare<[], [number, Buffer]>('SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1').raw().get()
  client.transaction(() => {
    let [id, hash] = last ?? [0, Buffer.alloc(32)]
    for (let number = 0; number < rows; number += 1) {
      id += 1
      const columns = makeColumns(id, number)
      hash = hashRow(hash, columns)
      insert.run(...columns, hash)
    }
  })()
  client.pragma('wal_checkpoint(TRUNCATE)')
  client.close()
}

/** Logins, as most rows are. */
function makeColumns(id: number, number: number): AuditColumns {
  const name = userName(number % actors)
  const at = startAt + number * stepMs
  const request = `${at.toString(16).padStart(12, '0')}-0000-7000-8000-${String(number).padStart(12, '0')}`
  const details = JSON.stringify({ jti: request, session: request, clusters: 3, roles: ['reader', 'writer'] })
  const who = ['done', name, 'aistore', `10.0.${number % 256}.7`, request] as const
  return [id, at, 'token.issued', ...who, 'user', name, null, null, details, null, 1, null]
}
