import { randomUUID } from 'node:crypto'
import type { Refusals } from '../audit/refusals.ts'
import type { Clock } from '../clock.ts'
import type { Cluster } from '../clusters/cluster.ts'
import type { ClusterStore } from '../clusters/cluster-store.ts'
import { DomainError, isDomainError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Revisions } from '../revisions.ts'
import type { LockStore } from '../revocation/lock-store.ts'
import type { Settings } from '../settings/settings.ts'
import type { IssuedToken, TokenIssuer } from '../tokens/token-issuer.ts'
import type { TokenProfile } from '../tokens/token-profile.ts'
import type { PasswordHasher } from '../users/password-hasher.ts'
import type { User, UserCredentials } from '../users/user.ts'
import type { UserStore } from '../users/user-store.ts'
import { bareActor, type Origin } from './actor.ts'
import { type LoginLimits, networkOf } from './login-limits.ts'

export interface Login {
  readonly name: string
  readonly password: string
  /** Absent or null = the configured lifetime; 0 = the longest allowed. */
  readonly requestedLifetimeMs?: number | null
  readonly profile: TokenProfile
  readonly origin: Origin
}

export interface Sessions {
  /**
   * Trades a name and a password for a token. Credentials are looked at before the lifetime (contract 1.3). A password
   * whose hash is outdated is hashed anew on the way.
   * Grants of a locked role are left out; that a user is locked is told only to who knows the password. What happens to
   * the user or the roles until the token is on disk counts: it is looked at anew then.
   * @throws DomainError field_missing (password), invalid_credentials, login_limited, locked, lifetime_invalid, too_busy
   */
  login(login: Login): Promise<IssuedToken>
  /**
   * Whoever is logged in shows that it is still the same person, before something that a stolen token must not do. Counts
   * as a login does.
   * @throws DomainError invalid_credentials, login_limited, too_busy
   */
  confirmPassword(attempt: Pick<Login, 'name' | 'password' | 'origin'>): Promise<void>
}

export interface SessionsDeps {
  readonly users: UserStore
  readonly clusters: ClusterStore
  readonly locks: Pick<LockStore, 'lockedRoleKeys'>
  readonly hasher: PasswordHasher
  readonly limits: LoginLimits
  readonly issuer: TokenIssuer
  readonly settings: Settings
  /** Is told why a login was refused, which is more than the caller is told. */
  readonly refusals: Pick<Refusals, 'note'>
  readonly clock: Clock
  readonly log: Logger
  /** Where given, the list of clusters is read anew only after something has changed. */
  readonly revisions?: Revisions
}

const minimumLifetimeMs = 60_000
/** How often a login begins anew because its user or roles were revoked meanwhile. */
const maximumTries = 4

