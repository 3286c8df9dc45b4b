import type { Clock } from '../clock.ts'
import { DomainError } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import type { Logger } from '../logger.ts'
import type { Repeatable } from '../once.ts'
import type { Conditional } from '../precondition.ts'
import { type BatchLimits, defaultBatchLimits, readBatch } from '../revocation/batch.ts'
import type { RevocationStore } from '../revocation/revocation-store.ts'
import type { NewRole } from '../roles/role.ts'
import type { Actor } from '../sessions/actor.ts'
import { checkName } from '../users/names.ts'
import { type Cluster, type ClusterKind, presentClusterName } from './cluster.ts'
import type { ClusterChange, ClusterStore } from './cluster-store.ts'
import type { Driver, Outcome } from './driver.ts'
import { parseClusterUrls } from './urls.ts'

export interface NewCluster {
  /** The cluster's own id. */
  readonly id: string
  readonly kind: ClusterKind
  readonly alias: string | null
  readonly urls: readonly string[]
  readonly annotations: JsonObject
}

export interface Registering extends Repeatable<Cluster> {
  /** Whoever registers has the id from the cluster itself: it is not asked for it again. */
  readonly isIdSure?: boolean
}

export interface Clusters {
  /**
   * Takes a cluster in, or leaves everything as it was: the cluster must trust our key and be the one with this id, and gets
   * every revocation that still matters before this answers. A cluster without URLs is stored unchecked (contract section 3.2).
   * @throws DomainError field_missing, field_invalid, cluster_exists, cluster_refused
   */
  register(cluster: NewCluster, by: Actor, options?: Registering): Promise<Cluster>
  /**
   * Changes alias or URLs of the cluster with this id or alias; what is absent or empty stays as it was, an alias of null
   * is taken away. The cluster must trust our key under the new values; then the revocations are sent again.
   * @throws DomainError cluster_not_found, field_invalid, alias_taken, cluster_refused, and what the precondition throws
   */
  update(name: string, change: ClusterChange, by: Actor, options?: Conditional<Cluster>): Promise<void>
  /**
   * Asks a cluster that is to be taken in whether it trusts our key and is the one with this id, and tells it every
   * revocation that still matters; nothing is stored. Answers up to which change it has them, and the roles that come with it. @throws DomainError cluster_refused
   */
  admit(cluster: Cluster): Promise<{ readonly acknowledged: number; readonly roles: readonly NewRole[] }>
  /** Roles that come with a new cluster where their names are free. */
  rolesWith(cluster: Cluster): readonly NewRole[]
  /** Asks a cluster, as it is to be, whether it trusts our key; nothing is stored. @throws DomainError cluster_refused */
  recheck(cluster: Cluster): Promise<void>
  /**
   * Forgets the cluster with this id or alias; it is not told.
   * @throws DomainError cluster_not_found, and what the precondition throws
   */
  deregister(name: string, by: Actor, options?: Conditional<Cluster>): Promise<void>
}

const maximumIdLength = 256
/** A driver keeps its own time limit; nothing else ends a registration. */
const unending = () => new AbortController().signal

