import { randomBytes } from 'node:crypto'
import { lstat, mkdir, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import Database from 'better-sqlite3'
import type { Clock } from '../../core/clock.ts'
import type { KeyFile } from '../../core/keys/key-store.ts'
import { createSealer } from '../../core/keys/sealer.ts'
import { isCode, syncFolder, writeDurably } from '../key-file.ts'
import { isSealedUnder, readMasterKeyCheck } from '../sqlite/master-key-check.ts'
import { openKeyFile, sealKeyFile } from '../sqlite/restore-store.ts'
import { openSnapshot, type Snapshot } from '../sqlite/snapshot.ts'
import {
  BackupError,
  type BackupFile,
  createManifest,
  databaseFile,
  describeFile,
  fingerprintOfMasterKey,
  type Manifest,
  manifestFile,
  masterKeyFile,
  signingKeyFile,
} from './manifest.ts'
import { requireRoom } from './room.ts'

export interface BackupSource {
  /** Path of the live database. */
  readonly database: string
  /** Undefined where the signing key is somebody else's. */
  readonly signingKey: KeyFile | undefined
  readonly masterKey: Buffer
  readonly externalUrl: string
  /** Version of this program. */
  readonly program: string
  readonly clock: Clock
}

export interface BackupOptions {
  /** Puts the master key into it: whoever has the backup then has everything. */
  readonly withMasterKey?: boolean
  readonly onProgress?: (progress: BackupProgress) => void
  readonly signal?: AbortSignal
}

export interface BackupProgress {
  readonly doing: string
  /** 0 to 1; undefined where it can't be told. */
  readonly share?: number
}

/** A signing key that changes while it is read changes rarely more than once. */
const keyReads = 10

/**
 * Makes a backup at `target`, which must not exist, of a database that others may be writing to. It gets its name when it is
 * whole and on disk: what has the name is a backup.
 * @throws BackupError, StoreOpenError: a sentence for people
 */
export async function createBackup(
  source: BackupSource,
  target: string,
  options: BackupOptions = {},
): Promise<Manifest> {
  await refuseExisting(target)
  const parent = path.dirname(path.resolve(target))
  await requireRoom(parent, await sizesOf(source.database), 'the backup')
  const partial = `${target}.partial-${randomBytes(4).toString('hex')}`
  await makeFolder(partial)
  try {
    const manifest = await writeBackup(source, partial, options)
    await giveName(partial, target)
    await syncFolder(parent)
    return manifest
  } catch (error) {
    await rm(partial, { recursive: true, force: true })
    if (options.signal?.aborted) throw new BackupError('interrupted: no backup was made', { cause: error })
    throw error
  }
}

async function writeBackup(source: BackupSource, folder: string, options: BackupOptions): Promise<Manifest> {
  const { onProgress, signal, withMasterKey = false } = options
  const { masterKey } = source
  const sealer = createSealer(masterKey)
  const { snapshot, key } = await takeSnapshot(source)
  try {
    await snapshot.copyTo(path.join(folder, databaseFile), {
      onProgress: ({ done, total }) =>
        onProgress?.({ doing: 'copying the database', share: done / Math.max(1, total) }),
      ...(signal && { signal }),
    })
  } finally {
    snapshot.close()
  }
  onProgress?.({ doing: 'computing digests' })
  const contents = readContents(path.join(folder, databaseFile))
  if (!contents.isSealedUnder(sealer)) {
    throw new BackupError(
      'the master key does not open the database: a backup that is sealed with it could not be used',
    )
  }
  const files: BackupFile[] = [await describeFile(folder, databaseFile)]
  async function add(name: string, content: Buffer) {
    await writeDurably(path.join(folder, name), content)
    files.push(await describeFile(folder, name))
  }
  if (key !== undefined) {
    const sealed = sealKeyFile(key, sealer)
    if (!openKeyFile(sealed, sealer).equals(key)) throw new Error('the signing key was not sealed as it is')
    await add(signingKeyFile, sealed)
  }
  if (withMasterKey) await add(masterKeyFile, Buffer.from(`${masterKey.toString('base64')}\n`))
  const manifest = createManifest({
    takenAt: snapshot.at,
    program: source.program,
    externalUrl: source.externalUrl,
    migrations: contents.migrations,
    rows: contents.rows,
    masterKey: { fingerprint: fingerprintOfMasterKey(masterKey), isIncluded: withMasterKey },
    files,
  })
  await writeDurably(path.join(folder, manifestFile), Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`))
  await syncFolder(folder)
  return manifest
}

/** A rotation changes the signing key's file and the database one after the other: both are taken between two of them. */
async function takeSnapshot({
  database,
  signingKey,
  clock,
}: BackupSource): Promise<{ snapshot: Snapshot; key?: Buffer }> {
  for (let reads = 0; reads < keyReads; reads += 1) {
    const before = await readKey(signingKey)
    const snapshot = openSnapshot(database, clock)
    const after = await readKey(signingKey)
    if (before === undefined && after === undefined) return { snapshot }
    if (before !== undefined && after?.equals(before)) return { snapshot, key: before }
    snapshot.close()
  }
  throw new BackupError('the signing key file changes all the time: try again')
}

async function readKey(keyFile: KeyFile | undefined): Promise<Buffer | undefined> {
  try {
    return await keyFile?.read()
  } catch (cause) {
    throw new BackupError(`the signing key file ${keyFile?.path} can't be read: check its owner and mode`, { cause })
  }
}

/** What a copy holds, and whether it opens at all. */
export function readContents(file: string) {
  const client = new Database(file, { readonly: true, fileMustExist: true })
  try {
    const isEmpty = client.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'migrations'").get() === undefined
    if (isEmpty) throw new BackupError('the database is empty: there is nothing to keep')
    const tables = client
      .prepare<[], string>(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name",
      )
      .pluck()
      .all()
    const count = (table: string) => client.prepare<[], number>(`SELECT count(*) FROM "${table}"`).pluck().get() ?? 0
    const migrations = client.prepare<[], string>('SELECT name FROM migrations ORDER BY name').pluck().all()
    const check = readMasterKeyCheck(client)
    return {
      migrations,
      rows: Object.fromEntries(tables.map((table) => [table, count(table)])),
      isSealedUnder: (sealer: Parameters<typeof isSealedUnder>[1]) => isSealedUnder(check, sealer),
    }
  } finally {
    client.close()
  }
}

async function refuseExisting(target: string): Promise<void> {
  try {
    await lstat(target)
  } catch (error) {
    if (isCode(error, 'ENOENT')) return
    throw new BackupError(`${target} can't be used: check the path, its owner and mode`, { cause: error })
  }
  throw existing(target)
}

/** @throws BackupError where somebody else has taken the name meanwhile */
async function giveName(partial: string, target: string): Promise<void> {
  await refuseExisting(target)
  try {
    await rename(partial, target)
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].some((code) => isCode(error, code))) throw existing(target, error)
    throw error
  }
}

function existing(target: string, cause?: unknown): BackupError {
  return new BackupError(`${target} exists already: nothing is overwritten, give another name`, { cause })
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 })
  } catch (error) {
    const reason = isCode(error, 'ENOENT') ? 'there is no such folder' : 'it may not be written to'
    throw new BackupError(`no backup can be made in ${path.dirname(folder)}: ${reason}`, { cause: error })
  }
}

/** Of the database and its log: what a copy will have at most. */
async function sizesOf(database: string): Promise<readonly number[]> {
  return Promise.all([database, `${database}-wal`].map(async (file) => (await statIfThere(file))?.size ?? 0))
}

async function statIfThere(file: string) {
  return stat(file).catch(() => undefined)
}
