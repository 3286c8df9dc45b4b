import type { LogEntry, Logger } from '../src/core/logger.ts'

export interface LogLine extends LogEntry {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
}

/** A log that keeps its lines for the test to look at. */
export function collectLog(lines: LogLine[]): Logger {
  const at = (level: LogLine['level']) => (entry: LogEntry) => {
    lines.push({ ...entry, level })
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
