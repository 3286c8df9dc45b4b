/**
 * The log: JSON lines on standard output, one object with an `event` each.
 *
 * Lines are buffered and written together, because one line a request must cost next to nothing; they are out within a
 * tenth of a second, and all of them once the log is closed.
 */
import { pino } from 'pino'
import type { EventAt } from './core/log-events.ts'
import type { LogEntry, Logger } from './core/logger.ts'
import { openLogDestination } from './log-destination.ts'
import { redactEntry } from './log-redaction.ts'

const standardOutput = 1

export interface Log extends Logger {
  /** By AIStore's scale: 0 and 1 errors and warnings, 2 and 3 also what happens, 4 and 5 everything. */
  setLevel(level: number): void
  /** Writes out what is buffered before it returns. */
  flush(): void
  /** Writes out what is buffered; nothing can be logged any more. */
  close(): Promise<void>
}

export interface LogOptions {
  /** AIStore's scale, 0 to 5. */
  readonly level: number
  /** File descriptor; standard output where nothing is said. */
  readonly fd?: number
}

/** Opens the log. Secrets are masked by the name of their member, tokens by their looks (log-redaction.ts). */
export function createLog({ level, fd = standardOutput }: LogOptions): Log {
  const destination = openLogDestination(fd, describeLoss)
  const lines = pino(
    {
      base: null,
      level: levelName(level),
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  )
  return {
    debug(entry: LogEntry) {
      if (lines.isLevelEnabled('debug')) lines.debug(redactEntry(entry))
    },
    info(entry: LogEntry) {
      if (lines.isLevelEnabled('info')) lines.info(redactEntry(entry))
    },
    warn: (entry: LogEntry) => lines.warn(redactEntry(entry)),
    error: (entry: LogEntry) => lines.error(redactEntry(entry)),
    setLevel(next) {
      lines.level = levelName(next)
    },
    flush: destination.flush,
    close: destination.close,
  }
}

function levelName(level: number): 'warn' | 'info' | 'debug' {
  if (level <= 1) return 'warn'
  return level <= 3 ? 'info' : 'debug'
}

function describeLoss(lost: number): string {
  const entry: LogEntry<EventAt<'warn'>> = { event: 'log.lines_lost', lost }
  return `${JSON.stringify({ level: 'warn', time: new Date().toISOString(), ...entry })}\n`
}
