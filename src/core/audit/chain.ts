/** How rows of the audit trail are chained, and how that is checked. */
import { hash } from 'node:crypto'

/** A row as it is kept and hashed: every column but the hash, in the order of the table; instants in ms, JSON as text. */
export type AuditColumns = readonly [
  id: number,
  at: number,
  action: string,
  outcome: string,
  actor: string,
  via: string,
  address: string | null,
  requestId: string | null,
  targetKind: string | null,
  targetName: string | null,
  before: string | null,
  after: string | null,
  details: string | null,
  reason: string | null,
  repeats: number,
  since: number | null,
]

/** Where a chain goes on: the row before, and its hash. */
export interface ChainEnd {
  readonly id: number
  readonly hash: Buffer
}

/** What stands before the first row that ever was. */
export const chainStart: ChainEnd = { id: 0, hash: Buffer.alloc(32) }

/** SHA-256 of the hash before, in hex, followed by the columns as a JSON array, in UTF-8. */
export function hashRow(previous: Buffer, columns: AuditColumns): Buffer {
  return hash('sha256', previous.toString('hex') + JSON.stringify(columns), 'buffer')
}

/** Where a chain breaks. */
export interface ChainFault {
  /** The row at which it is noticed. */
  readonly id: number
  /**
   * `altered`: this row or the one before it is not what was written; `missing`: rows before it are not there; `cut`: rows
   * after it are not there; `checkpoint`: what says from where the chain goes on does not hold.
   */
  readonly what: 'altered' | 'missing' | 'cut' | 'checkpoint'
}

export interface Link {
  readonly columns: AuditColumns
  readonly hash: Buffer
}

/** Follows the chain from `from`. Answers its end as far as it holds, and where it breaks if it does. */
export function followChain(
  from: ChainEnd,
  links: Iterable<Link>,
): { readonly end: ChainEnd; readonly fault: ChainFault | null } {
  let end = from
  for (const { columns, hash: kept } of links) {
    const [id] = columns
    if (id !== end.id + 1) return { end, fault: { id, what: 'missing' } }
    if (!hashRow(end.hash, columns).equals(kept)) return { end, fault: { id, what: 'altered' } }
    end = { id, hash: kept }
  }
  return { end, fault: null }
}
