/** The database of the data folder itself, for commands that work on it instead of talking to a server. */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { Config } from '../config.ts'
import { loadConfig } from '../config.ts'
import { systemClock } from '../core/clock.ts'
import { createSealer } from '../core/keys/sealer.ts'
import { openStore } from '../store/open-store.ts'
import { findPlaces } from '../store/places.ts'
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts'
import type { Store } from '../store/store.ts'
import { StoreOpenError } from '../store/store-open-error.ts'
import { version } from '../version.ts'
import { prepareDataFolder } from './data-folder.ts'

/** Which data folder is meant: the flags of `serve` of these names. */
export interface LocalOptions {
  readonly config?: string
  readonly dataDir?: string
  readonly masterKeyFile?: string
}

/**
 * Opens the store for one act, beside a service that may be running, and closes it again.
 * @throws ConfigError, StoreOpenError (also where there is no database yet), and what the act throws
 */
export async function withLocalStore<T>(
  options: LocalOptions,
  act: (store: Store, config: Config) => Promise<T>,
): Promise<T> {
  const config = loadConfig({ flags: flagsOf(options) })
  const store = await openExistingStore(config)
  try {
    return await act(store, config)
  } finally {
    await store.close()
  }
}

/** Opens the one that is there; makes nothing. @throws StoreOpenError, BackupError */
export async function openExistingStore(config: Config): Promise<Store> {
  const { databaseFile: database } = config
  if (!existsSync(database)) {
    throw new StoreOpenError(`there is no database ${database}: name the data folder with --data-dir or --config`)
  }
  return openAsServiceDoes(config)
}

/**
 * Opens it, and makes it where it is missing, as a start of the service does.
 * @throws DataFolderError, StoreOpenError, BackupError
 */
export async function openOrMakeStore(config: Config): Promise<Store> {
  await prepareDataFolder(config.dataDir)
  return openAsServiceDoes(config)
}

/** Kept out of the way of a restore, and with a backup before an upgrade; what happens is not logged, as nobody reads it. */
async function openAsServiceDoes(config: Config): Promise<Store> {
  const { store } = await openStore({
    places: findPlaces(config),
    externalUrl: config.net.externalUrl,
    program: version,
    clock: systemClock,
    log: { debug() {}, info() {}, warn() {}, error() {} },
  })
  return store
}

/** The one that is there or, so that nothing is made, one in memory. @throws StoreOpenError */
export async function openTrialStore(config: Config): Promise<Store> {
  if (existsSync(config.databaseFile)) return openExistingStore(config)
  return openSqliteStore({ file: ':memory:', sealer: createSealer(randomBytes(32)) })
}

function flagsOf({ config, dataDir, masterKeyFile }: LocalOptions) {
  return {
    ...(config !== undefined && { config }),
    ...(dataDir !== undefined && { 'data-dir': dataDir }),
    ...(masterKeyFile !== undefined && { 'master-key-file': masterKeyFile }),
  }
}
