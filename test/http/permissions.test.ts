import { randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  aistoreCalls,
  type CallerKind,
  type CallRow,
  callers,
  isAllowed,
  nativeCalls,
} from '../../scripts/reference/permissions.ts'
import type { Handler } from '../../src/adapters/aistore/dialect/call.ts'
import type { Route } from '../../src/adapters/aistore/dialect/routing.ts'
import { startService, type TestService } from '../service.ts'

// The matrix of calls and callers, each over HTTP: refused (401 or 403), or let through to whatever comes of it. What
// paths and bodies name isn't there, so that nothing is changed; under a shared secret no key can be rotated.

let service: TestService
const tokens = new Map<CallerKind, string>()
const password = randomBytes(12).toString('base64url')

beforeAll(async () => {
  service = await startService({ algorithm: 'HS256', clusters: ['one'] })
  const roleOf: Record<Exclude<CallerKind, 'nobody'>, readonly string[]> = {
    user: [],
    cluster_administrator: [`gatehouse:cluster-administrator:${service.cluster('one').uuid}`],
    auditor: ['gatehouse:auditor'],
    operator: ['gatehouse:operator'],
    administrator: ['Admin'],
  }
  for (const [caller, roles] of Object.entries(roleOf)) {
    await service.makeUser(caller.replace('_', '-'), password, roles)
    tokens.set(caller as CallerKind, await logIn(caller as CallerKind))
  }
  return () => service[Symbol.asyncDispose]()
})

const nameOf = (caller: CallerKind) => caller.replace('_', '-')
const logIn = (caller: CallerKind) => service.login(nameOf(caller), password)

const unknown: Readonly<Record<string, string>> = { id: '999999' }

/** A call that would do nothing even where it is allowed. */
function aim({ method, path, need, what }: CallRow, caller: CallerKind) {
  const isAboutSelf = need === 'self' && path.startsWith('/v1/users/')
  const target = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    isAboutSelf ? nameOf(caller) : (unknown[name] ?? 'nosuch'),
  )
  if (method === 'GET') return { target }
  if (path === '/v1/users/{id}' && need === 'none') return { target, body: '{' }
  if (what === "Change a user's roles") return { target, body: { roles: [{ name: 'nosuch' }] } }
  if (/password/.test(what)) return { target, body: { pass: password } }
  return { target, body: {} }
}

async function statusOf(row: CallRow, caller: CallerKind): Promise<number> {
  const { target, body } = aim(row, caller)
  // Logging out costs the token.
  const token = row.path.endsWith('/sessions/current') && caller !== 'nobody' ? await logIn(caller) : tokens.get(caller)
  const headers = { 'content-type': 'application/json' }
  return (await service.request(row.method, target, { token, headers, ...(body === undefined ? {} : { body }) })).status
}

function presentRow({ method, path, what }: CallRow) {
  return `${method} ${path}: ${what}`
}

describe.each([
  ['the native API', nativeCalls()],
  ["AIStore's dialect", aistoreCalls()],
])('%s', (_name, rows) => {
  test.each(rows.map((row) => [presentRow(row), row] as const))('%s', async (_title, row) => {
    const seen = await Promise.all(callers.map(async (caller) => [caller, await statusOf(row, caller)] as const))
    const isLetThrough = (status: number) => status !== 401 && status !== 403
    expect(Object.fromEntries(seen.map(([caller, status]) => [caller, isLetThrough(status) || status]))).toEqual(
      Object.fromEntries(seen.map(([caller, status]) => [caller, isAllowed(caller, row.need) || status])),
    )
    for (const [caller, status] of seen) {
      if (isAllowed(caller, row.need)) continue
      const isNative = row.path.startsWith('/api/v1')
      expect([caller, status]).toEqual([caller, isNative && caller !== 'nobody' ? 403 : 401])
    }
  })
})

describe('the matrix is whole:', () => {
  test('every operation of the OpenAPI document is in it, with the permission that the document tells', async () => {
    type Operations = Readonly<Record<string, { readonly 'x-permission': string }>>
    const answer = await service.request('GET', '/api/v1/openapi.json')
    const { paths } = answer.json() as { readonly paths: Readonly<Record<string, Operations>> }
    const documented = Object.entries(paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, operation]) => [
        `${method.toUpperCase()} /api/v1${path}`,
        operation['x-permission'],
      ]),
    )
    const listed = nativeCalls().map(({ method, path, need }) => [`${method} ${path}`, need])
    expect(listed.sort()).toEqual(documented.sort())
  })

  test('a call of AIStore\u2019s dialect that does not say what it needs does not compile', () => {
    const handle: Handler = () => Promise.reject(new Error('not called'))
    const routes: readonly Route[] = [
      // @ts-expect-error nothing is said
      { allow: 'GET', handlers: { GET: { handle } } },
      // @ts-expect-error nothing is in what is said
      { allow: 'GET', handlers: { GET: { access: [], handle } } },
      // @ts-expect-error nobody knows this permission
      { allow: 'GET', handlers: { GET: { access: [{ path: '/v1/x', need: 'x:read', what: 'Read' }], handle } } },
    ]
    expect(routes).toHaveLength(3)
  })

  test('every method that a path of AIStore allows is in it', async () => {
    const rows = aistoreCalls()
    const roots = new Set(rows.map(({ path }) => path.split('/').slice(0, 3).join('/')))
    expect(roots.size).toBe(9)
    for (const root of roots) {
      const allowed = (await service.request('OPTIONS', root)).headers.get('allow')?.split(', ') ?? []
      const listed = rows.filter(({ path }) => path === root || path.startsWith(`${root}/`)).map(({ method }) => method)
      expect([root, ...new Set(listed)].sort()).toEqual([root, ...allowed].sort())
    }
  })
})
