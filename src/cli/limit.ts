import { UsageError } from './client-errors.ts'

/** How many a list is to show at most. @throws UsageError */
export function readLimit(text: string | undefined, initial: number): number {
  const limit = text === undefined ? initial : Number(text)
  if (!Number.isSafeInteger(limit) || limit < 1) throw new UsageError('--limit must be a whole number from 1 on')
  return limit
}

/** A path with its query; what is undefined is left out. */
export function withQuery(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined)
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`
}
