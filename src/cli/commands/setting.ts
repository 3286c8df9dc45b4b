/** `gatehouse setting list` and `set`: of the server, while it runs. */
import type { SettingsBody } from '../../http/routes/shapes/settings.ts'
import { UsageError } from '../client-errors.ts'
import { type ClientOptions, connect } from '../connection.ts'
import type { CliContext } from '../context.ts'
import { exitCodes } from '../failures.ts'
import { createOutput, type Output } from '../output.ts'
import { readPassword } from '../password.ts'
import { formatAgo } from '../times.ts'

export async function listSettings(options: ClientOptions, context: CliContext): Promise<number> {
  const { api } = await connect(options, context)
  return tell(await api.call<SettingsBody>('GET', '/settings'), options, context)
}

async function tell(settings: SettingsBody, options: ClientOptions, context: CliContext): Promise<number> {
  const output = await createOutput(options, context)
  output.tell({ json: settings.items, words: () => presentList(settings, output) })
  return exitCodes.done
}

function presentList({ items }: SettingsBody, { table }: Output): string {
  const now = new Date()
  const rows = items.map(({ name, value, source, isChangeable, changedAt }) => [
    name,
    value === null ? '-' : String(value),
    source,
    isChangeable ? 'yes' : `no: the ${source} decides`,
    formatAgo(changedAt, now),
  ])
  return table(['SETTING', 'VALUE', 'FROM', 'CHANGEABLE', 'CHANGED'], rows)
}

export interface SetSettingOptions extends ClientOptions {
  readonly valueStdin?: true
  readonly valueFile?: string
}

export async function setSetting(
  name: string,
  value: string | undefined,
  options: SetSettingOptions,
  context: CliContext,
): Promise<number> {
  const given = value ?? (await readValue(name, options, context))
  const { api } = await connect(options, context)
  return tell(await api.call<SettingsBody>('PATCH', '/settings', { [name]: parseValue(name, given) }), options, context)
}

async function readValue(name: string, { valueStdin, valueFile }: SetSettingOptions, context: CliContext) {
  if (!name.endsWith('secret') && !valueStdin && valueFile === undefined) {
    throw new UsageError(`say the value: gatehouse setting set ${name} <value>`)
  }
  const ways = {
    ...(valueStdin && { passwordStdin: valueStdin }),
    ...(valueFile !== undefined && { passwordFile: valueFile }),
  }
  return readPassword(`New value of ${name}: `, ways, context)
}

/** Levels are numbers; what else looks like one is a text. */
function parseValue(name: string, value: string): string | number {
  return name === 'log.level' && /^\d+$/.test(value) ? Number(value) : value
}
