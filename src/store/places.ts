import type { KeyFile } from '../core/keys/key-store.ts'
import { createKeyFile } from './key-file.ts'

/** Where what is kept lies. */
export interface StorePlaces {
  readonly dataDir: string
  /** Path of the database, or `:memory:`. */
  readonly database: string
  /** As loadMasterKey takes it. */
  readonly masterKey: { readonly value: string | undefined; readonly file: string }
  /** Undefined where the signing key is somebody else's: then it is neither kept nor put back. */
  readonly signingKey: KeyFile | undefined
}

/** From the configuration. */
export function findPlaces(config: {
  readonly dataDir: string
  readonly databaseFile: string
  readonly masterKey: string | undefined
  readonly masterKeyFile: string
  readonly signingKey: { readonly file: string; readonly isExternal: boolean }
}): StorePlaces {
  return {
    dataDir: config.dataDir,
    database: config.databaseFile,
    masterKey: { value: config.masterKey, file: config.masterKeyFile },
    signingKey: config.signingKey.isExternal ? undefined : createKeyFile(config.signingKey.file),
  }
}
