/** What `gatehouse config` shows: each setting, its value and where it came from. */
import type { Source } from './config.ts'
import type { ResolvedSettings } from './config-resolve.ts'
import { type AnySetting, settingRows } from './config-settings.ts'

export interface SettingRow {
  readonly name: string
  /** A secret that is set is masked; a setting without a value is empty. */
  readonly value: string
  readonly source: Source
  /** The flag, the variable, or the member and its file; empty otherwise. */
  readonly origin: string
  readonly isSecret: boolean
}

/** A value that was set at run time, in the form of the settings store. */
export interface RuntimeSetting {
  readonly name: string
  readonly value: string
}

const mask = '********'

/** One row a setting, in the order of the table. What was set at run time beats the file and the default. */
export function presentSettings(resolved: ResolvedSettings, runtime: readonly RuntimeSetting[] = []): SettingRow[] {
  const atRunTime = new Map(runtime.map(({ name, value }) => [name, value]))
  return settingRows.map(([key, setting]) => {
    const { value, source, origin } = resolved[key]
    const changed = setting.runtimeName === undefined ? undefined : atRunTime.get(setting.runtimeName)
    const isChanged = changed !== undefined && (source === 'file' || source === 'default')
    const shown = isChanged ? showStored(setting, changed) : value === undefined ? '' : setting.kind.show(value)
    const isSecret = setting.isSecret === true
    return {
      name: setting.name,
      value: isSecret && shown !== '' ? mask : shown,
      source: isChanged ? 'runtime' : source,
      origin: isChanged ? '' : origin,
      isSecret,
    }
  })
}

/** The store keeps values in their plain form, a duration for instance in milliseconds. */
function showStored({ kind, initial }: AnySetting, stored: string): string {
  return kind.show(typeof initial === 'number' ? Number(stored) : stored)
}
