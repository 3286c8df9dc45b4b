import { DomainError, isDomainError } from '../../../core/errors.ts'
import type { Revisions } from '../../../core/revisions.ts'
import type { RoleStore } from '../../../core/roles/role-store.ts'
import {
  type Authenticator,
  requireAdministrator,
  requireAdministratorOrSelf,
} from '../../../core/sessions/authenticator.ts'
import type { Sessions } from '../../../core/sessions/sessions.ts'
import type { Users } from '../../../core/users/users.ts'
import { aistoreTokenProfile } from '../acl.ts'
import { LoginBody, UserBody } from '../wire.ts'
import type { Answers } from './answers.ts'
import { acting, answer, atMostOneName, authenticate, type Call, CallError, done, nameOf, readBody } from './call.ts'
import { goJson } from './go-json.ts'
import { presentRole, presentUser } from './present.ts'
import type { Route } from './routing.ts'

export interface UserRouteDeps {
  readonly authenticator: Authenticator
  readonly sessions: Sessions
  readonly users: Users
  readonly roleStore: RoleStore
  readonly revisions: Revisions
  readonly answers: Answers
}

const nanosecondsPerMs = 1e6
/** Users that are read and written in one go of a long list, so that others are served in between. */
const pageSize = 1000

/** `/v1/users`: log-in and users. */
export function userRoute(deps: UserRouteDeps): Route {
  const { authenticator, sessions, users, answers } = deps

  async function post(call: Call): Promise<Response> {
    const name = call.rest[0]
    return name === undefined ? create(call) : logIn(call, name)
  }

  async function logIn(call: Call, name: string): Promise<Response> {
    const body = await readBody(call, LoginBody, 'LoginMsg')
    // Told without an action, as AuthN does before it looks at the user at all.
    if (body.password === '') throw new CallError(401, 'empty password')
    const token = await acting(`generate token for ${name}`, () =>
      sessions.login({
        name,
        password: body.password,
        requestedLifetimeMs: body.expires_in === null ? null : body.expires_in / nanosecondsPerMs,
        profile: aistoreTokenProfile,
      }),
    )
    return answer(call, `{"token": "${token.text}"}`)
  }

  async function create(call: Call): Promise<Response> {
    requireAdministrator(await authenticate(call, authenticator))
    const body = await readBody(call, UserBody, 'User')
    const roleNames = (body.roles ?? []).map((role) => role.name).filter((name) => name !== '')
    await acting(`add user ${body.id}`, async () => {
      try {
        await users.create({ name: body.id, password: body.pass, roleNames })
      } catch (error) {
        // AuthN's words for a missing name or password, and its status, which is not that of a failed log-in.
        throw isDomainError(error, 'field_missing') ? new CallError(400, 'invalid credentials') : error
      }
    })
    return done(call)
  }

  async function get(call: Call): Promise<Response> {
    const name = atMostOneName(call)
    const principal = await authenticate(call, authenticator)
    if (name === undefined) {
      requireAdministrator(principal)
      return answer(call, await listed())
    }
    requireAdministratorOrSelf(principal, name)
    const body = await answers.get(`user:${name}`, async () => {
      const user = await users.get(name)
      if (user === undefined) throw new CallError(404, `user "${name}" does not exist`, 'ErrNotFound')
      return `${goJson(presentUser(user))}\n`
    })
    return answer(call, body)
  }

  /** Short lists as kept bytes; long ones as a stream, a page at a time. */
  async function listed(): Promise<Uint8Array<ArrayBuffer> | ReadableStream> {
    const roleTexts = await presentedRoles()
    const first = await users.list({ limit: pageSize })
    if (first.length < pageSize) {
      return answers.get('users', async () => {
        const rows = (await users.list({ limit: pageSize })).map((row) => presentRow(row, roleTexts))
        return `{${rows.join(',')}}\n`
      })
    }
    let page = first
    let isFirst = true
    const encoder = new TextEncoder()
    return new ReadableStream({
      async pull(controller) {
        const rows = page.map((row) => presentRow(row, roleTexts)).join(',')
        const last = page.at(-1)
        const isEnd = page.length < pageSize || last === undefined
        controller.enqueue(encoder.encode(`${isFirst ? '{' : rows === '' ? '' : ','}${rows}${isEnd ? '}\n' : ''}`))
        isFirst = false
        if (isEnd) return controller.close()
        await new Promise((resolve) => setImmediate(resolve))
        page = await users.list({ after: last.name, limit: pageSize })
      },
    })
  }

  let presented: { readonly revision: number; readonly texts: ReadonlyMap<number, string> } | undefined

  async function presentedRoles(): Promise<ReadonlyMap<number, string>> {
    const revision = deps.revisions.directory()
    if (presented?.revision === revision) return presented.texts
    const roles = await deps.roleStore.list()
    const texts = new Map(roles.map((role) => [role.key, goJson(presentRole(role))]))
    presented = { revision, texts }
    return texts
  }

  function presentRow(
    row: { readonly name: string; readonly roleKeys: readonly number[] },
    roles: ReadonlyMap<number, string>,
  ) {
    const name = goJson(row.name)
    const held = row.roleKeys.map((key) => roles.get(key)).filter((text) => text !== undefined)
    return `${name}:{"id":${name},"roles":[${held.join(',')}]}`
  }

  async function put(call: Call): Promise<Response> {
    const name = nameOf(call)
    const principal = await authenticate(call, authenticator)
    const body = await readBody(call, UserBody, 'User', { isBrief: true })
    const roleNames = (body.roles ?? []).map((role) => role.name).filter((role) => role !== '')
    const isOwnPassword = principal.subject === name && (body.roles ?? []).length === 0
    if (!principal.isAdministrator && !isOwnPassword) {
      const { subject, expiresAt } = principal
      throw new DomainError('permission_denied', { needs: 'own_password', subject, expiresAt })
    }
    await acting(`update user ${name}`, () =>
      users.update(name, {
        ...(body.pass === '' ? {} : { password: body.pass }),
        ...(roleNames.length === 0 ? {} : { roleNames }),
      }),
    )
    return done(call)
  }

  async function remove(call: Call): Promise<Response> {
    const name = nameOf(call)
    requireAdministrator(await authenticate(call, authenticator))
    await acting(`delete user ${name}`, () => users.delete(name))
    return done(call)
  }

  return { allow: 'DELETE, GET, POST, PUT', handlers: { DELETE: remove, GET: get, POST: post, PUT: put } }
}
