import type { Database } from 'better-sqlite3'
import type { BetterSQLite3Database } from 'drizzle-orm/better-sqlite3'
import type { AuditRows } from './audit-rows.ts'
import type { Read } from './reader.ts'
import type { Write } from './writer.ts'

/**
 * What every store of this backend is built from. One connection, so that what `write` runs and what `read` runs never
 * overlap. `client` is for statements on hot paths, where drizzle's mapping of rows would cost more than SQLite itself.
 */
export interface SqliteParts {
  readonly client: Database
  readonly db: BetterSQLite3Database
  readonly read: Read
  readonly snapshot: Read
  readonly write: Write
  /** Where an act that changes something says so, inside its transaction. */
  readonly audit: AuditRows
}
