import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import Database from 'better-sqlite3'
import { createSealer } from '../../core/keys/sealer.ts'
import { outageReason } from '../sqlite/failures.ts'
import { findDamage } from '../sqlite/inspect.ts'
import { listMigrations } from '../sqlite/migrate.ts'
import { openKeyFile } from '../sqlite/restore-store.ts'
import { type BackupProgress, readContents } from './create.ts'
import {
  type BackupFile,
  databaseFile,
  describeFile,
  fingerprintOfMasterKey,
  type Manifest,
  presentRows,
  readManifest,
  signingKeyFile,
} from './manifest.ts'

/** One thing that was looked at. */
export interface BackupCheck {
  readonly what: 'files' | 'database' | 'rows' | 'migrations' | 'master key' | 'signing key'
  /** `unknown`: it could not be told, as the master key is not at hand. */
  readonly result: 'good' | 'bad' | 'unknown'
  readonly says: string
}

export interface Verification {
  readonly manifest: Manifest
  readonly checks: readonly BackupCheck[]
}

export interface VerifyOptions {
  /** The key that restoring would use; undefined where there is none. */
  readonly masterKey: Buffer | undefined
  readonly onProgress?: (progress: BackupProgress) => void
}

/**
 * Looks at everything that a restore relies on: digests, the database's integrity (PRAGMA integrity_check and
 * foreign_key_check), its migrations, and whether the master key opens it. Writes nothing.
 * @throws BackupError where there is no backup
 */
export async function verifyBackup(folder: string, { masterKey, onProgress }: VerifyOptions): Promise<Verification> {
  const manifest = await readManifest(folder)
  const checks: BackupCheck[] = []
  onProgress?.({ doing: 'comparing digests' })
  checks.push(await checkFiles(folder, manifest.files))
  onProgress?.({ doing: "checking the database's integrity" })
  checks.push(...checkDatabase(path.join(folder, databaseFile), manifest), checkMigrations(manifest))
  checks.push(...(await checkKeys(folder, manifest, masterKey)))
  return { manifest, checks }
}

async function checkFiles(folder: string, files: readonly BackupFile[]): Promise<BackupCheck> {
  const wrong: string[] = []
  for (const { name, bytes, sha256 } of files) {
    const found = await stat(path.join(folder, name)).catch(() => undefined)
    if (found === undefined) wrong.push(`${name} is missing`)
    else if (found.size !== bytes) wrong.push(`${name} has ${found.size} bytes instead of ${bytes}`)
    else if ((await describeFile(folder, name)).sha256 !== sha256) wrong.push(`${name} is not what was written`)
  }
  if (wrong.length > 0) return bad('files', wrong.join('; '))
  return good('files', `${files.length} files are what was written (SHA-256)`)
}

function checkDatabase(file: string, manifest: Manifest): readonly BackupCheck[] {
  try {
    const trouble = findDamageIn(file)
    if (trouble !== undefined) return [bad('database', trouble)]
    return [good('database', 'its structure, indexes and references are in order'), checkRows(file, manifest)]
  } catch (error) {
    return [bad('database', outageReason(error) ?? (error instanceof Error ? error.message : String(error)))]
  }
}

function findDamageIn(file: string): string | undefined {
  const client = new Database(file, { readonly: true, fileMustExist: true })
  try {
    return findDamage(client, true)
  } finally {
    client.close()
  }
}

function checkRows(file: string, { rows }: Manifest): BackupCheck {
  const found = readContents(file).rows
  const wrong = Object.keys({ ...rows, ...found }).filter((table) => rows[table] !== found[table])
  if (wrong.length > 0) return bad('rows', `other counts than when it was made: ${wrong.join(', ')}`)
  return good('rows', presentRows({ rows }))
}

function checkMigrations({ migrations, program }: Manifest): BackupCheck {
  const known = listMigrations()
  const unknown = migrations.filter((name) => !known.includes(name))
  if (unknown.length > 0) {
    return bad('migrations', `made by a newer program (${program}): ${unknown.join(', ')} is not known to this one`)
  }
  const missing = known.length - migrations.length
  return good('migrations', missing === 0 ? 'of this version' : `older: ${missing} will be applied by the restore`)
}

async function checkKeys(
  folder: string,
  { masterKey: { fingerprint }, files }: Manifest,
  masterKey: Buffer | undefined,
): Promise<readonly BackupCheck[]> {
  const named = `the one with the fingerprint ${fingerprint}`
  if (masterKey === undefined) return [{ what: 'master key', result: 'unknown', says: `${named} is needed` }]
  const found = fingerprintOfMasterKey(masterKey)
  if (found !== fingerprint) return [bad('master key', `${named} is needed, the one at hand is ${found}`)]
  const sealer = createSealer(masterKey)
  const checks: BackupCheck[] = [checkSeal(path.join(folder, databaseFile), masterKey)]
  if (!files.some(({ name }) => name === signingKeyFile)) return checks
  try {
    openKeyFile(await readFile(path.join(folder, signingKeyFile)), sealer)
    return [...checks, good('signing key', 'the master key opens it')]
  } catch {
    return [...checks, bad('signing key', 'the master key does not open it')]
  }
}

function checkSeal(file: string, masterKey: Buffer): BackupCheck {
  try {
    if (readContents(file).isSealedUnder(createSealer(masterKey))) return good('master key', 'it opens the database')
  } catch {
    // What is wrong with the database is said by its own check.
  }
  return bad('master key', 'it does not open the database')
}

function good(what: BackupCheck['what'], says: string): BackupCheck {
  return { what, result: 'good', says }
}

function bad(what: BackupCheck['what'], says: string): BackupCheck {
  return { what, result: 'bad', says }
}
