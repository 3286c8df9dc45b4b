/** How commands tell what they found: tables for people, JSON for programs, little where little is asked for. */
import { clientSettings } from '../config.ts'
import type { ClientOptions } from './connection.ts'
import type { CliContext } from './context.ts'
import { type Paint, paints, plainPaint } from './paint.ts'
import { showable } from './showable.ts'

export type Row = readonly string[]

export interface Output {
  readonly isJson: boolean
  readonly paint: Paint
  /** The answer: JSON as it is, else the words; with --quiet only `quiet`, if there is any. */
  tell(answer: { readonly json: unknown; readonly words: () => string; readonly quiet?: readonly string[] }): void
  table(head: Row, rows: readonly Row[]): string
  /** Labels and values, below one another. What is undefined is left out. */
  fields(pairs: readonly (readonly [string, string | undefined])[]): string
}

export async function createOutput(options: ClientOptions, context: CliContext): Promise<Output> {
  const hasColor = context.terminal.isOutput && !clientSettings().isColorOff
  const Table = options.json ? undefined : (await import('cli-table3')).default
  const chars = blankBorders()

  return {
    isJson: options.json === true,
    paint: hasColor ? paints : plainPaint,
    tell({ json, words, quiet = [] }) {
      if (options.json) context.print(JSON.stringify(json, null, 2))
      else if (!options.quiet) context.print(showable(words()))
      else if (quiet.length > 0) context.print(showable(quiet.join('\n')))
    },
    table(head, rows) {
      if (Table === undefined) return ''
      const style = { head: [], border: [], 'padding-left': 0, 'padding-right': 2 }
      const table = new Table({ head: [...head], chars, style })
      table.push(...rows.map((row) => [...row]))
      return trimLines(table.toString())
    },
    fields(pairs) {
      const shown = pairs.filter((pair): pair is [string, string] => pair[1] !== undefined)
      const width = Math.max(...shown.map(([label]) => label.length))
      return shown.map(([label, value]) => `${label.padEnd(width)}  ${value}`).join('\n')
    },
  }
}

/** Columns alone, without lines between: what people can read, and cut apart with awk. */
function blankBorders() {
  const sides = ['top', 'bottom', 'left', 'right', 'mid'] as const
  const corners = ['top-mid', 'top-left', 'top-right', 'bottom-mid', 'bottom-left', 'bottom-right'] as const
  const crossings = ['left-mid', 'mid-mid', 'right-mid', 'middle'] as const
  return Object.fromEntries([...sides, ...corners, ...crossings].map((name) => [name, '']))
}

function trimLines(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}
