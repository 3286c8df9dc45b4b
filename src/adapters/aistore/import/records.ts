/**
 * One record of AuthN's database in our words (contract sections 1.3 to 1.5, 4.3). What an older version has written, or what
 * is damaged, is mended or left out, and told to `findings`. Nothing here throws for what a record holds.
 */
import { createHash } from 'node:crypto'
import { parseClusterUrls } from '../../../core/clusters/urls.ts'
import { DomainError } from '../../../core/errors.ts'
import type { PublicJwk } from '../../../core/keys/key-store.ts'
import { fromPublicJwk } from '../../../core/keys/rsa-key.ts'
import type { NewRole } from '../../../core/roles/role.ts'
import { fingerprintOf } from '../../../core/tokens/token-verifier.ts'
import type { FindingKind, Findings } from '../../../core/transfer/findings.ts'
import type { Imported, ImportedRevocation, ImportedUser } from '../../../core/transfer/import.ts'
import { checkName } from '../../../core/users/names.ts'
import { grantOfBucketAcl, grantOfClusterAcl, listShapes } from '../acl.ts'
import { BucketEntry, ClusterEntry } from '../wire.ts'

type Json = Readonly<Record<string, unknown>>

/** The last instant that a date of four digits names: for a token that never ends. */
const never = new Date('9999-12-31T23:59:59Z')

/** Nothing in the place of what can't be taken. */
function without(findings: Findings, kind: FindingKind, where: string): readonly [] {
  findings.add(kind, where)
  return []
}

/** A record that holds a JSON object under a usable name; undefined where it doesn't. */
export function parseRecord(collection: string, name: string, value: string, findings: Findings): Json | undefined {
  const where = `${collection} ${name}`
  if (!isUsableName(name)) return void findings.add('name_unusable', where)
  const record = parseObject(value)
  if (record === undefined || isBottomless(record, value)) return void findings.add('record_unreadable', where)
  const { id = record.name } = record
  if (id !== name) findings.add('id_differs', where)
  return record
}

/** Nested as no record is: reading it takes no stack, writing it would. */
function isBottomless(record: Json, { length }: string): boolean {
  if (length < 4096) return false
  try {
    JSON.stringify(record)
    return false
  } catch {
    return true
  }
}

export interface RoleTable {
  /** The role as it was stored, to tell whether a user's copy is up to date. */
  readonly storedAs: ReadonlyMap<string, string>
}

export function toUser(name: string, record: Json, { storedAs }: RoleTable, findings: Findings): ImportedUser {
  if (!isRegularName(name)) findings.add('name_irregular', `user ${name}`)
  const passwordHash = readPasswordHash(record.pass)
  if (passwordHash === undefined) findings.add('user_password_unusable', name)
  const held: readonly unknown[] = Array.isArray(record.roles) ? record.roles : []
  if (record.roles !== null && record.roles !== undefined && !Array.isArray(record.roles)) {
    findings.add('entry_unreadable', `roles of user ${name}`)
  }
  const roleNames = held.flatMap((entry) => {
    if (entry === null) return without(findings, 'entry_empty', `roles of user ${name}`)
    if (typeof entry === 'string') {
      findings.add('user_roles_by_name', name)
      return [entry]
    }
    const roleName = isObject(entry) ? entry.name : undefined
    if (typeof roleName !== 'string' || roleName === '') {
      return without(findings, 'entry_unreadable', `roles of user ${name}`)
    }
    const stored = storedAs.get(roleName)
    if (stored !== undefined && stored !== JSON.stringify(entry)) {
      findings.add('user_role_outdated', `${name}: ${roleName}`)
    }
    return [roleName]
  })
  return { name, passwordHash, roleNames }
}

/** bcrypt, as Go makes it: hex of the modular crypt string. One that stands there in clear is as good. */
function readPasswordHash(pass: unknown): string | undefined {
  if (typeof pass !== 'string') return undefined
  const text = pass.length === 2 * bcryptCharacters ? Buffer.from(pass, 'hex').toString('latin1') : pass
  return isBcrypt(text) ? text : undefined
}

const bcryptCharacters = 60

/**
 * 22 characters of salt and 31 of hash, at a cost of 4 to 14. AuthN's is 10; each more takes twice as long, and at 31 whoever
 * tries to log in as that user keeps a core busy for days.
 */
export function isBcrypt(hash: string): boolean {
  return /^\$2[aby]\$(?:0[4-9]|1[0-4])\$[./A-Za-z0-9]{53}$/.test(hash)
}

export function toRole(name: string, record: Json, findings: Findings): NewRole {
  if (!isRegularName(name)) findings.add('name_irregular', `role ${name}`)
  if (record.admin === true) findings.add('role_not_administrator', name)
  const clusters = readList(record.clusters, `clusters of role ${name}`, findings)
  const buckets = readList(record.buckets, `buckets of role ${name}`, findings)
  const clusterGrants = clusters?.flatMap((entry) => {
    const { success, data } = ClusterEntry.safeParse(entry)
    if (!success) return without(findings, 'entry_unreadable', `clusters of role ${name}`)
    return [grantOfClusterAcl({ ...data, urls: data.urls ?? [], perm: data.perm ?? '0' })]
  })
  const bucketGrants = buckets?.flatMap((entry) => {
    const { success, data } = BucketEntry.safeParse(entry)
    if (!success) return without(findings, 'entry_unreadable', `buckets of role ${name}`)
    return [grantOfBucketAcl({ bck: data.bck, perm: data.perm ?? '0' })]
  })
  return {
    name,
    description: typeof record.desc === 'string' ? record.desc : '',
    grants: [...(clusterGrants ?? []), ...(bucketGrants ?? [])],
    annotations: listShapes(clusters, buckets),
  }
}

