/** The commands that take over another server's data, and give it back: how they are called. They work on the data folder. */
import type { Command } from 'commander'
import type { ConfigInput } from '../config.ts'
import type { ExportAuthnOptions } from './commands/export-authn.ts'
import type { ImportOptions } from './commands/import.ts'
import type { ClientOptions } from './connection.ts'
import type { CliContext } from './context.ts'
import { exitCodesHelp } from './failures.ts'

interface ExportOptions extends ExportAuthnOptions, ClientOptions {
  readonly authnDb?: string
}

/** As the service's own command has them: a flag for each setting. */
interface SettingFlags {
  readonly withSettings: (command: Command, flags: readonly string[]) => Command
  readonly flagsOf: (command: Command) => NonNullable<ConfigInput['flags']>
}

/** Which data folder is meant, and its keys. */
const folderFlags = ['config', 'data-dir', 'master-key-file', 'private-key-file']
/** What of AuthN's own settings is compared with them. */
const importFlags = [...folderFlags, 'token-lifetime', 'maximum-token-lifetime', 'external-url', 'port', 'https']

export function addTransferCommands(
  program: Command,
  { withSettings, flagsOf }: SettingFlags,
  context: CliContext,
  exitWith: (code: number) => void,
): void {
  withSettings(program.command('import <path>'), importFlags)
    .description("take over the data of AIStore's AuthN: its authn.db, or the folder that holds it")
    .option('--dry-run', 'say what would happen, and change nothing')
    .option('--json', 'as JSON')
    .option('--quiet', 'say nothing where all went well')
    .addHelpText('after', `${importHelp}\n${exitCodesHelp}`)
    .action(async (path: string, options: ImportOptions, command: Command) => {
      const { runImport } = await import('./commands/import.ts')
      exitWith(await runImport(path, options, { flags: flagsOf(command) }, context))
    })

  withSettings(program.command('export'), folderFlags)
    .description('write clusters, roles and users: as apply takes them, or for another server')
    .option('--authn-db <file>', "a new file, in the format of AIStore AuthN's database, from the data folder")
    .option('--url <url>', 'the server (env: GATEHOUSE_URL, AIS_AUTHN_URL; else that of the last login)')
    .option('--ca-file <path>', 'certificates (PEM) to trust beside the usual ones (env: AIS_CLIENT_CA)')
    .option('--json', 'as JSON')
    .option('--quiet', 'say nothing where all went well')
    .addHelpText('after', `${exportHelp}\n${exitCodesHelp}`)
    .action(async ({ authnDb, ...options }: ExportOptions, command: Command) => {
      if (authnDb === undefined) {
        const { exportAccess } = await import('./commands/export.ts')
        return exitWith(await exportAccess(options, context))
      }
      const { exportAuthnDatabase } = await import('./commands/export-authn.ts')
      exitWith(await exportAuthnDatabase(authnDb, options, { flags: flagsOf(command) }, context))
    })
}

const importHelp = `
All of it or nothing is taken over: users with their passwords, roles, clusters, revoked tokens, which every cluster is
told of again, and the keys, so that tokens in use stay good. What is here already stays as it is, also where AuthN has
something else under the same name; the output names it. Oddities are mended or left out, and named too. AuthN's own files
are only read. Stop AuthN first: what it writes later is not seen.

Example:
  gatehouse import /etc/ais/authn --dry-run
  gatehouse import /etc/ais/authn --data-dir /var/lib/gatehouse`

const exportHelp = `
Without --authn-db: YAML, or JSON with --json, of a running server, in the form that gatehouse apply takes. No secret is in it.

With --authn-db the data folder is read, without a server. AuthN checks bcrypt hashes and nothing else. An imported user keeps that hash until there is a new password; users who have
got a password here need a new one there. They are named, and so are those who are disabled or locked: nobody can log in
there as one of them.

Example:
  gatehouse export > access.yaml
  gatehouse export --authn-db /etc/ais/authn/authn.db.new`
