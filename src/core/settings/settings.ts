import type { Precondition } from '../precondition.ts'
import type { Actor } from '../sessions/actor.ts'

/** Settings that can be changed while the service runs: one value for everybody who asks, kept in the store. */
export interface Settings {
  /** How long a token lives where the login asks for nothing else. */
  tokenLifetimeMs(): number
  /** The longest life that a login may ask for. */
  readonly maximumTokenLifetimeMs: number
  /** 0 to 5, AIStore's scale: 0-1 errors and warnings, 2-3 normal, 4-5 verbose. */
  logLevel(): number
  isSharedSecretSet(): boolean
  /**
   * All or nothing; takes effect before it answers.
   * @throws DomainError setting_invalid, setting_fixed
   */
  change(
    change: SettingsChange,
    by: Actor,
    options?: { readonly precondition?: Precondition<SettingsView> },
  ): Promise<void>
  /** Each setting that can be changed, as it is now. */
  describe(): Promise<SettingsView>
}

export interface SettingView {
  /** Null for a secret that is set: it is shown to nobody. */
  readonly value: string | number | null
  readonly source: SettingSource
  /** False where a flag or the environment decides. */
  readonly isChangeable: boolean
  /** When it was last changed at run time; null where it never was. */
  readonly changedAt: Date | null
}

export type SettingsView = Readonly<Record<keyof SettingsChange, SettingView>>

/** Where a setting's value came from; earlier beats later. */
export type SettingSource = 'flag' | 'environment' | 'runtime' | 'file' | 'default'

export interface SettingsChange {
  readonly sharedSecret?: string
  readonly tokenLifetimeMs?: number
  readonly logLevel?: number
}
