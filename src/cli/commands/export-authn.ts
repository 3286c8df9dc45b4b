/** `gatehouse export --authn-db`: writes AuthN's database, for the way back. */
import { resolve } from 'node:path'
import { type AuthnExport, exportAuthn } from '../../authn-export.ts'
import { type Config, type ConfigInput, loadConfig } from '../../config.ts'
import { systemClock } from '../../core/clock.ts'
import { commandActor } from '../../core/sessions/actor.ts'
import type { CliContext } from '../context.ts'
import { exitCodes } from '../failures.ts'
import { openExistingStore } from '../local-store.ts'
import { createOutput, type Output } from '../output.ts'
import { presentFindings } from './findings.ts'

export interface ExportAuthnOptions {
  readonly json?: true
  readonly quiet?: true
}

/** @throws ConfigError, StoreOpenError, AuthnExportError */
export async function exportAuthnDatabase(
  file: string,
  options: ExportAuthnOptions,
  input: ConfigInput,
  context: CliContext,
): Promise<number> {
  const config = loadConfig(input)
  const store = await openExistingStore(config)
  try {
    const exported = await exportAuthn(store, resolve(file), { by: commandActor, at: systemClock.now() })
    const output = await createOutput(options, context)
    output.tell({ json: exported, words: () => present(exported, config, output) })
    return exitCodes.done
  } finally {
    await store.close()
  }
}

function present(
  { to, users, roles, clusters, keys, revokedTokens, findings }: AuthnExport,
  config: Config,
  output: Output,
) {
  const written = [
    `Wrote ${to}: ${users} users, ${roles} roles, ${clusters} clusters, ${keys} public keys, ${revokedTokens} revoked tokens.`,
    `AuthN needs beside it, as authn_rsa.key, the signing key ${config.signingKey.file}, and its authn.json.`,
  ].join('\n')
  return findings.length === 0 ? written : `${written}\n\n${presentFindings(findings, output)}`
}
