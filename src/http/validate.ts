/** Requests of the native API: what was sent, checked against the schema of its route. */
import type { z } from 'zod'

/** Where in a request something stands. */
export type FieldPlace = 'body' | 'query' | 'path'

/** One thing that is wrong with a request. */
export interface FieldProblem {
  readonly in: FieldPlace
  /** Dotted path of the member, for instance `selector.user`; empty = the whole. */
  readonly field: string
  /** A sentence's end: "must be …". */
  readonly detail: string
}

/** The request can't be taken as it is: not JSON (400, 415), or against the schema (422). */
export class RequestError extends Error {
  override readonly name = 'RequestError'
  readonly status: 400 | 415 | 422
  readonly fields: readonly FieldProblem[]

  constructor(status: 400 | 415 | 422, message: string, fields: readonly FieldProblem[] = []) {
    super(message)
    this.status = status
    this.fields = fields
  }
}

/** @throws RequestError 400 where the text is no JSON; what it says of the place doesn't quote the text */
export function parseJson(text: string): unknown {
  if (text.trim() === '') throw new RequestError(400, 'The request needs a JSON body.')
  try {
    return JSON.parse(text)
  } catch {
    throw new RequestError(400, 'The body is not valid JSON.')
  }
}

/** @throws RequestError 422 naming every member that breaks the schema */
export function checkAgainst<T extends z.ZodType>(schema: T, value: unknown, place: FieldPlace): z.output<T> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const fields = parsed.error.issues.flatMap((issue) => presentIssue(issue, place))
  throw new RequestError(422, 'The request does not have the form that is asked for.', fields)
}

function presentIssue(issue: z.core.$ZodIssue, place: FieldPlace): FieldProblem[] {
  const path = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ in: place, field: [...path, key].join('.'), detail: 'is not known here' }))
  }
  return [{ in: place, field: path.join('.'), detail: issue.message }]
}
