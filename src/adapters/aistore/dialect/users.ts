import type { z } from 'zod'
import { isDomainError } from '../../../core/errors.ts'
import type { Authenticator } from '../../../core/sessions/authenticator.ts'
import { requirePermission, requirePermissionOrSelf } from '../../../core/sessions/permission.ts'
import type { Principal } from '../../../core/sessions/principal.ts'
import type { Sessions } from '../../../core/sessions/sessions.ts'
import type { Users } from '../../../core/users/users.ts'
import { originOf } from '../../../http/env.ts'
import { aistoreTokenProfile } from '../acl.ts'
import { LoginBody, UserBody } from '../wire.ts'
import {
  acting,
  answer,
  atMostOneName,
  authenticate,
  type Call,
  CallError,
  done,
  nameOf,
  readBody,
  readPermittedBody,
} from './call.ts'
import { goJson } from './go-json.ts'
import { presentUser } from './present.ts'
import type { Route } from './routing.ts'
import { createUserList, type UserListDeps } from './user-list.ts'

export interface UserRouteDeps extends UserListDeps {
  readonly authenticator: Authenticator
  readonly sessions: Sessions
  readonly users: Users
  /** Whether a user who loses a role loses the tokens that carry it. */
  readonly isNarrowingRevoked: boolean
}

const nanosecondsPerMs = 1e6
/** A password and little else. Anybody may send one, and reading a large body takes a while. */
const maximumLoginBytes = 64 * 1024

/** `/v1/users`: log-in and users. */
export function userRoute(deps: UserRouteDeps): Route {
  const { authenticator, sessions, users, answers } = deps
  const listUsers = createUserList(deps)

  async function post(call: Call): Promise<Response> {
    const name = call.rest[0]
    return name === undefined ? create(call) : logIn(call, name)
  }

  async function logIn(call: Call, name: string): Promise<Response> {
    const body = await readBody(call, LoginBody, 'LoginMsg', { maximumBytes: maximumLoginBytes })
    // Told without an action, as AuthN does before it looks at the user at all.
    if (body.password === '') throw new CallError(401, 'empty password')
    const token = await acting(`generate token for ${name}`, () =>
      sessions.login({
        name,
        password: body.password,
        requestedLifetimeMs: body.expires_in === null ? null : body.expires_in / nanosecondsPerMs,
        profile: aistoreTokenProfile,
        origin: originOf(call.context, 'aistore'),
      }),
    )
    call.context.set('subject', name)
    return answer(call, `{"token": "${token.text}"}`)
  }

  async function create(call: Call): Promise<Response> {
    const permit = (by: Principal) => requirePermission(by, 'users:write')
    const { principal, body } = await readPermittedBody(call, { authenticator, permit }, UserBody, 'User')
    const roleNames = (body.roles ?? []).map((role) => role.name).filter((name) => name !== '')
    await acting(`add user ${body.id}`, async () => {
      try {
        await users.create({ name: body.id, password: body.pass, roleNames }, principal)
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
      requirePermission(principal, 'users:read')
      return answer(call, await listUsers())
    }
    requirePermissionOrSelf(principal, 'users:read', name)
    return answer(call, await answers.get(`user:${name}`, () => presented(name)))
  }

  async function presented(name: string): Promise<string> {
    const user = await users.get(name)
    if (user === undefined) throw new CallError(404, `user "${name}" does not exist`, 'ErrNotFound')
    return `${goJson(presentUser(user))}\n`
  }

  async function put(call: Call): Promise<Response> {
    const name = nameOf(call)
    // What is permitted depends on the body.
    const anybody = { authenticator, permit: () => undefined }
    const { principal, body } = await readPermittedBody(call, anybody, UserBody, 'User', { isBrief: true })
    const roleNames = (body.roles ?? []).map((role) => role.name).filter((role) => role !== '')
    checkUpdate(principal, name, body)
    await acting(`update user ${name}`, () =>
      users.update(
        name,
        {
          ...(body.pass === '' ? {} : { password: body.pass }),
          ...(roleNames.length === 0 ? {} : { roleNames }),
        },
        {
          by: principal,
          revokeNarrowed: deps.isNarrowingRevoked,
          // The SDK reads the user with the very token with which it has just changed the password.
          ...(principal.subject === name ? { keptToken: principal.fingerprint } : {}),
        },
      ),
    )
    return done(call)
  }

  async function remove(call: Call): Promise<Response> {
    const name = nameOf(call)
    const principal = await authenticate(call, authenticator)
    requirePermission(principal, 'users:write')
    await acting(`delete user ${name}`, () => users.delete(name, principal))
    return done(call)
  }

  const [list, path] = ['/v1/users', '/v1/users/{id}']
  return {
    allow: 'DELETE, GET, POST, PUT',
    handlers: {
      DELETE: { access: [{ path, need: 'users:write', what: 'Delete a user' }], handle: remove },
      GET: {
        access: [
          { path: list, need: 'users:read', what: 'List users' },
          { path, need: 'self', what: 'Show oneself' },
          { path, need: 'users:read', what: 'Show somebody else' },
        ],
        handle: get,
      },
      POST: {
        access: [
          { path: list, need: 'users:write', what: 'Make a user' },
          { path, need: 'none', what: 'Log in' },
        ],
        handle: post,
      },
      PUT: {
        access: [
          { path, need: 'self', what: 'Change the own password' },
          { path, need: 'users:write', what: "Change somebody else's password" },
          { path, need: 'roles:grant', what: "Change a user's roles" },
        ],
        handle: put,
      },
    },
  }
}

/** Anybody may change the own password, nobody the own roles without more. @throws DomainError permission_denied */
function checkUpdate(principal: Principal, name: string, { pass, roles }: z.output<typeof UserBody>): void {
  const isGiving = (roles ?? []).length > 0
  if (isGiving) requirePermission(principal, 'roles:grant', 'own_password')
  if (principal.subject === name || (isGiving && pass === '')) return
  requirePermission(principal, 'users:write', 'own_password')
}
