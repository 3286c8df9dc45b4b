/** Following the audit trail's chain in a database, from the checkpoint that the last purge has left. */
import type { Database } from 'better-sqlite3'
import type { AuditVerification } from '../../core/audit/audit-store.ts'
import { type ChainEnd, type ChainFault, chainStart, followChain } from '../../core/audit/chain.ts'
import { auditColumnNames, charactersOf, prepareAuditSequence, type RawAuditRow, toLink } from './audit-rows.ts'

/** What is read in one step at most, whatever rows hold: hashing it takes some ten milliseconds. */
const charactersPerStep = 8 * 1024 * 1024

/** One step, as AuditStore.verify has it. Runs inside a snapshot. */
export type VerifyStep = (step: { readonly after?: number; readonly limit: number }) => AuditVerification

export function prepareVerify(client: Database): VerifyStep {
  const rowsAfter = client
    .prepare<[number, number], RawAuditRow>(`SELECT ${auditColumnNames} FROM audit WHERE id > ? ORDER BY id LIMIT ?`)
    .raw()
  const oldestId = client.prepare<[], number | null>('SELECT min(id) FROM audit').pluck()
  const hashOf = client.prepare<[number], Buffer>('SELECT hash FROM audit WHERE id = ?').pluck()
  const readCheckpoint = prepareCheckpoint(client)
  const readSequence = prepareAuditSequence(client)

  /** Undefined where there is a checkpoint that does not hold. */
  function findStart(after: number): ChainEnd | undefined {
    const oldest = readCheckpoint()
    if (oldest === undefined || after <= oldest.id) return oldest
    const hash = hashOf.get(after)
    return hash === undefined ? { id: after, hash: Buffer.alloc(0) } : { id: after, hash }
  }

  /** A row before the first of the chain, which was never written there, or was purged: the chain passes it by. */
  function findStray(start: ChainEnd): number | undefined {
    const oldest = readCheckpoint()
    const id = oldest === undefined || start.id > oldest.id ? null : oldestId.get()
    return typeof id === 'number' && id <= start.id ? id : undefined
  }

  return ({ after = 0, limit }) => {
    const start = findStart(after)
    if (start === undefined) return broken(chainStart, 0, { id: 1, what: 'checkpoint' })
    const stray = findStray(start)
    if (stray !== undefined) return broken(start, 0, { id: stray, what: 'altered' })
    const step = createStep(rowsAfter.iterate(start.id, limit))
    const { end, fault } = followChain(start, step.links())
    const checked = end.id - start.id
    if (fault !== null) return broken(end, checked, fault)
    const isAtEnd = !step.isCut() && checked < limit
    if (isAtEnd && end.id !== readSequence()) return broken(end, checked, { id: end.id, what: 'cut' })
    return { checked, head: present(end), isAtEnd, fault: null }
  }
}

/** Rows one by one, so that large ones are not in memory together, until they are enough for one step. */
function createStep(rows: Iterable<RawAuditRow>) {
  let isCut = false
  function* links() {
    let characters = 0
    for (const row of rows) {
      yield toLink(row)
      characters += charactersOf(row)
      isCut = characters >= charactersPerStep
      if (isCut) return
    }
  }
  return { links, isCut: () => isCut }
}

function broken(end: ChainEnd, checked: number, fault: ChainFault): AuditVerification {
  return { checked, head: present(end), isAtEnd: true, fault }
}

function present({ id, hash }: ChainEnd) {
  return { id, hash: hash.toString('hex') }
}

/** The last row that was purged, by the row that says so; undefined where that row is not there or says something else. */
function prepareCheckpoint(client: Database): () => ChainEnd | undefined {
  const pointer = client.prepare<[], number>('SELECT id FROM audit_checkpoint WHERE key = 1').pluck()
  const details = client
    .prepare<[number], string | null>("SELECT details FROM audit WHERE id = ? AND action = 'audit.purged'")
    .pluck()
  return () => {
    const id = pointer.get()
    return id === undefined ? chainStart : parseCheckpoint(details.get(id) ?? '')
  }
}

function parseCheckpoint(text: string): ChainEnd | undefined {
  try {
    const { through, hash } = JSON.parse(text) as { through?: unknown; hash?: unknown }
    if (typeof through !== 'number' || typeof hash !== 'string') return undefined
    return { id: through, hash: Buffer.from(hash, 'hex') }
  } catch {
    return undefined
  }
}
