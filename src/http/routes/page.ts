/** Long lists are answered in pages: `next` of one answer is `cursor` of the next request. */
import { z } from 'zod'
import { RequestError } from '../validate.ts'

const maximumLimit = 1000
const defaultLimit = 100

const limitRule = `must be a whole number from 1 to ${maximumLimit}`

export const pageQuery = {
  limit: z
    .string()
    .regex(/^\d{1,4}$/, limitRule)
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= maximumLimit, limitRule)
    .optional()
    .meta({ type: 'integer', minimum: 1, maximum: maximumLimit, default: defaultLimit, pattern: undefined }),
  cursor: z.string().max(600).optional().meta({ description: '`next` of the page before' }),
}

export interface Page {
  /** What the page starts after; undefined = the first page. */
  readonly after: string | undefined
  readonly limit: number
}

/** @throws RequestError where the cursor isn't one that was given out */
export function readPage(query: { readonly limit?: number | undefined; readonly cursor?: string | undefined }): Page {
  return {
    after: query.cursor === undefined ? undefined : openCursor(query.cursor),
    limit: query.limit ?? defaultLimit,
  }
}

/** As `readPage`, for lists that are ordered by a number. @throws RequestError */
export function readNumberedPage(query: Parameters<typeof readPage>[0]) {
  const { after, limit } = readPage(query)
  if (after !== undefined && !/^\d{1,15}$/.test(after)) throw badCursor()
  return { limit, ...(after !== undefined && { after: Number(after) }) }
}

/** As `readPage`, for lists that are ordered by an instant (ms) and a number: `<instant>.<number>`. @throws RequestError */
export function readPositionedPage(query: Parameters<typeof readPage>[0]) {
  const { after, limit } = readPage(query)
  if (after === undefined) return { limit }
  const [, at, id] = /^(-?\d{1,16})\.(\d{1,15})$/.exec(after) ?? []
  if (at === undefined || id === undefined) throw badCursor()
  return { limit, after: { at: Number(at), id: Number(id) } }
}

/** The members of a page's answer. `rows` holds one more than fits where there are more. */
export function presentPage<T, U>(
  rows: readonly T[],
  limit: number,
  keyOf: (row: T) => string,
  present: (row: T) => U,
) {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const next = rows.length > limit && last !== undefined ? makeCursor(keyOf(last)) : null
  return { items: shown.map(present), next }
}

/** The schema of such an answer. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({
    items: z.array(item),
    next: z.string().nullable().meta({ description: 'The `cursor` of the next page; null on the last one' }),
  })
}

/** As `presentPage`, for lists that know themselves where the next page starts. */
export function presentPart<T, U>(rows: readonly T[], next: string | undefined, present: (row: T) => U) {
  return { items: rows.map(present), next: next === undefined ? null : makeCursor(next) }
}

/** Opaque on purpose: what lists are ordered by may change. */
export function makeCursor(key: string): string {
  return Buffer.from(`1:${key}`).toString('base64url')
}

function openCursor(cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString()
  if (!text.startsWith('1:') || makeCursor(text.slice(2)) !== cursor) throw badCursor()
  return text.slice(2)
}

export function badCursor(): RequestError {
  const field = { in: 'query', field: 'cursor', detail: 'must be `next` of an earlier answer' } as const
  return new RequestError(422, 'The cursor is not one that was given out.', [field])
}
