/** Paths and methods as Go's ServeMux and AuthN's handlers treat them (contract 1.1). */
import type { Context } from 'hono'
import { denialIn, type Refusals } from '../../../core/audit/refusals.ts'
import type { Clock } from '../../../core/clock.ts'
import type { Permission } from '../../../core/sessions/permission.ts'
import { type HttpEnv, originOf } from '../../../http/env.ts'
import { ActionError, type Call, type Handler, respond } from './call.ts'
import { presentFailure } from './errors.ts'

/** What a call needs: a permission, `self` = whoever is logged in, `none` = anybody at all. */
export interface Access {
  /** As OpenAPI writes it. */
  readonly path: string
  readonly need: Permission | 'self' | 'none'
  /** A few words: which calls of the path are meant, what for. */
  readonly what: string
}

export interface Route {
  /** Value of the Allow header, in the order in which AuthN lists it. */
  readonly allow: string
  readonly handlers: Readonly<
    Partial<
      Record<
        string,
        {
          /** The handler asks for it itself, when AuthN does: some calls are refused for other reasons first. */
          readonly access: readonly [Access, ...Access[]]
          readonly handle: Handler
        }
      >
    >
  >
}

/** Keyed by the first two path segments, for instance `v1/users`. */
export type RouteTable = ReadonlyMap<string, Route>

export interface RouterDeps {
  readonly clock: Clock
  /** Is told who was denied what. */
  readonly refusals: Pick<Refusals, 'note'>
}

/** Answers everything that reaches AIStore's part of the port, also what it doesn't know. */
export function createRouter(routes: RouteTable, { clock, refusals }: RouterDeps) {
  return async (context: Context<HttpEnv>): Promise<Response> => {
    const target = originForm(context.env.incoming.url ?? '/')
    const queryAt = target.indexOf('?')
    const rawPath = queryAt < 0 ? target : target.slice(0, queryAt)
    const path = decodePath(rawPath)
    if (path === undefined) return plainText(context, 400, '400 Bad Request')
    const clean = cleanPath(rawPath)
    if (clean !== rawPath) return redirect(context, clean + (queryAt < 0 ? '' : target.slice(queryAt)))

    const [first, second] = rawPath.slice(1).split('/', 2)
    const route = routes.get(`${decodePath(first ?? '')}/${decodePath(second ?? '')}`)
    if (route === undefined) return plainText(context, 404, '404 page not found\n')
    const { method } = context.req
    const handler = route.handlers[method]
    if (handler === undefined) {
      if (method === 'OPTIONS') return respond({ context }, 200, null, { Allow: route.allow, 'Content-Length': '0' })
      return plainText(context, 405, 'Method Not Allowed\n', { Allow: route.allow })
    }
    const call: Call = { context, method, path, rest: path.split('/').filter(Boolean).slice(2) }
    try {
      return await handler.handle(call)
    } catch (error) {
      const name = `${method} /${path.split('/').slice(1, 3).join('/')}`
      noteDenial(call, name, error, refusals)
      return presentFailure(call, error, clock.now())
    }
  }
}

/** Tells the audit who was denied what. */
function noteDenial({ context }: Call, name: string, thrown: unknown, refusals: RouterDeps['refusals']): void {
  const denial = denialIn(thrown instanceof ActionError ? thrown.cause : thrown)
  const target = { kind: 'route', name } as const
  if (denial !== undefined) refusals.note({ ...denial, origin: originOf(context, 'aistore'), target })
}

/** A request line may hold a whole URL (RFC 9112, absolute-form): the path and query of it count. */
function originForm(target: string): string {
  return target.startsWith('/') ? target : target.replace(/^https?:\/\/[^/?]*/i, '').replace(/^(?!\/)/, '/')
}

/** Undefined where an escape isn't two hex digits. Bytes that are no UTF-8 are fine to Go. */
function decodePath(raw: string): string | undefined {
  if (!raw.includes('%')) return raw
  return /%(?![0-9a-fA-F]{2})/.test(raw) ? undefined : Buffer.from(unescapeBytes(raw), 'latin1').toString('utf8')
}

function unescapeBytes(raw: string): string {
  return raw.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** Go's path.Clean with a trailing slash kept: no `//`, `/./`, `/../`. */
export function cleanPath(path: string): string {
  if (!/\/\/|\/\.{1,2}(\/|$)/.test(path) && path.startsWith('/')) return path
  const kept: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue
    if (segment === '..') kept.pop()
    else kept.push(segment)
  }
  const clean = `/${kept.join('/')}`
  return clean !== '/' && path.endsWith('/') ? `${clean}/` : clean
}

function redirect(context: Context<HttpEnv>, location: string): Response {
  if (context.req.method !== 'GET')
    return respond({ context }, 307, null, { Location: location, 'Content-Length': '0' })
  const href = location.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&#34;')
  const html = `<a href="${href}">Temporary Redirect</a>.\n\n`
  return respond({ context }, 307, html, { Location: location, 'Content-Type': 'text/html; charset=utf-8' })
}

function plainText(
  context: Context<HttpEnv>,
  status: 400 | 404 | 405,
  text: string,
  headers: Record<string, string> = {},
): Response {
  return respond({ context }, status, text, {
    'Content-Type': 'text/plain; charset=utf-8',
    'X-Content-Type-Options': 'nosniff',
    ...headers,
  })
}
