import type { Clock } from '../clock.ts'
import { DomainError } from '../errors.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import { KeyFileError } from '../keys/private-key-file.ts'
import type { Logger } from '../logger.ts'
import type { Actor } from '../sessions/actor.ts'
import { formatGoDuration } from './go-units.ts'
import type { SettingSource, Settings, SettingsChange, SettingsView, SettingView } from './settings.ts'
import type { SettingsStore, StoredSetting } from './settings-store.ts'

/** What was configured before anything was changed at run time. */
export interface ConfiguredSettings {
  readonly sharedSecret: { readonly value: string; readonly source: SettingSource }
  readonly tokenLifetime: { readonly ms: number; readonly source: SettingSource }
  readonly maximumTokenLifetimeMs: number
  readonly logLevel: { readonly value: number; readonly source: SettingSource }
}

export interface RuntimeSettingsDeps {
  readonly store: SettingsStore
  readonly config: ConfiguredSettings
  readonly ring: KeyRing
  readonly setLogLevel: (level: number) => void
  readonly clock: Clock
  readonly log: Logger
}

/** Everything that can be changed, with the value that counts now. */
type Values = Required<SettingsChange>
type Name = keyof Values

const minimumTokenLifetimeMs = 60_000
/** What a lifetime of 0 stands for (contract 4.1). */
const defaultTokenLifetimeMs = 86_400_000
const maximumLogLevel = 5

/** Names in the store. */
const storedNames: Readonly<Record<Name, string>> = {
  sharedSecret: 'shared_secret',
  tokenLifetimeMs: 'token_lifetime_ms',
  logLevel: 'log_level',
}

/**
 * The secret that signs from the start: what the store holds, unless a flag or the environment decides. The key ring must
 * be created with it, since an RSA key is neither loaded nor made under a secret.
 */
export async function effectiveSharedSecret(store: SettingsStore, config: ConfiguredSettings): Promise<string> {
  return (await readValues(store, config)).sharedSecret
}

/** What counts before anybody changes anything more: what the store holds, unless a flag or the environment decides. */
export function effectiveSettings(store: SettingsStore, config: ConfiguredSettings): Promise<Required<SettingsChange>> {
  return readValues(store, config)
}

/**
 * Settings with what was changed at run time put in its place: flag > environment > run time > file > default. A stored
 * value that no longer fits the configuration is left unused, with a warning.
 */
export async function createRuntimeSettings(deps: RuntimeSettingsDeps): Promise<Settings> {
  const { store, config, ring, setLogLevel, clock, log } = deps
  let values = await readValues(store, config, log)
  await ring.useSharedSecret(values.sharedSecret)
  setLogLevel(values.logLevel)

  const viewOf = (rows: readonly StoredSetting[]) => presentView(rows, values, config)

  async function change(wanted: SettingsChange, by: Actor, options: ChangeOptions = {}): Promise<void> {
    // Nothing may be done under a condition that does not hold, also where nothing would be changed.
    if (options.precondition) options.precondition(viewOf(await store.list()))
    const changed = planChange(wanted, values, config)
    const rows = presentRows(changed)
    if (rows.length === 0) return
    const next = { ...values, ...changed }
    await switchSecret(ring, values.sharedSecret, next.sharedSecret)
    try {
      await store.put(rows, { by, at: clock.now(), ...conditionOn(options, viewOf) })
    } catch (error) {
      await switchSecret(ring, next.sharedSecret, values.sharedSecret)
      throw error
    }
    values = next
    setLogLevel(values.logLevel)
    log.info({ event: 'settings.changed', settings: rows.map(({ name }) => name) })
  }

  let last: Promise<void> = Promise.resolve()
  return {
    tokenLifetimeMs: () => values.tokenLifetimeMs,
    maximumTokenLifetimeMs: config.maximumTokenLifetimeMs,
    logLevel: () => values.logLevel,
    isSharedSecretSet: () => values.sharedSecret !== '',
    describe: async () => viewOf(await store.list()),
    change(wanted, by, options) {
      const turn = last.then(() => change(wanted, by, options))
      last = turn.catch(() => undefined)
      return turn
    },
  }
}

type ChangeOptions = NonNullable<Parameters<Settings['change']>[2]>

/** The condition on the view as one on what is stored. */
function conditionOn({ precondition }: ChangeOptions, viewOf: (rows: readonly StoredSetting[]) => SettingsView) {
  if (precondition === undefined) return {}
  return { precondition: (rows: readonly StoredSetting[] | undefined) => precondition(viewOf(rows ?? [])) }
}

function presentView(rows: readonly StoredSetting[], values: Values, config: ConfiguredSettings): SettingsView {
  const sources = sourcesOf(config)
  const present = (setting: Name): SettingView => {
    const isChangeable = !isFixed(sources[setting])
    const row = isChangeable ? rows.find(({ name }) => name === storedNames[setting]) : undefined
    const value = setting === 'sharedSecret' && values.sharedSecret !== '' ? null : values[setting]
    const source = row === undefined ? sources[setting] : 'runtime'
    return { value, source, isChangeable, changedAt: row?.changedAt ?? null }
  }
  return {
    sharedSecret: present('sharedSecret'),
    tokenLifetimeMs: present('tokenLifetimeMs'),
    logLevel: present('logLevel'),
  }
}

