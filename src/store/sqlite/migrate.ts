import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Database } from 'better-sqlite3'
import { DatabaseTooNewError, StoreOpenError } from '../store-open-error.ts'

interface Migration {
  readonly name: string
  /** SHA-256 of the file, hex. */
  readonly digest: string
  readonly sql: string
}

/**
 * Brings the database to this program's shape: every file of `folder` that it hasn't seen, in the order of their names,
 * each in one transaction. Processes that start at once do this one after the other. Answers the names of those applied.
 * @throws DatabaseTooNewError where the database has seen a migration that this program doesn't know
 * @throws StoreOpenError where a migration that was applied has another content now
 */
export function migrate(client: Database, folder: string = findMigrations()): readonly string[] {
  const known = readMigrations(folder)
  client.exec(
    'CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, sha256 TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT',
  )
  checkApplied(client, known)
  return known.filter((migration) => apply(client, migration, known)).map((migration) => migration.name)
}

/**
 * The migrations that a database has yet to see, by name; all of them where it is empty. Writes nothing.
 * @throws as `migrate`
 */
export function findPendingMigrations(client: Database, folder: string = findMigrations()): readonly string[] {
  const known = readMigrations(folder)
  const hasSome = client.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'migrations'").get() !== undefined
  const applied = hasSome ? checkApplied(client, known) : new Set()
  return known.map(({ name }) => name).filter((name) => !applied.has(name))
}

/** Names of all migrations that this program knows, in order. */
export function listMigrations(): readonly string[] {
  return readMigrations(findMigrations()).map(({ name }) => name)
}

/** Whether there was anything to do; another process may have come first. */
function apply(client: Database, migration: Migration, known: readonly Migration[]): boolean {
  const step = client.transaction(() => {
    const applied = checkApplied(client, known)
    if (applied.has(migration.name)) return false
    client.exec(migration.sql)
    client
      .prepare('INSERT INTO migrations (name, sha256, applied_at) VALUES (?, ?, unixepoch() * 1000)')
      .run(migration.name, migration.digest)
    return true
  })
  return step.immediate()
}

/** The names that the database has seen, after checking that they are ours. */
function checkApplied(client: Database, known: readonly Migration[]): ReadonlySet<string> {
  const applied = client.prepare<[], { name: string; sha256: string }>('SELECT name, sha256 FROM migrations').all()
  for (const { name, sha256 } of applied) {
    const ours = known.find((migration) => migration.name === name)
    if (ours === undefined) {
      throw new DatabaseTooNewError(
        `the database is newer than this program: it has the migration ${name}, which this program does not know`,
      )
    }
    if (ours.digest !== sha256) {
      throw new StoreOpenError(`the migration ${name} is not what was applied to the database: its file was changed`)
    }
  }
  return new Set(applied.map((row) => row.name))
}

function readMigrations(folder: string): readonly Migration[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((name) => {
      const sql = readFileSync(path.join(folder, name), 'utf8')
      return { name, sql, digest: createHash('sha256').update(sql).digest('hex') }
    })
}

/** The folder beside package.json, above this file: the same from the sources and from a bundle in dist/. */
function findMigrations(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url))
  while (!existsSync(path.join(folder, 'package.json'))) {
    const parent = path.dirname(folder)
    if (parent === folder) throw new StoreOpenError('the program is incomplete: its migrations folder is missing')
    folder = parent
  }
  return path.join(folder, 'migrations')
}
