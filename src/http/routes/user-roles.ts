import { z } from 'zod'
import { DomainError, isDomainError } from '../../core/errors.ts'
import type { Sessions } from '../../core/sessions/sessions.ts'
import type { Users } from '../../core/users/users.ts'
import { RequestError } from '../validate.ts'
import { showUser } from './present-user.ts'
import { noContent, type Route, route } from './route.ts'
import { OwnPasswordBody, TokensQuery, UserBody, UserRoleParams } from './shapes/users.ts'

const tag = 'Users'

/** One role at a time: whoever gives one need not know the others. */
export function userRoleRoutes({ users }: { readonly users: Users }): readonly Route[] {
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
        return showUser(users, name)
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
        return showUser(users, name)
      },
    ),
  ]
}

/** What everybody may do. */
export function ownPasswordRoute(deps: {
  readonly users: Users
  readonly sessions: Pick<Sessions, 'confirmPassword'>
}): Route {
  const { users, sessions } = deps
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
