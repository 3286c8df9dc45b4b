/** The native API as it is mounted at /api/v1: authenticates, asks for the permission, runs the route, tells of failures. */
import { isUtf8 } from 'node:buffer'
import type { Context } from 'hono'
import { TrieRouter } from 'hono/router/trie-router'
import { denialIn, type Refusals } from '../../core/audit/refusals.ts'
import type { Origin } from '../../core/sessions/actor.ts'
import type { Authenticator } from '../../core/sessions/authenticator.ts'
import { requirePermission } from '../../core/sessions/permission.ts'
import { readBytes } from '../body.ts'
import { etagOf, isKnown, readConditions } from '../conditions.ts'
import { type HttpEnv, originOf } from '../env.ts'
import { methodNotAllowed, notFound, type Problem, problemOf, unexpected } from '../errors.ts'
import { presentDocument } from '../openapi.ts'
import { securityHeaders } from '../security-headers.ts'
import { RequestError } from '../validate.ts'
import { type Caller, type Reply, type Route, route } from './route.ts'
import { Document } from './shapes/document.ts'

export interface NativeApiDeps {
  readonly routes: readonly Route[]
  readonly authenticator: Authenticator
  /** Is told who was denied what. */
  readonly refusals: Pick<Refusals, 'note'>
  readonly version: string
}

export interface NativeApi {
  /** Where it is mounted. */
  readonly root: string
  /** All of them, also that of the document. */
  readonly routes: readonly Route[]
  /** Answers whatever stands below the root, also what isn't there. */
  readonly handle: (context: Context<HttpEnv>) => Promise<Response>
  /** Where its routes begin: what metrics tell apart. */
  readonly paths: readonly string[]
}

const root = '/api/v1'

/** Paths are matched here, by a router of its own, so that those of other protocols are matched as fast as without. */
export function createNativeApi({ authenticator, refusals, version, ...deps }: NativeApiDeps): NativeApi {
  const routes: readonly Route[] = [...deps.routes, documentRoute(() => routes, version)]
  const router = new TrieRouter<Route>()
  const every = 'EVERY'
  for (const each of routes) {
    router.add(each.method.toUpperCase(), root + honoPath(each), each)
    router.add(every, root + honoPath(each), each)
  }

  function find(method: string, path: string) {
    const [[found] = []] = router.match(method, path)
    if (found !== undefined) return { each: found[0], params: found[1] as Readonly<Record<string, string>> }
    const there = router.match(every, path)[0].map(([each]) => each)
    if (there.length === 0) return notFound(path)
    // `/tokens/introspect` is not also a `/tokens/{jti}`.
    const literal = there.filter((each) => root + each.path === path)
    const allowed = (literal.length > 0 ? literal : there).map((each) => each.method.toUpperCase())
    return methodNotAllowed([...new Set(allowed)].join(', '))
  }

  return {
    root,
    routes,
    paths: [...new Set(routes.map(({ path }) => `${root}/${path.split('/')[1] ?? ''}`))],
    handle: (c) =>
      answering(c, async () => {
        const { method, path } = c.req
        const found = find(method === 'HEAD' ? 'GET' : method, path)
        if ('code' in found) return respondProblem(c, found)
        return noting(found.each, c, refusals, () => run(found.each, found.params, c, authenticator))
      }),
  }
}

function honoPath({ path }: Route): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1')
}

/** Made anew for each set of routes, at the first request for it: it takes some milliseconds. */
function documentRoute(routes: () => readonly Route[], version: string): Route {
  let document: Promise<Record<string, unknown>> | undefined
  let etag: string | undefined
  return route(
    {
      method: 'get',
      path: '/openapi.json',
      permission: 'none',
      tag: 'About',
      summary: 'Read this document',
      conditional: 'read',
      answer: { status: 200, description: 'The OpenAPI 3.1 document of this API.', body: Document },
    },
    async () => {
      document ??= presentDocument(routes(), version)
      const body = await document
      etag ??= etagOf(body)
      return { body, etag }
    },
  )
}

