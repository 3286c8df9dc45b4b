import type { Database } from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import type { Sealer } from '../../core/keys/sealer.ts'
import type { Store } from '../store.ts'
import { createAccessStore, type DirectoryStores } from './access-store.ts'
import { prepareAcknowledgements } from './acknowledgements.ts'
import { prepareAdministrators } from './administrators.ts'
import { prepareAuditRows } from './audit-rows.ts'
import { createAuditStore } from './audit-store.ts'
import { createClusterStore } from './cluster-store.ts'
import { createCursorStore } from './cursor-store.ts'
import { createExportStore } from './export-store.ts'
import { createImportStore } from './import-store.ts'
import { openForReading } from './inspect.ts'
import { createKeyStore } from './key-store.ts'
import { createLockStore } from './lock-store.ts'
import { createLoginLockStore } from './login-lock-store.ts'
import { checkMasterKey } from './master-key-check.ts'
import { migrate } from './migrate.ts'
import { createOnceStore, prepareOnceRows } from './once-store.ts'
import { asOpenError, openDatabase, shortenBusyTimeout } from './open.ts'
import type { SqliteParts } from './parts.ts'
import { createProbeStore } from './probe-store.ts'
import { createReader } from './reader.ts'
import { createRestoreStore } from './restore-store.ts'
import { createRevisions } from './revisions.ts'
import { createRevocationActStore } from './revocation-act-store.ts'
import { createRevocationStore } from './revocation-store.ts'
import { prepareRevoking } from './revoking.ts'
import { prepareRoleRows } from './role-rows.ts'
import { createRoleSearch } from './role-search.ts'
import { createRoleStore } from './role-store.ts'
import { createSettingsStore } from './settings-store.ts'
import { createTokenSearch } from './token-search.ts'
import { createTokenStore } from './token-store.ts'
import { createUserSearch } from './user-search.ts'
import { createUserStore } from './user-store.ts'
import { createWriter } from './writer.ts'

export interface SqliteStoreOptions {
  /** Path of the database, made if it is missing with its folder; or `:memory:`. */
  readonly file: string
  /** Seals token texts and secret settings; the same master key at every start. */
  readonly sealer: Sealer
}

/**
 * Opens the database and brings it to this program's shape.
 * @throws StoreOpenError (a sentence for people), and its kind DatabaseTooNewError
 */
export function openSqliteStore({ file, sealer }: SqliteStoreOptions): Store {
  const client = openDatabase(file)
  try {
    migrate(client)
    checkMasterKey(client, sealer)
    shortenBusyTimeout(client)
    return buildStore(client, file, sealer)
  } catch (error) {
    client.close()
    throw asOpenError(file, error)
  }
}

/**
 * Opens a database of this program's shape beside a service that may be running: what would write is refused.
 * @throws StoreOpenError
 */
export function readSqliteStore({ file, sealer }: SqliteStoreOptions): Store {
  try {
    return buildStore(openForReading(file), file, sealer)
  } catch (error) {
    throw asOpenError(file, error)
  }
}

function buildStore(client: Database, file: string, sealer: Sealer): Store {
  const revisions = createRevisions(client)
  const writer = createWriter(client, { onDirectoryChanged: revisions.advance })
  const audit = prepareAuditRows(client)
  const parts: SqliteParts = { client, db: drizzle({ client }), write: writer.write, audit, ...createReader(client) }
  const roleRows = prepareRoleRows(parts)
  const administrators = prepareAdministrators(parts)
  const revoking = prepareRevoking(parts)
  const acknowledgements = prepareAcknowledgements(parts)
  const once = prepareOnceRows(parts, sealer)
  return {
    users: createUserStore(parts, roleRows, administrators, revoking, sealer, once),
    userSearch: createUserSearch(parts),
    roles: createRoleStore(parts, roleRows, revoking, once),
    roleSearch: createRoleSearch(parts, roleRows),
    clusters: createClusterStore(parts, roleRows, acknowledgements, once),
    access: createAccessStore({
      parts,
      writer,
      revisions,
      openAnother: client.memory ? undefined : () => openAnother(file),
      createStores: (over) => createDirectoryStores(over, sealer),
    }),
    tokens: createTokenStore(parts),
    tokenSearch: createTokenSearch(parts),
    revocations: createRevocationStore(parts, sealer, roleRows, revoking),
    revocationActs: createRevocationActStore(parts, acknowledgements),
    locks: createLockStore(parts, roleRows, administrators, revoking),
    loginLocks: createLoginLockStore(parts),
    keys: createKeyStore(parts),
    settings: createSettingsStore(parts, sealer),
    once: createOnceStore(parts, sealer),
    cursors: createCursorStore(parts, sealer, acknowledgements),
    probes: createProbeStore(parts, sealer),
    restores: createRestoreStore(parts, sealer),
    audit: createAuditStore(parts),
    imports: createImportStore(parts, sealer, roleRows, acknowledgements),
    exports: createExportStore(parts, sealer, roleRows),
    revisions,
    async close() {
      await writer.close()
      client.close()
    },
  }
}

/** Users, roles and clusters over parts of their own. */
function createDirectoryStores(parts: SqliteParts, sealer: Sealer): DirectoryStores {
  const roleRows = prepareRoleRows(parts)
  const revoking = prepareRevoking(parts)
  const once = prepareOnceRows(parts, sealer)
  return {
    users: createUserStore(parts, roleRows, prepareAdministrators(parts), revoking, sealer, once),
    roles: createRoleStore(parts, roleRows, revoking, once),
    clusters: createClusterStore(parts, roleRows, prepareAcknowledgements(parts), once),
  }
}

function openAnother(file: string): Database {
  const client = openDatabase(file)
  shortenBusyTimeout(client)
  return client
}
