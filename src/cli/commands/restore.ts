/** `gatehouse restore`. */
import { resolve } from 'node:path'
import { loadConfig } from '../../config.ts'
import { type Restored, restoreBackup } from '../../store/backup/restore.ts'
import { findPlaces } from '../../store/places.ts'
import type { CliContext } from '../context.ts'
import { exitCodes } from '../failures.ts'
import { createOutput, type Output } from '../output.ts'
import { createStages } from '../stages.ts'
import { type LocalOptions, presentChecks, presentManifest } from './backup.ts'

export interface RestoreCommandOptions extends LocalOptions {
  readonly force?: true
  readonly dryRun?: true
}

/** @throws ConfigError, BackupError, StoreOpenError */
export async function restore(path: string, options: RestoreCommandOptions, context: CliContext): Promise<number> {
  const config = loadConfig(options)
  const output = await createOutput(options, context)
  const { force = false, dryRun = false } = options
  const { show } = createStages(options, context)
  const restored = await restoreBackup(resolve(path), findPlaces(config), {
    force,
    dryRun,
    now: new Date(),
    onProgress: show,
  })
  const { manifest, checks, keptAside, carriedRevocations } = restored
  output.tell({
    json: { dataDir: config.dataDir, isDone: !dryRun, manifest, checks, keptAside, carriedRevocations },
    words: () => (dryRun ? presentDryRun(restored, output) : presentRestored(restored, config.dataDir, output)),
  })
  return exitCodes.done
}

function presentDryRun({ manifest, checks }: Restored, output: Output): string {
  return [presentManifest(manifest, output), '', ...presentChecks(checks, output), 'It can be restored.'].join('\n')
}

function presentRestored(
  { manifest, keptAside, carriedRevocations }: Restored,
  dataDir: string,
  output: Output,
): string {
  const at = manifest.takenAt.toISOString()
  return [
    `Restored into ${dataDir}.`,
    presentManifest(manifest, output),
    ...(keptAside.length === 0 ? [] : ['', 'Kept of what was there:', ...keptAside.map((file) => `  ${file}`)]),
    '',
    `Not in it is whatever was written after ${at}: users, roles, passwords, locks, keys.`,
    '  - Tokens that were issued after that are refused by Gatehouse; clusters take them until they end.',
    ...presentRevocations(carriedRevocations),
    '  - Where a key was changed after that because it had leaked, change it again: gatehouse key rotate',
    '',
    'Start the service: it tells every cluster everything again.',
  ].join('\n')
}

function presentRevocations(carried: number | null): readonly string[] {
  if (carried !== null)
    return [`  - ${carried} revocations since then were taken over from the database that was there.`]
  return [
    '  - Tokens that were revoked after that are good again, unless they are revoked anew:',
    `      gatehouse revoke before ${new Date().toISOString().slice(0, 19)}Z --reason restored`,
  ]
}
