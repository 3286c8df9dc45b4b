/** Settings as flags of commands. */
import { type Command, Option } from 'commander'
import type { ConfigInput } from '../config.ts'
import { type AnySetting, settingRows } from '../config-settings.ts'

/** Gives the command a flag for each setting that has one, or for these alone. */
export function withSettings(command: Command, flags?: readonly string[]): Command {
  for (const [, setting] of settingRows) {
    const isMeant = setting.flag !== undefined && (flags?.includes(setting.flag) ?? true)
    if (isMeant) command.addOption(new Option(flagForm(setting), flagHelp(setting)))
  }
  return command
}

function flagForm({ flag, kind }: AnySetting): string {
  return kind.json === 'boolean' ? `--${flag} [${kind.placeholder}]` : `--${flag} <${kind.placeholder}>`
}

function flagHelp({ description, env, kind, initial, defaultNote }: AnySetting): string {
  const standard = defaultNote ?? (initial === undefined ? '' : kind.show(initial))
  const notes = [env === undefined ? '' : `env: ${env}`, standard === '' ? '' : `default: ${standard}`]
  return `${description} (${notes.filter((note) => note !== '').join('; ')})`
}

export function flagsOf(command: Command): NonNullable<ConfigInput['flags']> {
  const values = command.opts<Record<string, string | true | undefined>>()
  const given = command.options.map((option) => [option.long?.slice(2) ?? '', values[option.attributeName()]] as const)
  return Object.fromEntries(given.filter(([name]) => settingRows.some(([, { flag }]) => flag === name)))
}
