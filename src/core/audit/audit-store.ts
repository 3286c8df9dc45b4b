import type { Deed } from '../sessions/actor.ts'
import type { AuditAction, AuditEntry, AuditHead, AuditOutcome, AuditRow, AuditTarget } from './audit.ts'
import type { ChainFault } from './chain.ts'

/** Each is a condition that a row must meet; absent = any. */
export interface AuditFilter {
  readonly actor?: string
  readonly action?: AuditAction
  readonly target?: AuditTarget
  readonly outcome?: AuditOutcome
  readonly requestId?: string
  /** At or after. */
  readonly from?: Date
  /** Before. */
  readonly until?: Date
}

/** Where a page starts: behind this row. */
export interface AuditPosition {
  readonly at: number
  readonly id: number
}

/**
 * `newest`: by time, the latest first. `written`: in the order in which rows were written, the first one first: what
 * follows the trail misses nothing, whatever clocks did.
 */
export type AuditOrder = 'newest' | 'written'

export interface AuditPage {
  readonly filter: AuditFilter
  readonly order: AuditOrder
  readonly after?: AuditPosition
  readonly limit: number
}

/** How far a chain was followed in one step. */
export interface AuditVerification {
  /** Rows that hold, in this step. */
  readonly checked: number
  /** The last row that was reached, and its hash; what the next step goes on from. */
  readonly head: { readonly id: number; readonly hash: string }
  /** The end of the trail is reached. */
  readonly isAtEnd: boolean
  readonly fault: ChainFault | null
}

/** What changes something writes its row itself, in its own transaction; this port reads them, and writes the others. */
export interface AuditStore {
  /**
   * At most `limit` rows; fewer do not mean that these are all: `next` says where to go on, and is null at the end. A page
   * looks at a few thousand rows at most, whatever is asked for.
   */
  list(page: AuditPage): Promise<{ readonly rows: readonly AuditRow[]; readonly next: AuditPosition | null }>
  get(id: number): Promise<AuditRow | undefined>
  head(): Promise<AuditHead>
  /** Follows the chain for up to `limit` rows from behind the row `after`, or from the oldest one that is kept. */
  verify(step: { readonly after?: number; readonly limit: number }): Promise<AuditVerification>
  /** For what changes nothing else. */
  append(entry: AuditEntry, deed: Deed): Promise<void>
  /**
   * Clears away up to `limit` rows, the oldest ones, as far as they are older than `before`, and writes the row that says
   * so, in one transaction; answers how many.
   */
  purge(before: Date, limit: number, deed: Deed): Promise<number>
}
