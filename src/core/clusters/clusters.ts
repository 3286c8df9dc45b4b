import type { Clock } from '../clock.ts'
import { DomainError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { readBatch, defaultBatchLimits } from '../revocation/batch.ts'
import type { RevocationStore } from '../revocation/revocation-store.ts'
import { checkName } from '../users/names.ts'
import type { Cluster, ClusterKind } from './cluster.ts'
import type { ClusterStore } from './cluster-store.ts'
import type { Driver, Outcome } from './driver.ts'

export interface Clusters {
  register(cluster: Omit<Cluster, 'registeredAt'>): Promise<void>
  update(name: string, change: { readonly alias?: string; readonly urls?: readonly string[] }): Promise<void>
  deregister(name: string): Promise<void>
}

export function createClusters(deps: {
  readonly clusters: ClusterStore
  readonly revocations: RevocationStore
  readonly drivers: Readonly<Record<ClusterKind, Driver>>
  readonly wake: () => void
  readonly clock: Clock
  readonly log: Logger
}): Clusters {
  const signal = new AbortController().signal
  const strip = (urls: readonly string[]) => urls.map((url) => url.replace(/\/+$/, ''))
  function check(cluster: Cluster, outcome: Outcome) {
    if (outcome.kind === 'accepted') return
    const { url, reason, said, advice } = outcome
    throw new DomainError('cluster_refused', { clusterId: cluster.id, where: cluster.alias ?? url, reason, said, advice })
  }
  return {
    async register(asked) {
      const cluster: Cluster = { ...asked, urls: strip(asked.urls), registeredAt: deps.clock.now() }
      checkName('cluster alias', 'alias', cluster.alias ?? '')
      const clash = await deps.clusters.findClash(cluster.id, cluster.alias)
      if (clash) throw new DomainError('cluster_exists', { id: cluster.id, foundId: clash.id })
      const driver = deps.drivers[cluster.kind]
      let acknowledged = 0
      if (cluster.urls.length > 0) {
        check(cluster, await driver.handshake(cluster, signal))
        for (;;) {
          const batch = await readBatch(deps.revocations, { after: acknowledged }, defaultBatchLimits, deps.clock.now())
          if (batch.changes.length > 0) check(cluster, await driver.push(cluster, batch.changes, signal))
          acknowledged = batch.upTo
          if (!batch.isCut) break
        }
      }
      await deps.clusters.insert(cluster, acknowledged, driver.predefinedRoles(cluster))
      deps.wake()
    },
    async update(name, change) {
      const known = await deps.clusters.get(name)
      if (!known) throw new DomainError('cluster_not_found', { name })
      const cluster = { ...known, ...change }
      if (change.alias) {
        checkName('cluster alias', 'alias', change.alias)
        const clash = await deps.clusters.findClash(change.alias, null)
        if (clash && clash.id !== known.id) throw new DomainError('alias_taken', { alias: change.alias, clusterId: clash.id })
      }
      check(cluster, await deps.drivers[cluster.kind].handshake(cluster, signal))
      await deps.clusters.update(known.id, { ...change, at: deps.clock.now() })
      deps.wake()
    },
    async deregister(name) {
      await deps.clusters.delete(name)
      deps.wake()
    },
  }
}
