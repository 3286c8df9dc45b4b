import type { Deed } from '../sessions/actor.ts'

/** Settings that were changed at run time. They outlive a restart and a read-only configuration file. */
export interface SettingsStore {
  list(): Promise<readonly { readonly name: string; readonly value: string }[]>
  /** All in one transaction. A secret is sealed at rest. */
  put(
    settings: readonly { readonly name: string; readonly value: string; readonly isSecret: boolean }[],
    deed: Deed,
  ): Promise<void>
}
