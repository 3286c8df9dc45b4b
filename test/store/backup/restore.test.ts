import { randomBytes } from 'node:crypto'
import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { createSealer } from '../../../src/core/keys/sealer.ts'
import { createBackup } from '../../../src/store/backup/create.ts'
import { restoreBackup } from '../../../src/store/backup/restore.ts'
import { holdFolder, isFolderHeld } from '../../../src/store/folder-lock.ts'
import { openSqliteStore } from '../../../src/store/sqlite/sqlite-store.ts'
import { deedAt } from '../../actors.ts'
import { aCluster, aRevocation, aToken, aUser, after as later, revokeAll, start } from '../conformance/samples.ts'
import { type DataFolder, makeDataFolder, makeFolder, placesIn } from './folders.ts'

async function makeBackup(options: Parameters<typeof createBackup>[2] = {}) {
  const data = await makeDataFolder()
  const path = join(makeFolder(), 'backup')
  await createBackup(data.source, path, options)
  return { data, path }
}

function openIn(folder: string, { sealer }: Pick<DataFolder, 'sealer'>) {
  return openSqliteStore({ file: join(folder, 'gatehouse.db'), sealer })
}

/** An empty folder with the master key in it. */
function emptyFolder({ masterKey }: DataFolder): string {
  const folder = makeFolder()
  writeFileSync(join(folder, 'master.key'), masterKey.toString('base64'), { mode: 0o600 })
  return folder
}

const now = later(3_000)

test('a backup is put into an empty folder: database and signing key, for the owner alone', async () => {
  const { data, path } = await makeBackup()
  const folder = emptyFolder(data)
  const { keptAside, carriedRevocations } = await restoreBackup(path, placesIn(folder), { now })
  expect([keptAside, carriedRevocations]).toEqual([[], null])
  expect(readFileSync(join(folder, 'authn_rsa.key'))).toEqual(data.signingKey)
  for (const name of ['gatehouse.db', 'authn_rsa.key']) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600)
  expect(readdirSync(folder).sort()).toEqual(['authn_rsa.key', 'gatehouse.db', 'gatehouse.lock', 'master.key'])
  const store = openIn(folder, data)
  expect(await store.users.get('ann')).toBeDefined()
  expect(await store.tokens.isRevoked(aToken('t1', data.sealer).fingerprint)).toBe(true)
  const pending = await store.restores.pending(now)
  expect(pending).toMatchObject({ backup: 'backup', backupAt: start, restoredAt: now, users: 1, clusters: 1 })
  expect(pending).toMatchObject({ liveTokens: 3, liveRevocations: 1, signingKey: undefined })
  const { rows } = await store.audit.list({ filter: { action: 'store.restored' }, order: 'newest', limit: 9 })
  expect(rows).toEqual([expect.objectContaining({ actor: 'gatehouse:command', at: now })])
  expect((await store.audit.verify({ limit: 100 })).fault).toBeNull()
  await store.close()
})

test('every cluster is due for everything again, whoever held it when the backup was made', async () => {
  const data = await makeDataFolder()
  const before = data.open()
  await before.clusters.insert(aCluster('c2'), 1, [], deedAt(start))
  const held = { now: start, limit: 9, leaseUntil: later(9_000_000), holder: 'gone' }
  expect(await before.cursors.claimDue(held)).toHaveLength(1)
  await before.close()
  const path = join(makeFolder(), 'backup')
  await createBackup(data.source, path)
  const folder = emptyFolder(data)
  await restoreBackup(path, placesIn(folder), { now })
  const store = openIn(folder, data)
  const claims = await store.cursors.claimDue({ now, limit: 9, leaseUntil: later(9_000), holder: 'new' })
  expect(claims.map(({ cursor }) => [cursor.clusterId, cursor.resyncFrom])).toEqual([
    ['c1', 0],
    ['c2', 0],
  ])
  await store.close()
})

describe('a token without a row', () => {
  const standingOf = (issuedAt: Date) => ({ fingerprint: randomBytes(32), subject: 'ann', issuedAt, now })

  test('is lost where it was issued after the backup, and is not where it is older', async () => {
    const { data, path } = await makeBackup()
    const folder = emptyFolder(data)
    await restoreBackup(path, placesIn(folder), { now })
    const store = openIn(folder, data)
    expect((await store.tokens.standing(standingOf(later(1_000)))).record).toBe('lost')
    // Signed before the backup began, and written after.
    expect((await store.tokens.standing(standingOf(later(-30_000)))).record).toBe('lost')
    expect((await store.tokens.standing(standingOf(later(-3_600_000)))).record).toBe('none')
    expect((await store.tokens.standing({ ...aToken('t2', data.sealer), now })).record).toBe('kept')
    await store.close()
  })

  test('stays lost after a second restore from a later backup', async () => {
    const { data, path } = await makeBackup()
    const folder = emptyFolder(data)
    const places = placesIn(folder)
    await restoreBackup(path, places, { now })
    const second = join(makeFolder(), 'second')
    await createBackup({ ...data.source, database: places.database, signingKey: places.signingKey }, second)
    await restoreBackup(second, places, { now: later(9_000), force: true })
    const store = openIn(folder, data)
    expect((await store.tokens.standing(standingOf(later(1_000)))).record).toBe('lost')
    expect((await store.restores.pending(now))?.backup).toBe('second')
    await store.close()
  })
})

