import type { Clock } from '../clock.ts'
import type { Cluster } from '../clusters/cluster.ts'
import type { Clusters } from '../clusters/clusters.ts'
import { DomainError, isDomainError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { awaitClusters, type Propagation } from '../revocation/propagation.ts'
import { nothingRevoked, type Revoked } from '../revocation/selector.ts'
import type { Actor } from '../sessions/actor.ts'
import type { AccessStore } from './access-store.ts'
import { type Admitted, toChanges } from './changes.ts'
import type { AccessDocument } from './document.ts'
import { type Effect, measureEffects, narrowedRoles } from './effects.ts'
import type { Passwords } from './passwords.ts'
import type { PlanItem, WantedCluster } from './plan.ts'
import { breathe, type Prepared, prepareAccess, type StateDeps } from './state.ts'

/** What applying a document would do. */
export interface Plan {
  readonly items: readonly PlanItem[]
  readonly effects: ReadonlyMap<PlanItem, Effect>
  readonly unchanged: number
  readonly kept: Prepared['kept']
  readonly warnings: readonly string[]
  /** Users whose passwords are needed to apply it. */
  readonly passwordsNeeded: readonly string[]
  /** Names what would be done: two plans with the same digest do the same. */
  readonly digest: string
}

export interface PlanOptions {
  /** What the document's lists don't name is removed. */
  readonly isPruned: boolean
  readonly by: Actor
}

export interface ApplyOptions extends PlanOptions {
  /** The digest of the plan that was looked at; absent = whatever the plan is now. */
  readonly digest?: string | undefined
  /** What `Passwords.hash` answered, by name of the user. */
  readonly passwords: ReadonlyMap<string, string>
}

export interface Applied {
  readonly plan: Omit<Plan, 'effects'>
  readonly revoked: Revoked
}

/** Configuration as code: what a document says is compared with what is there, and made true in one act. */
export interface Access {
  /** Changes nothing. @throws DomainError access_invalid, last_administrator, too_busy */
  plan(document: AccessDocument, options: PlanOptions): Promise<Plan>
  /**
   * All or nothing. New clusters, and those whose alias or URLs change, must trust our key first; new ones are told every
   * revocation. Answers when every cluster that is up knows what was revoked by it, or the budget is over.
   * @throws DomainError as `plan`; plan_outdated, cluster_refused, storage_failed
   */
  apply(document: AccessDocument, options: ApplyOptions): Promise<Applied>
}

export interface AccessDeps extends StateDeps {
  readonly access: AccessStore
  readonly vetting: Pick<Clusters, 'admit' | 'recheck'>
  readonly passwords: Passwords
  readonly propagation: Propagation
  /** How long an answer waits for clusters. */
  readonly budgetMs: number
  /** Tells delivery that clusters have changed. */
  readonly wake: () => void
  readonly clock: Clock
  readonly log: Logger
}

/** How often the act begins anew because something else was changed meanwhile. */
const maximumTries = 5
const clustersAtOnce = 8
/** That are unsealed before others get a turn. */
const passwordsAtOnce = 500

export function createAccess(deps: AccessDeps): Access {
  const { access, passwords, vetting, propagation, budgetMs, clock, log } = deps
  const rules = deps.grantRules.aistore

  const prepare = (document: AccessDocument, { isPruned, by }: PlanOptions) =>
    prepareAccess(document, { isPruned, caller: by.subject }, deps)

  /** What was looked at must be what is done. @throws DomainError plan_outdated */
  function requireSame(prepared: Prepared, digest: string | undefined): void {
    if (digest !== undefined && digest !== prepared.digest) throw new DomainError('plan_outdated', {})
  }

  async function openPasswords(prepared: Prepared, document: AccessDocument, sealed: ApplyOptions['passwords']) {
    const hashes = new Map<string, string>()
    const problems: { at: string; detail: string }[] = []
    const places = new Map(document.users?.map(({ name }, index) => [name, index]))
    for (const [index, name] of passwordsNeeded(prepared).entries()) {
      if (index % passwordsAtOnce === passwordsAtOnce - 1) await breathe()
      const hash = passwords.open(name, sealed.get(name) ?? '')
      if (hash !== undefined) hashes.set(name, hash)
      else
        problems.push({
          at: `access.users.${places.get(name)}.password`,
          detail: 'has not been hashed, or too long ago',
        })
    }
    if (problems.length > 0) throw new DomainError('access_invalid', { problems: problems.slice(0, 100) })
    return hashes
  }

  return {
    async plan(document, options) {
      const prepared = await prepare(document, options)
      const measured = { access, now: clock.now(), rules }
      return { ...presentPlan(prepared), effects: await measureEffects(prepared, await deps.roles.list(), measured) }
    },

    async apply(document, options) {
      const { isPruned, by, digest } = options
      let prepared = await prepare(document, options)
      requireSame(prepared, digest)
      if (prepared.items.length === 0) return { plan: presentPlan(prepared), revoked: nothingRevoked }
      const hashes = await openPasswords(prepared, document, options.passwords)
      const at = clock.now()
      const admitted = await vetClusters(prepared, at, vetting, await deps.clusters.list())
      for (let tries = 1; tries <= maximumTries; tries += 1) {
        const changes = await toChanges(prepared, {
          admitted,
          hashes,
          isPruned,
          at,
          narrowed: narrowedRoles(prepared.directory, rules),
          present: await deps.clusters.list(),
        })
        const revoked = await access.apply(changes, prepared.revision, { by, at })
        if (revoked !== 'outdated') {
          deps.wake()
          log.info({ event: 'access.applied', by: by.subject, ...countsOf(prepared.items), tokens: revoked.tokens })
          await awaitClusters(propagation, revoked, budgetMs)
          return { plan: presentPlan(prepared), revoked }
        }
        const before = prepared.digest
        prepared = await prepare(document, options)
        requireSame(prepared, before)
      }
      throw new DomainError('too_busy', { retryAfterSeconds: 1 })
    },
  }
}

function presentPlan(prepared: Prepared): Omit<Plan, 'effects'> {
  const { items, kept, digest, directory, users } = prepared
  const unchanged = directory.clusters.unchanged + directory.roles.unchanged + users.unchanged
  const { warnings } = directory
  return { items, unchanged, kept, warnings, passwordsNeeded: passwordsNeeded(prepared), digest }
}

function passwordsNeeded({ users }: Prepared): readonly string[] {
  const updated = users.update.filter(({ hasNewPassword }) => hasNewPassword).map(({ user }) => user.name)
  return [...users.insert.map(({ name }) => name), ...updated]
}

function countsOf(items: readonly PlanItem[]) {
  const count = (act: PlanItem['act']) => items.filter((item) => item.act === act).length
  return { created: count('create'), changed: count('change'), removed: count('remove') }
}

/** Asks all clusters that need it, some at a time, so that every refusal can be told. @throws DomainError cluster_refused */
async function vetClusters(
  { directory: { clusters } }: Prepared,
  at: Date,
  vetting: AccessDeps['vetting'],
  present: readonly Cluster[],
): Promise<readonly Admitted[]> {
  const known = new Map(present.map((cluster) => [cluster.id, cluster]))
  const admitted: Admitted[] = []
  const admit = async (wanted: WantedCluster) => {
    const cluster = { ...wanted, annotations: {}, registeredAt: at }
    admitted.push({ cluster, ...(await vetting.admit(cluster)) })
  }
  const recheck = async (wanted: WantedCluster) => {
    const before = known.get(wanted.id)
    if (before !== undefined) await vetting.recheck({ ...before, ...wanted })
  }
  const asked = [
    ...clusters.insert.map((each) => () => admit(each)),
    ...clusters.update.map((each) => () => recheck(each)),
  ]
  const refusals: DomainError<'cluster_refused'>[] = []
  for (let from = 0; from < asked.length; from += clustersAtOnce) {
    const settled = await Promise.allSettled(asked.slice(from, from + clustersAtOnce).map((ask) => ask()))
    for (const outcome of settled) {
      if (outcome.status === 'fulfilled') continue
      if (!isDomainError(outcome.reason, 'cluster_refused')) throw outcome.reason
      refusals.push(outcome.reason)
    }
  }
  if (refusals.length > 0) throw summarize(refusals)
  return admitted
}

/** One refusal that names them all. */
function summarize(refusals: readonly DomainError<'cluster_refused'>[]): DomainError {
  const [first, ...others] = refusals
  if (first === undefined || others.length === 0) return first ?? new DomainError('too_busy', { retryAfterSeconds: 1 })
  const where = refusals.map(({ details }) => details.where).join(', ')
  const said = refusals.map(({ details }) => `${details.where}: ${details.said}`).join('; ')
  return new DomainError('cluster_refused', { ...first.details, where, said })
}
