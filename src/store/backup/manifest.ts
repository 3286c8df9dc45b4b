/**
 * What a backup is: a folder with a copy of the database, the signing key sealed under the master key, the master key itself
 * if that was asked for, and manifest.json, which says what they are and how each file can be checked.
 *
 * docs/decisions/0011 says why it looks like this.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { isCode } from '../key-file.ts'

export const manifestFile = 'manifest.json'
export const databaseFile = 'gatehouse.db'
export const signingKeyFile = 'signing-key.sealed'
export const masterKeyFile = 'master.key'

const format = 'gatehouse-backup'
const formatVersion = 1

export interface BackupFile {
  readonly name: string
  readonly bytes: number
  /** Hex. */
  readonly sha256: string
}

export interface Manifest {
  readonly format: typeof format
  readonly formatVersion: number
  /** Everything that was committed before this is in it, and nothing that was committed after the copy began. */
  readonly takenAt: Date
  /** Version of the program that made it. */
  readonly program: string
  /** Where the service was reached, the issuer of its tokens. */
  readonly externalUrl: string
  /** Names, in order. */
  readonly migrations: readonly string[]
  /** How many rows each table has. */
  readonly rows: Readonly<Record<string, number>>
  readonly masterKey: { readonly fingerprint: string; readonly isIncluded: boolean }
  readonly files: readonly BackupFile[]
}

/** A backup can't be made, used or found. The message is one line for the operator. */
export class BackupError extends Error {
  override readonly name = 'BackupError'
}

export function createManifest(about: Omit<Manifest, 'format' | 'formatVersion'>): Manifest {
  return { format, formatVersion, ...about }
}

/** @throws BackupError where there is no backup, or none that this program can read */
export async function readManifest(folder: string): Promise<Manifest> {
  let text: string
  try {
    text = await readFile(path.join(folder, manifestFile), 'utf8')
  } catch (error) {
    if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) {
      const isThere = await stat(folder).catch(() => undefined)
      const what = isThere === undefined ? 'there is nothing' : `there is no ${manifestFile}`
      throw new BackupError(`${folder} is no backup: ${what}`, { cause: error })
    }
    throw new BackupError(`the backup ${folder} can't be read: check its owner and mode`, { cause: error })
  }
  return parseManifest(text, folder)
}

function parseManifest(text: string, folder: string): Manifest {
  const damaged = (what: string) => new BackupError(`${path.join(folder, manifestFile)} is damaged: ${what}`)
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw damaged('it is no JSON')
  }
  if (!isRecord(parsed) || parsed.format !== format) throw damaged('it does not describe a backup of Gatehouse')
  if (parsed.formatVersion !== formatVersion) {
    throw new BackupError(
      `the backup ${folder} has format ${String(parsed.formatVersion)}, this program reads ${formatVersion}: use the version that made it (${String(parsed.program)})`,
    )
  }
  const { takenAt, program, externalUrl, migrations, rows, masterKey, files } = parsed
  const at = new Date(typeof takenAt === 'string' ? takenAt : Number.NaN)
  if (Number.isNaN(at.getTime())) throw damaged('takenAt is no instant')
  if (typeof program !== 'string' || typeof externalUrl !== 'string') throw damaged('program or externalUrl is no text')
  if (!isListOf(migrations, (name) => typeof name === 'string')) throw damaged('migrations are no names')
  if (!isRecord(rows) || !isListOf(Object.values(rows), Number.isInteger)) throw damaged('rows are no numbers')
  if (!isRecord(masterKey) || typeof masterKey.fingerprint !== 'string' || typeof masterKey.isIncluded !== 'boolean') {
    throw damaged('masterKey has no fingerprint')
  }
  if (!isListOf(files, isBackupFile)) throw damaged('files are not described')
  if (!files.some(({ name }) => name === databaseFile)) throw damaged(`${databaseFile} is not among the files`)
  const { fingerprint, isIncluded } = masterKey
  return createManifest({
    takenAt: at,
    program,
    externalUrl,
    migrations: migrations as readonly string[],
    rows: rows as Readonly<Record<string, number>>,
    masterKey: { fingerprint, isIncluded },
    files,
  })
}

const knownFiles: ReadonlySet<unknown> = new Set([databaseFile, signingKeyFile, masterKeyFile])

/** A name that isn't one of ours could lead out of the folder. */
function isBackupFile(value: unknown): value is BackupFile {
  if (!isRecord(value)) return false
  const { name, bytes, sha256 } = value
  return (
    knownFiles.has(name) && Number.isSafeInteger(bytes) && typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256)
  )
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isListOf<T>(
  value: unknown,
  holds: ((item: unknown) => item is T) | ((item: unknown) => boolean),
): value is T[] {
  return Array.isArray(value) && value.every((item) => holds(item))
}

export async function describeFile(folder: string, name: string): Promise<BackupFile> {
  const file = path.join(folder, name)
  const hash = createHash('sha256')
  let bytes = 0
  for await (const part of createReadStream(file, { highWaterMark: 1 << 20 })) {
    hash.update(part as Buffer)
    bytes += (part as Buffer).length
  }
  return { name, bytes, sha256: hash.digest('hex') }
}

/** Tells one master key from another without giving anything of it away: it is 32 random bytes. */
export function fingerprintOfMasterKey(masterKey: Buffer): string {
  return createHash('sha256').update('gatehouse master key\0').update(masterKey).digest('hex').slice(0, 32)
}

/** An instant as part of a name: 20260501T120000Z. */
export function formatStamp(at: Date): string {
  return at.toISOString().replaceAll(/[-:]|\.\d+/g, '')
}

/** What there is of the main things, in words. A change in the log is one revoked token. */
export function presentRows({ rows }: Pick<Manifest, 'rows'>): string {
  const main = { users: 'users', roles: 'roles', clusters: 'clusters', tokens: 'tokens', revocations: 'changes' }
  return Object.entries(main)
    .map(([word, table]) => `${word}: ${rows[table] ?? 0}`)
    .join(', ')
}
