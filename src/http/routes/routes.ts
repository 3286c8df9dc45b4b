import { type AccessRouteDeps, accessRoutes } from './access.ts'
import { type AuditRouteDeps, auditRoutes } from './audit.ts'
import { type ClusterRouteDeps, clusterRoutes } from './clusters.ts'
import { docsRoutes } from './docs.ts'
import { type ExplainRouteDeps, explainRoutes } from './explain.ts'
import { type KeyRouteDeps, keyRoutes } from './keys.ts'
import { type LockRouteDeps, lockRoutes } from './locks.ts'
import { type LoginLockRouteDeps, loginLockRoutes } from './login-locks.ts'
import { type RevocationRouteDeps, revocationRoutes } from './revocations.ts'
import { type RoleRouteDeps, roleRoutes } from './roles.ts'
import type { Route } from './route.ts'
import { type SessionRouteDeps, sessionRoutes } from './sessions.ts'
import { type SettingsRouteDeps, settingsRoutes } from './settings.ts'
import { type TokenRouteDeps, tokenRoutes } from './tokens.ts'
import { type UserRouteDeps, userRoutes } from './users.ts'

export type RouteDeps = AccessRouteDeps &
  AuditRouteDeps &
  ClusterRouteDeps &
  ExplainRouteDeps &
  KeyRouteDeps &
  LockRouteDeps &
  LoginLockRouteDeps &
  RevocationRouteDeps &
  RoleRouteDeps &
  SessionRouteDeps &
  SettingsRouteDeps &
  TokenRouteDeps &
  UserRouteDeps

/** The whole native API. */
export function createRoutes(deps: RouteDeps): readonly Route[] {
  return [
    ...sessionRoutes(deps),
    ...userRoutes(deps),
    ...roleRoutes(deps),
    ...clusterRoutes(deps),
    ...revocationRoutes(deps),
    ...tokenRoutes(deps),
    ...lockRoutes(deps),
    ...loginLockRoutes(deps),
    ...keyRoutes(deps),
    ...auditRoutes(deps),
    ...explainRoutes(deps),
    ...accessRoutes(deps),
    ...settingsRoutes(deps),
    ...docsRoutes(),
  ]
}
