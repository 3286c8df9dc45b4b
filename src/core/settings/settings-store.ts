import type { Conditional } from '../precondition.ts'
import type { Deed } from '../sessions/actor.ts'

/** A setting that was changed at run time. */
export interface StoredSetting {
  readonly name: string
  readonly value: string
  readonly changedAt: Date
}

/** What was changed at run time outlives a restart and a read-only configuration file. */
export interface SettingsStore {
  list(): Promise<readonly StoredSetting[]>
  /** All in one transaction. A secret is sealed at rest. The precondition is told what is stored. */
  put(
    settings: readonly { readonly name: string; readonly value: string; readonly isSecret: boolean }[],
    deed: Deed & Conditional<readonly StoredSetting[]>,
  ): Promise<void>
}
