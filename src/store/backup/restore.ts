import { constants } from 'node:fs'
import { copyFile, readFile, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import type { KeyFile } from '../../core/keys/key-store.ts'
import { createSealer } from '../../core/keys/sealer.ts'
import { installSigningKey } from '../../core/recovery/restore.ts'
import { type FolderLock, giveToOwner, holdFolder } from '../folder-lock.ts'
import { syncFolder, writeDurably } from '../key-file.ts'
import { findMasterKey } from '../master-key.ts'
import type { StorePlaces } from '../places.ts'
import { isBusy, outageReason } from '../sqlite/failures.ts'
import { openKeyFile } from '../sqlite/restore-store.ts'
import { prepareRestored } from '../sqlite/restored.ts'
import { foldLog } from '../sqlite/snapshot.ts'
import { openSqliteStore } from '../sqlite/sqlite-store.ts'
import { clearTheWay, holdsSomething, keepAside, removeSecondNames } from './aside.ts'
import type { BackupProgress } from './create.ts'
import {
  BackupError,
  databaseFile,
  fingerprintOfMasterKey,
  formatStamp,
  type Manifest,
  masterKeyFile,
  readManifest,
  signingKeyFile,
} from './manifest.ts'
import { requireRoom } from './room.ts'
import { type BackupCheck, verifyBackup } from './verify.ts'

export interface RestoreOptions {
  /** Takes the place of a database, or another signing key, that is there. */
  readonly force?: boolean
  /** Finds out whether it would work, and changes nothing. */
  readonly dryRun?: boolean
  readonly now: Date
  readonly onProgress?: (progress: BackupProgress) => void
}

export interface Restored {
  readonly manifest: Manifest
  readonly checks: readonly BackupCheck[]
  /** What was there before, under its new name. */
  readonly keptAside: readonly string[]
  /**
   * Revocations that the backup did not have, taken over from the database that was there; null where there was none that
   * could be read.
   */
  readonly carriedRevocations: number | null
}

/**
 * Puts a backup in place. It happens in one moment, when the database takes its name: killed before that, it leaves what was
 * there; after that, a service that starts finishes it.
 * @throws BackupError, StoreOpenError: a sentence for people
 */
export async function restoreBackup(folder: string, target: StorePlaces, options: RestoreOptions): Promise<Restored> {
  const manifest = await readManifest(folder)
  const masterKey = await chooseMasterKey(folder, manifest, target)
  const { checks } = await verifyBackup(folder, { masterKey, ...progressOf(options) })
  const trouble = checks.filter(({ result }) => result !== 'good').map(({ what, says }) => `${what}: ${says}`)
  if (trouble.length > 0) throw new BackupError(`the backup ${folder} can't be restored: ${trouble.join('; ')}`)
  const isNew = !(await isThere(target.dataDir))
  if (options.dryRun && isNew) return { manifest, checks, ...nothingDone }
  const lock = holdAlone(target.dataDir)
  try {
    return { manifest, checks, ...(await putInPlace(folder, manifest, masterKey, target, options)) }
  } finally {
    lock.release()
  }
}

const nothingDone = { keptAside: [], carriedRevocations: null }

function progressOf({ onProgress }: RestoreOptions) {
  return onProgress === undefined ? {} : { onProgress }
}

/** @throws BackupError where the key at hand is not the one that is needed */
async function chooseMasterKey(folder: string, { masterKey }: Manifest, target: StorePlaces): Promise<Buffer> {
  const { value, file } = target.masterKey
  const found = await findMasterKey(target.masterKey)
  if (found === undefined && masterKey.isIncluded) {
    const included = await findMasterKey({ value: undefined, file: path.join(folder, masterKeyFile) })
    if (included !== undefined) return included
  }
  const needed = `the backup ${folder} needs the master key with the fingerprint ${masterKey.fingerprint}`
  if (found === undefined) {
    throw new BackupError(
      `${needed}, and there is none: put it at ${file}, or name it with --master-key-file or GATEHOUSE_MASTER_KEY`,
    )
  }
  const fingerprint = fingerprintOfMasterKey(found)
  if (fingerprint === masterKey.fingerprint) return found
  const where = value === undefined ? file : 'GATEHOUSE_MASTER_KEY'
  const next = 'move what is there out of the way, the database and its master key, or restore into another folder'
  throw new BackupError(`${needed}, ${where} holds ${fingerprint}: ${next}`)
}

/** @throws BackupError where a service runs */
function holdAlone(dataDir: string): FolderLock {
  const lock = holdFolder(dataDir, 'alone')
  if (lock === undefined) throw new BackupError(`a service, or a backup, is using ${dataDir}: stop it first`)
  return lock
}

async function putInPlace(
  folder: string,
  manifest: Manifest,
  masterKey: Buffer,
  target: StorePlaces,
  { force = false, dryRun = false, now, onProgress }: RestoreOptions,
): Promise<Pick<Restored, 'keptAside' | 'carriedRevocations'>> {
  const { database, dataDir } = target
  const sealer = createSealer(masterKey)
  const isReplacing = await holdsSomething(database)
  if (isReplacing && !force) {
    throw new BackupError(
      `there is a database already: ${database}; --force keeps it aside and puts the backup in its place`,
    )
  }
  const sealedKey = manifest.files.some(({ name }) => name === signingKeyFile)
  const signingKey =
    sealedKey && target.signingKey ? openKeyFile(await readFile(path.join(folder, signingKeyFile)), sealer) : undefined
  const otherKey = signingKey && (await findOtherKey(signingKey, target.signingKey))
  if (otherKey && !force) {
    throw new BackupError(`there is another signing key already: ${otherKey}; --force keeps it aside`)
  }
  const sizes = manifest.files.map(({ bytes }) => bytes)
  await requireRoom(dataDir, sizes, 'the restore')
  if (dryRun) return nothingDone
  if (isReplacing) requireUnused(database)

  const stamp = formatStamp(now)
  const staged = `${database}.restoring`
  await removeStaged(staged)
  if (isReplacing) await removeSecondNames(database)
  try {
    onProgress?.({ doing: 'copying the database' })
    await copyFile(path.join(folder, databaseFile), staged, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL)
    onProgress?.({ doing: 'preparing it' })
    const replaced = isReplacing ? database : undefined
    const carriedRevocations = prepareRestored(staged, sealer, {
      replaced,
      backup: path.basename(folder),
      backupAt: manifest.takenAt,
      at: now,
      signingKey,
    })
    giveToOwner(staged, dataDir)
    await installMasterKey(masterKey, target)
    const keptAside = [
      ...(otherKey === undefined ? [] : [await keepAside(otherKey, stamp)]),
      ...(await clearTheWay(database, stamp)),
    ]
    await rename(staged, database)
    await syncFolder(dataDir)
    await finish(target, sealer, now)
    return { keptAside, carriedRevocations }
  } finally {
    await removeStaged(staged)
  }
}

/** What a service that starts would do otherwise. */
async function finish(
  { database, signingKey, dataDir }: StorePlaces,
  sealer: ReturnType<typeof createSealer>,
  now: Date,
) {
  if (signingKey === undefined) return
  const store = openSqliteStore({ file: database, sealer })
  try {
    const pending = await store.restores.pending(now)
    if (pending) await installSigningKey(pending, { restores: store.restores, keyFile: signingKey })
  } finally {
    await store.close()
  }
  if (await holdsSomething(signingKey.path)) giveToOwner(signingKey.path, dataDir)
}

async function isThere(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) !== undefined
}

/** The path of a signing key that is not the one to be put there. */
async function findOtherKey(wanted: Buffer, keyFile: KeyFile | undefined): Promise<string | undefined> {
  const present = await keyFile?.read()
  return present === undefined || present.equals(wanted) ? undefined : keyFile?.path
}

/** The lock tells of services; this, of whatever else has it open. A database that can't be opened is in nobody's use. */
function requireUnused(database: string): void {
  try {
    foldLog(database)
  } catch (error) {
    if (isBusy(error)) throw new BackupError(`another program has ${database} open: end it first`, { cause: error })
    if (outageReason(error) === undefined) throw error
  }
}

/** A key that came with the backup goes to its place before the database does: without it that would be refused. */
async function installMasterKey(
  masterKey: Buffer,
  { masterKey: { value, file }, dataDir }: StorePlaces,
): Promise<void> {
  if (value !== undefined || (await holdsSomething(file))) return
  await writeDurably(file, Buffer.from(`${masterKey.toString('base64')}\n`))
  giveToOwner(file, dataDir)
  await syncFolder(path.dirname(file))
}

async function removeStaged(staged: string): Promise<void> {
  for (const suffix of ['', '-wal', '-shm', '-journal']) await rm(`${staged}${suffix}`, { force: true })
}
