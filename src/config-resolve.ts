/** From the table of settings, the flags, the environment and the file: one value and its source for each setting. */
import type { AuthnJson } from './authn-json.ts'
import type { Source } from './config.ts'
import { ConfigError } from './config-error.ts'
import type { Setting } from './config-setting.ts'
import { type AnySetting, type SettingKey, settingRows, settings, type ValueOf } from './config-settings.ts'

export type FlagValues = Readonly<Record<string, string | true | undefined>>
type Environment = Readonly<Record<string, string | undefined>>

export interface Resolved<T> {
  readonly value: T
  readonly source: Source
  /** How the operator finds it: the flag, the variable, or the member and its file. Empty for a default. */
  readonly origin: string
}

export type ResolvedSettings = { readonly [K in SettingKey]: Resolved<ValueOf<(typeof settings)[K]>> }

interface Given {
  readonly flags: FlagValues
  readonly env: Environment
  readonly file: AuthnJson | undefined
}

/** Which configuration file or folder is named, as it was given. */
export function resolveConfigPath({ flags, env }: Omit<Given, 'file'>): string | undefined {
  return resolveSetting(settings.configPath, { flags, env, file: undefined }).value
}

/** @throws ConfigError naming the flag, variable or member whose value is not of its form or breaks its check */
export function resolveSettings(given: Given): ResolvedSettings {
  const entries = settingRows.map(([key, setting]) => [key, resolveSetting(setting, given)])
  return Object.fromEntries(entries) as ResolvedSettings
}

function resolveSetting<T>(setting: Setting<T>, given: Given): Resolved<T | undefined> {
  const [first, second] = setting.isEnvironmentFirst
    ? [fromEnvironment(setting, given), fromFlag(setting, given)]
    : [fromFlag(setting, given), fromEnvironment(setting, given)]
  const found = first ?? second ?? fromFile(setting, given)
  if (found === undefined) return { value: setting.initial, source: 'default', origin: '' }
  return { value: parse(setting, found), source: found.source, origin: found.origin }
}

interface Found {
  readonly text: string
  readonly source: Source
  readonly origin: string
}

function fromFlag(setting: AnySetting, { flags }: Given): Found | undefined {
  const value = setting.flag === undefined ? undefined : flags[setting.flag]
  if (value === undefined) return undefined
  const origin = `--${setting.flag}`
  if (value === '') throw new ConfigError(`${origin} needs a value`)
  return { text: String(value), source: 'flag', origin }
}

/** A variable that is set to nothing counts as not set (contract section 4.2). */
function fromEnvironment(setting: AnySetting, { env }: Given): Found | undefined {
  const text = setting.env === undefined ? undefined : env[setting.env]
  const origin = setting.env ?? ''
  if (text === '' && setting.isEmptyRefused) throw new ConfigError(`${origin} is set, but empty`)
  return text === undefined || text === '' ? undefined : { text, source: 'environment', origin }
}

function fromFile(setting: AnySetting, { file }: Given): Found | undefined {
  const text = setting.member === undefined ? undefined : file?.members.get(setting.member)
  if (file === undefined || text === undefined || text === '') return undefined
  if (setting.isZeroUnset && setting.kind.parse(text) === 0) return undefined
  return { text, source: 'file', origin: `${setting.member} in ${file.file}` }
}

function parse<T>(setting: Setting<T>, { text, source, origin }: Found): T {
  const quoted = setting.isSecret ? '' : ` (it is ${JSON.stringify(text)})`
  const value = setting.kind.parse(text)
  if (value === undefined) throw new ConfigError(`${origin} must be ${setting.kind.form}${quoted}`)
  if (setting.check && !setting.check.holds(value, source)) {
    throw new ConfigError(`${origin} must be ${setting.check.rule}${quoted}`)
  }
  return value
}
