import type { Database } from 'better-sqlite3'
import type { Sealer } from '../../core/keys/sealer.ts'
import { StoreOpenError } from '../store-open-error.ts'

const checkText = 'gatehouse'

/** A lost or foreign master key is noticed at start, not when the first revocation can't be read. @throws StoreOpenError */
export function checkMasterKey(client: Database, sealer: Sealer): void {
  client
    .prepare('INSERT INTO master_key_check (key, sealed) VALUES (1, ?) ON CONFLICT DO NOTHING')
    .run(sealer.seal(checkText))
  if (!isSealedUnder(readMasterKeyCheck(client), sealer)) {
    throw new StoreOpenError('the database was sealed under another master key')
  }
}

/** Undefined where nothing was sealed yet. */
export function readMasterKeyCheck(client: Database): Buffer | undefined {
  return client.prepare<[], Buffer>('SELECT sealed FROM master_key_check').pluck().get()
}

/** Whether a database with this check was sealed under this master key. One that nothing was sealed in yet takes any. */
export function isSealedUnder(check: Buffer | undefined, sealer: Sealer): boolean {
  if (check === undefined) return true
  try {
    return sealer.open(check) === checkText
  } catch {
    return false
  }
}