describe('over a database that is there', () => {
  test('nothing happens without being forced', async () => {
    const { data, path } = await makeBackup()
    const before = readdirSync(data.folder).sort()
    await expect(restoreBackup(path, data.places, { now })).rejects.toMatchObject({
      name: 'BackupError',
      message: /there is a database already.*--force/,
    })
    expect(
      readdirSync(data.folder)
        .filter((name) => name !== 'gatehouse.lock')
        .sort(),
    ).toEqual(before)
  })

  test('it is kept aside whole, and so is another signing key', async () => {
    const { data, path } = await makeBackup()
    const live = data.open()
    await live.users.insert(aUser('bob'), deedAt(start))
    await live.close()
    const otherKey = randomBytes(100)
    writeFileSync(join(data.folder, 'authn_rsa.key'), otherKey)
    const { keptAside } = await restoreBackup(path, data.places, { now, force: true })
    expect(keptAside.map((file) => basename(file))).toEqual([
      'authn_rsa.key.before-restore-20260301T120003Z',
      'gatehouse.db.before-restore-20260301T120003Z',
    ])
    expect(readFileSync(keptAside[0] ?? '')).toEqual(otherKey)
    expect(readFileSync(join(data.folder, 'authn_rsa.key'))).toEqual(data.signingKey)
    const old = openSqliteStore({ file: keptAside[1] ?? '', sealer: data.sealer })
    expect(await old.users.get('bob')).toBeDefined()
    await old.close()
    const store = data.open()
    expect(await store.users.get('bob')).toBeUndefined()
    await store.close()
  })

  test('what that had revoked since stays revoked, with who did it and why, and goes to every cluster', async () => {
    const { data, path } = await makeBackup()
    const live = data.open()
    await live.users.insert(aUser('bob'), deedAt(start))
    const bob = (await live.users.get('bob'))?.key ?? 0
    await live.tokens.record(aToken('later', data.sealer, { subject: 'bob', userKey: bob }), deedAt(start))
    await live.revocations.record(aRevocation(aToken('later', data.sealer), { reason: 'leaked' }))
    await revokeAll(live, data.sealer, ['t2', 'foreign'])
    const ended = aToken('ended', data.sealer, { expiresAt: later(1_000) })
    await live.revocations.record(aRevocation(ended))
    await live.close()
    const { carriedRevocations } = await restoreBackup(path, data.places, { now, force: true })
    expect(carriedRevocations).toBe(3)
    const store = data.open()
    const isRevoked = (text: string) => store.tokens.isRevoked(aToken(text, data.sealer).fingerprint)
    expect(await Promise.all(['t1', 't2', 't3', 'later', 'foreign'].map(isRevoked))).toEqual([
      true,
      true,
      false,
      true,
      true,
    ])
    const status = await store.revocationActs.token({
      fingerprint: aToken('later', data.sealer).fingerprint,
    })
    expect(status?.revocation?.act).toMatchObject({ actor: 'ann', reason: 'leaked', tokens: 1 })
    const log = await store.revocations.after(0, { limit: 10, now })
    expect(log.map(({ token }) => token)).toEqual(['t1', 'later', 't2', 'foreign'])
    expect(await store.restores.pending(now)).toMatchObject({ carriedRevocations: 3 })
    await store.close()
  })

  test.each<[string, (data: DataFolder) => void | Promise<void>]>([
    ['damaged', ({ places }) => writeFileSync(places.database, randomBytes(9000))],
    ['sealed under another master key', ({ places }) => resealed(places.database)],
  ])('that is %s, the backup takes its place and nothing is taken over', async (_title, change) => {
    const { data, path } = await makeBackup()
    await change(data)
    writeFileSync(`${data.places.database}-wal`, 'what must not be applied')
    const { keptAside, carriedRevocations } = await restoreBackup(path, data.places, { now, force: true })
    expect(carriedRevocations).toBeNull()
    expect(keptAside).toHaveLength(1)
    const store = data.open()
    expect(await store.users.get('ann')).toBeDefined()
    await store.close()
  })

  test('that a newer program has changed, what it had revoked is taken over where it can be read', async () => {
    const { data, path } = await makeBackup()
    const live = data.open()
    await revokeAll(live, data.sealer, ['t2'])
    await live.close()
    const newer = new Database(data.places.database)
    newer.exec("INSERT INTO migrations VALUES ('9999_later.sql', 'x', 0); ALTER TABLE tokens ADD COLUMN later TEXT")
    newer.close()
    const backUpAgain = join(makeFolder(), 'again')
    cpSync(path, backUpAgain, { recursive: true })
    expect((await restoreBackup(path, data.places, { now, force: true })).carriedRevocations).toBe(1)

    const unlike = new Database(data.places.database)
    unlike.exec('ALTER TABLE changes RENAME TO news')
    unlike.close()
    expect((await restoreBackup(backUpAgain, data.places, { now, force: true })).carriedRevocations).toBeNull()
  })

  test("a log that lies there without its database is kept aside, and isn't applied to the new one", async () => {
    const { data, path } = await makeBackup()
    const folder = emptyFolder(data)
    writeFileSync(join(folder, 'gatehouse.db-wal'), 'left over')
    await restoreBackup(path, placesIn(folder), { now })
    expect(readdirSync(folder)).toContain('gatehouse.db-wal.before-restore-20260301T120003Z')
    const store = openIn(folder, data)
    expect(await store.users.get('ann')).toBeDefined()
    await store.close()
  })
})

