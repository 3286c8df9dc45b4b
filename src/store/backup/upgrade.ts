import { readdir, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Database } from 'better-sqlite3'
import type { Logger } from '../../core/logger.ts'
import { openForReading } from '../sqlite/inspect.ts'
import { findPendingMigrations } from '../sqlite/migrate.ts'
import { asOpenError } from '../sqlite/open.ts'
import { type BackupSource, createBackup } from './create.ts'
import { BackupError, formatStamp, manifestFile, readManifest } from './manifest.ts'

/** So many of the backups that upgrades have made are kept. */
const backupsKept = 2
const namePrefix = 'before-'
/** Theirs alone: an operator may keep a backup of the own in the data folder, under a name that begins the same. */
const ownName = /^before-\d{4}_\w+-\d{8}T\d{6}Z$/

/**
 * Makes a backup in the data folder where the database is about to be changed by migrations, and answers their names. An
 * empty database needs none. Where several processes start at once each may make one, and each is of a whole database.
 * @throws BackupError where none can be made: the database is then left as it is
 * @throws StoreOpenError, DatabaseTooNewError
 */
export async function backUpBeforeUpgrade(
  source: BackupSource & { readonly dataDir: string },
  log: Logger,
): Promise<readonly string[]> {
  const pending = await readPending(source.database)
  const [first] = pending
  if (first === undefined) return []
  const startedAt = performance.now()
  const name = `${namePrefix}${first.replace(/\.sql$/, '')}-${formatStamp(source.clock.now())}`
  const backup = path.join(source.dataDir, name)
  try {
    const { files } = await createBackup(source, backup)
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
    log.info({
      event: 'store.backed_up',
      backup,
      bytes,
      ms: Math.round(performance.now() - startedAt),
      before: pending,
    })
  } catch (error) {
    if (!(error instanceof BackupError)) throw error
    // Another process that starts has made it within the same second.
    if (await isBackup(backup)) return pending
    throw new BackupError(`the database is to be upgraded, and can't be backed up before: ${error.message}`, {
      cause: error,
    })
  }
  await prune(source.dataDir)
  return pending
}

/** Empty where there is no database yet, or nothing in it. */
async function readPending(file: string): Promise<readonly string[]> {
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  )
  if (size === 0) return []
  let client: Database | undefined
  try {
    client = openForReading(file)
    const isEmpty = client.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'migrations'").get() === undefined
    return isEmpty ? [] : findPendingMigrations(client)
  } catch (error) {
    throw asOpenError(file, error)
  } finally {
    client?.close()
  }
}

function isBackup(folder: string): Promise<boolean> {
  return readManifest(folder).then(
    () => true,
    () => false,
  )
}

async function prune(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => ownName.test(name))
  const made = await Promise.all(
    names.map(async (name) => ({
      name,
      at: (await stat(path.join(folder, name, manifestFile)).catch(() => undefined))?.mtimeMs,
    })),
  )
  const backups = made.flatMap(({ name, at }) => (at === undefined ? [] : [{ name, at }]))
  const old = backups.sort((a, b) => b.at - a.at).slice(backupsKept)
  await Promise.all(old.map(({ name }) => rm(path.join(folder, name), { recursive: true, force: true })))
}
