import { randomBytes } from 'node:crypto'
import { createRefusals } from '../../../src/core/audit/refusals.ts'
import type { Propagation } from '../../../src/core/revocation/propagation.ts'
import { createAuthenticator } from '../../../src/core/sessions/authenticator.ts'
import { createLoginLimits } from '../../../src/core/sessions/login-limits.ts'
import { createSessions } from '../../../src/core/sessions/sessions.ts'
import type { Settings } from '../../../src/core/settings/settings.ts'
import { createTokenIssuer } from '../../../src/core/tokens/token-issuer.ts'
import type { TokenProfile } from '../../../src/core/tokens/token-profile.ts'
import { createTokenVerifier } from '../../../src/core/tokens/token-verifier.ts'
import { createPasswordHasher } from '../../../src/core/users/password-hasher.ts'
import { createUsers } from '../../../src/core/users/users.ts'
import { deedAt, op, origin } from '../../actors.ts'
import { createTestRing } from '../keys/ring-parts.ts'

export const hourMs = 3_600_000

export const settings: Settings = {
  tokenLifetimeMs: () => 24 * hourMs,
  maximumTokenLifetimeMs: 2160 * hourMs,
  logLevel: () => 3,
  isSharedSecretSet: () => false,
  change: () => Promise.reject(new Error('not here')),
  describe: () => Promise.reject(new Error('not here')),
}

/** Claims that name the user's roles, for an audience of all clusters. */
export const profile: TokenProfile = {
  name: 'plain',
  present: (user, clusters) => ({
    claims: { roles: user.roles.map(({ name }) => name) },
    audience: clusters.map(({ id }) => id),
    reach: clusters.map(({ id }) => id),
  }),
}

/** Nobody is waited for. */
export const propagation: Propagation = { reached: async () => undefined }

/** The whole security core on a store in memory, with an administrator `admin` and a user `ann` who share a password. */
export async function startSessions() {
  const parts = await createTestRing()
  const { store, clock, log } = parts
  const password = randomBytes(12).toString('base64')
  const hasher = createPasswordHasher({ concurrency: 2 })
  const users = createUsers({ users: store.users, hasher, clock, propagation, budgetMs: 250 })
  await users.ensureFirstAdministrator({ name: 'admin', password })
  await store.roles.insert({ name: 'readers', description: '', grants: [], annotations: {} }, deedAt(clock.now()))
  await users.create({ name: 'ann', password, roleNames: ['readers'] }, op)

  const { users: userStore, clusters, locks, tokens, revisions } = store
  const issuer = createTokenIssuer({ ...parts, tokens, issuer: 'http://issuer' })
  const verifier = createTokenVerifier({ ...parts, cacheSize: 100 })
  const limits = createLoginLimits({ locks: store.loginLocks, clock, log })
  const refusals = createRefusals({ audit: store.audit, clock, log })
  const own = { limits, refusals, clock, log, revisions }
  const deps = { users: userStore, clusters, locks, hasher, issuer, settings, ...own }
  const sessions = createSessions(deps)
  return {
    ...parts,
    password,
    users,
    issuer,
    verifier,
    deps,
    sessions,
    authenticator: createAuthenticator({ verifier, tokens, issuer: 'http://issuer', clock }),
    login: (name: string, requestedLifetimeMs?: number | null) =>
      sessions.login({
        name,
        password,
        profile,
        ...(requestedLifetimeMs === undefined ? {} : { requestedLifetimeMs }),
        origin,
      }),
  }
}
