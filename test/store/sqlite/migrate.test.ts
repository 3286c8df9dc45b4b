import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { migrate } from '../../../src/store/sqlite/migrate.ts'
import { DatabaseTooNewError, StoreOpenError } from '../../../src/store/store-open-error.ts'

let folder: string
let client: Database.Database

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-migrate-'))
  mkdirSync(path.join(folder, 'migrations'))
  client = new Database(path.join(folder, 'gatehouse.db'))
})

afterEach(() => {
  client.close()
  rmSync(folder, { recursive: true, force: true })
})

function put(name: string, sql: string): string {
  writeFileSync(path.join(folder, 'migrations', name), sql)
  return path.join(folder, 'migrations')
}

function tables(): readonly unknown[] {
  return client
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 't_' ORDER BY name")
    .pluck()
    .all()
}

test('the project\u2019s own migrations are found and applied, once', () => {
  expect(migrate(client)).toContain('0001_initial.sql')
  expect(migrate(client)).toEqual([])
})

test('migrations are applied in the order of their names, and only those that are new', () => {
  put('0002_b.sql', 'ALTER TABLE t1 RENAME TO t2;')
  const migrations = put('0001_a.sql', 'CREATE TABLE t1 (a);')
  expect(migrate(client, migrations)).toEqual(['0001_a.sql', '0002_b.sql'])
  expect(tables()).toEqual(['t2'])
  put('0003_c.sql', 'CREATE TABLE t3 (a);')
  expect(migrate(client, migrations)).toEqual(['0003_c.sql'])
})

test('a migration that fails leaves nothing behind and can be tried again', () => {
  const migrations = put('0001_a.sql', 'CREATE TABLE t1 (a); CREATE TABLE t1 (a);')
  expect(() => migrate(client, migrations)).toThrow('t1')
  expect(tables()).toEqual([])
  put('0001_a.sql', 'CREATE TABLE t1 (a);')
  expect(migrate(client, migrations)).toEqual(['0001_a.sql'])
})

test('a database that is newer than the program is refused and left as it is', () => {
  const migrations = put('0001_a.sql', 'CREATE TABLE t1 (a);')
  put('0002_b.sql', 'CREATE TABLE t2 (a);')
  migrate(client, migrations)
  rmSync(path.join(migrations, '0002_b.sql'))
  put('0003_c.sql', 'CREATE TABLE t3 (a);')
  expect(() => migrate(client, migrations)).toThrow(DatabaseTooNewError)
  expect(() => migrate(client, migrations)).toThrow('the database is newer than this program')
  expect(tables()).toEqual(['t1', 't2'])
})

test('a migration whose file was changed after it was applied is refused', () => {
  const migrations = put('0001_a.sql', 'CREATE TABLE t1 (a);')
  migrate(client, migrations)
  put('0001_a.sql', 'CREATE TABLE t1 (a, b);')
  expect(() => migrate(client, migrations)).toThrow(StoreOpenError)
})
