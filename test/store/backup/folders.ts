/** A data folder with something in it, to be backed up. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { createSealer } from '../../../src/core/keys/sealer.ts'
import type { BackupSource } from '../../../src/store/backup/create.ts'
import { createKeyFile } from '../../../src/store/key-file.ts'
import type { StorePlaces } from '../../../src/store/places.ts'
import { openSqliteStore } from '../../../src/store/sqlite/sqlite-store.ts'
import { deedAt } from '../../actors.ts'
import { createHandClock } from '../../clock.ts'
import { useFastFolders } from '../../faults/size.ts'
import { aCluster, aToken, aUser, revokeAll, start } from '../conformance/samples.ts'

export interface DataFolder {
  readonly folder: string
  readonly places: StorePlaces
  readonly source: BackupSource
  readonly masterKey: Buffer
  readonly sealer: ReturnType<typeof createSealer>
  readonly signingKey: Buffer
  open(): ReturnType<typeof openSqliteStore>
}

export function makeFolder(): string {
  useFastFolders()
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-backup-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export function placesIn(folder: string): StorePlaces {
  return {
    dataDir: folder,
    database: join(folder, 'gatehouse.db'),
    masterKey: { value: undefined, file: join(folder, 'master.key') },
    signingKey: createKeyFile(join(folder, 'authn_rsa.key')),
  }
}

/** Ann has three tokens, one of which is revoked, and there is a cluster. */
export async function makeDataFolder(folder = makeFolder()): Promise<DataFolder> {
  const places = placesIn(folder)
  const masterKey = randomBytes(32)
  const sealer = createSealer(masterKey)
  // Whether it is a key is not for whoever keeps it.
  const signingKey = randomBytes(1700)
  writeFileSync(places.masterKey.file, `${masterKey.toString('base64')}\n`, { mode: 0o600 })
  writeFileSync(join(folder, 'authn_rsa.key'), signingKey, { mode: 0o600 })
  const open = () => openSqliteStore({ file: places.database, sealer })
  const store = open()
  await store.users.insert(aUser('ann'), deedAt(start))
  await store.clusters.insert(aCluster('c1'), 0, [], deedAt(start))
  for (const text of ['t1', 't2', 't3']) await store.tokens.record(aToken(text, sealer), deedAt(start))
  await revokeAll(store, sealer, ['t1'])
  await store.close()
  const { database, signingKey: keyFile } = places
  const clock = createHandClock(start)
  const source = { database, signingKey: keyFile, masterKey, externalUrl: 'http://gatehouse.test', program: '1', clock }
  return { folder, places, source, masterKey, sealer, signingKey, open }
}
