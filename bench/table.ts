import { comparisons } from './figures.ts'
import type { Mode } from './server.ts'
import type { Measurement } from './workbench.ts'

export type Measured = Measurement & { readonly mode: Mode }

export function formatTable(measured: readonly Measured[]): string {
  const rows = measured.map((row) => {
    const { target = '', authn = '' } = comparisons[row.id] ?? {}
    const aside = row.aside === undefined ? '' : ` (${row.aside})`
    return [row.what, row.mode.toUpperCase(), `${presentFigure(row)}${aside}`, target, authn, row.limit]
  })
  const head = ['WHAT', 'MODE', 'MEASURED', 'TARGET', 'AUTHN RS256 / HS256', 'LIMITED BY']
  const lines = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

export function presentFigure({ value, unit }: Pick<Measurement, 'value' | 'unit'>): string {
  const figure = value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)
  return unit === '/s' ? `${figure}${unit}` : `${figure} ${unit}`
}

export function presentJson(measured: readonly Measured[]) {
  return measured.map((row) => ({ ...row, what: row.what.trim(), ...comparisons[row.id] }))
}
