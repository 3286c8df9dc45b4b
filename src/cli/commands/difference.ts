/** What has changed in a thing, line by line. */
import type { Paint } from '../paint.ts'

/** Members that differ: what was, with a minus, and what is, with a plus. Empty where nothing is told. */
export function presentDifference(before: unknown, after: unknown, paint: Paint): string {
  const [was, is] = [linesOf(before, ''), linesOf(after, '')]
  const gone = without(was, is).map((line) => paint.bad(`- ${line}`))
  const come = without(is, was).map((line) => paint.good(`+ ${line}`))
  return [...gone, ...come].join('\n')
}

/** A line for each value; each element of a list is one, since lists here are sets of short things. */
function linesOf(value: unknown, path: string): readonly string[] {
  if (value === null || value === undefined) return []
  if (Array.isArray(value)) return value.map((element) => `${path}: ${presentElement(element)}`)
  if (typeof value === 'object') {
    return Object.entries(value).flatMap(([name, member]) => linesOf(member, path === '' ? name : `${path}.${name}`))
  }
  return [`${path}: ${presentElement(value)}`]
}

/** A string with a line break in it would look like a change of something else. */
function presentElement(value: unknown): string {
  return typeof value === 'string' && !/\p{Cc}/u.test(value) ? value : JSON.stringify(value)
}

function without(lines: readonly string[], others: readonly string[]): readonly string[] {
  const left = new Map<string, number>()
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1)
  return lines.filter((line) => {
    const count = left.get(line) ?? 0
    left.set(line, count - 1)
    return count <= 0
  })
}