/** Without its null entries, at which old clients break; null where the list never was sent. */
function readList(value: unknown, where: string, findings: Findings): readonly unknown[] | null {
  if (value === null || value === undefined) return null
  if (!Array.isArray(value)) {
    findings.add('entry_unreadable', where)
    return null
  }
  const entries = value.filter((entry) => entry !== null)
  if (entries.length < value.length) findings.add('entry_empty', where)
  return entries
}

export function toCluster(id: string, record: Json, findings: Findings): Imported['clusters'][number] {
  const { success, data } = ClusterEntry.safeParse(record)
  const alias = typeof record.alias === 'string' && record.alias !== '' ? record.alias : null
  if (alias !== null && !isRegularName(alias)) findings.add('name_irregular', `alias of cluster ${id}`)
  const given = readList(record.urls, `urls of cluster ${id}`, findings) ?? []
  const urls = given.flatMap((url) => {
    const usable = typeof url === 'string' ? parseUrl(url) : undefined
    if (usable === undefined) findings.add('cluster_url_unusable', id)
    return usable ?? []
  })
  if (urls.length === 0) findings.add('cluster_without_url', id)
  const perm = success ? data.perm : undefined
  return {
    id,
    kind: 'aistore',
    alias,
    urls: [...new Set(urls)],
    annotations: perm && perm !== '0' ? { perm } : {},
  }
}

function parseUrl(url: string): readonly string[] | undefined {
  try {
    return parseClusterUrls([url])
  } catch (error) {
    if (error instanceof DomainError) return undefined
    throw error
  }
}

/** The public keys of the set (contract 2.5), oldest first. */
export function toKeys(value: string, findings: Findings): readonly PublicJwk[] {
  const set = parseObject(value)?.jwks
  const entries = isObject(set) && Array.isArray(set.keys) ? set.keys : undefined
  if (entries === undefined) findings.add('record_unreadable', 'key metadata')
  return (entries ?? []).flatMap((entry: unknown, at) => {
    const key = isObject(entry) ? toKey(entry) : undefined
    if (key === undefined) findings.add('key_unreadable', `key ${at + 1} of ${entries?.length}`)
    return key ?? []
  })
}

function toKey({ kty, n, e, kid }: Json): PublicJwk | undefined {
  if (kty !== 'RSA' || typeof n !== 'string' || typeof e !== 'string' || typeof kid !== 'string' || kid === '') {
    return undefined
  }
  const key: PublicJwk = { alg: 'RS256', e, kid, kty, n, use: 'sig' }
  try {
    fromPublicJwk(key)
    return key
  } catch {
    return undefined
  }
}

/**
 * What stands in the table of revoked tokens. The signature isn't looked at, nor how the text is spelled: a cluster compares
 * the text, and what nobody accepts does no harm in the list.
 */
export function toRevocation(text: string, findings: Findings): ImportedRevocation | undefined {
  const [head = '', body = '', ...rest] = text.split('.')
  const header = parseObject(Buffer.from(head, 'base64url').toString('utf8'))
  const claims = parseObject(Buffer.from(body, 'base64url').toString('utf8'))
  if (rest.length !== 1 || header === undefined || claims === undefined) {
    return void findings.add('token_unreadable', nameOfToken(text))
  }
  const { sub, username, aud, jti, sid, iat } = claims
  const expiresAt = readExpiry(claims)
  if (expiresAt === undefined) findings.add('token_without_expiry', nameOfToken(text))
  const subject = [sub, username].find((name) => typeof name === 'string')
  const isSymmetric = typeof header.alg === 'string' && header.alg.startsWith('HS')
  return {
    text,
    fingerprint: fingerprintOf(text),
    jti: typeof jti === 'string' ? jti : null,
    session: typeof sid === 'string' ? sid : null,
    subject: typeof subject === 'string' ? subject : '',
    kid: typeof header.kid === 'string' && !isSymmetric ? header.kid : null,
    audience: (Array.isArray(aud) ? aud : [aud]).filter((entry) => typeof entry === 'string'),
    issuedAt: toInstant(iat) ?? new Date(0),
    expiresAt: expiresAt ?? never,
  }
}

/** `exp`, or what tokens had before there was one: `expires`, in RFC 3339 (contract section 8). */
function readExpiry({ exp, expires }: Json): Date | undefined {
  const instant = toInstant(exp)
  if (instant !== undefined) return instant
  const parsed = typeof expires === 'string' ? new Date(expires) : undefined
  return parsed === undefined || Number.isNaN(parsed.getTime()) ? undefined : parsed
}

/** NumericDate (RFC 7519 section 2), at most `never`. */
function toInstant(seconds: unknown): Date | undefined {
  if (typeof seconds !== 'number' || !Number.isFinite(seconds)) return undefined
  return new Date(Math.min(Math.max(seconds * 1000, 0), never.getTime()))
}

/** Says which token is meant without giving it away. */
function nameOfToken(text: string): string {
  return `SHA-256 ${createHash('sha256').update(text).digest('hex').slice(0, 16)}…`
}

const longestName = 256
/** Names of Gatehouse's own: subjects of its tokens, roles that say what may be done at itself. */
const reserved = 'gatehouse:'

function isUsableName(name: string): boolean {
  return name !== '' && name.length <= longestName && !/[\p{Cc}\ufffd]/u.test(name) && !name.startsWith(reserved)
}

function isRegularName(name: string): boolean {
  try {
    checkName('', '', name)
    return true
  } catch {
    return false
  }
}

function parseObject(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
