import type { Clock } from '../core/clock.ts'
import { createSealer, type Sealer } from '../core/keys/sealer.ts'
import type { Logger } from '../core/logger.ts'
import { holdsSomething } from './backup/aside.ts'
import { backUpBeforeUpgrade } from './backup/upgrade.ts'
import { holdFolder } from './folder-lock.ts'
import { findMasterKey, loadMasterKey } from './master-key.ts'
import type { StorePlaces } from './places.ts'
import { openSqliteStore } from './sqlite/sqlite-store.ts'
import type { Store } from './store.ts'
import { StoreOpenError } from './store-open-error.ts'

export interface OpenStoreOptions {
  readonly places: StorePlaces
  /** What a backup says of itself. */
  readonly externalUrl: string
  readonly program: string
  readonly clock: Clock
  readonly log: Logger
}

/**
 * Opens the store for a service: holds the data folder as long as the store is open, makes the master key at the first start,
 * and has a backup made before the database is brought to this program's shape.
 * @throws StoreOpenError (and its kind DatabaseTooNewError), BackupError: a sentence for people
 */
export async function openStore(
  options: OpenStoreOptions,
): Promise<{ readonly store: Store; readonly sealer: Sealer }> {
  const { places, externalUrl, program, clock, log } = options
  const { dataDir, database, signingKey } = places
  if (database === ':memory:') {
    const sealer = createSealer(await loadMasterKey(places.masterKey))
    return { store: openSqliteStore({ file: database, sealer }), sealer }
  }
  const folder = holdFolder(dataDir, 'shared')
  if (folder === undefined) {
    throw new StoreOpenError(`a backup is being restored into ${dataDir}: start again when that is done`)
  }
  try {
    if (await isGone(places)) log.warn({ event: 'store.begun_anew', database, advice: beginningAnew })
    const masterKey = await loadMasterKey({ ...places.masterKey, database })
    const sealer = createSealer(masterKey)
    const source = { dataDir, database, signingKey, masterKey, externalUrl, program, clock }
    const migrations = await backUpBeforeUpgrade(source, log)
    const store = openSqliteStore({ file: database, sealer })
    if (migrations.length > 0) log.info({ event: 'store.upgraded', migrations })
    return { store: { ...store, close: () => store.close().finally(folder.release) }, sealer }
  } catch (error) {
    folder.release()
    throw error
  }
}

const beginningAnew =
  'a master key was here before: if there was a database too, end this service, put a backup back with gatehouse restore --force, and start again; else every user, role, cluster and revocation is unknown from now on'

/** A master key without a database: somebody has brought the key along, or the database was lost. */
async function isGone({ database, masterKey }: StorePlaces): Promise<boolean> {
  if (masterKey.value !== undefined || (await holdsSomething(database))) return false
  return (await findMasterKey(masterKey)) !== undefined
}