async function noting(
  each: Route,
  c: Context<HttpEnv>,
  refusals: NativeApiDeps['refusals'],
  act: () => Promise<Response>,
) {
  try {
    return await act()
  } catch (error) {
    const denial = denialIn(error)
    const target = { kind: 'route', name: `${each.method.toUpperCase()} ${root}${each.path}` } as const
    if (denial !== undefined) refusals.note({ ...denial, origin: originOf(c, 'native'), target })
    throw error
  }
}

async function run(
  each: Route,
  params: Readonly<Record<string, string>>,
  c: Context<HttpEnv>,
  authenticator: Authenticator,
): Promise<Response> {
  const origin = originOf(c, 'native')
  const first = await admit(each, c, authenticator, origin)
  const text = each.body === undefined ? undefined : await readJson(c, each.maximumBytes)
  // A body may take a minute to come: what its sender may do is asked again when it is whole.
  const caller = text === undefined ? first : await admit(each, c, authenticator, origin)
  const reply = await each.handle({
    caller,
    origin,
    params: Object.fromEntries(Object.entries(params).map(([name, value]) => [name, decode(value)])),
    query: c.req.queries(),
    method: c.req.method,
    path: c.req.path,
    header: (name) => headerOf(c, name),
    readBody: async () => text ?? '',
  })
  return respondReply(c, each, reply)
}

function headerOf(c: Context<HttpEnv>, name: string): string | undefined {
  const value = c.env.incoming.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

function respondReply(c: Context<HttpEnv>, { answer, conditional }: Route, reply: Reply<unknown>): Response {
  const { body, etag, isCreated } = reply
  const headers = { ...(etag !== undefined && { ETag: etag, 'Cache-Control': 'private, no-cache' }), ...reply.headers }
  if (conditional === 'read' && etag !== undefined) {
    const conditions = readConditions((name) => headerOf(c, name))
    if (isKnown(conditions, etag)) return respond(c, 304, null, headers)
  }
  const status = isCreated ? 201 : answer.status
  if (body === undefined) return respond(c, status, null, headers)
  if (answer.type !== undefined) {
    return respond(c, status, body as string | Uint8Array<ArrayBuffer>, { 'Content-Type': answer.type, ...headers })
  }
  return respond(c, status, JSON.stringify(body), { 'Content-Type': 'application/json', ...headers })
}

/** Who calls, where the route asks. @throws DomainError token_…, locked, permission_denied */
async function admit(
  { permission }: Route,
  c: Context<HttpEnv>,
  authenticator: Authenticator,
  origin: Origin,
): Promise<Caller | undefined> {
  if (permission === 'none') return undefined
  const caller = await authenticate(c, authenticator, origin)
  if (permission !== 'self') requirePermission(caller.principal, permission)
  return caller
}

/** An escape that is none stays as it is. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** RFC 6750 section 2.1; the scheme in any case (RFC 9110 section 11.1). @throws DomainError token_… */
async function authenticate(c: Context<HttpEnv>, authenticator: Authenticator, origin: Origin): Promise<Caller> {
  const token = /^bearer +(\S+)$/i.exec(c.env.incoming.headers.authorization ?? '')?.[1]
  const principal = await authenticator.authenticate(token, origin)
  c.set('subject', principal.subject)
  return { principal, token: token ?? '' }
}

async function readJson(c: Context<HttpEnv>, maximumBytes?: number): Promise<string> {
  const type = c.env.incoming.headers['content-type']
  if (type !== undefined && !/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(type)) {
    throw new RequestError(415, 'The body must be application/json.')
  }
  const bytes = await readBytes(c.env.incoming, maximumBytes)
  // Decoding would make one sign of all that is none: passwords that differ would be the same.
  if (!isUtf8(bytes)) throw new RequestError(400, 'The body is not UTF-8.')
  return bytes.toString('utf8')
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
function respond(
  c: Context<HttpEnv>,
  status: number,
  body: string | Uint8Array<ArrayBuffer> | null,
  headers: Record<string, string>,
): Response {
  const common = {
    ...securityHeaders,
    'X-Request-Id': c.get('requestId'),
    'Cache-Control': 'no-store',
  }
  return new Response(body, { status, headers: { ...common, ...headers } })
}
