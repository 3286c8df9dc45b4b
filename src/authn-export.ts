/** Writes what Gatehouse holds as the database of an AIStore AuthN: the way back. Run by `gatehouse export --authn-db`. */
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, linkSync, openSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { presentAuthnRecords, type RecordCounts } from './adapters/aistore/authn-records.ts'
import type { Deed } from './core/sessions/actor.ts'
import { createFindings, type Finding } from './core/transfer/findings.ts'
import { syncFolder } from './store/key-file.ts'
import type { Store } from './store/store.ts'

/** The file can't be written. The message is one line for the operator. */
class AuthnExportError extends Error {
  override readonly name = 'AuthnExportError'
}

export interface AuthnExport extends Readonly<RecordCounts> {
  readonly to: string
  /** What AuthN has no place for. */
  readonly findings: readonly Finding[]
}

/**
 * Writes everything as it is at the deed's instant, to a new file of mode 0600 that is there whole or not at all.
 * @throws AuthnExportError where there is such a file already, or it can't be written
 */
export async function exportAuthn(
  { exports, audit }: Pick<Store, 'exports' | 'audit'>,
  file: string,
  deed: Deed,
): Promise<AuthnExport> {
  if (existsSync(file)) throw taken(file)
  const findings = createFindings()
  const counts: RecordCounts = { users: 0, roles: 0, clusters: 0, keys: 0, revokedTokens: 0 }
  const sibling = `${file}.${randomBytes(6).toString('hex')}.tmp`
  try {
    await exports.read(deed.at, (held) => writeRecords(sibling, presentAuthnRecords(held, findings, counts)))
    // Nobody has it before the trail says so.
    await audit.append({ action: 'data.exported', target: null, details: { to: file, ...counts } }, deed)
    // A link, unlike a rename, never takes another file's place.
    linkSync(sibling, file)
    await syncFolder(dirname(file))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
    if (code === 'EEXIST') throw taken(file)
    if (code === undefined || !/^E[A-Z]+$/.test(code)) throw error
    throw new AuthnExportError(`can't write ${file} (${code})`, { cause: error })
  } finally {
    rmSync(sibling, { force: true })
  }
  return { to: file, ...counts, findings: findings.list() }
}

const bufferedCharacters = 1 << 20

/** Ends when everything is on disk. */
function writeRecords(file: string, records: Iterable<string>): void {
  const descriptor = openSync(file, 'wx', 0o600)
  try {
    let buffered = ''
    for (const record of records) {
      buffered += record
      if (buffered.length < bufferedCharacters) continue
      writeAll(descriptor, buffered)
      buffered = ''
    }
    writeAll(descriptor, buffered)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function writeAll(descriptor: number, text: string): void {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at)
}

function taken(file: string): AuthnExportError {
  return new AuthnExportError(`${file} is there already, and is never overwritten: name a new file`)
}
