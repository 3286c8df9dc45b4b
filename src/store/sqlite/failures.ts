import Database from 'better-sqlite3'
import { DomainError } from '../../core/errors.ts'

/** What SQLite's result codes mean to people, by the primary code that an extended one starts with (sqlite.org/rescode.html). */
const outages: readonly (readonly [code: string, reason: string])[] = [
  ['SQLITE_FULL', 'the disk is full'],
  ['SQLITE_IOERR', 'the disk reports an error'],
  ['SQLITE_READONLY', 'the database can only be read'],
  ['SQLITE_CANTOPEN', 'the database file cannot be opened'],
  ['SQLITE_CORRUPT', 'the database file is damaged'],
  ['SQLITE_NOTADB', 'the file is not a database'],
  ['SQLITE_NOMEM', 'there is not enough memory'],
  ['SQLITE_PERM', 'the database file may not be used'],
  ['SQLITE_BUSY', 'another process holds the database'],
]

/** Another connection holds the lock; the same call works later. */
export function isBusy(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')
}

/** Why the disk or the database doesn't work, in words; undefined for every other error. */
export function outageReason(error: unknown): string | undefined {
  if (!(error instanceof Database.SqliteError)) return undefined
  return outages.find(([code]) => error.code.startsWith(code))?.[1]
}

export function storageFailed(reason: string, cause?: unknown): DomainError<'storage_failed'> {
  return new DomainError('storage_failed', { reason }, cause === undefined ? undefined : { cause })
}
