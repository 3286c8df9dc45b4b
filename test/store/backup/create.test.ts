import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { createBackup } from '../../../src/store/backup/create.ts'
import { createManifest, describeFile, type Manifest } from '../../../src/store/backup/manifest.ts'
import { verifyBackup } from '../../../src/store/backup/verify.ts'
import { deedAt } from '../../actors.ts'
import { aToken, aUser, revokeAll, start } from '../conformance/samples.ts'
import { makeDataFolder, makeFolder } from './folders.ts'

async function makeBackup(options: Parameters<typeof createBackup>[2] = {}) {
  const data = await makeDataFolder()
  const path = join(makeFolder(), 'backup')
  return { data, path, manifest: await createBackup(data.source, path, options) }
}

const resultsOf = async (path: string, masterKey: Buffer | undefined) =>
  Object.fromEntries((await verifyBackup(path, { masterKey })).checks.map(({ what, result }) => [what, result]))

test('a backup is a folder for its owner alone, says what is in it, and holds no key that opens it', async () => {
  const { data, path, manifest } = await makeBackup()
  expect(readdirSync(path).sort()).toEqual(['gatehouse.db', 'manifest.json', 'signing-key.sealed'])
  expect(statSync(path).mode & 0o777).toBe(0o700)
  for (const name of readdirSync(path)) expect(statSync(join(path, name)).mode & 0o777).toBe(0o600)
  expect(manifest).toMatchObject({ takenAt: start, rows: { users: 1, tokens: 3, changes: 1, clusters: 1 } })
  expect(JSON.parse(readFileSync(join(path, 'manifest.json'), 'utf8'))).toEqual(JSON.parse(JSON.stringify(manifest)))
  const everything = Buffer.concat(readdirSync(path).map((name) => readFileSync(join(path, name))))
  for (const secret of [data.masterKey, data.signingKey]) {
    for (const form of [secret, secret.toString('base64'), secret.toString('hex')]) {
      expect(everything.includes(form)).toBe(false)
    }
  }
  expect(new Set(Object.values(await resultsOf(path, data.masterKey)))).toEqual(new Set(['good']))
})

test('with its master key, if that is asked for, it can be used by whoever has it', async () => {
  const { data, path } = await makeBackup({ withMasterKey: true })
  expect(readFileSync(join(path, 'master.key'), 'utf8')).toBe(`${data.masterKey.toString('base64')}\n`)
})

test('nothing is overwritten, and what could not be finished leaves nothing behind', async () => {
  const { data, path } = await makeBackup()
  await expect(createBackup(data.source, path)).rejects.toMatchObject({
    name: 'BackupError',
    message: /exists already/,
  })
  const other = join(makeFolder(), 'backup')
  const wrong = { ...data.source, masterKey: randomBytes(32) }
  await expect(createBackup(wrong, other)).rejects.toMatchObject({ message: /master key does not open/ })
  const signal = AbortSignal.abort()
  await expect(createBackup(data.source, other, { signal })).rejects.toMatchObject({ message: /interrupted/ })
  expect(readdirSync(join(other, '..'))).toEqual([])
  await expect(createBackup(data.source, join(other, 'deeper'))).rejects.toMatchObject({ message: /no such folder/ })
})

test('an external signing key is not taken along, and a missing one is no failure', async () => {
  const data = await makeDataFolder()
  const { files } = await createBackup({ ...data.source, signingKey: undefined }, join(makeFolder(), 'backup'))
  expect(files.map(({ name }) => name)).toEqual(['gatehouse.db'])
})

test('a signing key that is rotated while the backup begins comes from the same moment as the database', async () => {
  const data = await makeDataFolder()
  const reads = [Buffer.from('old'), Buffer.from('new'), Buffer.from('new'), Buffer.from('new')]
  const signingKey = { path: 'key', read: async () => reads.shift(), write: async () => {} }
  await createBackup({ ...data.source, signingKey }, join(makeFolder(), 'backup'))
  // The first two were not of one moment.
  expect(reads).toEqual([])
})

