/** What the commands get from the process: where to write and read, the log, and when to end. */
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
  readonly terminal: Terminal
  /** Aborts when the process is asked to end. */
  readonly stop: AbortSignal
  /** Opens the log at a level of AIStore's scale. */
  readonly openLog: (level: number) => Promise<CliLog>
  /** What was changed at run time and is kept in the store, where it can be read. */
  readonly readRuntimeSettings: (config: Config) => Promise<readonly RuntimeSetting[]>
}

/** The person at the other end, if there is one. */
export interface Terminal {
  /** Standard input is a person's keyboard: questions can be asked. */
  readonly isInput: boolean
  /** Standard output is a screen. */
  readonly isOutput: boolean
  /** Of the screen. */
  readonly columns: number
  /** One line, as it is typed. */
  ask(question: string): Promise<string>
  /** One line that is not shown. */
  askSecret(question: string): Promise<string>
  /** All of standard input. */
  readInput(): Promise<string>
  /** Puts this text in the place of what was drawn before. */
  draw(text: string): void
}
