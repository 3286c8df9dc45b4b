/** What a part may say in the log: one object with an `event` name a line. Never a secret or a token. */
export interface Logger {
  debug(entry: LogEntry): void
  info(entry: LogEntry): void
  warn(entry: LogEntry): void
  error(entry: LogEntry): void
}

export interface LogEntry {
  /** Dotted name in the past tense, for instance `delivery.attempted`. */
  readonly event: string
  readonly [member: string]: unknown
}
