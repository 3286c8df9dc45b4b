import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { verifyBackup } from '../../../src/store/backup/verify.ts'
import { openStore } from '../../../src/store/open-store.ts'
import { findPendingMigrations, migrate } from '../../../src/store/sqlite/migrate.ts'
import { openDatabase } from '../../../src/store/sqlite/open.ts'
import { mountSmallDisk } from '../../faults/small-disk.ts'
import { collectLog, type LogLine } from '../../log-lines.ts'
import { type DataFolder, makeDataFolder } from './folders.ts'

/** As it was before the third migration. */
async function makeOldDataFolder(folder?: string): Promise<DataFolder> {
  const data = await makeDataFolder(folder)
  const some = join(data.folder, 'migrations')
  mkdirSync(some)
  for (const name of readdirSync('migrations').filter((name) => name.slice(0, 4) < '0003')) {
    cpSync(join('migrations', name), join(some, name))
  }
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${data.places.database}${suffix}`, { force: true })
  const client = openDatabase(data.places.database)
  migrate(client, some)
  client.prepare('INSERT INTO master_key_check VALUES (1, ?)').run(data.sealer.seal('gatehouse'))
  client.close()
  rmSync(some, { recursive: true })
  return data
}

async function start(data: DataFolder) {
  const lines: LogLine[] = []
  const { places, source } = data
  const { store } = await openStore({ places, ...source, log: collectLog(lines) })
  await store.close()
  return lines.filter(({ event }) => event.startsWith('store.'))
}

const backupsIn = ({ folder }: DataFolder) => readdirSync(folder).filter((name) => name.startsWith('before-'))

test('before migrations are applied a backup is made, which is whole, and the log says so', async () => {
  const data = await makeOldDataFolder()
  const lines = await start(data)
  const [name = ''] = backupsIn(data)
  expect(name).toBe('before-0003_revocation_acts-20260301T120000Z')
  const backup = join(data.folder, name)
  expect(statSync(backup).mode & 0o777).toBe(0o700)
  expect(lines.map(({ event }) => event)).toEqual(['store.backed_up', 'store.upgraded'])
  expect(lines[0]).toMatchObject({ backup, before: expect.arrayContaining(['0003_revocation_acts.sql']) })
  const { manifest, checks } = await verifyBackup(backup, { masterKey: data.masterKey })
  expect(manifest.migrations).toEqual(['0001_initial.sql', '0002_canaries_and_probes.sql'])
  expect(checks.filter(({ result }) => result !== 'good')).toEqual([])
})

test('two that start within the same second both upgrade, and leave a whole backup', async () => {
  const data = await makeOldDataFolder()
  const lines = await Promise.all([start(data), start(data)])
  expect(lines.flat().filter(({ event }) => event === 'store.upgraded')).toHaveLength(2)
  const [name = '', ...others] = backupsIn(data)
  expect(others).toEqual([])
  const { manifest, checks } = await verifyBackup(join(data.folder, name), { masterKey: data.masterKey })
  expect(manifest.migrations).toEqual(['0001_initial.sql', '0002_canaries_and_probes.sql'])
  expect(checks.filter(({ result }) => result !== 'good')).toEqual([])
})

test('neither a first start nor one that has nothing to apply makes one', async () => {
  const data = await makeDataFolder()
  expect(await start(data)).toEqual([])
  rmSync(data.places.database)
  rmSync(data.places.masterKey.file)
  expect(await start(data)).toEqual([])
  expect(backupsIn(data)).toEqual([])
})

test('of earlier ones one is kept beside the new one, and nothing else is touched', async () => {
  const data = await makeOldDataFolder()
  for (const [name, hasManifest] of [
    ['before-0001_a-20260101T120000Z', true],
    ['before-0002_b-20260102T120000Z', true],
    ['before-0002_c-20260102T120000Z', false],
    ['before-upgrade', true],
  ] as const) {
    mkdirSync(join(data.folder, name))
    if (hasManifest) cpSync('package.json', join(data.folder, name, 'manifest.json'))
  }
  await start(data)
  expect(backupsIn(data)).toHaveLength(4)
  for (const name of ['before-0002_c-20260102T120000Z', 'before-upgrade']) {
    expect(existsSync(join(data.folder, name))).toBe(true)
  }
})

test('without room for it the start is refused, and the database is as it was', async (context) => {
  const disk = mountSmallDisk(2)
  if (disk === undefined) return context.skip()
  const data = await makeOldDataFolder(disk.folder)
  writeFileSync(join(disk.folder, 'ballast'), Buffer.alloc(1_000_000))
  await expect(start(data)).rejects.toMatchObject({
    name: 'BackupError',
    message:
      /to be upgraded, and can't be backed up before: not enough room in .*: the backup needs 2 MiB, 1 MiB are free/,
  })
  const client = openDatabase(data.places.database)
  expect(findPendingMigrations(client)).toContain('0003_revocation_acts.sql')
  client.close()
})
