/**
 * A route of the native API: what it is called with, what it needs, what it answers. Checking requests, refusing callers
 * and the OpenAPI document all come from this one description.
 */
import { z } from 'zod'
import type { Origin } from '../../core/sessions/actor.ts'
import { type Permission, permissions } from '../../core/sessions/permission.ts'
import type { Principal } from '../../core/sessions/principal.ts'
import { type Conditions, readConditions } from '../conditions.ts'
import type { ProblemStatus } from '../errors.ts'
import { type RequestKey, readRequestKey } from '../once.ts'
import { checkAgainst, parseJson, RequestError } from '../validate.ts'

/** Said by every route: a permission, `self` = whoever is logged in (about himself), `none` = anybody at all. */
export type Need = Permission | 'self' | 'none'

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'

/** Who calls, for a route that asks. */
export interface Caller {
  readonly principal: Principal
  /** The text of the token that was shown. Never logged or answered. */
  readonly token: string
}

interface Description {
  readonly method: Method
  /** Below /api/v1, as OpenAPI writes it: `/clusters/{name}`. */
  readonly path: `/${string}`
  readonly tag: string
  /** A few words, in the imperative. */
  readonly summary: string
  readonly description?: string
  /** Of the body; absent = the usual limit (body.ts). */
  readonly maximumBytes?: number
  /** What it may refuse with beside what follows from permission, body and parameters. */
  readonly refusals?: readonly ProblemStatus[]
  /**
   * Entity tags: `read` answers one, and 304 to who has it already; `tag` answers one that says nothing of what else is
   * answered; `change` takes If-Match; `put` takes If-None-Match too,
   * to make what isn't there yet.
   */
  readonly conditional?: 'read' | 'tag' | 'change' | 'put'
  /** Takes an Idempotency-Key: asked for twice under one, it is done once. */
  readonly isRepeatable?: true
  /** What a `put` answers with 201 where it has made something new. */
  readonly created?: string
}

export interface RouteSpec<
  N extends Need,
  P extends z.ZodType,
  Q extends z.ZodType,
  B extends z.ZodType,
  A extends z.ZodType,
> extends Description {
  readonly permission: N
  readonly params?: P
  readonly query?: Q
  readonly body?: B
  readonly answer: {
    readonly status: 200 | 201 | 202 | 204
    readonly description: string
    readonly body?: A
    /** Where it is no JSON: the body is a text or bytes then. */
    readonly type?: string
  }
}

export interface Call<N extends Need, P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> {
  readonly caller: N extends 'none' ? undefined : Caller
  readonly params: z.output<P>
  readonly query: z.output<Q>
  readonly body: z.output<B>
  readonly origin: Origin
  readonly conditions: Conditions
  /** Of a repeatable route, where the caller gave one. */
  readonly key: RequestKey | undefined
}

export interface Reply<A> {
  readonly body: A
  readonly etag?: string
  /** Something new was made: 201. */
  readonly isCreated?: boolean
  readonly headers?: Readonly<Record<string, string>>
}

/** A request as it came. */
export interface RawCall {
  readonly caller: Caller | undefined
  readonly origin: Origin
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, readonly string[]>>
  readonly method: string
  readonly path: string
  readonly header: (name: string) => string | undefined
  /** @throws BodyError, RequestError */
  readonly readBody: () => Promise<string>
}

export interface Route extends Description {
  readonly permission: Need
  readonly params: z.ZodType | undefined
  readonly query: z.ZodType | undefined
  readonly body: z.ZodType | undefined
  readonly answer: {
    readonly status: number
    readonly description: string
    readonly body?: z.ZodType
    readonly type?: string
  }
  /** @throws RequestError, BodyError, DomainError */
  readonly handle: (call: RawCall) => Promise<Reply<unknown>>
}

const known: ReadonlySet<string> = new Set([...permissions, 'self', 'none'])

/**
 * Declares a route. There is no other way to make one, and none without a permission: it does not compile, and where
 * types are evaded it is refused here.
 */
export function route<
  const N extends Need,
  A extends z.ZodType = z.ZodUndefined,
  P extends z.ZodType = z.ZodUndefined,
  Q extends z.ZodType = z.ZodUndefined,
  B extends z.ZodType = z.ZodUndefined,
>(spec: RouteSpec<N, P, Q, B, A>, handle: (call: Call<N, P, Q, B>) => Promise<Reply<z.output<A>>>): Route {
  const { params, query, body, ...rest } = spec
  if (!known.has(rest.permission)) throw new Error(`${spec.method} ${spec.path} declares no permission`)
  return {
    ...rest,
    params,
    query,
    body,
    async handle(call) {
      if (call.caller === undefined && rest.permission !== 'none') throw new Error('a caller is needed')
      const text = body === undefined ? '' : await call.readBody()
      return handle({
        // The cast says what the line before has made sure of.
        caller: (rest.permission === 'none' ? undefined : call.caller) as Call<N, P, Q, B>['caller'],
        params: (params && checkAgainst(params, call.params, 'path')) as z.output<P>,
        query: checkAgainst(query ?? noQuery, single(call.query), 'query') as z.output<Q>,
        body: (body && checkAgainst(body, parseJson(text), 'body')) as z.output<B>,
        origin: call.origin,
        conditions: readConditions(call.header),
        key: rest.isRepeatable ? readRequestKey(call.header('idempotency-key'), { ...call, body: text }) : undefined,
      })
    },
  }
}

const noQuery = z.strictObject({})

/** @throws RequestError where a parameter is given twice: nobody could tell which one counts */
function single(query: RawCall['query']): Readonly<Record<string, string>> {
  const twice = Object.entries(query).filter(([, values]) => values.length > 1)
  if (twice.length > 0) {
    const detail = 'is given more than once'
    const fields = twice.map(([field]) => ({ in: 'query' as const, field, detail }))
    throw new RequestError(422, 'A parameter is given more than once.', fields)
  }
  return Object.fromEntries(Object.entries(query).map(([name, [value = '']]) => [name, value]))
}

/** An answer without a body. */
export const noContent: Reply<undefined> = { body: undefined }