export function createSessions(deps: SessionsDeps): Sessions {
  const { users, hasher, limits, issuer, settings, locks, clock } = deps
  const listClusters = cacheClusters(deps)

  /** What others have guessed wrongly while this login waited for its turn counts as well. */
  async function checkCredentials({
    name,
    password,
    origin,
  }: Pick<Login, 'name' | 'password' | 'origin'>): Promise<UserCredentials & { isOutdated: boolean }> {
    const attempt = { name, address: origin.address }
    await limits.admit(attempt)
    const credentials = await users.credentials(name)
    const turn = { asker: networkOf(origin.address), admit: () => limits.admitAtOnce(attempt) }
    const { isVerified, isOutdated } = await hasher.verify(password, credentials?.passwordHash, turn)
    if (!credentials || !isVerified || credentials.isDisabled) {
      await limits.failed(attempt)
      throw invalidCredentials(!credentials ? 'unknown_user' : isVerified ? 'disabled' : 'wrong_password')
    }
    limits.succeeded(attempt)
    return { ...credentials, isOutdated }
  }

  /** Its failure must not fail the login: the old hash goes on working. */
  async function rehash({ key, passwordHash }: UserCredentials, password: string): Promise<void> {
    try {
      await users.rehash(key, passwordHash, await hasher.hash(password))
    } catch (error) {
      deps.log.warn({ event: 'password.rehash_failed', userKey: key, error })
    }
  }

  /** @throws DomainError token_revoked where the user or a role was revoked since the credentials were read */
  async function tryLogin(login: Login): Promise<IssuedToken> {
    const { name, password, requestedLifetimeMs, profile, origin } = login
    const credentials = await checkCredentials(login)
    const { lockedUntil, asOf, isOutdated } = credentials
    if (lockedUntil && lockedUntil > clock.now()) throw new DomainError('locked', { name, until: lockedUntil })
    const lifetimeMs = planLifetime(requestedLifetimeMs, settings)
    const known = await users.get(name)
    // Removed, or removed and made anew, while the password was verified.
    if (!known || known.key !== credentials.key) throw invalidCredentials('unknown_user')
    if (known.isDisabled) throw invalidCredentials('disabled')
    const user = withoutRoles(known, await locks.lockedRoleKeys(clock.now()))
    const { claims, audience, reach } = profile.present(user, await listClusters())
    const roleKeys = [...new Set(user.roles.map((role) => role.key))]
    const session = randomUUID()
    const request = { subject: name, userKey: user.key, session, audience, reach, roleKeys, lifetimeMs, claims }
    const [issued] = await Promise.all([
      issuer.issue(request, bareActor(name, origin), { asOf }),
      isOutdated ? rehash(credentials, password) : undefined,
    ])
    return issued
  }

  async function persevere(login: Login): Promise<IssuedToken> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await tryLogin(login)
      } catch (error) {
        if (!isDomainError(error, 'token_revoked')) throw error
        if (tries === maximumTries) throw new DomainError('too_busy', { retryAfterSeconds: 1 })
      }
    }
  }

  return {
    async login(login) {
      if (login.password === '') throw new DomainError('field_missing', { field: 'password', what: 'password' })
      try {
        return await persevere(login)
      } catch (error) {
        const why = whyRefused(error)
        const { name, origin } = login
        const target = { kind: 'user', name } as const
        if (why !== undefined) deps.refusals.note({ action: 'login.refused', subject: name, origin, target, why })
        throw error
      }
    },

    async confirmPassword(attempt) {
      await checkCredentials(attempt)
    },
  }
}

/** The cause is for the auditor alone. */
function invalidCredentials(cause: 'unknown_user' | 'wrong_password' | 'disabled'): DomainError {
  return new DomainError('invalid_credentials', {}, { cause })
}

/** In one word; undefined for what is no refusal but an outage. */
function whyRefused(error: unknown): string | undefined {
  if (!(error instanceof DomainError) || error.code === 'storage_failed') return undefined
  return error.code === 'invalid_credentials' ? String(error.cause) : error.code
}

/** The user as a login sees it: roles that are locked give nothing. */
export function withoutRoles(user: User, keys: ReadonlySet<number>): User {
  if (!user.roles.some((role) => keys.has(role.key))) return user
  return { ...user, roles: user.roles.filter((role) => !keys.has(role.key)) }
}

/**
 * How long a token is to live (contract 1.3). The maximum is inclusive.
 * @throws DomainError lifetime_invalid
 */
function planLifetime(
  requestedMs: number | null | undefined,
  settings: Pick<Settings, 'tokenLifetimeMs' | 'maximumTokenLifetimeMs'>,
): number {
  const maximumMs = settings.maximumTokenLifetimeMs
  if (requestedMs === undefined || requestedMs === null) return settings.tokenLifetimeMs()
  if (requestedMs === 0) return maximumMs
  if (!(requestedMs >= minimumLifetimeMs)) throw new DomainError('lifetime_invalid', { bound: 'minimum', maximumMs })
  if (requestedMs > maximumMs) throw new DomainError('lifetime_invalid', { bound: 'maximum', maximumMs })
  return requestedMs
}

function cacheClusters({ clusters, revisions }: Pick<SessionsDeps, 'clusters' | 'revisions'>) {
  let cached: { readonly revision: number; readonly list: readonly Cluster[] } | undefined
  return async (): Promise<readonly Cluster[]> => {
    // Read before the list: a change in between leaves a cache that is already out of date, not one that is wrong.
    const revision = revisions?.directory()
    if (revision !== undefined && cached?.revision === revision) return cached.list
    const list = await clusters.list()
    if (revision !== undefined) cached = { revision, list }
    return list
  }
}
