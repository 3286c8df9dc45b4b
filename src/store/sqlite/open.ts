import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs'
import path from 'node:path'
import Database from 'better-sqlite3'
import { StoreOpenError } from '../store-open-error.ts'
import { isBusy, outageReason } from './failures.ts'

const inMemory = ':memory:'

/** How long SQLite itself waits for a lock, blocking everything: only as long as another process's commit takes. */
const busyTimeoutMs = 20
/** Nothing is served yet while the database is being opened, so that waiting may block. */
const openTimeoutMs = 10_000

/**
 * Opens one connection, which reads and writes; makes the file (mode 0600) and its folder (0700) where they are missing.
 * Every commit is on disk when it returns (WAL with synchronous FULL). `:memory:` is a database of its own.
 * @throws StoreOpenError where the folder or the file can't be used
 */
export function openDatabase(file: string): Database.Database {
  if (file !== inMemory) makePrivateFile(file)
  let client: Database.Database | undefined
  try {
    client = new Database(file, { timeout: openTimeoutMs })
    setWriteAheadLog(client, file)
    client.pragma('synchronous = FULL')
    client.pragma('fullfsync = ON')
    client.pragma('foreign_keys = ON')
    client.pragma('trusted_schema = OFF')
    client.pragma('temp_store = MEMORY')
    return client
  } catch (error) {
    client?.close()
    throw asOpenError(file, error)
  }
}

/** From now on requests wait, so a lock must not block them: who writes tries again by itself. */
export function shortenBusyTimeout(client: Database.Database): void {
  client.pragma(`busy_timeout = ${busyTimeoutMs}`)
}

/** The error in words for whoever started the program, or the error itself if it is none of the disk's. */
export function asOpenError(file: string, error: unknown): unknown {
  const reason = outageReason(error)
  if (reason === undefined) return error
  return new StoreOpenError(`cannot use the database ${file}: ${reason}`, { cause: error })
}

/** SQLite gives its -wal and -shm files the mode of the database file. */
function makePrivateFile(file: string): void {
  const folder = path.dirname(path.resolve(file))
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    closeSync(openSync(file, 'a', 0o600))
  } catch (error) {
    const reason = fileReasons[errorCode(error)] ?? 'it cannot be written'
    throw new StoreOpenError(`cannot use the database ${file}: ${reason}`, { cause: error })
  }
  try {
    chmodSync(file, 0o600)
  } catch {
    // The file is somebody else's, who lets us write to it: its mode is theirs to choose.
  }
}

const fileReasons: { readonly [code: string]: string } = {
  EACCES: 'its folder or file may not be written by this user',
  EPERM: 'its folder or file may not be written by this user',
  EROFS: 'it lies on a read-only file system',
  ENOSPC: 'the disk is full',
  EISDIR: 'it is a folder',
  ENOTDIR: 'part of its path is a file, not a folder',
  EEXIST: 'part of its path is a file, not a folder',
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

/** Two processes that make the same new file may both be told to wait at once, without SQLite waiting by itself. */
function setWriteAheadLog(client: Database.Database, file: string): void {
  const deadline = performance.now() + openTimeoutMs
  for (;;) {
    try {
      const mode = client.pragma('journal_mode = WAL', { simple: true })
      if (mode === 'wal' || file === inMemory) return
      throw new StoreOpenError(`cannot use the database ${file}: its file system does not allow a write-ahead log`)
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error
      pauseBlocking(10)
    }
  }
}

function pauseBlocking(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
