/**
 * Who uses a data folder. Services share it; putting a backup in place needs it alone. The lock is the operating system's,
 * so it goes with the process that holds it, however that ends.
 */
import { chownSync, closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs'
import path from 'node:path'
import Database from 'better-sqlite3'
import { isBusy } from './sqlite/failures.ts'
import { StoreOpenError } from './store-open-error.ts'

export interface FolderLock {
  release(): void
}

const lockFile = 'gatehouse.lock'
/** A restore takes the lock for as long as copying a database takes, so a service that starts meanwhile is told soon. */
const waitMs = 5_000

/**
 * Holds the folder, which is made where it is missing. Undefined where somebody else holds it: a restore where it is to be
 * shared, anybody where it is to be had alone.
 *
 * The file is an empty database of SQLite's, whose locks are the only ones at hand that a crash can't leave behind
 * (sqlite.org/lockingv3.html). It is never removed: whoever waited for it would hold what nobody else sees.
 * @throws StoreOpenError where the folder can't be written to
 */
export function holdFolder(folder: string, how: 'shared' | 'alone'): FolderLock | undefined {
  const file = path.join(folder, lockFile)
  let client: Database.Database | undefined
  try {
    makeLockFile(folder, file)
    client = new Database(file, { timeout: how === 'shared' ? waitMs : 0 })
    client.exec(how === 'shared' ? 'BEGIN' : 'BEGIN EXCLUSIVE')
    // A transaction takes its shared lock when it first reads.
    client.prepare('SELECT count(*) FROM sqlite_schema').get()
  } catch (error) {
    client?.close()
    if (isBusy(error)) return undefined
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    throw new StoreOpenError(`cannot lock the data folder ${folder}${code}`, { cause: error })
  }
  const held = client
  return { release: () => void held.close() }
}

/** Whether a service, a backup or a restore holds the folder now. Nothing is made. */
export function isFolderHeld(folder: string): boolean {
  if (!existsSync(path.join(folder, lockFile))) return false
  const lock = holdFolder(folder, 'alone')
  lock?.release()
  return lock === undefined
}

/** Not opened where it is there: closing any handle of a file ends the process's own locks on it. */
function makeLockFile(folder: string, file: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (existsSync(file)) return
  closeSync(openSync(file, 'a', 0o600))
  giveToOwner(file, folder)
}

/** What root makes in somebody's folder is theirs, as the service that runs as them must be able to use it. */
export function giveToOwner(file: string, folder: string): void {
  if (process.getuid?.() !== 0) return
  const { uid, gid } = statSync(folder)
  if (uid !== 0) chownSync(file, uid, gid)
}
