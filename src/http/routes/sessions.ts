import type { Revocations } from '../../core/revocation/revocations.ts'
import { permissionsOf } from '../../core/sessions/permission.ts'
import type { Sessions } from '../../core/sessions/sessions.ts'
import type { TokenProfile } from '../../core/tokens/token-profile.ts'
import type { Users } from '../../core/users/users.ts'
import { noContent, type Route, route } from './route.ts'
import { LoginBody, NewSession, Whoami } from './shapes/sessions.ts'

export interface SessionRouteDeps {
  readonly sessions: Pick<Sessions, 'login'>
  readonly revocations: Pick<Revocations, 'revokeByText'>
  readonly users: Pick<Users, 'get'>
  /** How tokens are filled. */
  readonly profile: TokenProfile
}

const tag = 'Sessions'
/** Anybody at all may send one: a name and a password are short. */
const maximumBytes = 64 * 1024

/** Logging in and out, and who one is. */
export function sessionRoutes({ sessions, revocations, users, profile }: SessionRouteDeps): readonly Route[] {
  return [
    route(
      {
        method: 'post',
        path: '/sessions',
        permission: 'none',
        tag,
        summary: 'Log in',
        description: 'Trades a name and a password for a token.',
        body: LoginBody,
        maximumBytes,
        answer: { status: 201, description: 'A new token. It is shown this once.', body: NewSession },
        refusals: [401, 403, 429, 503],
      },
      async ({ body: { name, password, lifetimeSeconds }, origin }) => {
        const requestedLifetimeMs = lifetimeSeconds === undefined ? null : lifetimeSeconds * 1000
        const { text, jti, expiresAt } = await sessions.login({
          name,
          password,
          requestedLifetimeMs,
          profile,
          origin,
        })
        return { body: { token: text, jti, subject: name, expiresAt: expiresAt.toISOString() } }
      },
    ),
    route(
      {
        method: 'delete',
        path: '/sessions/current',
        permission: 'self',
        tag,
        summary: 'Log out',
        description: 'Revokes the token that is shown, on every cluster.',
        answer: { status: 204, description: 'The token is revoked.' },
        refusals: [503],
      },
      async ({ caller }) => {
        await revocations.revokeByText(caller.token, { by: caller.principal, reason: 'logged out' })
        return noContent
      },
    ),
    route(
      {
        method: 'get',
        path: '/whoami',
        permission: 'self',
        tag,
        summary: 'Show who is logged in',
        answer: { status: 200, description: 'The user and the token that is shown.', body: Whoami },
      },
      async ({ caller: { principal } }) => {
        const { subject, isAdministrator, authorities, jti, session, expiresAt } = principal
        const user = await users.get(subject)
        return {
          body: {
            subject,
            isAdministrator,
            authorities: authorities.map(({ role, clusterId }) => ({ role, cluster: clusterId })),
            permissions: [...permissionsOf(principal)],
            roles: [...new Set(user?.roles.map((role) => role.name))],
            token: { jti, session, expiresAt: expiresAt.toISOString() },
          },
        }
      },
    ),
  ]
}
