/** Requests of the native API: what was sent, checked against the schema of its route. */
import type { z } from 'zod'

/** Where in a request something stands. */
export type FieldPlace = 'body' | 'query' | 'path' | 'header'

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

  /** The first hundred problems are kept: an answer is not to be larger than what was asked. */
  constructor(status: 400 | 415 | 422, message: string, fields: readonly FieldProblem[] = []) {
    super(message)
    this.status = status
    this.fields = fields.slice(0, maximumProblems).map((problem) => ({ ...problem, field: shorten(problem.field) }))
  }
}

const maximumProblems = 100
/** Of a member's path: names that are not known here may be of any length. */
const maximumField = 256

function shorten(field: string): string {
  return field.length > maximumField ? `${field.slice(0, maximumField)}…` : field
}

const maximumDepth = 32

/**
 * @throws RequestError 400 where the text is no JSON, holds what is no text, or is nested deeper than 32 levels; what it
 * says of the place doesn't quote the text
 */
export function parseJson(text: string): unknown {
  if (text.trim() === '') throw new RequestError(400, 'The request needs a JSON body.')
  if (isDeeperThan(text, maximumDepth)) {
    throw new RequestError(400, `The body is nested deeper than ${maximumDepth} levels.`)
  }
  try {
    return JSON.parse(text, halfSigns.test(text) ? refuseHalfSigns : undefined)
  } catch (error) {
    if (error instanceof RequestError) throw error
    throw new RequestError(400, 'The body is not valid JSON.')
  }
}

/** One that may be half a pair, as JSON writes it. */
const halfSigns = /\\u[dD][89a-fA-F]/
const halfPair = /\p{Surrogate}/u

/**
 * Halves of surrogate pairs are no text (RFC 8259 section 8.2): in UTF-8, so in the store and in every answer, all of them
 * are the same sign, and names that differ would become one. @throws RequestError
 */
function refuseHalfSigns(member: string, value: unknown): unknown {
  if (!halfPair.test(member) && !(typeof value === 'string' && halfPair.test(value))) return value
  throw new RequestError(400, 'The body holds half a surrogate pair (\\ud800 to \\udfff), which is no character.')
}

/** Counts brackets outside of strings, before anything is built from the text. */
function isDeeperThan(text: string, limit: number): boolean {
  let depth = 0
  let isInString = false
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at]
    if (isInString) {
      if (sign === '\\') at += 1
      else if (sign === '"') isInString = false
    } else if (sign === '"') isInString = true
    else if (sign === '{' || sign === '[') {
      depth += 1
      if (depth > limit) return true
    } else if (sign === '}' || sign === ']') depth -= 1
  }
  return false
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
    return issue.keys
      .slice(0, maximumProblems)
      .map((key) => ({ in: place, field: [...path, key].join('.'), detail: 'is not known here' }))
  }
  return [{ in: place, field: path.join('.'), detail: issue.message }]
}
