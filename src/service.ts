import type { Clock } from './core/clock.ts'
import type { Logger } from './core/logger.ts'
import type { Config } from './config.ts'

export interface Service {
  /** Opens the port; answers where. */
  listen(): Promise<{ readonly url: string; readonly port: number }>
  /** The administrator made at this start, if one was made without a given password. */
  readonly generatedAdministrator: { readonly name: string; readonly password: string } | undefined
  /** Stops taking requests, lets those in flight end (at most `drainMs`), ends the workers, closes the store. */
  close(options?: { readonly drainMs?: number }): Promise<void>
}

export interface ServiceDeps {
  readonly config: Config
  readonly clock: Clock
  readonly log: Logger
  /** Called when the log level is changed at run time. */
  readonly setLogLevel: (level: number) => void
}

export async function createService(_deps: ServiceDeps): Promise<Service> {
  throw new Error('under construction')
}
