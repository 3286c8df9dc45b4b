/** The database of the data folder itself, for first aid where nobody can log in. */

import type { Config } from '../config.ts'
import { loadConfig } from '../config.ts'
import { createSealer } from '../core/keys/sealer.ts'
import { loadMasterKey } from '../store/master-key.ts'
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts'
import type { Store } from '../store/store.ts'
import { StoreOpenError } from '../store/store-open-error.ts'

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
  const { existsSync } = await import('node:fs')
  const config = loadConfig({ flags: flagsOf(options) })
  const { databaseFile: database, masterKey: value, masterKeyFile: file } = config
  if (!existsSync(database)) {
    throw new StoreOpenError(`there is no database ${database}: name the data folder with --data-dir or --config`)
  }
  const store = openSqliteStore({
    file: database,
    sealer: createSealer(await loadMasterKey({ value, file, database })),
  })
  try {
    return await act(store, config)
  } finally {
    await store.close()
  }
}

function flagsOf({ config, dataDir, masterKeyFile }: LocalOptions) {
  return {
    ...(config !== undefined && { config }),
    ...(dataDir !== undefined && { 'data-dir': dataDir }),
    ...(masterKeyFile !== undefined && { 'master-key-file': masterKeyFile }),
  }
}
