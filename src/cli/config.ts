import { type ConfigInput, loadSettings } from '../config.ts'
import { presentSettings, type SettingRow } from '../config-present.ts'
import type { CliContext } from './context.ts'

/** Prints each setting, its value and where it came from; secrets are masked. @throws ConfigError */
export async function printConfig(
  input: ConfigInput,
  { isJson }: { readonly isJson: boolean },
  { print, warn, readRuntimeSettings }: CliContext,
): Promise<void> {
  const { config, settings } = loadSettings(input)
  const rows = presentSettings(settings, await readRuntimeSettings(config))
  if (!config.isLoginLimited) warn(limitsOff)
  print(isJson ? JSON.stringify(rows, null, 2) : formatTable(rows))
}

const limitsOff = 'gatehouse: LOGIN LIMITS ARE OFF (login_limits): anybody may guess passwords without limit'

function formatTable(rows: readonly SettingRow[]): string {
  const cells = rows.map((row) => [row.name, row.value || '-', presentSource(row)] as const)
  const lines = [['SETTING', 'VALUE', 'SOURCE'] as const, ...cells]
  const nameWidth = Math.max(...lines.map(([name]) => name.length))
  const valueWidth = Math.min(60, Math.max(...lines.map(([, value]) => value.length)))
  return lines
    .map(([name, value, source]) => `${name.padEnd(nameWidth)}  ${value.padEnd(valueWidth)}  ${source}`)
    .join('\n')
}

function presentSource({ source, origin }: SettingRow): string {
  return origin === '' ? source : `${source} (${origin})`
}
