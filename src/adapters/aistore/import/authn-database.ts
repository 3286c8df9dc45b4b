/**
 * AuthN's database as something that can be imported. It is only read, and as it was when it was opened: what a server that
 * still runs appends meanwhile isn't looked at.
 */
import { hash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { administratorRoleName, type NewRole } from '../../../core/roles/role.ts'
import type { Findings } from '../../../core/transfer/findings.ts'
import type { Imported, ImportedEntry } from '../../../core/transfer/import.ts'
import { AuthnDatabaseError } from './authn-database-error.ts'
import { type LogEvent, type LogFile, readBuntdbLog } from './buntdb-log.ts'
import { parseRecord, type RoleTable, toCluster, toKeys, toRevocation, toRole, toUser } from './records.ts'

export interface AuthnDatabase extends Imported {
  close(): void
}

/** Kept in memory: there are few, and users refer to them. */
const smallCollections: ReadonlySet<string> = new Set(['role', 'cluster', 'key'])
/** What AuthN builds anew from the others. */
const derivedCollections: ReadonlySet<string> = new Set(['role_user', 'meta'])

/**
 * Opens the database at `path`. Memory: its roles, clusters and keys, and about 150 bytes for each user and revoked token.
 * @throws AuthnDatabaseError where the file can't be read, or is no BuntDB
 */
export function openAuthnDatabase(path: string, now: Date, findings: Findings): AuthnDatabase {
  const file = openFile(path)
  try {
    const index = indexLog(file, now, findings)
    if (index.isForeign) {
      throw new AuthnDatabaseError(`${path} is no database of AIStore's AuthN: it does not hold BuntDB's records`)
    }
    const roles = readRoles(index.small, findings)
    return {
      roles: roles.imported,
      clusters: [...ofCollection(index.small, 'cluster')].flatMap(([id, value]) => {
        const record = parseRecord('cluster', id, value, findings)
        return record === undefined ? [] : [toCluster(id, record, findings)]
      }),
      keys: readKeys(index.small, findings),
      entries: () => readEntries(file, now, index.many, roles, findings),
      close: file.close,
    }
  } catch (error) {
    file.close()
    throw error
  }
}

function openFile(path: string): LogFile & { close(): void } {
  const descriptor = orUnreadable(path, () => openSync(path, 'r'))
  const { size, mtime } = orUnreadable(path, () => fstatSync(descriptor))
  return {
    size,
    modifiedAt: mtime,
    read: (into, offset, length, position) =>
      orUnreadable(path, () => readSync(descriptor, into, offset, length, position)),
    close: () => closeSync(descriptor),
  }
}

/** @throws AuthnDatabaseError where the operating system refuses */
function orUnreadable<T>(path: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    throw new AuthnDatabaseError(`can't read ${path}: ${reasons[code] ?? code}`, { cause: error })
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a folder',
  EIO: 'the disk reports an error',
}

interface Index {
  /** Whole key to value. */
  readonly small: ReadonlyMap<string, string>
  /** Where the last values of all other keys lie, ascending. */
  readonly many: Float64Array
  /** No record in it, and not the beginning of one either. */
  readonly isForeign: boolean
}

/** What counts in the end: the last value of each key that was not deleted. */
function indexLog(file: LogFile, now: Date, findings: Findings): Index {
  const small = new Map<string, string>()
  /** Digest of the key to where its last value lies. */
  const many = new Map<string, number>()
  let records = 0
  let isDamaged = false
  for (const event of readBuntdbLog(file, now)) {
    if (isBroken(event)) {
      isDamaged ||= event.does === 'damage'
      findings.add(event.does === 'torn' ? 'log_torn' : 'log_damaged', `bytes ${event.at} to ${event.until}`)
      continue
    }
    records += 1
    if (event.does === 'flush') {
      small.clear()
      many.clear()
    } else indexRecord(event, small, many)
  }
  // Offsets alone take a tenth of the memory, and the second reading meets them in this order.
  return { small, many: Float64Array.from(many.values()).sort(), isForeign: records === 0 && isDamaged }
}

function indexRecord(
  record: Extract<LogEvent, { readonly does: 'set' | 'delete' }>,
  small: Map<string, string>,
  many: Map<string, number>,
): void {
  const collection = collectionOf(record.key)
  if (derivedCollections.has(collection)) return
  if (smallCollections.has(collection)) {
    const key = record.key.toString('utf8')
    if (record.does === 'set') small.set(key, record.value.toString('utf8'))
    else small.delete(key)
  } else if (record.does === 'set') many.set(digestOf(record.key), record.at)
  else many.delete(digestOf(record.key))
}

function isBroken(event: LogEvent): event is Extract<LogEvent, { readonly until: number }> {
  return event.does === 'torn' || event.does === 'damage'
}

function* readEntries(
  file: LogFile,
  now: Date,
  places: Index['many'],
  roles: RoleTable,
  findings: Findings,
): Generator<ImportedEntry> {
  let next = 0
  for (const event of readBuntdbLog(file, now)) {
    if (event.does !== 'set' || event.at !== places[next]) continue
    next += 1
    const collection = collectionOf(event.key)
    const name = event.key.toString('utf8', collection.length + separator.length)
    if (collection === 'user') {
      const record = parseRecord('user', name, event.value.toString('utf8'), findings)
      if (record !== undefined) yield { kind: 'user', user: toUser(name, record, roles, findings) }
    } else if (collection === 'revoked') {
      const revocation = toRevocation(name, findings)
      if (revocation !== undefined) yield { kind: 'revocation', revocation }
    } else findings.add('collection_unknown', collection)
  }
}

function readRoles(small: Index['small'], findings: Findings): RoleTable & { readonly imported: readonly NewRole[] } {
  const storedAs = new Map<string, string>()
  const imported: NewRole[] = []
  for (const [name, value] of ofCollection(small, 'role')) {
    const record = parseRecord('role', name, value, findings)
    if (record === undefined) continue
    storedAs.set(name, JSON.stringify(record))
    const isBuiltIn = name === administratorRoleName
    const role = toRole(name, isBuiltIn ? { ...record, admin: false } : record, findings)
    if (!isBuiltIn) imported.push(role)
    else if (role.grants.length > 0) findings.add('role_built_in', name)
  }
  return { storedAs, imported }
}

function readKeys(small: Index['small'], findings: Findings) {
  return [...ofCollection(small, 'key')].flatMap(([name, value]) => {
    if (name === 'metadata') return toKeys(value, findings)
    findings.add('collection_unknown', `key ${name}`)
    return []
  })
}

/** Names and values of one collection, in the order in which they were first set. */
function* ofCollection(small: Index['small'], collection: string): Generator<readonly [name: string, value: string]> {
  const prefix = `${collection}${separator}`
  for (const [key, value] of small) if (key.startsWith(prefix)) yield [key.slice(prefix.length), value]
}

const separator = '##'

function collectionOf(key: Buffer): string {
  const end = key.subarray(0, 64).indexOf(separator)
  return end < 0 ? '' : key.toString('latin1', 0, end)
}

/** Keys are as long as tokens are; a digest has 32 bytes. */
function digestOf(key: Buffer): string {
  return hash('sha256', key, 'binary')
}