/** What really changes: all that is asked for must be allowed. @throws DomainError setting_invalid, setting_fixed */
function planChange(wanted: SettingsChange, values: Values, config: ConfiguredSettings): SettingsChange {
  const asked: SettingsChange =
    wanted.tokenLifetimeMs === 0 ? { ...wanted, tokenLifetimeMs: defaultTokenLifetimeMs } : wanted
  const sources = sourcesOf(config)
  const changed: Partial<Record<Name, string | number>> = {}
  for (const setting of settingNames) {
    const value = asked[setting]
    if (value === undefined) continue
    const reason = whyInvalid(setting, asked, config)
    if (reason !== undefined) throw new DomainError('setting_invalid', { setting, reason })
    if (value === values[setting]) continue
    const source = sources[setting]
    if (isFixed(source)) throw new DomainError('setting_fixed', { setting, source })
    changed[setting] = value
  }
  return changed as SettingsChange
}

const settingNames: readonly Name[] = ['sharedSecret', 'tokenLifetimeMs', 'logLevel']

function sourcesOf(config: ConfiguredSettings): Readonly<Record<Name, SettingSource>> {
  return {
    sharedSecret: config.sharedSecret.source,
    tokenLifetimeMs: config.tokenLifetime.source,
    logLevel: config.logLevel.source,
  }
}

/** Whether what was configured beats what is changed at run time. */
function isFixed(source: SettingSource): boolean {
  return source === 'flag' || source === 'environment'
}

/** In words; never the secret. Undefined where the setting is absent or good. */
function whyInvalid(setting: Name, values: SettingsChange, config: ConfiguredSettings): string | undefined {
  const { tokenLifetimeMs, logLevel } = values
  if (setting === 'tokenLifetimeMs' && tokenLifetimeMs !== undefined) {
    if (!(tokenLifetimeMs >= minimumTokenLifetimeMs)) return 'must be at least 1m'
    if (tokenLifetimeMs > config.maximumTokenLifetimeMs) {
      return `must be at most ${formatGoDuration(config.maximumTokenLifetimeMs)}, the longest life of a token`
    }
  }
  if (setting === 'logLevel' && logLevel !== undefined) {
    const isLevel = Number.isInteger(logLevel) && logLevel >= 0 && logLevel <= maximumLogLevel
    if (!isLevel) return `must be a whole number from 0 to ${maximumLogLevel}`
  }
  return undefined
}

async function readValues(store: SettingsStore, config: ConfiguredSettings, log?: Logger): Promise<Values> {
  const stored = parseRows(await store.list())
  const sources = sourcesOf(config)
  const used: { -readonly [N in Name]?: Values[N] } = { ...stored }
  for (const setting of settingNames) {
    if (isFixed(sources[setting])) delete used[setting]
    const reason = whyInvalid(setting, used, config)
    if (reason === undefined) continue
    log?.warn({ event: 'settings.stored_value_unused', setting, reason })
    delete used[setting]
  }
  return {
    sharedSecret: config.sharedSecret.value,
    tokenLifetimeMs: config.tokenLifetime.ms,
    logLevel: config.logLevel.value,
    ...used,
  }
}

type Rows = Awaited<ReturnType<SettingsStore['list']>>

function parseRows(rows: Rows): SettingsChange {
  const texts = new Map(rows.map(({ name, value }) => [name, value]))
  const sharedSecret = texts.get(storedNames.sharedSecret)
  const tokenLifetimeMs = texts.get(storedNames.tokenLifetimeMs)
  const logLevel = texts.get(storedNames.logLevel)
  return {
    ...(sharedSecret === undefined ? {} : { sharedSecret }),
    ...(tokenLifetimeMs === undefined ? {} : { tokenLifetimeMs: Number(tokenLifetimeMs) }),
    ...(logLevel === undefined ? {} : { logLevel: Number(logLevel) }),
  }
}

/** As the store keeps them. */
export function presentRows(changed: SettingsChange) {
  return settingNames
    .filter((setting) => changed[setting] !== undefined)
    .map((setting) => ({
      name: storedNames[setting],
      value: String(changed[setting]),
      isSecret: setting === 'sharedSecret',
    }))
}

/** @throws DomainError setting_invalid where there is no RSA key to go back to */
async function switchSecret(ring: KeyRing, from: string, to: string): Promise<void> {
  if (from === to) return
  try {
    await ring.useSharedSecret(to)
  } catch (cause) {
    if (!(cause instanceof KeyFileError)) throw cause
    throw new DomainError('setting_invalid', { setting: 'sharedSecret', reason: cause.message }, { cause })
  }
}
