/** `gatehouse backup` and `gatehouse backup verify`. */
import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Config, type ConfigInput, loadConfig } from '../../config.ts'
import { systemClock } from '../../core/clock.ts'
import { createBackup } from '../../store/backup/create.ts'
import { BackupError, formatStamp, type Manifest, manifestFile, presentRows } from '../../store/backup/manifest.ts'
import { type BackupCheck, verifyBackup } from '../../store/backup/verify.ts'
import { holdFolder } from '../../store/folder-lock.ts'
import { findMasterKey } from '../../store/master-key.ts'
import { findPlaces } from '../../store/places.ts'
import { version } from '../../version.ts'
import { UsageError } from '../client-errors.ts'
import type { CliContext } from '../context.ts'
import { exitCodes } from '../failures.ts'
import { createOutput, type Output } from '../output.ts'
import { createStages, type Stages } from '../stages.ts'

export interface LocalOptions extends ConfigInput {
  readonly json?: true
  readonly quiet?: true
}

export interface BackupCommandOptions extends LocalOptions {
  readonly withMasterKey?: true
  readonly verify?: true
}

/** @throws UsageError, ConfigError, BackupError, StoreOpenError */
export async function backUp(
  given: string | undefined,
  options: BackupCommandOptions,
  context: CliContext,
): Promise<number> {
  if (given === undefined) throw new UsageError('say where to: gatehouse backup <path>')
  const config = loadConfig(options)
  const output = await createOutput(options, context)
  const masterKey = await requireMasterKey(config)
  const path = await chooseName(resolve(given), new Date())
  const startedAt = performance.now()
  const progress = createStages(options, context)
  const manifest = await make(path, masterKey, config, options, context, progress.show)
  const checks = options.verify ? (await verifyBackup(path, { masterKey, onProgress: progress.show })).checks : []
  const seconds = Math.round(performance.now() - startedAt) / 1000
  if (options.withMasterKey) {
    context.warn(
      'gatehouse: the backup holds the master key: whoever has it has everything, so guard it as the key itself',
    )
  }
  output.tell({
    json: { path, seconds, manifest, checks },
    words: () => [presentMade(path, manifest, seconds), ...presentChecks(checks, output)].join('\n'),
    quiet: [path],
  })
  return exitCodeOf(checks)
}

async function make(
  path: string,
  masterKey: Buffer,
  config: Config,
  { withMasterKey = false }: { readonly withMasterKey?: boolean },
  { stop }: CliContext,
  onProgress: Stages['show'],
): Promise<Manifest> {
  const lock = holdFolder(config.dataDir, 'shared')
  if (lock === undefined)
    throw new BackupError(`a backup is being restored into ${config.dataDir}: wait until that is done`)
  try {
    const { database, signingKey } = findPlaces(config)
    const source = {
      database,
      signingKey,
      masterKey,
      externalUrl: config.net.externalUrl,
      program: version,
      clock: systemClock,
    }
    return await createBackup(source, path, { withMasterKey, onProgress, signal: stop })
  } finally {
    lock.release()
  }
}

/** @throws BackupError where there is nothing to keep, or not what it is sealed under */
async function requireMasterKey(config: Config): Promise<Buffer> {
  const { masterKey, databaseFile } = config
  if ((await stat(databaseFile).catch(() => undefined)) === undefined) {
    throw new BackupError(`there is no database in ${config.dataDir}: name the data folder with --data-dir`)
  }
  const found = await findMasterKey({ value: masterKey, file: config.masterKeyFile })
  if (found !== undefined) return found
  throw new BackupError(
    `there is no master key at ${config.masterKeyFile}: name it with --master-key-file or GATEHOUSE_MASTER_KEY`,
  )
}

/** A folder that is there gets the backup inside, unless it is a backup itself: then the name is taken. */
async function chooseName(path: string, now: Date): Promise<string> {
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() === true
  const isBackup = isFolder && (await stat(join(path, manifestFile)).catch(() => undefined)) !== undefined
  return isFolder && !isBackup ? join(path, `gatehouse-${formatStamp(now)}`) : path
}

/** @throws ConfigError, BackupError */
export async function verify(path: string, options: LocalOptions, context: CliContext): Promise<number> {
  const config = loadConfig(options)
  const output = await createOutput(options, context)
  const masterKey =
    (await findMasterKey({ value: config.masterKey, file: config.masterKeyFile })) ?? (await findIncludedKey(path))
  const { show } = createStages(options, context)
  const { manifest, checks } = await verifyBackup(resolve(path), { masterKey, onProgress: show })
  output.tell({
    json: { path: resolve(path), manifest, checks },
    words: () => [presentManifest(manifest, output), '', ...presentChecks(checks, output)].join('\n'),
    quiet: checks.filter(({ result }) => result === 'bad').map(({ what, says }) => `${what}: ${says}`),
  })
  return exitCodeOf(checks)
}

function findIncludedKey(path: string): Promise<Buffer | undefined> {
  return findMasterKey({ value: undefined, file: join(path, 'master.key') })
}

function exitCodeOf(checks: readonly BackupCheck[]): number {
  return checks.some(({ result }) => result === 'bad') ? exitCodes.backupUnusable : exitCodes.done
}

function presentMade(path: string, manifest: Manifest, seconds: number): string {
  const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0)
  const key = manifest.masterKey.isIncluded
    ? 'The master key is in it.'
    : 'The master key is not in it, and without that it is worth nothing: keep a copy of the key elsewhere.'
  return `Backup of ${formatMib(bytes)} made in ${seconds.toFixed(1)} s: ${path}\n${key}`
}

export function presentManifest(
  { takenAt, program, rows, masterKey, externalUrl }: Manifest,
  { fields }: Output,
): string {
  return fields([
    ['Taken', takenAt.toISOString()],
    ['Of', externalUrl],
    ['Made by', `gatehouse ${program}`],
    ['Rows', presentRows({ rows })],
    ['Master key', `${masterKey.fingerprint}${masterKey.isIncluded ? ', included' : ', not included'}`],
  ])
}

export function presentChecks(checks: readonly BackupCheck[], { paint }: Pick<Output, 'paint'>): readonly string[] {
  const marks = { good: paint.good('ok     '), bad: paint.bad('wrong  '), unknown: paint.warn('unknown') }
  return checks.map(({ what, result, says }) => `${marks[result]}  ${what}: ${says}`)
}

function formatMib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}
