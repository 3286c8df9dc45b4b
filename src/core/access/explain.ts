import { type Cluster, type ClusterKind, presentClusterName } from '../clusters/cluster.ts'
import type { ClusterStore } from '../clusters/cluster-store.ts'
import { DomainError } from '../errors.ts'
import type { Revisions } from '../revisions.ts'
import type { LockStore } from '../revocation/lock-store.ts'
import type { Role } from '../roles/role.ts'
import type { RoleStore } from '../roles/role-store.ts'
import { withoutRoles } from '../sessions/sessions.ts'
import type { User } from '../users/user.ts'
import type { UserStore } from '../users/user-store.ts'
import type { Authorizer, Decision, Question } from './authorizer.ts'
import { nearest } from './near.ts'
import { findRemedies, type Remedies } from './remedies.ts'
import { readToken, type TokenInHand, type TokenReaderDeps, type TokenReference } from './token-in-hand.ts'
import { type Circumstance, type Enforcement, judge, type Verdict } from './verdict.ts'

/** What is asked, as people write it. */
export interface AccessRequest {
  readonly permission: string
  /** Id or alias. */
  readonly cluster: string
  /** What inside the cluster; null = the cluster as a whole. */
  readonly resource: string | null
}

/** Who may be told what, which is for the caller to know. */
export interface ExplainOptions {
  /** Throws where the asker may not be told of this cluster, or of this user. */
  readonly permit: (about: { readonly subject: string; readonly clusterId: string }) => void
  /** Names of things that the asker didn't name: suggestions, and roles that would help. */
  readonly showsOthers: boolean
}

export interface Explanation extends Verdict {
  readonly subject: string
  readonly action: string
  readonly cluster: Cluster
  readonly resource: string | null
  /** What the entries say by themselves. */
  readonly decision: Decision
  /** The user's roles give it, and the user gets tokens; of a token in hand: it says so and is good. */
  readonly isGiven: boolean
  /** The user's roles that administer; they decide before any entry. */
  readonly administratorRoles: readonly string[]
  /** Roles of the user that give nothing now, since they are locked. */
  readonly lockedRoles: readonly string[]
  /** What else is to be known, sentences. */
  readonly remarks: readonly string[]
  /** Where the roles don't give it; null where they do, or others are not to be shown. */
  readonly remedies: Remedies | null
}

export interface TokenExplanation extends Explanation {
  readonly token: TokenInHand
  /** By the roles as they are now; null where the user is gone. */
  readonly now: Explanation | null
  /** The token against the roles now, for this question alone. */
  readonly difference: 'none' | 'token_allows_more' | 'token_allows_less'
}

export interface Explain {
  /**
   * What the cluster would answer to a token that the user got now.
   * @throws DomainError user_not_found, cluster_not_found, field_invalid (permission, bucket), and what `permit` throws
   */
  ofUser(name: string, request: AccessRequest, options: ExplainOptions): Promise<Explanation>
  /**
   * What the cluster answers to a token, which may be older than the roles, and how that differs from now.
   * @throws DomainError token_not_found, cluster_not_found, field_invalid, and what `permit` throws
   */
  ofToken(token: TokenReference, request: AccessRequest, options: ExplainOptions): Promise<TokenExplanation>
}

export interface ExplainDeps extends TokenReaderDeps {
  readonly users: Pick<UserStore, 'get' | 'credentials' | 'list'>
  readonly roles: Pick<RoleStore, 'list'>
  readonly clusters: Pick<ClusterStore, 'get' | 'list'>
  readonly locks: Pick<LockStore, 'lockedRoleKeys'>
  readonly authorizers: Readonly<Record<ClusterKind, Authorizer>>
  /** What the last look at the cluster has found. */
  readonly enforcementOf: (clusterId: string) => Promise<Enforcement>
  readonly revisions: Revisions
}