describe('the master key', () => {
  test('is needed: without it, or with another, nothing is changed and the message names which', async () => {
    const { path } = await makeBackup()
    const folder = makeFolder()
    await expect(restoreBackup(path, placesIn(folder), { now })).rejects.toMatchObject({
      message: /needs the master key with the fingerprint [0-9a-f]{32}, and there is none: put it at/,
    })
    writeFileSync(join(folder, 'master.key'), randomBytes(32).toString('base64'))
    await expect(restoreBackup(path, placesIn(folder), { now })).rejects.toMatchObject({ message: /master.key holds/ })
    expect(existsSync(join(folder, 'gatehouse.db'))).toBe(false)
  })

  test('that came with the backup is put in place, and never over another', async () => {
    const { data, path } = await makeBackup({ withMasterKey: true })
    const folder = makeFolder()
    await restoreBackup(path, placesIn(folder), { now })
    expect(readFileSync(join(folder, 'master.key'), 'utf8').trim()).toBe(data.masterKey.toString('base64'))
    expect(statSync(join(folder, 'master.key')).mode & 0o777).toBe(0o600)
    const other = makeFolder()
    const theirs = randomBytes(32).toString('base64')
    writeFileSync(join(other, 'master.key'), theirs)
    await expect(restoreBackup(path, placesIn(other), { now })).rejects.toMatchObject({ name: 'BackupError' })
    expect(readFileSync(join(other, 'master.key'), 'utf8')).toBe(theirs)
  })

  test('may be given by value', async () => {
    const { data, path } = await makeBackup()
    const folder = makeFolder()
    const masterKey = { value: data.masterKey.toString('base64'), file: join(folder, 'master.key') }
    await restoreBackup(path, { ...placesIn(folder), masterKey }, { now })
    expect(existsSync(join(folder, 'master.key'))).toBe(false)
  })
})

test('a dry run changes nothing, and refuses what the restore would refuse', async () => {
  const { data, path } = await makeBackup()
  const folder = emptyFolder(data)
  await restoreBackup(path, placesIn(folder), { now, dryRun: true })
  expect(readdirSync(folder).sort()).toEqual(['gatehouse.lock', 'master.key'])
  await expect(restoreBackup(path, data.places, { now, dryRun: true })).rejects.toMatchObject({ name: 'BackupError' })
})

test('a damaged backup is not restored', async () => {
  const { data, path } = await makeBackup()
  const content = readFileSync(join(path, 'gatehouse.db'))
  writeFileSync(join(path, 'gatehouse.db'), content.fill(1, 9000, 9010))
  const folder = emptyFolder(data)
  await expect(restoreBackup(path, placesIn(folder), { now })).rejects.toMatchObject({ message: /files: gatehouse.db/ })
  expect(readdirSync(folder)).toEqual(['master.key'])
})

test('a folder is shared by services, had alone by a restore, and free when they are gone', async () => {
  const { data, path } = await makeBackup()
  const services = [holdFolder(data.folder, 'shared'), holdFolder(data.folder, 'shared')]
  expect(isFolderHeld(data.folder)).toBe(true)
  services[0]?.release()
  await expect(restoreBackup(path, data.places, { now, force: true })).rejects.toMatchObject({
    message: /stop it first/,
  })
  services[1]?.release()
  expect(isFolderHeld(data.folder)).toBe(false)
  const alone = holdFolder(data.folder, 'alone')
  expect(holdFolder(data.folder, 'alone')).toBeUndefined()
  alone?.release()
})

test('another program that has the database open stands in the way', async () => {
  const { data, path } = await makeBackup()
  // As a version before there were locks, or somebody with SQLite's own shell.
  const other = data.open()
  await expect(restoreBackup(path, data.places, { now, force: true })).rejects.toMatchObject({
    message: /another program/,
  })
  await other.close()
  await restoreBackup(path, data.places, { now, force: true })
})

async function resealed(database: string): Promise<void> {
  writeFileSync(database, '')
  await openSqliteStore({ file: database, sealer: createSealer(randomBytes(32)) }).close()
}
