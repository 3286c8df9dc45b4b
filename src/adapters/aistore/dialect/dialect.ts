/**
 * AIStore's AuthN as its clients know it: every route, status, phrase and oddity of contract section 1, over Gatehouse's
 * own rules. This folder owns AIStore's words and shapes; it decides nothing that another dialect would decide as well.
 */
import type { Context } from 'hono'
import type { Revisions } from '../../../core/revisions.ts'
import type { HttpEnv } from '../../../http/env.ts'
import { createAnswers } from './answers.ts'
import { type ClusterRouteDeps, clusterRoute } from './clusters.ts'
import { type DaemonRouteDeps, daemonRoute } from './daemon.ts'
import { failure } from './errors.ts'
import { discoveryRoute, jwksRoute, type KeyRouteDeps, publicKeyRoute, rotateKeyRoute } from './keys.ts'
import { type RoleRouteDeps, roleRoute } from './roles.ts'
import { type Access, createRouter, type Route, type RouterDeps } from './routing.ts'
import { type TokenRouteDeps, tokenRoute } from './tokens.ts'
import { type UserRouteDeps, userRoute } from './users.ts'

export interface AistoreDialectDeps
  extends Omit<UserRouteDeps, 'answers' | 'roleStore'>,
    Omit<RoleRouteDeps, 'answers'>,
    Omit<ClusterRouteDeps, 'answers'>,
    DaemonRouteDeps,
    KeyRouteDeps,
    TokenRouteDeps,
    RouterDeps {
  readonly revisions: Revisions
}

/** What the HTTP edge mounts: a handler for everything at the root, and how it tells of what went wrong around it. */
export interface Dialect {
  /** Where its routes begin. */
  readonly paths: readonly string[]
  /** What each of its calls needs. */
  readonly access: readonly (Access & { readonly method: string })[]
  readonly handle: (context: Context<HttpEnv>) => Promise<Response>
  /** Something broke that is nobody's fault but ours; the log knows more. */
  readonly broken: (context: Context<HttpEnv>) => Response
}

export function createAistoreDialect(deps: AistoreDialectDeps): Dialect {
  const answers = createAnswers(deps.revisions)
  const routes = new Map<string, Route>([
    ['v1/users', userRoute({ ...deps, answers })],
    ['v1/roles', roleRoute({ ...deps, answers })],
    ['v1/clusters', clusterRoute({ ...deps, answers })],
    ['v1/tokens', tokenRoute(deps)],
    ['v1/daemon', daemonRoute(deps)],
    ['v1/public-key', publicKeyRoute(deps)],
    ['v1/rotate-key', rotateKeyRoute(deps)],
    ['.well-known/openid-configuration', discoveryRoute(deps)],
    ['.well-known/jwks.json', jwksRoute(deps)],
  ])
  const describe = (context: Context<HttpEnv>) => ({ context, method: context.req.method, path: context.req.path })
  return {
    paths: [...routes.keys()].map((path) => `/${path}`),
    access: [...routes.values()].flatMap(({ handlers }) =>
      Object.entries(handlers).flatMap(([method, handler]) =>
        (handler?.access ?? []).map((row) => ({ method, ...row })),
      ),
    ),
    handle: createRouter(routes, deps),
    broken: (context) =>
      failure(
        describe(context),
        500,
        `internal error (request ${context.get('requestId')}); the server's log says more`,
      ),
  }
}
