import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createSealer } from '../../../src/core/keys/sealer.ts'
import { openDatabase } from '../../../src/store/sqlite/open.ts'
import { openSqliteStore } from '../../../src/store/sqlite/sqlite-store.ts'
import { StoreOpenError } from '../../../src/store/store-open-error.ts'

let folder: string
const masterKey = randomBytes(32)
const sealer = createSealer(masterKey)

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-open-'))
})

afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

function mode(file: string): string {
  return (statSync(file).mode & 0o777).toString(8)
}

test('the folder and every file of the database are the owner\u2019s alone', async () => {
  const data = path.join(folder, 'deep', 'data')
  const store = openSqliteStore({ file: path.join(data, 'gatehouse.db'), sealer })
  expect(mode(data)).toBe('700')
  expect(readdirSync(data).sort()).toEqual(['gatehouse.db', 'gatehouse.db-shm', 'gatehouse.db-wal'])
  for (const file of readdirSync(data)) expect(mode(path.join(data, file))).toBe('600')
  await store.close()
  expect(readdirSync(data)).toEqual(['gatehouse.db'])
})

test('a database file that others could read is closed to them', async () => {
  const file = path.join(folder, 'gatehouse.db')
  await openSqliteStore({ file, sealer }).close()
  chmodSync(file, 0o644)
  await openSqliteStore({ file, sealer }).close()
  expect(mode(file)).toBe('600')
})

test('every commit is synced: write-ahead log, synchronous FULL, foreign keys on', () => {
  const client = openDatabase(path.join(folder, 'gatehouse.db'))
  const pragma = (name: string) => client.pragma(name, { simple: true })
  expect([pragma('journal_mode'), pragma('synchronous'), pragma('foreign_keys')]).toEqual(['wal', 2, 1])
  client.close()
})

test('a path that can\u2019t be used is refused in words that name it', () => {
  writeFileSync(path.join(folder, 'file'), 'not a database, and longer than the header of one would be'.repeat(20))
  mkdirSync(path.join(folder, 'folder'))
  const open = (name: string) => () => openSqliteStore({ file: path.join(folder, name), sealer })
  for (const name of ['file/gatehouse.db', 'folder', 'file']) {
    expect(open(name)).toThrow(StoreOpenError)
    expect(open(name)).toThrow(`cannot use the database ${path.join(folder, name)}: `)
  }
})

test.skipIf(process.getuid?.() === 0)('a folder that may not be written is refused in words', () => {
  chmodSync(folder, 0o500)
  const open = () => openSqliteStore({ file: path.join(folder, 'gatehouse.db'), sealer })
  expect(open).toThrow('may not be written by this user')
  chmodSync(folder, 0o700)
})

test('a database that was sealed under another master key is refused at once', async () => {
  const file = path.join(folder, 'gatehouse.db')
  await openSqliteStore({ file, sealer }).close()
  expect(() => openSqliteStore({ file, sealer: createSealer(randomBytes(32)) })).toThrow('another master key')
  await openSqliteStore({ file, sealer }).close()
})
