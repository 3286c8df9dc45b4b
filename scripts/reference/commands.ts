import type { Command, Option } from 'commander'
import type { CliContext } from '../../src/cli/context.ts'
import { exitCodesHelp } from '../../src/cli/failures.ts'
import { createProgram } from '../../src/cli/program.ts'
import { settingRows } from '../../src/config-settings.ts'
import { code, paragraphs, prose, sentence, shell, table } from './markdown.ts'
import { standIn } from './stand-in.ts'

export function presentCommands(): string {
  const printed: string[] = []
  const context: CliContext = { ...standIn<CliContext>(), print: (text) => printed.push(text), warn: () => undefined }
  const commands = leavesOf(createProgram(context, () => undefined))
  const common = findCommon(commands)
  const helpOf = (command: Command) => {
    printed.length = 0
    command.outputHelp()
    return printed.join('\n')
  }
  return paragraphs(
    '# Commands',
    '`gatehouse COMMAND --help` says the same. `authn -config=DIR` is the command line of AIStore AuthN, and serves.',
    commands
      .map((command) => `- [${code(nameOf(command))}](#${anchorOf(command)}): ${prose(command.description())}`)
      .join('\n'),
    '## Common options',
    'Commands that say so have these too:',
    presentOptions([...common.values()]),
    '## Exit codes',
    table(
      ['code', 'meaning'],
      [...exitCodesHelp.matchAll(/^ {2}(\d+) +(.*)$/gm)].map(([, number = '', meaning = '']) => [number, meaning]),
    ),
    ...commands.map((command) => presentCommand(command, common, helpOf(command))),
  )
}

/** The commands that do something, in the order of the help: groups stand for their members. */
function leavesOf(command: Command): readonly Command[] {
  const members = command.commands.flatMap(leavesOf)
  return command.commands.length === 0 || takesArguments(command) ? [command, ...members] : members
}

/** A group does nothing by itself; `backup` makes one, and has members. */
function takesArguments(command: Command): boolean {
  return command.registeredArguments.length > 0
}

function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`
}

function anchorOf(command: Command): string {
  return nameOf(command).replaceAll(' ', '-')
}

const keyOf = ({ flags, description }: Option) => `${flags} ${description}`

/** What more than half of the commands have, in the same words, is described once for all of them. */
function findCommon(commands: readonly Command[]): ReadonlyMap<string, Option> {
  const options = commands.flatMap((command) => command.options.filter((option) => !isSetting(option)))
  const count = (key: string) => options.filter((option) => keyOf(option) === key).length
  return new Map(
    options.flatMap((option) => (2 * count(keyOf(option)) > commands.length ? [[keyOf(option), option]] : [])),
  )
}

function isSetting({ long }: Option): boolean {
  return settingRows.some(([, { flag }]) => flag !== undefined && long === `--${flag}`)
}

function presentCommand(command: Command, common: ReadonlyMap<string, Option>, help: string): string {
  const keys = new Set(command.options.map(keyOf))
  const hasCommon = [...common.keys()].every((key) => keys.has(key))
  const own = command.options.filter((option) => !isSetting(option) && !(hasCommon && common.has(keyOf(option))))
  // One or two settings are options of the command like any other; all of them are those of the service.
  const settings = command.options.filter(isSetting)
  const isService = settings.length > 10
  const notes = [
    hasCommon ? 'The [common options](#common-options).' : '',
    isService ? 'A flag for each of the [settings](settings.md) that has one.' : '',
  ]
  return paragraphs(
    `## ${nameOf(command)}`,
    sentence(command.description()),
    shell(`${nameOf(command)} ${command.usage()}`.trim()),
    presentOptions(isService ? own : [...own, ...settings]),
    notes.filter((note) => note !== '').join(' '),
    ...exampleOf(help).map((example) => paragraphs('For example:', shell(example))),
  )
}

function presentOptions(options: readonly Option[]): string {
  return table(
    ['option', 'does'],
    options.filter(({ hidden }) => !hidden).map(({ flags, description }) => [code(flags), prose(description)]),
  )
}

/** What the help shows below "Example:" or "Examples:", up to the next empty line. */
function exampleOf(help: string): readonly string[] {
  const found = /^Examples?:\n((?: .*\n?)+)/m.exec(help)?.[1]
  return found === undefined ? [] : [found.trimEnd().replaceAll(/^ {2}/gm, '')]
}
