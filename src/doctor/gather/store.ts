import type { Config } from '../../config.ts'
import { findFileKey } from '../../core/keys/key-changes.ts'
import type { KeyRecord } from '../../core/keys/key-store.ts'
import { KeyFileError } from '../../core/keys/private-key-file.ts'
import type { RsaKey } from '../../core/keys/rsa-key.ts'
import { createSealer, type Sealer } from '../../core/keys/sealer.ts'
import { effectiveSharedSecret } from '../../core/settings/runtime-settings.ts'
import { createKeyFile } from '../../store/key-file.ts'
import { findMasterKey } from '../../store/master-key.ts'
import { type Inspection, inspectDatabase } from '../../store/sqlite/inspect.ts'
import { readSqliteStore } from '../../store/sqlite/sqlite-store.ts'
import { readStoredSettings } from '../../store/sqlite/stored-settings.ts'
import type { Store } from '../../store/store.ts'
import { StoreOpenError } from '../../store/store-open-error.ts'
import type { DatabaseFacts, MasterKeyFacts, SigningKeyFacts } from '../facts.ts'

export interface StoreFacts {
  readonly database: DatabaseFacts
  readonly masterKey: MasterKeyFacts
  /** Undefined under a shared secret. */
  readonly signingKey: SigningKeyFacts | undefined
  /** The key of the file, where it can be used. */
  readonly rsa: RsaKey | undefined
  /** Empty = RSA. */
  readonly sharedSecret: string
  readonly sealer: Sealer | undefined
  readonly storedSettings: readonly { readonly name: string; readonly value: string }[]
  /**
   * To be read from and closed; undefined where the database or the master key can't be used, or the database is older than
   * this program.
   */
  readonly store: Store | undefined
}

/** Looks at what lies in the data folder, beside a service that may be running. Writes nothing. */
export async function gatherStore(config: Config, isFull: boolean): Promise<StoreFacts> {
  const { found, facts } = await gatherMasterKey(config)
  const sealer = found && createSealer(found)
  const inspection = inspectDatabase(config.databaseFile, { isFull, sealer })
  const isOpen = inspection.kind === 'open'
  const opensDatabase = isOpen ? inspection.isSealedUnder : undefined
  const isReadable = isOpen && inspection.damage === undefined && inspection.pendingMigrations.length === 0
  const store =
    isReadable && sealer && opensDatabase ? readSqliteStore({ file: config.databaseFile, sealer }) : undefined
  const sharedSecret = store ? await effectiveSharedSecret(store.settings, config) : config.sharedSecret.value
  const records = store ? await store.keys.list() : []
  const signing = sharedSecret === '' ? await gatherSigningKey(config, records) : undefined
  return {
    database: toDatabaseFacts(inspection, config, isFull),
    masterKey: facts.kind === 'present' ? { ...facts, opensDatabase } : facts,
    signingKey: signing?.facts,
    rsa: signing?.rsa,
    sharedSecret,
    sealer,
    storedSettings: readStoredSettings(config.databaseFile),
    store,
  }
}

function toDatabaseFacts(inspection: Inspection, { databaseFile }: Config, isFullCheck: boolean): DatabaseFacts {
  if (inspection.kind === 'missing') return { kind: 'missing', path: databaseFile }
  return inspection.kind === 'unusable' ? inspection : { ...inspection, isFullCheck }
}

async function gatherMasterKey({ masterKey: value, masterKeyFile: file }: Config) {
  try {
    const found = await findMasterKey({ value, file })
    const from = value === undefined ? file : 'GATEHOUSE_MASTER_KEY'
    const facts: MasterKeyFacts = found
      ? { kind: 'present', from, opensDatabase: undefined }
      : { kind: 'missing', path: file }
    return { found, facts }
  } catch (error) {
    if (!(error instanceof StoreOpenError)) throw error
    const facts: MasterKeyFacts = { kind: 'unusable', reason: error.message }
    return { found: undefined, facts }
  }
}

async function gatherSigningKey({ signingKey }: Config, records: readonly KeyRecord[]) {
  const { file, isExternal, passphrase } = signingKey
  const about = { path: file, isExternal, records }
  try {
    const rsa = await findFileKey({ keyFile: createKeyFile(file), passphrase })
    const facts: SigningKeyFacts = { ...about, kid: rsa?.jwk.kid, reason: undefined, isThere: rsa !== undefined }
    return { rsa, facts }
  } catch (error) {
    if (!(error instanceof KeyFileError)) throw error
    const facts: SigningKeyFacts = { ...about, kid: undefined, reason: error.message, isThere: true }
    return { rsa: undefined, facts }
  }
}
