/** `gatehouse import`: takes over the data of AIStore's AuthN. */
import { type AuthnImport, importAuthn } from '../../authn-import.ts'
import { type Config, type ConfigInput, loadConfig } from '../../config.ts'
import { systemClock } from '../../core/clock.ts'
import { commandActor } from '../../core/sessions/actor.ts'
import type { Tally } from '../../core/transfer/import.ts'
import type { CliContext } from '../context.ts'
import { exitCodes } from '../failures.ts'
import { openOrMakeStore, openTrialStore } from '../local-store.ts'
import { createOutput, type Output } from '../output.ts'
import { presentFindings } from './findings.ts'

export interface ImportOptions {
  readonly dryRun?: true
  readonly json?: true
  readonly quiet?: true
}

/** @throws ConfigError, DataFolderError, StoreOpenError, AuthnDatabaseError, KeyFileError, DomainError storage_failed */
export async function runImport(
  path: string,
  options: ImportOptions,
  input: ConfigInput,
  context: CliContext,
): Promise<number> {
  const config = loadConfig(input)
  const isTrial = options.dryRun === true
  const store = await (isTrial ? openTrialStore(config) : openOrMakeStore(config))
  try {
    const deed = { by: commandActor, at: systemClock.now() }
    const imported = await importAuthn({ config, store, deed }, path, { isTrial })
    const output = await createOutput(options, context)
    output.tell({ json: presentJson(imported), words: () => present(imported, config, output) })
    return exitCodes.done
  } finally {
    await store.close()
  }
}

function presentJson({ revocations, ...imported }: AuthnImport) {
  return { ...imported, revokedTokens: revocations }
}

function present(imported: AuthnImport, config: Config, output: Output): string {
  const { from, isTrial, users, roles, clusters, keys, revocations, findings } = imported
  const row = (what: string, { added, unchanged, kept }: Tally) => [what, ...[added, unchanged, kept].map(String)]
  const head = isTrial ? `Nothing was changed. This is what taking over ${from} would do:` : `Took over ${from}:`
  const table = output.table(
    ['', 'TAKEN', 'THERE ALREADY', 'OTHER HERE, KEPT'],
    [
      row('users', users),
      row('roles', roles),
      row('clusters', clusters),
      row('public keys', keys),
      row('revoked tokens', revocations),
    ],
  )
  const notes = [
    revocations.expired === 0 ? '' : `Revoked tokens that have expired, and matter no more: ${revocations.expired}.`,
    signingKeyNotes[imported.signingKey](config.signingKey.file),
    imported.configFile === undefined || !findings.some(({ kind }) => kind === 'setting_differs')
      ? ''
      : `AuthN's configuration serves here as it is: --config ${imported.configFile}`,
  ]
  const told = findings.length === 0 ? 'Nothing was odd.' : presentFindings(findings, output)
  return [head, table, notes.filter((note) => note !== '').join('\n'), told].join('\n\n')
}

const signingKeyNotes: Readonly<Record<AuthnImport['signingKey'], (file: string) => string>> = {
  in_place: (file) => `The signing key is used where it lies: ${file}.`,
  placed: (file) => `A copy of the signing key goes to ${file}.`,
  ours: (file) => `Another signing key stays in ${file}; what AuthN's keys have signed is still accepted.`,
  absent: (file) => `There is no signing key: the next start makes one, ${file}.`,
  unused: () => 'Tokens are signed with the shared secret.',
}
