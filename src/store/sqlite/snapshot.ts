import { closeSync, fdatasyncSync, openSync } from 'node:fs'
import Database from 'better-sqlite3'
import type { Clock } from '../../core/clock.ts'
import { asOpenError } from './open.ts'

export interface CopyOptions {
  /** Told now and then how far it is, in pages. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void
  /** Ends the copying; what was copied is removed. */
  readonly signal?: AbortSignal
}

export interface Snapshot {
  /** Everything that was committed before this is in it. */
  readonly at: Date
  /**
   * Writes the whole database to `target`, which must not exist: one file (mode 0600) without a write-ahead log beside it,
   * on disk when it resolves.
   */
  copyTo(target: string, options?: CopyOptions): Promise<void>
  close(): void
}

/** As much as is copied before others get a turn: 16 MiB of pages of 4 KiB. */
const pagesAtOnce = 4096
const openTimeoutMs = 10_000

/**
 * A view of the database as it is now, whatever others go on writing: in write-ahead mode a reader neither waits for writers
 * nor keeps them waiting. As long as it is open the log grows by what is written.
 * @throws StoreOpenError where the file can't be read
 */
export function openSnapshot(file: string, clock: Clock): Snapshot {
  let client: Database.Database | undefined
  try {
    client = new Database(file, { fileMustExist: true, timeout: openTimeoutMs })
    client.pragma('query_only = ON')
    const at = clock.now()
    // Held to the end: SQLite begins a copy anew when somebody writes meanwhile, unless its source keeps one view.
    client.exec('BEGIN')
    client.prepare('SELECT count(*) FROM sqlite_schema').get()
    return snapshotOf(client, at)
  } catch (error) {
    client?.close()
    throw asOpenError(file, error)
  }
}

function snapshotOf(client: Database.Database, at: Date): Snapshot {
  return {
    at,
    async copyTo(target, { onProgress, signal } = {}) {
      // SQLite would make it readable for everybody.
      const handle = openSync(target, 'wx', 0o600)
      try {
        await client.backup(target, {
          progress: ({ totalPages, remainingPages }) => {
            signal?.throwIfAborted()
            // Little by little: who writes to the same disk would wait for all of it at the end.
            fdatasyncSync(handle)
            onProgress?.({ done: totalPages - remainingPages, total: totalPages })
            return pagesAtOnce
          },
        })
        foldLog(target)
      } catch (error) {
        throw asOpenError(target, error)
      } finally {
        closeSync(handle)
      }
    },
    close: () => void client.close(),
  }
}

/**
 * Makes one file of a database and its write-ahead log.
 * @throws SqliteError SQLITE_BUSY where somebody else has it open
 */
export function foldLog(file: string): void {
  const client = new Database(file, { fileMustExist: true, timeout: 0 })
  try {
    client.pragma('synchronous = FULL')
    client.pragma('journal_mode = DELETE')
  } finally {
    client.close()
  }
}