/** Of users whose names begin alike, so that a wrong name costs the same however many users there are. */
const mostLookedAt = 200

export function createExplain(deps: ExplainDeps): Explain {
  const { users, clusters, locks, authorizers, enforcementOf, clock } = deps
  const listRoles = cacheRoles(deps)

  async function findCluster(name: string, { showsOthers }: ExplainOptions): Promise<Cluster> {
    const cluster = await clusters.get(name)
    if (cluster !== undefined) return cluster
    const names = showsOthers
      ? (await clusters.list()).flatMap(({ id, alias }) => (alias === null ? [id] : [alias, id]))
      : []
    throw new DomainError('cluster_not_found', { name, near: nearest(name, names) })
  }

  async function findUser(name: string, { showsOthers }: ExplainOptions): Promise<User> {
    const user = await users.get(name)
    if (user !== undefined) return user
    throw new DomainError('user_not_found', { name, near: showsOthers ? await findNearUsers(name) : [] })
  }

  async function findNearUsers(name: string): Promise<readonly string[]> {
    const begin = name.slice(0, 2)
    const listed = await users.list({ after: begin, limit: mostLookedAt })
    return nearest(
      name,
      listed.map((user) => user.name).filter((other) => other.startsWith(begin)),
    )
  }

  async function prepare(request: AccessRequest, options: ExplainOptions) {
    const cluster = await findCluster(request.cluster, options)
    const authorizer = authorizers[cluster.kind]
    const action = authorizer.parseAction(request.permission)
    const resource = request.resource === null ? null : authorizer.parseResource(request.resource)
    const question: Question = { clusterId: cluster.id, action, resource }
    return { cluster, authorizer, question, all: await clusters.list(), enforcement: await enforcementOf(cluster.id) }
  }

  type Prepared = Awaited<ReturnType<typeof prepare>>

  /** The user as a login would take it now. */
  async function loggingIn(user: User) {
    const locked = await locks.lockedRoleKeys(clock.now())
    const credentials = await users.credentials(user.name)
    const until = credentials?.lockedUntil ?? null
    const circumstances: readonly Circumstance[] = [
      ...(user.isDisabled ? [{ code: 'user_disabled' } as const] : []),
      ...(until !== null && until > clock.now() ? [{ code: 'user_locked', until } as const] : []),
    ]
    return { locked, circumstances, effective: withoutRoles(user, locked) }
  }

  async function explainUser(user: User, prepared: Prepared, showsOthers: boolean): Promise<Explanation> {
    const { cluster, authorizer, question, all, enforcement } = prepared
    const { locked, circumstances, effective } = await loggingIn(user)
    const decision = authorizer.decideForUser(effective, all, question)
    const names = namesFor(user.name, prepared)
    const mayHelp = !decision.isAllowed && showsOthers
    const others = mayHelp ? (await listRoles()).filter(({ key }) => !locked.has(key)) : []
    const lockedRoles = namesOf(user.roles.filter(({ key }) => locked.has(key)))
    return {
      ...judge(decision, circumstances, enforcement, names),
      subject: user.name,
      action: question.action,
      cluster,
      resource: names.resource,
      decision,
      isGiven: decision.isAllowed && circumstances.length === 0,
      administratorRoles: namesOf(effective.roles.filter(({ isAdministrator }) => isAdministrator)),
      lockedRoles,
      remarks: remarksOn(prepared, decision, authorizer.audienceOf(effective, all), lockedRoles),
      remedies: mayHelp ? findRemedies(effective, others, cluster, question, authorizer) : null,
    }
  }

  async function explainToken(token: TokenInHand, prepared: Prepared, showsOthers: boolean): Promise<TokenExplanation> {
    const { cluster, authorizer, question, enforcement } = prepared
    const decision = authorizer.decide(token.claims, question)
    const user = await users.get(token.subject)
    const now = user && (await explainUser(user, prepared, showsOthers))
    const names = namesFor('The token', prepared)
    const isUntold = token.state === 'revoked' && token.untold.has(cluster.id)
    const untold = isUntold
      ? [`It is revoked, but ${names.cluster} has not been told yet, and goes on to take it.`]
      : []
    const circumstances = isUntold ? [] : circumstancesOf(token)
    return {
      ...judge(decision, circumstances, enforcement, names),
      subject: token.subject,
      action: question.action,
      cluster,
      resource: names.resource,
      decision,
      isGiven: decision.isAllowed && circumstances.length === 0,
      administratorRoles: [],
      lockedRoles: now?.lockedRoles ?? [],
      remarks: [...untold, ...remarksOn(prepared, decision, token.audience, [])],
      remedies: now?.remedies ?? null,
      token,
      now: now ?? null,
      difference: differenceOf(decision.isAllowed, now?.isGiven ?? false),
    }
  }

  return {
    async ofUser(name, request, options) {
      const prepared = await prepare(request, options)
      options.permit({ subject: name, clusterId: prepared.cluster.id })
      return explainUser(await findUser(name, options), prepared, options.showsOthers)
    },

    async ofToken(reference, request, options) {
      const token = await readToken(reference, deps)
      const prepared = await prepare(request, options)
      options.permit({ subject: token.subject, clusterId: prepared.cluster.id })
      return explainToken(token, prepared, options.showsOthers)
    },
  }

  function namesFor(who: string, { cluster, authorizer, question }: Prepared) {
    const resource = question.resource === null ? null : authorizer.presentResource(question.resource)
    return { who, action: question.action, cluster: cluster.alias ?? presentClusterName(cluster), resource }
  }

  function remarksOn(
    { cluster, authorizer, question }: Prepared,
    decision: Decision,
    audience: readonly string[],
    lockedRoles: readonly string[],
  ): readonly string[] {
    const isBeside = question.resource !== null && authorizer.isAboutCluster(question.action)
    const isNamed = audience.includes(cluster.id)
    const special = decision.by === 'administrator' ? null : authorizer.remarkOn(question.action)
    return [
      ...(isBeside ? [`${question.action} concerns the cluster as a whole: entries for a bucket don't count.`] : []),
      ...(lockedRoles.length > 0 ? [`Locked, and so without effect: ${lockedRoles.join(', ')}.`] : []),
      ...(isNamed || !decision.isAllowed
        ? []
        : ['The token does not name this cluster in its audience: a cluster that insists on it refuses the token.']),
      ...(special === null ? [] : [special]),
    ]
  }
}

