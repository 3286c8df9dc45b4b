import type { EventAt, LogEvent } from './log-events.ts'

/** What a part may say in the log: one object with an `event` of log-events.ts a line. Never a secret or a token. */
export interface Logger {
  debug(entry: LogEntry<EventAt<'debug'>>): void
  info(entry: LogEntry<EventAt<'info'>>): void
  warn(entry: LogEntry<EventAt<'warn'>>): void
  error(entry: LogEntry<EventAt<'error'>>): void
}

export interface LogEntry<E extends LogEvent = LogEvent> {
  readonly event: E
  readonly [member: string]: unknown
}
