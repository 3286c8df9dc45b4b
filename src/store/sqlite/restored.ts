import { closeSync, fsyncSync, openSync } from 'node:fs'
import type { Database } from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import type { Sealer } from '../../core/keys/sealer.ts'
import { commandActor } from '../../core/sessions/actor.ts'
import { prepareAuditRows } from './audit-rows.ts'
import { carryRevocationsOver } from './carry-over.ts'
import { startResync } from './cursor-rows.ts'
import { checkMasterKey } from './master-key-check.ts'
import { migrate } from './migrate.ts'
import { asOpenError, openDatabase } from './open.ts'
import { sealKeyFile } from './restore-store.ts'
import { clusterCursors, clusterProbes, restores } from './schema.ts'
import { foldLog } from './snapshot.ts'

export interface Restoration {
  /** What the backup is called. */
  readonly backup: string
  readonly backupAt: Date
  readonly at: Date
  /** Content of the signing key's file; undefined where there is none. */
  readonly signingKey: Buffer | undefined
  /** The database that it takes the place of, if there is one, which nobody has open. */
  readonly replaced: string | undefined
}

/**
 * Makes the copy of a backup what a service may start on: brought to this program's shape, with every cluster's cursor at
 * the start of the log, every lease broken, and a row that says what it is. On disk when it returns, as one file. Answers how
 * many revocations were taken over from the replaced database, null where it could not be read.
 * @throws StoreOpenError
 */
export function prepareRestored(file: string, sealer: Sealer, restoration: Restoration): number | null {
  const { replaced, at } = restoration
  let carried: number | null = null
  const client = openDatabase(file)
  try {
    migrate(client)
    checkMasterKey(client, sealer)
    carried = replaced === undefined ? null : carryRevocationsOver(client, { replaced, sealer, at })
    client.transaction(() => mark(client, sealer, restoration, carried)).immediate()
  } catch (error) {
    throw asOpenError(file, error)
  } finally {
    client.close()
  }
  foldLog(file)
  const handle = openSync(file, 'r+')
  fsyncSync(handle)
  closeSync(handle)
  return carried
}

function mark(client: Database, sealer: Sealer, restoration: Restoration, carriedRevocations: number | null) {
  const { backup, backupAt, at, signingKey } = restoration
  const db = drizzle({ client })
  const details = { backup, backupAt: backupAt.toISOString(), carriedRevocations }
  prepareAuditRows(client).append({ action: 'store.restored', target: null, details }, { by: commandActor, at })
  const sealedSigningKey = signingKey === undefined ? null : sealKeyFile(signingKey, sealer)
  // Nothing that an earlier restore had left to do holds any more.
  db.update(restores).set({ sealedSigningKey: null, completedAt: at }).run()
  db.insert(restores).values({ backup, backupAt, restoredAt: at, carriedRevocations, sealedSigningKey }).run()
  const clusters = db.select({ clusterId: clusterCursors.clusterId }).from(clusterCursors).all()
  for (const { clusterId } of clusters) startResync({ db }, clusterId, at)
  // What was found then says nothing of now.
  db.update(clusterProbes).set({ nextProbeAt: at, report: null, inStepSince: null }).run()
}
