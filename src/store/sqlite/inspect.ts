import { existsSync, statSync } from 'node:fs'
import Database from 'better-sqlite3'
import type { Sealer } from '../../core/keys/sealer.ts'
import { DatabaseTooNewError, StoreOpenError } from '../store-open-error.ts'
import { isSealedUnder, readMasterKeyCheck } from './master-key-check.ts'
import { findPendingMigrations } from './migrate.ts'
import { asOpenError } from './open.ts'

export type Inspection =
  | { readonly kind: 'missing' }
  | { readonly kind: 'unusable'; readonly reason: string; readonly isTooNew: boolean }
  | {
      readonly kind: 'open'
      /** What is wrong with it, in SQLite's words; undefined where nothing is. */
      readonly damage: string | undefined
      readonly pendingMigrations: readonly string[]
      readonly logBytes: number
      /** By the clock of who wrote it; undefined where the database is older than this program. */
      readonly lastWrittenAt: Date | undefined
      /** Undefined without a sealer. */
      readonly isSealedUnder: boolean | undefined
    }

const problemsShown = 5

/**
 * Looks at a database that others may be using, and writes nothing. The full check reads every index too, and takes about
 * ten seconds a gigabyte.
 */
export function inspectDatabase(
  file: string,
  { isFull, sealer }: { readonly isFull: boolean; readonly sealer: Sealer | undefined },
): Inspection {
  if (!existsSync(file) || statSync(file).size === 0) return { kind: 'missing' }
  let client: Database.Database | undefined
  try {
    client = openForReading(file)
    const pendingMigrations = findPendingMigrations(client)
    return {
      kind: 'open',
      damage: findDamage(client, isFull),
      pendingMigrations,
      logBytes: existsSync(`${file}-wal`) ? statSync(`${file}-wal`).size : 0,
      lastWrittenAt: pendingMigrations.length > 0 ? undefined : findLastWrite(client),
      isSealedUnder: sealer && isSealedUnder(readMasterKeyCheck(client), sealer),
    }
  } catch (error) {
    const failure = asOpenError(file, error)
    if (!(failure instanceof StoreOpenError)) throw error
    return { kind: 'unusable', reason: failure.message, isTooNew: failure instanceof DatabaseTooNewError }
  } finally {
    client?.close()
  }
}

/** A connection that can't write, though the file may be written to: without that SQLite could not read what others write. */
export function openForReading(file: string): Database.Database {
  const client = new Database(file, { fileMustExist: true, timeout: 5_000 })
  client.pragma('query_only = ON')
  return client
}

/** Words of SQLite's own checks; undefined where all is well. */
export function findDamage(client: Database.Database, isFull: boolean): string | undefined {
  const check = isFull ? 'integrity_check' : 'quick_check'
  const found = client.prepare<[], string>(`PRAGMA ${check}(${problemsShown})`).pluck().all()
  if (found.join() !== 'ok') return found.join('; ').replaceAll(/\s*\n\s*/g, '; ')
  if (!isFull) return undefined
  const loose = client.prepare<[], number>('SELECT count(*) FROM pragma_foreign_key_check').pluck().get()
  return loose === 0 ? undefined : `${loose} rows refer to what is not there`
}

function findLastWrite(client: Database.Database): Date | undefined {
  const latest = client
    .prepare<[], number | null>(
      `SELECT max(at) FROM (SELECT max(created_at) AS at FROM signing_keys
        UNION ALL SELECT * FROM (SELECT issued_at FROM tokens ORDER BY key DESC LIMIT 1)
        UNION ALL SELECT * FROM (SELECT recorded_at FROM revocations ORDER BY key DESC LIMIT 1))`,
    )
    .pluck()
    .get()
  return latest == null ? undefined : new Date(latest)
}
