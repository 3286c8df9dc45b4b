/** What the commands get from the process: where to write, the log, and when to end. */
import type { Config } from '../config.ts'
import type { RuntimeSetting } from '../config-present.ts'
import type { Logger } from '../core/logger.ts'

export interface CliLog extends Logger {
  setLevel(level: number): void
}

export interface CliContext {
  /** One line, or several, on standard output: what the command was asked for. */
  readonly print: (text: string) => void
  /** On standard error: what the operator must know. */
  readonly warn: (text: string) => void
  /** Aborts when the process is asked to end. */
  readonly stop: AbortSignal
  /** Opens the log at a level of AIStore's scale. */
  readonly openLog: (level: number) => Promise<CliLog>
  /** What was changed at run time and is kept in the store, where it can be read. */
  readonly readRuntimeSettings: (config: Config) => Promise<readonly RuntimeSetting[]>
}
