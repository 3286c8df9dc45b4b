import { z } from 'zod'
import { DomainError, isDomainError } from '../../core/errors.ts'
import type { Sessions } from '../../core/sessions/sessions.ts'
import type { User } from '../../core/users/user.ts'
import type { FoundUser, UserSearch } from '../../core/users/user-search.ts'
import type { Users } from '../../core/users/users.ts'
import { etagOf, preconditionOf } from '../conditions.ts'
import type { RunOnce } from '../once.ts'
import { RequestError } from '../validate.ts'
import { pageOf, pageQuery, presentPage, readPage } from './page.ts'
import { presentInstant } from './present-cluster.ts'
import { noContent, type Reply, type Route, route } from './route.ts'
import { NameParams } from './shapes/common.ts'
import { NewUserBody, OwnPasswordBody, TokensQuery, UserBody, UserPatch, UserRoleParams } from './shapes/users.ts'

export interface UserRouteDeps {
  readonly users: Users
  readonly userSearch: UserSearch
  readonly sessions: Pick<Sessions, 'confirmPassword'>
  readonly runOnce: RunOnce
}

const tag = 'Users'

/** Users, their roles and passwords. */
export function userRoutes(deps: UserRouteDeps): readonly Route[] {
  return [...readRoutes(deps), ...changeRoutes(deps), ...roleRoutes(deps), ownPasswordRoute(deps)]
}

function readRoutes({ users, userSearch }: UserRouteDeps): readonly Route[] {
  return [
    route(
      {
        method: 'get',
        path: '/users',
        permission: 'users:read',
        tag,
        summary: 'List users',
        query: z.strictObject({
          ...pageQuery,
          prefix: z.string().max(256).optional().meta({ description: 'How the name begins' }),
          role: z.string().min(1).max(256).optional().meta({ description: 'Those who have this role' }),
          disabled: z.enum(['true', 'false']).optional().meta({ description: 'Those who are, or are not' }),
          sort: z.enum(['name', '-name']).optional().meta({ description: '`-name` = from Z to A', default: 'name' }),
        }),
        answer: { status: 200, description: 'Users, sorted by name.', body: pageOf(UserBody) },
      },
      async ({ query }) => {
        const { after, limit } = readPage(query)
        const { prefix, role, disabled, sort } = query
        const filter = {
          ...(prefix !== undefined && { prefix }),
          ...(role !== undefined && { role }),
          ...(disabled !== undefined && { isDisabled: disabled === 'true' }),
        }
        const page = { ...(after !== undefined && { after }), limit: limit + 1, isDescending: sort === '-name' }
        const rows = await userSearch.find(filter, page)
        return { body: presentPage(rows, limit, ({ name }) => name, presentFoundUser) }
      },
    ),
    route(
      {
        method: 'get',
        path: '/users/{name}',
        permission: 'users:read',
        tag,
        summary: 'Show a user',
        params: NameParams,
        conditional: 'read',
        answer: { status: 200, description: 'The user.', body: UserBody },
        refusals: [404],
      },
      async ({ params }) => show(users, params.name),
    ),
  ]
}

function changeRoutes({ users, runOnce }: UserRouteDeps): readonly Route[] {
  return [
    route(
      {
        method: 'post',
        path: '/users',
        permission: 'users:write',
        tag,
        summary: 'Make a user',
        body: NewUserBody,
        isRepeatable: true,
        answer: { status: 201, description: 'The user.', body: UserBody },
        refusals: [409, 429, 503],
      },
      async ({ body: { name, password, roles = [] }, caller: { principal }, key }) => {
        const user = { name, password, roleNames: roles }
        return runOnce(
          { principal, key },
          (options: Parameters<Users['create']>[2]) => users.create(user, principal, options),
          (made) => ({
            ...reply(made),
            headers: { Location: `/api/v1/users/${encodeURIComponent(made.name)}` },
          }),
        )
      },
    ),
    route(
      {
        method: 'patch',
        path: '/users/{name}',
        permission: 'users:write',
        tag,
        summary: 'Change a user',
        description:
          'Roles, password, disabled or not: all or nothing. A new password and disabling revoke every token of the user; losing a role revokes those that carry it.',
        params: NameParams,
        query: z.strictObject(TokensQuery),
        body: UserPatch,
        conditional: 'change',
        answer: { status: 200, description: 'The user as it is then.', body: UserBody },
        refusals: [403, 404, 409, 429, 503],
      },
      async ({ params: { name }, query, body, caller, conditions }) => {
        const { password, roles, isDisabled } = body
        const change = {
          ...(password !== undefined && { password }),
          ...(roles !== undefined && { roleNames: roles }),
          ...(isDisabled !== undefined && { isDisabled }),
        }
        const condition = preconditionOf(conditions, `The user ${name}`, tagOf)
        await users.update(name, change, {
          by: caller.principal,
          revokeNarrowed: query.tokens !== 'keep',
          ...condition,
        })
        return show(users, name)
      },
    ),
    route(
      {
        method: 'delete',
        path: '/users/{name}',
        permission: 'users:write',
        tag,
        summary: 'Remove a user',
        description: 'Revokes every token of the user.',
        params: NameParams,
        conditional: 'change',
        answer: { status: 204, description: 'The user is gone.' },
        refusals: [403, 404, 409, 503],
      },
      async ({ params: { name }, caller, conditions }) => {
        await users.delete(name, caller.principal, preconditionOf(conditions, `The user ${name}`, tagOf))
        return noContent
      },
    ),
  ]
}

