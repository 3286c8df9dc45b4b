/** How far something has got that takes longer than a second; on a screen alone. */
import type { ClientOptions } from './connection.ts'
import type { CliContext } from './context.ts'

export interface Progress {
  advance(to: number): void
}

const silentMs = 1000
const width = 30

/** @param what for instance `rows read` */
export function createProgress(what: string, total: number, options: ClientOptions, context: CliContext): Progress {
  const hasScreen = context.terminal.isOutput && !options.json && !options.quiet
  const startedAt = performance.now()
  return {
    advance(to) {
      if (!hasScreen || performance.now() - startedAt < silentMs) return
      const share = total === 0 ? 1 : Math.min(1, to / total)
      const bar = '#'.repeat(Math.round(share * width)).padEnd(width, '.')
      context.terminal.draw(`[${bar}] ${to.toLocaleString('en')} of ${total.toLocaleString('en')} ${what}`)
    },
  }
}