export function createClusters(deps: {
  readonly clusters: ClusterStore
  readonly revocations: Pick<RevocationStore, 'after' | 'lastSequence'>
  readonly drivers: Readonly<Record<ClusterKind, Driver>>
  /** Tells delivery that clusters have changed. */
  readonly wake: () => void
  readonly clock: Clock
  readonly log: Logger
  readonly limits?: BatchLimits
}): Clusters {
  const { clusters, drivers, clock, log, limits = defaultBatchLimits } = deps

  /** No lock or transaction is held meanwhile: the cluster may call back for our keys. */
  async function shakeHands(cluster: Cluster): Promise<void> {
    if (cluster.urls.length === 0) return
    must(cluster, await drivers[cluster.kind].handshake(cluster, unending()))
  }

  /** Tells the cluster every revocation that still matters; answers up to which change it has them. */
  async function pushAll(cluster: Cluster): Promise<number> {
    if (cluster.urls.length === 0) return 0
    const driver = drivers[cluster.kind]
    let acknowledged = 0
    for (;;) {
      const batch = await readBatch(deps.revocations, { after: acknowledged }, limits, clock.now())
      const changes = batch.changes.filter((change) => driver.takes(change.kind))
      if (changes.length > 0) must(cluster, await driver.push(cluster, changes, unending()))
      acknowledged = batch.upTo
      if (!batch.isCut) return acknowledged
    }
  }

  /**
   * Whoever mistakes a name of their own for the cluster's id has a cluster that trusts our key and does nothing that we
   * tell it. Only what a look finds for certain counts: a cluster that can't be looked at now is taken in.
   */
  async function mustBeItself(cluster: Cluster): Promise<void> {
    if (cluster.urls.length === 0) return
    const { clusterId, trouble } = await drivers[cluster.kind].probe(cluster, null, unending())
    const isAnother = clusterId !== null && clusterId !== cluster.id
    if (trouble === null || !(isAnother || trouble.reason === 'not_authorized')) return
    must(cluster, { kind: 'refused', url: '', ...trouble })
  }

  const rolesWith = (cluster: Cluster) => drivers[cluster.kind].predefinedRoles(cluster)

  async function admit(cluster: Cluster, isIdSure = false) {
    await shakeHands(cluster)
    if (!isIdSure) await mustBeItself(cluster)
    return { acknowledged: await pushAll(cluster), roles: rolesWith(cluster) }
  }

  return {
    admit,
    rolesWith,
    recheck: shakeHands,

    async register({ id, kind, alias: givenAlias, urls, annotations }, by, options) {
      checkId(id)
      const alias = givenAlias || null
      if (alias !== null) checkName('cluster alias', 'alias', alias)
      const cluster = { id, kind, alias, urls: parseClusterUrls(urls), annotations, registeredAt: clock.now() }
      const clash = await clusters.findClash(id, alias)
      if (clash !== undefined) throw new DomainError('cluster_exists', { id, foundId: clash.id })
      const { acknowledged, roles } = await admit(cluster, options?.isIdSure)
      await clusters.insert(cluster, acknowledged, roles, { by, at: cluster.registeredAt, ...options })
      deps.wake()
      log.info({ event: 'cluster.registered', cluster: id, alias, urls: cluster.urls, acknowledged })
      return cluster
    },

    async update(name, change, by, options) {
      const known = await clusters.get(name)
      if (known === undefined) throw new DomainError('cluster_not_found', { name })
      // Saves asking the cluster; the store has the last word.
      options?.precondition?.(known)
      const alias = change.alias === null ? null : change.alias || undefined
      const urls = change.urls?.length ? parseClusterUrls(change.urls) : undefined
      if (typeof alias === 'string' && alias !== known.alias) {
        checkName('cluster alias', 'alias', alias)
        const owner = await clusters.get(alias)
        if (owner !== undefined && owner.id !== known.id) {
          throw new DomainError('alias_taken', { alias, clusterId: owner.id })
        }
      }
      const given = { ...(alias === undefined ? {} : { alias }), ...(urls === undefined ? {} : { urls }) }
      const changed = { ...known, ...given }
      await shakeHands(changed)
      await clusters.update(known.id, given, { by, at: clock.now(), ...options })
      deps.wake()
      log.info({ event: 'cluster.updated', cluster: known.id, alias: changed.alias, urls: changed.urls })
    },

    async deregister(name, by, options) {
      const { id } = await clusters.delete(name, { by, at: clock.now(), ...options })
      deps.wake()
      log.info({ event: 'cluster.deregistered', cluster: id })
    },
  }
}

export function checkId(id: string): void {
  const what = 'cluster UUID'
  if (id === '') throw new DomainError('field_missing', { field: 'id', what })
  if (id.length <= maximumIdLength && !/[\p{Cc}\s]/u.test(id)) return
  const rule = `must be at most ${maximumIdLength} characters, none of them a space or control character`
  throw new DomainError('field_invalid', { field: 'id', what, value: id.slice(0, maximumIdLength), rule })
}

function must(cluster: Cluster, outcome: Outcome): void {
  if (outcome.kind === 'accepted') return
  const { reason, said, advice, url } = outcome
  const where = cluster.alias ?? (url || presentClusterName(cluster))
  throw new DomainError('cluster_refused', { clusterId: cluster.id, where, reason, said, advice })
}
