/** The command line: which commands there are, and which setting each flag is. Commands are loaded when they run. */
import { Command, CommanderError } from 'commander'
import { isConfigNamed } from '../config.ts'
import { version } from '../version.ts'
import { authnHelp, parseAuthnArguments } from './authn.ts'
import { addClientCommands } from './client-program.ts'
import type { CliContext } from './context.ts'
import { exitCodes, exitCodesHelp } from './failures.ts'
import { addLocalCommands } from './local-program.ts'
import { flagsOf, withSettings } from './setting-flags.ts'
import { addTransferCommands } from './transfer-program.ts'

/** Which program was called. `authn` takes the place of AIStore's AuthN server, whose command line it understands. */
export type Personality = 'gatehouse' | 'authn'

/**
 * Runs one command and answers the exit code.
 *
 * @throws whatever the command can't do, see failures.ts
 */
export function runCli(personality: Personality, args: readonly string[], context: CliContext): Promise<number> {
  return personality === 'authn' ? runAuthn(args, context) : runGatehouse(args, context)
}

async function runAuthn(args: readonly string[], context: CliContext): Promise<number> {
  const command = parseAuthnArguments(args, isConfigNamed())
  switch (command.does) {
    case 'help':
      context.print(authnHelp)
      return exitCodes.done
    case 'version':
      context.print(versionLine)
      return exitCodes.done
    case 'refuse':
      context.warn(`authn: ${command.reason}\n\n${authnHelp}`)
      return exitCodes.wrongUse
    case 'serve': {
      const { serve } = await import('./serve.ts')
      await serve({ flags: command.config === undefined ? {} : { config: command.config } }, context)
      return exitCodes.done
    }
  }
}

const versionLine = `gatehouse ${version}`

async function runGatehouse(args: readonly string[], context: CliContext): Promise<number> {
  let exitCode: number = exitCodes.done
  const program = createProgram(context, (code) => {
    exitCode = code
  })
  if (args.length === 0) {
    program.outputHelp()
    return exitCodes.done
  }
  try {
    await program.parseAsync(keysLast(args.map(doubleDash)), { from: 'user' })
    return exitCode
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // Commander has said what is wrong, or has shown the help or the version that was asked for.
    return error.exitCode === 0 ? exitCodes.done : exitCodes.wrongUse
  }
}

/** Puts the commands together. `exitWith` is told the exit code when one has ended. */
export function createProgram(context: CliContext, exitWith: (code: number) => void): Command {
  const program = new Command('gatehouse')
    .description('One authentication service for all the clusters that a company runs')
    .version(versionLine, '-V, --version')
    .exitOverride()
    // What follows a command is its own, also where the command above it has an option of the same name.
    .enablePositionalOptions()
    .configureOutput({
      writeOut: (text) => context.print(text.trimEnd()),
      writeErr: (text) => context.warn(text.trimEnd()),
    })
    .addHelpText('after', exitCodesHelp)

  withSettings(program.command('serve'))
    .description('run the service')
    .addHelpText('after', exitCodesHelp)
    .action(async (_options: unknown, command: Command) => {
      const { serve } = await import('./serve.ts')
      await serve({ flags: flagsOf(command) }, context)
    })

  withSettings(program.command('config'))
    .description('show each setting, its value (secrets masked) and where it came from')
    .option('--json', 'as JSON')
    .action(async (options: { json?: true }, command: Command) => {
      const { printConfig } = await import('./config.ts')
      await printConfig({ flags: flagsOf(command) }, { isJson: options.json === true }, context)
    })

  addTransferCommands(program, { withSettings, flagsOf }, context, exitWith)
  addClientCommands(program, context, exitWith)
  addLocalCommands(program, context, exitWith)

  program
    .command('demo')
    .description('show the main job on two stand-in clusters; it takes a few seconds and leaves nothing behind')
    .addHelpText('after', '\nExample:\n  gatehouse demo')
    .action(async () => exitWith(await (await import('./commands/demo.ts')).runDemo()))

  program
    .command('completion <shell>')
    .description('print a script with which bash, zsh or fish completes commands and flags')
    .addHelpText('after', '\nExample:\n  source <(gatehouse completion bash)')
    .action(async (shell: string) =>
      (await import('./commands/completion.ts')).printCompletion(shell, program, context),
    )

  program
    .command('version')
    .description('print the version')
    .action(() => context.print(versionLine))

  return program
}

/** The id of a key (RFC 7638, base64url) may begin with a dash, and is no flag then. */
function keysLast(args: readonly string[]): readonly string[] {
  const isKey = (arg: string) => /^-[\w-]{42}$/.test(arg)
  return args.some(isKey) ? [...args.filter((arg) => !isKey(arg)), '--', ...args.filter(isKey)] : args
}

/** `-config` is how AIStore writes it. */
function doubleDash(arg: string): string {
  return /^-config(=|$)/.test(arg) ? `-${arg}` : arg
}