describe('under constant writes', () => {
  test('a backup ends, keeps no writer waiting, and is of one moment', async () => {
    const data = await makeDataFolder()
    const store = data.open()
    const filler = 'x'.repeat(20_000)
    for (let count = 0; count < 400; count += 1) {
      await store.settings.put([{ name: `s${count}`, value: filler, isSecret: false }], deedAt(start))
    }
    let isOver = false
    let written = 0
    const writing = (async () => {
      for (; !isOver; written += 1) {
        // One act writes both: a backup that has one without the other is torn.
        await store.users.insert(aUser(`u${written}`), deedAt(start))
        await revokeAll(store, data.sealer, [`r${written}`])
      }
    })()
    const path = join(makeFolder(), 'backup')
    while (written === 0) await new Promise((resolve) => setImmediate(resolve))
    const steps: number[] = []
    const manifest = await createBackup(data.source, path, { onProgress: () => steps.push(written) })
    isOver = true
    await writing
    expect(written).toBeGreaterThan(steps[0] ?? 0)
    expect(manifest.rows.users).toBeLessThan(written + 2)
    const { users = 0, changes = 0 } = manifest.rows
    expect([users - 2, users - 1]).toContain(changes - 1)
    expect(new Set(Object.values(await resultsOf(path, data.masterKey)))).toEqual(new Set(['good']))
    expect(await store.tokens.isRevoked(aToken(`r${written - 1}`, data.sealer).fingerprint)).toBe(true)
    await store.close()
  })
})

describe('verifying finds', () => {
  test.each<[title: string, what: string, damage: (path: string) => void]>([
    ['a changed byte', 'files', (path) => flipByte(join(path, 'gatehouse.db'), 9000)],
    ['a file that was cut', 'files', (path) => truncateSync(join(path, 'gatehouse.db'), 8192)],
    ['a changed signing key', 'files', (path) => flipByte(join(path, 'signing-key.sealed'), 100)],
  ])('%s', async (_title, what, damage) => {
    const { data, path } = await makeBackup()
    damage(path)
    expect(await resultsOf(path, data.masterKey)).toMatchObject({ [what]: 'bad' })
  })

  test('a damaged database whose digest is right', async () => {
    const { data, path, manifest } = await makeBackup()
    for (let at = 8192; at < 80_000; at += 50) flipByte(join(path, 'gatehouse.db'), at)
    await rewrite(path, manifest)
    expect(await resultsOf(path, data.masterKey)).toMatchObject({ files: 'good', database: 'bad' })
  })

  test('rows that were removed, migrations of a newer program, another master key, and none at all', async () => {
    const { data, path, manifest } = await makeBackup()
    const client = new Database(join(path, 'gatehouse.db'))
    client.exec('DELETE FROM changes')
    client.close()
    await rewrite(path, { ...manifest, migrations: [...manifest.migrations, '9999_later.sql'] })
    const results = await resultsOf(path, randomBytes(32))
    expect(results).toEqual({ files: 'good', database: 'good', rows: 'bad', migrations: 'bad', 'master key': 'bad' })
    expect(await resultsOf(path, undefined)).toMatchObject({ 'master key': 'unknown' })
    expect((await resultsOf(path, data.masterKey))['master key']).toBe('good')
  })

  test.each([
    ['no manifest', undefined, /there is no manifest.json/],
    ['one that is no JSON', '{', /damaged: it is no JSON/],
    ['one of something else', '{"format":"zip"}', /does not describe a backup/],
    ['one of a later format', '{"format":"gatehouse-backup","formatVersion":2,"program":"9"}', /has format 2/],
    ['one that leads out of the folder', manifestNaming('../../etc/passwd'), /files are not described/],
  ])('%s', async (_title, text, message) => {
    const path = makeFolder()
    if (text !== undefined) writeFileSync(join(path, 'manifest.json'), text)
    await expect(verifyBackup(path, { masterKey: undefined })).rejects.toMatchObject({ name: 'BackupError', message })
  })
})

test('beside a folder of the name nothing is written into it', async () => {
  const data = await makeDataFolder()
  const path = join(makeFolder(), 'there')
  mkdirSync(path)
  await expect(createBackup(data.source, path)).rejects.toMatchObject({ message: /exists already/ })
  expect(existsSync(join(path, 'manifest.json'))).toBe(false)
})

function flipByte(file: string, at: number): void {
  const content = readFileSync(file)
  content[at] = (content[at] ?? 0) ^ 0xff
  writeFileSync(file, content)
}

/** With digests of what is there now. */
async function rewrite(path: string, manifest: Manifest): Promise<void> {
  const files = await Promise.all(manifest.files.map(({ name }) => describeFile(path, name)))
  writeFileSync(join(path, 'manifest.json'), JSON.stringify({ ...manifest, files }))
}

function manifestNaming(name: string): string {
  const about = { takenAt: start, program: '1', externalUrl: 'http://x', migrations: [], rows: {} }
  const file = { name, bytes: 1, sha256: '0'.repeat(64) }
  const masterKey = { fingerprint: 'f', isIncluded: false }
  return JSON.stringify(createManifest({ ...about, masterKey, files: [file] }))
}
