/** One request in AIStore's dialect: what handlers read of it, and how they answer. */
import type { Context } from 'hono'
import type { z } from 'zod'
import type { Authenticator } from '../../../core/sessions/authenticator.ts'
import type { Principal } from '../../../core/sessions/principal.ts'
import { readText } from '../../../http/body.ts'
import { type HttpEnv, originOf } from '../../../http/env.ts'
import { decodeBody, UndecodableBodyError } from '../wire.ts'
import { goJson } from './go-json.ts'

export interface Call {
  readonly context: Context<HttpEnv>
  readonly method: string
  /** Decoded path, as error bodies show it. */
  readonly path: string
  /** Path segments behind the route's own, decoded, without empty ones. */
  readonly rest: readonly string[]
}

export type Handler = (call: Call) => Promise<Response>

/** A refusal that is no failure of a rule: wrong path, undecodable body. */
export class CallError extends Error {
  override readonly name = 'CallError'
  readonly status: 400 | 401 | 404 | 413
  readonly tcode: string | undefined

  constructor(status: 400 | 401 | 404 | 413, message: string, tcode?: string) {
    super(message)
    this.status = status
    this.tcode = tcode
  }
}

/** Names the failed action in the error body: `AuthN: failed to <action> <what>, err: <cause>`. */
export class ActionError extends Error {
  override readonly name = 'ActionError'
  readonly action: string

  constructor(action: string, options: ErrorOptions) {
    super(action, options)
    this.action = action
  }
}

/** Runs the act; whatever it throws is told as a failure of `action`. */
export async function acting<T>(action: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw new ActionError(action, { cause: error })
  }
}

/** Header `Authorization: Bearer <token>` (scheme case-sensitive), else `X-Amz-Security-Token` (contract 1.2). */
function bearerOf(call: Call): string | undefined {
  const { headers } = call.context.env.incoming
  const authorization = headers.authorization
  if (authorization?.startsWith('Bearer ') && authorization.length > 7) return authorization.slice(7)
  const fallback = headers['x-amz-security-token']
  return typeof fallback === 'string' && fallback !== '' ? fallback : undefined
}

/** Who calls; stands in the log line from here on. @throws DomainError token_… */
export async function authenticate(call: Call, authenticator: Authenticator): Promise<Principal> {
  const principal = await authenticator.authenticate(bearerOf(call), originOf(call.context, 'aistore'))
  call.context.set('subject', principal.subject)
  return principal
}

interface BodyOptions {
  /** Told as `Invalid request`, without what is wrong. */
  readonly isBrief?: boolean
  /** For calls that anybody may make. */
  readonly maximumBytes?: number
}

/** @throws CallError with the long text that names the Go type, or `Invalid request` where brief; BodyError */
export async function readBody<T extends z.ZodType>(
  call: Call,
  schema: T,
  type: string,
  options: BodyOptions = {},
): Promise<z.output<T>> {
  const text = await readText(call.context.env.incoming, options.maximumBytes)
  try {
    return decodeBody(schema, text)
  } catch (error) {
    if (!(error instanceof UndecodableBodyError)) throw error
    throw new CallError(
      400,
      options.isBrief
        ? 'Invalid request'
        : `${call.path}: failed to unmarshal [*authn.${type}] (${call.method}), err: ${error.message}`,
    )
  }
}

/**
 * The body of a call that not everybody may make, and who makes it. A body may take a minute to come: what its sender may do
 * is asked before it is read, and again when it is whole.
 * @param permit throws where the call is not permitted
 * @throws DomainError token_…, and as readBody
 */
export async function readPermittedBody<T extends z.ZodType>(
  call: Call,
  { authenticator, permit }: { readonly authenticator: Authenticator; readonly permit: (principal: Principal) => void },
  ...[schema, type, options]: [schema: T, type: string, options?: BodyOptions]
): Promise<{ readonly principal: Principal; readonly body: z.output<T> }> {
  permit(await authenticate(call, authenticator))
  const body = await readBody(call, schema, type, options)
  const principal = await authenticate(call, authenticator)
  permit(principal)
  return { principal, body }
}

/** The segment behind the route, which must be there. */
export function nameOf(call: Call): string {
  const name = call.rest[0]
  if (name !== undefined) return name
  const items = call.path.split('/').filter(Boolean)
  throw new CallError(400, `URL '${items.join('/')}' is too short: expected 3 items, got ${items.length}`)
}

/** GET takes one segment at most. */
export function atMostOneName(call: Call): string | undefined {
  if (call.rest.length > 1) throw new CallError(400, 'invalid request')
  return call.rest[0]
}

/** 200 with nothing in it: the answer to every successful change. */
export function done(call: Call): Response {
  return respond(call, 200, null, { 'Content-Length': '0' })
}

/** 200 with JSON that is built already: bytes, text, or a stream of them. */
export function answer(
  call: Call,
  body: string | Uint8Array<ArrayBuffer> | ReadableStream,
  headers: Record<string, string> = {},
): Response {
  return respond(call, 200, body, { 'Content-Type': 'application/json', ...headers })
}

export function answerJson(call: Call, value: unknown, headers: Record<string, string> = {}): Response {
  return answer(call, `${goJson(value)}\n`, headers)
}

/** Made without the context's own methods, which build a Headers object where a plain one goes straight to the socket. */
export function respond(
  { context }: Pick<Call, 'context'>,
  status: number,
  body: string | Uint8Array<ArrayBuffer> | ReadableStream | null,
  headers: Record<string, string>,
): Response {
  return new Response(body, { status, headers: { ...headers, 'X-Request-Id': context.get('requestId') } })
}
