import { existsSync } from 'node:fs'
import Database from 'better-sqlite3'
import type { AuditVerification } from '../../core/audit/audit-store.ts'
import { StoreOpenError } from '../store-open-error.ts'
import { prepareVerify } from './audit-chain.ts'
import { prepareAuditSequence } from './audit-rows.ts'
import { asOpenError } from './open.ts'

/** The audit trail of a database file, beside a service that may be running: nothing is written, locked or migrated. */
export interface AuditFile {
  /** How many rows were ever written. */
  readonly length: number
  /** One step, as AuditStore.verify has it. */
  verify(step: { readonly after?: number }): AuditVerification
  hashOf(id: number): string | undefined
  close(): void
}

const rowsPerStep = 10_000

/** @throws StoreOpenError where there is no database, or none with an audit trail */
export function openAuditFile(file: string): AuditFile {
  if (!existsSync(file)) throw new StoreOpenError(`there is no database ${file}: name its folder with --data-dir`)
  let client: Database.Database | undefined
  try {
    const opened = new Database(file, { readonly: true, fileMustExist: true })
    client = opened
    const isThere = opened.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'audit'").get() !== undefined
    if (!isThere) throw new StoreOpenError(`the database ${file} has no audit trail yet: start the service once`)
    const verify = prepareVerify(opened)
    const hash = opened.prepare<[number], Buffer>('SELECT hash FROM audit WHERE id = ?').pluck()
    return {
      length: prepareAuditSequence(opened)(),
      // In one transaction, so that what is written meanwhile is not taken for a fault.
      verify: (step) => opened.transaction(() => verify({ ...step, limit: rowsPerStep }))(),
      hashOf: (id) => hash.get(id)?.toString('hex'),
      close: () => void opened.close(),
    }
  } catch (error) {
    client?.close()
    throw asOpenError(file, error)
  }
}
