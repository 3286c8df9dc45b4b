/** The OpenAPI 3.1 document, from the same descriptions and schemas that check requests. */
import type { RouteConfig } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Route } from './routes/route.ts'
import { ProblemBody } from './routes/shapes/problem.ts'

/** The generator is loaded here, since only this needs it and loading it takes as long as a quarter of a start. */
export async function presentDocument(routes: readonly Route[], version: string): Promise<Record<string, unknown>> {
  const { OpenAPIHono } = await import('@hono/zod-openapi')
  const { openAPIRegistry: registry, getOpenAPI31Document } = new OpenAPIHono()
  registry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'A token of Gatehouse, from POST /sessions or from a login with any of its protocols.',
  })
  for (const route of routes) registry.registerPath(presentRoute(route))
  const document = getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Gatehouse',
      version,
      description:
        'Users, roles, clusters, tokens, revocations, locks, keys and settings of one Gatehouse. Times are ISO 8601 in UTC. Failures are problem details (RFC 9457). What a route needs stands in `x-permission`.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    servers: [{ url: '/api/v1' }],
  })
  return { ...document }
}

type ResponseConfig = RouteConfig['responses'][string]

function presentRoute(route: Route): RouteConfig {
  const { method, path, tag, summary, description, permission, params, query, body, answer, created } = route
  const json = (schema: z.ZodType) => ({ 'application/json': { schema } })
  return {
    method,
    path,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    operationId: operationIdOf(route),
    'x-permission': permission,
    security: permission === 'none' ? [] : [{ bearer: [] }],
    request: {
      ...(params && { params: params as z.ZodObject }),
      ...(query && { query: query as z.ZodObject }),
      ...(body && { body: { required: true, content: json(body) } }),
      ...(headersOf(route) && { headers: headersOf(route) }),
    },
    responses: {
      [answer.status]: presentAnswer(route, answer.description),
      ...(created !== undefined && { 201: presentAnswer(route, created) }),
      ...(route.conditional === 'read' && { 304: { description: 'It is as If-None-Match has it.' } }),
      ...Object.fromEntries(refusalsOf(route).map((status) => [status, presentRefusal(status)])),
    },
  }
}

function presentAnswer({ answer, conditional, isRepeatable }: Route, description: string): ResponseConfig {
  const { body, type = 'application/json' } = answer
  const etag = 'Another one as soon as anything of it is another'
  const replayed = 'It was done before, under this Idempotency-Key: this is the answer of then'
  const headers = {
    ...(conditional !== undefined && answer.status !== 204 && { ETag: presentHeader(etag) }),
    ...(isRepeatable && { 'Idempotency-Replayed': presentHeader(replayed, ['true']) }),
  }
  return {
    description,
    ...(body && { content: { [type]: { schema: body } } }),
    ...(Object.keys(headers).length > 0 && { headers }),
  }
}

function presentHeader(description: string, values?: string[]) {
  return { description, schema: { type: 'string' as const, ...(values && { enum: values }) } }
}

/** What the route looks at beside the token. */
function headersOf({ conditional, isRepeatable }: Route): z.ZodObject | undefined {
  const tags = (description: string) => z.string().optional().meta({ description })
  const headers = {
    ...(conditional === 'read' && { 'If-None-Match': tags('Entity tags that one has: 304 where one is still good') }),
    ...((conditional === 'change' || conditional === 'put') && {
      'If-Match': tags('Goes on only if the thing still has one of these entity tags: 412 otherwise'),
    }),
    ...(conditional === 'put' && { 'If-None-Match': tags('`*` goes on only if there is none yet: 412 otherwise') }),
    ...(isRepeatable && {
      'Idempotency-Key': z
        .string()
        .regex(/^[\x21-\x7e]{1,255}$/)
        .optional()
        .meta({ description: 'Asked for twice under one key, it is done once; kept for 24 hours' }),
    }),
  }
  return Object.keys(headers).length > 0 ? z.object(headers) : undefined
}

/** For instance `getClustersByName`. */
function operationIdOf({ method, path }: Route): string {
  const words = path
    .replaceAll(/\.\w+$/g, '')
    .split('/')
    .filter(Boolean)
  const named = words.map((word) => (word.startsWith('{') ? `By${capital(word.slice(1, -1))}` : capital(word)))
  return method + named.join('')
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}

/** Whatever the route may be refused with, by what it takes and needs. */
function refusalsOf({ permission, body, conditional, isRepeatable, refusals = [] }: Route): readonly number[] {
  const statuses = new Set<number>(refusals)
  if (permission !== 'none') statuses.add(401)
  if (permission !== 'none' && permission !== 'self') statuses.add(403)
  if (body !== undefined) for (const status of [400, 413, 415]) statuses.add(status)
  // Parameters that nobody asked for are refused everywhere.
  statuses.add(422)
  if (conditional === 'change' || conditional === 'put') statuses.add(412)
  if (isRepeatable) statuses.add(409)
  statuses.add(500)
  return [...statuses].sort((a, b) => a - b)
}

const reasons: Readonly<Record<number, string>> = {
  400: 'The request can not be read.',
  401: 'No token, or one that is not good; at a login, wrong name or password.',
  403: 'The caller lacks the permission, or the thing is protected.',
  404: 'There is no such thing.',
  409: 'Not in the present state.',
  412: 'It is not what If-Match or If-None-Match says: nothing was changed.',
  413: 'The body is too large.',
  415: 'The body is not JSON.',
  422: 'The request does not have the form that is asked for; `fields` says where.',
  429: 'Too busy; `Retry-After` says when to come again.',
  500: 'Something broke.',
  502: 'A cluster refused.',
  503: 'The change could not be stored; nothing was changed.',
}

function presentRefusal(status: number) {
  return {
    description: reasons[status] ?? 'Refused.',
    content: { 'application/problem+json': { schema: ProblemBody } },
  }
}
