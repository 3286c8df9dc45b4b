/** The OpenAPI 3.1 document, from the same descriptions and schemas that check requests. */
import type { RouteConfig } from '@hono/zod-openapi'
import type { z } from 'zod'
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
        'Revocations, tokens, locks, keys and clusters of one Gatehouse. Times are ISO 8601 in UTC. Failures are problem details (RFC 9457). What a route needs stands in `x-permission`.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    servers: [{ url: '/api/v1' }],
  })
  return { ...document }
}

function presentRoute(route: Route): RouteConfig {
  const { method, path, tag, summary, description, permission, params, query, body, answer } = route
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
    },
    responses: {
      [answer.status]: { description: answer.description, ...(answer.body && { content: json(answer.body) }) },
      ...Object.fromEntries(refusalsOf(route).map((status) => [status, presentRefusal(status)])),
    },
  }
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
function refusalsOf({ permission, params, query, body, refusals = [] }: Route): readonly number[] {
  const statuses = new Set<number>(refusals)
  if (permission !== 'none') statuses.add(401)
  if (permission !== 'none' && permission !== 'self') statuses.add(403)
  if (body !== undefined) for (const status of [400, 413, 415, 422]) statuses.add(status)
  if (params !== undefined || query !== undefined) statuses.add(422)
  statuses.add(500)
  return [...statuses].sort((a, b) => a - b)
}

const reasons: Readonly<Record<number, string>> = {
  400: 'The request can not be read.',
  401: 'No token, or one that is not good; at a login, wrong name or password.',
  403: 'The caller lacks the permission, or the thing is protected.',
  404: 'There is no such thing.',
  409: 'Not in the present state.',
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
