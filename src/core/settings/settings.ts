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
  change(change: SettingsChange, by: Actor): Promise<void>
}

export interface SettingsChange {
  readonly sharedSecret?: string
  readonly tokenLifetimeMs?: number
  readonly logLevel?: number
}