function namesOf(roles: readonly { readonly name: string }[]): readonly string[] {
  return [...new Set(roles.map(({ name }) => name))]
}

function circumstancesOf({ state, fault, expiresAt }: TokenInHand): readonly Circumstance[] {
  if (state === 'invalid') return [{ code: 'token_invalid', reason: fault ?? 'it is not signed by a key of ours' }]
  if (state === 'revoked') return [{ code: 'token_revoked' }]
  return state === 'expired' ? [{ code: 'token_expired', at: expiresAt ?? new Date(0) }] : []
}

function differenceOf(isAllowedByToken: boolean, isAllowedNow: boolean): TokenExplanation['difference'] {
  if (isAllowedByToken === isAllowedNow) return 'none'
  return isAllowedByToken ? 'token_allows_more' : 'token_allows_less'
}

/** All roles are read anew only after something has changed. */
function cacheRoles({ roles, revisions }: Pick<ExplainDeps, 'roles' | 'revisions'>) {
  let cached: { readonly revision: number; readonly list: readonly Role[] } | undefined
  return async (): Promise<readonly Role[]> => {
    // Read before the list: a change in between leaves a cache that is already out of date, not one that is wrong.
    const revision = revisions.directory()
    if (cached?.revision !== revision) cached = { revision, list: await roles.list() }
    return cached.list
  }
}