/** One role at a time: whoever gives one need not know the others. */
function roleRoutes({ users }: UserRouteDeps): readonly Route[] {
  return [
    route(
      {
        method: 'put',
        path: '/users/{name}/roles/{role}',
        permission: 'roles:grant',
        tag,
        summary: 'Give a user a role',
        description: 'Beside those that the user has. Tokens that there are don\u2019t learn of it: log in anew.',
        params: UserRoleParams,
        answer: { status: 200, description: 'The user, who has the role.', body: UserBody },
        refusals: [404, 503],
      },
      async ({ params: { name, role }, caller }) => {
        try {
          await users.update(name, { givenRoleNames: [role] }, { by: caller.principal })
        } catch (error) {
          throw isDomainError(error, 'roles_unknown') ? new DomainError('role_not_found', { name: role }) : error
        }
        return show(users, name)
      },
    ),
    route(
      {
        method: 'delete',
        path: '/users/{name}/roles/{role}',
        permission: 'roles:grant',
        tag,
        summary: 'Take a role away from a user',
        description: 'Revokes the tokens of the user that carry it. A role that the user has not is no failure.',
        params: UserRoleParams,
        query: z.strictObject(TokensQuery),
        answer: { status: 200, description: 'The user, who has the role no more.', body: UserBody },
        refusals: [404, 409, 503],
      },
      async ({ params: { name, role }, query, caller }) => {
        const options = { by: caller.principal, revokeNarrowed: query.tokens !== 'keep' }
        await users.update(name, { takenRoleNames: [role] }, options)
        return show(users, name)
      },
    ),
  ]
}

function ownPasswordRoute({ users, sessions }: UserRouteDeps): Route {
  return route(
    {
      method: 'put',
      path: '/whoami/password',
      permission: 'self',
      tag: 'Sessions',
      summary: 'Change the own password',
      description: 'Revokes every other token of the user. Wrong guesses of the present one count as failed logins do.',
      body: OwnPasswordBody,
      answer: { status: 204, description: 'The password is changed; the token that is shown stays good.' },
      refusals: [403, 429, 503],
    },
    async ({ body: { currentPassword, newPassword }, caller: { principal }, origin }) => {
      const { subject, fingerprint } = principal
      try {
        await sessions.confirmPassword({ name: subject, password: currentPassword, origin })
      } catch (error) {
        if (!isDomainError(error, 'invalid_credentials')) throw error
        const detail = 'is not the password of the user'
        throw new RequestError(422, `The present password ${detail}.`, [
          { in: 'body', field: 'currentPassword', detail },
        ])
      }
      await users.update(subject, { password: newPassword }, { by: principal, keptToken: fingerprint })
      return noContent
    },
  )
}

async function show(users: Pick<Users, 'get'>, name: string): Promise<Reply<UserBody>> {
  const user = await users.get(name)
  if (user === undefined) throw new DomainError('user_not_found', { name })
  return reply(user)
}

function reply(user: User) {
  const body = presentUser(user)
  return { body, etag: etagOf(body), headers: {} }
}

function tagOf(user: User): string {
  return etagOf(presentUser(user))
}

function presentUser({ roles, ...user }: User): UserBody {
  return presentFoundUser({ ...user, roleNames: [...new Set(roles.map(({ name }) => name))] })
}

function presentFoundUser({ name, roleNames, isDisabled, isBuiltIn, createdAt, changedAt }: FoundUser): UserBody {
  return {
    name,
    roles: [...roleNames],
    isDisabled,
    isBuiltIn,
    createdAt: presentInstant(createdAt),
    changedAt: presentInstant(changedAt),
  }
}
