import { z } from 'zod'
import type { Sessions } from '../../core/sessions/sessions.ts'
import type { UserSearch } from '../../core/users/user-search.ts'
import type { Users } from '../../core/users/users.ts'
import { preconditionOf } from '../conditions.ts'
import type { RunOnce } from '../once.ts'
import { pageOf, pageQuery, presentPart, readPage } from './page.ts'
import { presentFoundUser, replyWithUser, showUser, tagOfUser } from './present-user.ts'
import { noContent, type Route, route } from './route.ts'
import { NameParams } from './shapes/common.ts'
import { NewUserBody, TokensQuery, UserBody, UserPatch } from './shapes/users.ts'
import { ownPasswordRoute, userRoleRoutes } from './user-roles.ts'

export interface UserRouteDeps {
  readonly users: Users
  readonly userSearch: UserSearch
  readonly sessions: Pick<Sessions, 'confirmPassword'>
  readonly runOnce: RunOnce
}

const tag = 'Users'

/** Users, their roles and passwords. */
export function userRoutes(deps: UserRouteDeps): readonly Route[] {
  return [...readRoutes(deps), ...changeRoutes(deps), ...userRoleRoutes(deps), ownPasswordRoute(deps)]
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
        const page = { ...(after !== undefined && { after }), limit, isDescending: sort === '-name' }
        const { users: found, next } = await userSearch.find(filter, page)
        return { body: presentPart(found, next, presentFoundUser) }
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
      async ({ params }) => showUser(users, params.name),
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
            ...replyWithUser(made),
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
        const condition = preconditionOf(conditions, `The user ${name}`, tagOfUser)
        await users.update(name, change, {
          by: caller.principal,
          revokeNarrowed: query.tokens !== 'keep',
          ...condition,
        })
        return showUser(users, name)
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
        await users.delete(name, caller.principal, preconditionOf(conditions, `The user ${name}`, tagOfUser))
        return noContent
      },
    ),
  ]
}
