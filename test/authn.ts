/** Data of AIStore's AuthN for tests: that of a real server of version 2.3, and databases made record by record. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { command } from '../bench/authn-database.ts'
import { type AuthnImport, importAuthn } from '../src/authn-import.ts'
import type { Config } from '../src/config.ts'
import { createSealer } from '../src/core/keys/sealer.ts'
import type { FindingKind } from '../src/core/transfer/findings.ts'
import { createService } from '../src/service.ts'
import { openSqliteStore } from '../src/store/sqlite/sqlite-store.ts'
import type { Store } from '../src/store/store.ts'
import { op } from './actors.ts'
import { createHandClock } from './clock.ts'
import { takeFreePort } from './free-port.ts'
import { collectLog, type LogLine } from './log-lines.ts'
import { testConfig } from './service-config.ts'

/** When the fixture's data was old enough for its short token to have expired. */
export const later = new Date('2026-12-01T12:00:00Z')

interface AuthnFixture {
  readonly folder: string
  readonly database: string
  /** What the server answered at the end. */
  readonly snapshot: {
    readonly users: Readonly<Record<string, unknown>>
    readonly roles: readonly { readonly name: string }[]
    readonly clusters: { readonly clusters: Readonly<Record<string, unknown>> }
    readonly jwks: { readonly keys: readonly unknown[] }
  }
  /** Names to passwords. */
  readonly passwords: Readonly<Record<string, string>>
  readonly live: Readonly<Record<string, string>>
  readonly revoked: Readonly<Record<string, string>>
}

export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-authn-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Unpacks the data of the real server into a folder of its own. */
export function unpackFixture(): AuthnFixture {
  const folder = makeFolder()
  const archive = join(import.meta.dirname, 'fixtures', 'aistore-authn.tar.gz')
  execFileSync('tar', ['-xzf', archive, '-C', folder, '--strip-components=1', '--no-same-owner'])
  const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8'))
  const { admin, users, live, revoked } = read('secrets.json')
  const passwords = { [admin.user]: admin.password, ...users }
  return { folder, database: join(folder, 'authn.db'), snapshot: read('snapshot.json'), passwords, live, revoked }
}

/** A record as AuthN sets it; `null` deletes it. */
export type AuthnRecord = readonly [key: string, value: unknown]

export function log(records: readonly AuthnRecord[]): string {
  return records
    .map(([key, value]) => (value === null ? command('del', key) : command('set', key, text(value))))
    .join('')
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Lets AuthN write on. */
export function append(database: string, records: readonly AuthnRecord[]): void {
  appendFileSync(database, log(records))
}

/** A folder with an AuthN's database of these records, or of this content. */
export function makeAuthn(content: readonly AuthnRecord[] | string): string {
  const folder = makeFolder()
  writeFileSync(join(folder, 'authn.db'), typeof content === 'string' ? content : log(content))
  return folder
}

export const administrator = { name: 'Admin', desc: 'AuthN administrator', clusters: null, buckets: null, admin: true }

export function aRole(name: string, more: object = {}) {
  return { name, desc: '', clusters: [{ id: 'c1', perm: '771' }], buckets: null, admin: false, ...more }
}

/** Has the form of a bcrypt hash, and fits no password. */
export function aHash(): string {
  return `$2a$10$${randomBytes(40).toString('base64').replace(/[+=]/g, '.').slice(0, 53)}`
}

export function aUser(id: string, roles: unknown = [], hash = aHash()) {
  return { id, pass: Buffer.from(hash).toString('hex'), roles }
}

/** A token with these claims; nobody has signed it. */
export function aToken(claims: object, header: object = { alg: 'RS256', kid: 'k1', typ: 'JWT' }): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  return `${encode(header)}.${encode(claims)}.${randomBytes(32).toString('base64url')}`
}

export async function configFor(folder: string, more: Partial<Config> = {}): Promise<Config> {
  const base = testConfig({
    folder,
    port: await takeFreePort(),
    databaseFile: join(folder, 'gatehouse.db'),
    sharedSecret: '',
    administrator: { name: 'admin', password: 'not to be asked for' },
    hasOpenReads: false,
    delivery: {},
  })
  return { ...base, masterKey: undefined, ...more }
}

export interface ImportTest {
  readonly store: Store
  readonly config: Config
  /** Imports this folder or file. */
  run(path: string, options?: { readonly isTrial?: boolean }): Promise<AuthnImport>
}

/** An empty store in memory that can import. */
export async function startImport(more: Partial<Config> = {}): Promise<ImportTest> {
  const store = openSqliteStore({ file: ':memory:', sealer: createSealer(randomBytes(32)) })
  onTestFinished(() => store.close())
  const config = await configFor(makeFolder(), more)
  return {
    store,
    config,
    run: (path, options) => importAuthn({ config, store, deed: { by: op, at: later } }, path, options),
  }
}

/** How often each kind of oddity was found. */
export function countsOf({ findings }: Pick<AuthnImport, 'findings'>): Partial<Record<FindingKind, number>> {
  return Object.fromEntries(findings.map(({ kind, count }) => [kind, count]))
}

/** The service on this data folder, at a time when the fixture is old. */
export async function startOn(folder: string, more: Partial<Config> = {}) {
  const lines: LogLine[] = []
  const clock = createHandClock(later)
  const config = await configFor(folder, more)
  const service = await createService({ config, clock, log: collectLog(lines), setLogLevel: () => {} })
  onTestFinished(() => service.close({ drainMs: 0 }))
  const { url } = await service.listen()

  async function call(method: string, path: string, { token, body }: { token?: string; body?: object } = {}) {
    const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` }
    const answer = await fetch(url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) })
    const text = await answer.text()
    return { status: answer.status, text, json: () => JSON.parse(text) }
  }
  return { service, config, clock, lines, call }
}
