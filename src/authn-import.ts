/**
 * Takes over what an AIStore AuthN holds: finds its files, reads them, puts its signing key where the service looks for it,
 * and hands the rest to the store. Run by `gatehouse import`, and by the service at its first start beside an `authn.db`.
 */
import { existsSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { openAuthnDatabase } from './adapters/aistore/import/authn-database.ts'
import { findDatabase, openAuthnFolder, readOptional } from './adapters/aistore/import/authn-folder.ts'
import { type Config, loadConfig } from './config.ts'
import { ConfigError } from './config-error.ts'
import type { PublicJwk } from './core/keys/key-store.ts'
import { readPrivateKey } from './core/keys/private-key-file.ts'
import { toRsaKey } from './core/keys/rsa-key.ts'
import type { Logger } from './core/logger.ts'
import type { Deed } from './core/sessions/actor.ts'
import { effectiveSettings, presentRows } from './core/settings/runtime-settings.ts'
import type { SettingsChange } from './core/settings/settings.ts'
import { createFindings, type Finding, type Findings } from './core/transfer/findings.ts'
import type { ImportTally } from './core/transfer/import.ts'
import { placeKeyFile } from './store/key-file.ts'
import type { Store } from './store/store.ts'

export interface AuthnImport extends ImportTally {
  /** The database that was read. */
  readonly from: string
  /** AuthN's configuration; undefined where there is none. */
  readonly configFile: string | undefined
  readonly isTrial: boolean
  readonly signingKey: SigningKey['state']
  readonly findings: readonly Finding[]
}

interface SigningKey {
  /**
   * in_place: the service finds AuthN's key where it lies; placed: a copy was put there; ours: another key is there, and
   * stays; absent: there is none; unused: a shared secret signs.
   */
  readonly state: 'in_place' | 'placed' | 'ours' | 'absent' | 'unused'
  /** AuthN's key, where it will sign. */
  readonly jwk?: PublicJwk
  /** What is to be put at the service's place. */
  readonly content?: Buffer
}

interface ImportDeps {
  readonly config: Config
  readonly store: Store
  readonly deed: Deed
}

const reason = "revoked in AIStore's AuthN, before the import"

/**
 * All or nothing: where it fails, store and key file are as they were.
 *
 * @param path AuthN's database, or the folder that holds it
 * @throws AuthnDatabaseError, KeyFileError, DomainError storage_failed: one line for the operator
 */
export async function importAuthn(
  { config, store, deed }: ImportDeps,
  path: string,
  { isTrial = false }: { readonly isTrial?: boolean } = {},
): Promise<AuthnImport> {
  const findings = createFindings()
  const folder = openAuthnFolder(resolve(path))
  const foreign = folder.configFile === undefined ? undefined : readForeignConfig(folder.configFile, findings)
  const files = { ...folder, databaseFile: findDatabase(folder, foreign?.authnFile.db.filepath ?? '') }
  const current = await effectiveSettings(store.settings, config)
  const isSymmetric = current.sharedSecret !== '' || (foreign?.sharedSecret.value ?? '') !== ''
  const database = openAuthnDatabase(files.databaseFile, deed.at, findings)
  try {
    const key: SigningKey = isSymmetric
      ? { state: 'unused' }
      : await findSigningKey(config, files.keyFile, database.keys, findings)
    const isKnown = key.jwk === undefined || database.keys.some(({ kid }) => kid === key.jwk?.kid)
    const keys = isKnown || key.jwk === undefined ? database.keys : [...database.keys, key.jwk]
    const lifetimeMs = Math.max(config.maximumTokenLifetimeMs, foreign?.maximumTokenLifetimeMs ?? 0)
    const wanted = foreign === undefined ? {} : planSettings(foreign, config, current, findings)
    const terms = {
      from: files.databaseFile,
      reason,
      administratorName: config.firstAdministrator.name,
      signingKid: key.jwk?.kid,
      keysTrustedUntil: new Date(deed.at.getTime() + lifetimeMs),
      settings: presentRows(wanted),
      isTrial,
      findings,
    }
    const tally = await withKeyPlaced(isTrial ? undefined : key.content, config.signingKey.file, () =>
      store.imports.run({ ...database, keys }, terms, deed),
    )
    if (!tally.isFirst) noteUnusedSettings(wanted, findings)
    const { databaseFile: from, configFile } = files
    return { from, configFile, isTrial, ...tally, signingKey: key.state, findings: findings.list() }
  } finally {
    database.close()
  }
}

/**
 * Started in a folder with an AuthN's database and nobody in ours: takes it over, and says so. The old files stay as they are.
 * @throws as `importAuthn`
 */
export async function takeOverAuthn(deps: ImportDeps, log: Logger): Promise<void> {
  const named = deps.config.authnFile.db.filepath
  const path = named === '' ? join(deps.config.dataDir, 'authn.db') : resolve(named)
  if (!existsSync(path) || (await deps.store.users.list({ limit: 1 })).length > 0) return
  const { from, users, roles, clusters, keys, revocations, signingKey, findings } = await importAuthn(deps, path)
  const taken = { users: users.added, roles: roles.added, clusters: clusters.added, keys: keys.added }
  const { added: revokedTokens, expired: expiredTokens } = revocations
  const kinds = findings.length
  log.info({ event: 'authn.taken_over', from, ...taken, revokedTokens, expiredTokens, signingKey, findings: kinds })
  for (const { where, ...finding } of findings) {
    log.warn({ event: 'authn.finding', ...finding, where: where.slice(0, namesLogged) })
  }
}

const namesLogged = 20

/** The configuration that the file stands for by itself; undefined where AuthN would not take it either. */
function readForeignConfig(file: string, findings: Findings): Config | undefined {
  try {
    return loadConfig({ flags: { config: file }, env: {} })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    findings.add('settings_unreadable', error.message)
    return undefined
  }
}

/** @throws KeyFileError where a key is there that can't be used, for instance without its passphrase */
async function findSigningKey(
  config: Config,
  keyFile: string,
  known: readonly PublicJwk[],
  findings: Findings,
): Promise<SigningKey> {
  const { file, passphrase, isExternal } = config.signingKey
  const read = async (content: Buffer, path: string) =>
    (await toRsaKey(await readPrivateKey(content, passphrase, path))).jwk
  const ours = readOptional(file)
  const theirs = readOptional(keyFile)
  const oursJwk = ours && (await read(ours, file))
  const theirJwk = theirs && (resolve(keyFile) === resolve(file) ? oursJwk : await read(theirs, keyFile))
  if (oursJwk !== undefined) {
    const isTheirs =
      theirJwk === undefined ? known.some(({ kid }) => kid === oursJwk.kid) : theirJwk.kid === oursJwk.kid
    if (isTheirs) return { state: 'in_place', jwk: oursJwk }
    findings.add('signing_key_differs', file)
    return { state: 'ours' }
  }
  if (theirJwk === undefined || theirs === undefined || isExternal) {
    findings.add('signing_key_absent', isExternal ? file : keyFile)
    return { state: 'absent' }
  }
  return { state: 'placed', jwk: theirJwk, content: theirs }
}

/** Puts the key there for the act, and takes it away again where that fails. */
async function withKeyPlaced<T>(content: Buffer | undefined, file: string, act: () => Promise<T>): Promise<T> {
  // Another process that starts at once may have put it there.
  const isPlaced = content !== undefined && (await placeKeyFile(file, content))
  try {
    return await act()
  } catch (error) {
    if (isPlaced) rmSync(file, { force: true })
    throw error
  }
}

/** What of AuthN's configuration can be kept in the store; what else is set otherwise here is told. */
function planSettings(
  foreign: Config,
  config: Config,
  current: Required<SettingsChange>,
  findings: Findings,
): SettingsChange {
  const { sharedSecret, tokenLifetime } = foreign
  const wanted: { -readonly [S in keyof SettingsChange]: SettingsChange[S] } = {}
  if (sharedSecret.value !== '' && sharedSecret.value !== current.sharedSecret) {
    if (current.sharedSecret === '') wanted.sharedSecret = sharedSecret.value
    else findings.add('secret_differs', 'auth.secret')
  }
  if (tokenLifetime.source === 'file' && tokenLifetime.ms !== current.tokenLifetimeMs) {
    const isFree = config.tokenLifetime.source === 'default' && tokenLifetime.ms <= config.maximumTokenLifetimeMs
    if (isFree) wanted.tokenLifetimeMs = tokenLifetime.ms
    else findings.add('setting_differs', 'auth.expiration_time')
  }
  noteOtherSettings(foreign, config, findings)
  return wanted
}

/** What the store can't keep. Where the same file is in use here, whoever set something beside it knows. */
function noteOtherSettings(foreign: Config, config: Config, findings: Findings): void {
  if (JSON.stringify(foreign.authnFile) === JSON.stringify(config.authnFile)) return
  const longest = (from: Config) => from.maximumTokenLifetimeMs
  if (longest(foreign) !== longest(config)) findings.add('setting_differs', 'auth.max_token_age')
  const { net } = foreign.authnFile
  if (net.externalUrl !== '' && net.externalUrl !== config.net.externalUrl) {
    findings.add('setting_differs', `net.external_url (there: ${net.externalUrl})`)
  }
  if (net.port !== config.net.port) findings.add('setting_differs', `net.http.port (there: ${net.port})`)
  if (net.isHttps !== (config.net.tls !== undefined)) findings.add('setting_differs', 'net.http.use_https')
}

/** A store that is in use already keeps what it has. */
function noteUnusedSettings(wanted: SettingsChange, findings: Findings): void {
  if (wanted.sharedSecret !== undefined) findings.add('secret_differs', 'auth.secret')
  if (wanted.tokenLifetimeMs !== undefined) findings.add('setting_differs', 'auth.expiration_time')
}
