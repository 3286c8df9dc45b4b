/** The commands that work on the data folder itself: how they are called. What they do is loaded when one runs. */
import type { Command } from 'commander'
import type { ConfigInput } from '../config.ts'
import type { CliContext } from './context.ts'
import { exitCodesHelp } from './failures.ts'
import { flagsOf, withSettings } from './setting-flags.ts'

/** Where the files lie. */
const placeFlags = ['config', 'data-dir', 'master-key-file', 'private-key-file', 'external-url']

/** Adds them all. `exitWith` is told the exit code when one has ended. */
export function addLocalCommands(program: Command, context: CliContext, exitWith: (code: number) => void): void {
  const loadBackup = () => import('./commands/backup.ts')
  const example = (text: string) => `\nExample:\n  gatehouse ${text}\n${exitCodesHelp}`
  const inputOf = (command: Command): ConfigInput => ({ flags: flagsOf(command) })
  const output = (command: Command) => command.option('--json', 'as JSON').option('--quiet', 'only what a script needs')

  const backup = program
    .command('backup')
    .argument('[path]', 'the folder to be made, or a folder in which one is to be made that is named by the time')
    .description('make a backup of the data folder, beside a service that may be running')
    .option('--with-master-key', 'put the master key into it: whoever has the backup then has everything')
    .option('--verify', 'look at it afterwards as a restore would')
    .action(async (path: string | undefined, options, command: Command) =>
      exitWith(await (await loadBackup()).backUp(path, { ...options, ...inputOf(command) }, context)),
    )
    .addHelpText('after', example('backup /var/backups/gatehouse --verify'))
  withSettings(output(backup), placeFlags).enablePositionalOptions()

  const verify = backup
    .command('verify <backup>')
    .description('tell whether a backup is whole, and whether the master key at hand opens it')
    .action(async (path: string, options, command: Command) =>
      exitWith(await (await loadBackup()).verify(path, { ...options, ...inputOf(command) }, context)),
    )
    .addHelpText('after', example('backup verify /var/backups/gatehouse/gatehouse-20260501T120000Z'))
  withSettings(output(verify), placeFlags)

  const restore = program
    .command('restore <backup>')
    .description('put a backup in place; no service may run on the data folder')
    .option('--force', 'keep a database that is there under another name')
    .option('--dry-run', 'tell whether it would work, and change nothing')
    .action(async (path: string, options, command: Command) =>
      exitWith(
        await (await import('./commands/restore.ts')).restore(path, { ...options, ...inputOf(command) }, context),
      ),
    )
    .addHelpText('after', example('restore /var/backups/gatehouse/gatehouse-20260501T120000Z'))
  withSettings(output(restore), placeFlags)

  const doctor = program
    .command('doctor')
    .description('look for what is wrong: configuration, files, database, keys, URL, clock, certificates, clusters')
    .option('--full', "check the database's every page and reference, which takes long")
    .option('--offline', 'ask nothing of the service and of clusters')
    .action(async (options, command: Command) =>
      exitWith(await (await import('./commands/doctor.ts')).doctor({ ...options, ...inputOf(command) }, context)),
    )
    .addHelpText('after', example('doctor --full'))
  withSettings(output(doctor))
}
