/** The native API as it is mounted at /api/v1: authenticates, asks for the permission, runs the route, tells of failures. */
import { type Context, Hono } from 'hono'
import type { Authenticator } from '../../core/sessions/authenticator.ts'
import { requirePermission } from '../../core/sessions/permission.ts'
import { readText } from '../body.ts'
import type { HttpEnv } from '../env.ts'
import { methodNotAllowed, notFound, type Problem, problemOf, unexpected } from '../errors.ts'
import { presentDocument } from '../openapi.ts'
import { RequestError } from '../validate.ts'
import { type Caller, type Route, route } from './route.ts'
import { Document } from './shapes/document.ts'

export interface NativeApiDeps {
  readonly routes: readonly Route[]
  readonly authenticator: Authenticator
  readonly version: string
}

export interface NativeApi {
  /** Where it is mounted. */
  readonly root: string
  readonly app: Hono<HttpEnv>
  /** Where its routes begin: what metrics tell apart. */
  readonly paths: readonly string[]
}

const root = '/api/v1'

/** Everything below /api/v1, also what isn't there. */
export function createNativeApi(deps: NativeApiDeps): NativeApi {
  const api = new Hono<HttpEnv>()
  const routes: readonly Route[] = [...deps.routes, documentRoute(() => routes, deps.version)]
  for (const each of routes) {
    api.on(each.method.toUpperCase(), honoPath(each), (c) => answering(c, () => run(each, c, deps.authenticator)))
  }
  // After all others: `/tokens/{jti}` would else answer for `/tokens/introspect`.
  for (const path of new Set(routes.map(honoPath))) {
    const siblings = routes.filter((each) => honoPath(each) === path)
    const allow = siblings.map(({ method }) => method.toUpperCase()).join(', ')
    api.all(path, (c) => respondProblem(c, methodNotAllowed(allow)))
  }
  api.all('*', (c) => respondProblem(c, notFound(c.req.path)))
  return { root, app: api, paths: [...new Set(routes.map(({ path }) => `${root}/${path.split('/')[1] ?? ''}`))] }
}

function honoPath({ path }: Route): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1')
}

/** Made anew for each set of routes, at the first request for it: it takes some milliseconds. */
function documentRoute(routes: () => readonly Route[], version: string): Route {
  let document: Promise<Record<string, unknown>> | undefined
  return route(
    {
      method: 'get',
      path: '/openapi.json',
      permission: 'none',
      tag: 'About',
      summary: 'Read this document',
      answer: { status: 200, description: 'The OpenAPI 3.1 document of this API.', body: Document },
    },
    async () => {
      document ??= presentDocument(routes(), version)
      return { body: await document }
    },
  )
}

async function run(each: Route, c: Context<HttpEnv>, authenticator: Authenticator): Promise<Response> {
  const caller = each.permission === 'none' ? undefined : await authenticate(c, authenticator)
  if (caller !== undefined && each.permission !== 'none' && each.permission !== 'self') {
    requirePermission(caller.principal, each.permission)
  }
  const { body, headers } = await each.handle({
    caller,
    params: c.req.param() as Record<string, string>,
    query: c.req.query(),
    readBody: () => readJson(c),
  })
  const { status } = each.answer
  if (body === undefined) return respond(c, status, null, { ...headers })
  return respond(c, status, JSON.stringify(body), { 'Content-Type': 'application/json', ...headers })
}

/** RFC 6750 section 2.1; the scheme in any case (RFC 9110 section 11.1). @throws DomainError token_… */
async function authenticate(c: Context<HttpEnv>, authenticator: Authenticator): Promise<Caller> {
  const token = /^bearer +(\S+)$/i.exec(c.env.incoming.headers.authorization ?? '')?.[1]
  const principal = await authenticator.authenticate(token)
  c.set('subject', principal.subject)
  return { principal, token: token ?? '' }
}

function readJson(c: Context<HttpEnv>): Promise<string> {
  const type = c.env.incoming.headers['content-type']
  if (type !== undefined && !/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(type)) {
    throw new RequestError(415, 'The body must be application/json.')
  }
  return readText(c.env.incoming)
}

async function answering(c: Context<HttpEnv>, act: () => Promise<Response>): Promise<Response> {
  try {
    return await act()
  } catch (error) {
    const problem = problemOf(error) ?? unexpected
    if (problem.status >= 500) c.set('failure', error)
    return respondProblem(c, problem)
  }
}

function respondProblem(c: Context<HttpEnv>, { code, status, title, detail, fields, headers }: Problem): Response {
  const type = `urn:gatehouse:problem:${code}`
  const requestId = c.get('requestId')
  const body = { type, title, status, detail, code, requestId, ...(fields && { fields }) }
  return respond(c, status, JSON.stringify(body), { 'Content-Type': 'application/problem+json', ...headers })
}

/** Made without the context's own methods, which build a Headers object where a plain one goes straight to the socket. */
function respond(c: Context<HttpEnv>, status: number, body: string | null, headers: Record<string, string>): Response {
  const common = {
    'X-Request-Id': c.get('requestId'),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  }
  return new Response(body, { status, headers: { ...headers, ...common } })
}
