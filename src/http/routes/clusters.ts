import { z } from 'zod'
import type { Clock } from '../../core/clock.ts'
import type { ClusterStore } from '../../core/clusters/cluster-store.ts'
import { DomainError } from '../../core/errors.ts'
import type { Actor } from '../../core/sessions/actor.ts'
import type { Statuses } from './cluster-statuses.ts'
import { pageOf, pageQuery, presentPage, readPage } from './page.ts'
import { presentCluster } from './present-cluster.ts'
import { type Route, route } from './route.ts'
import { ClusterBody, ClusterState } from './shapes/clusters.ts'
import { NameParams } from './shapes/common.ts'

export interface ClusterRouteDeps {
  readonly clusters: Pick<ClusterStore, 'get' | 'list'>
  readonly statuses: Statuses
  /** Has everything that still matters sent again to the cluster with this id. */
  readonly resync: (clusterId: string, by: Actor) => Promise<void>
  readonly clock: Clock
}

const tag = 'Clusters'

/** Clusters and how they are. */
export function clusterRoutes(deps: ClusterRouteDeps): readonly Route[] {
  async function show(name: string): Promise<ClusterBody> {
    const cluster = await deps.clusters.get(name)
    const status = cluster && (await deps.statuses.of(cluster.id))
    if (cluster === undefined || status === undefined) throw new DomainError('cluster_not_found', { name })
    return presentCluster(cluster, status)
  }

  return [
    route(
      {
        method: 'get',
        path: '/clusters',
        permission: 'clusters:read',
        tag,
        summary: 'List clusters and how they are',
        query: z.strictObject({ ...pageQuery, state: ClusterState.optional() }),
        answer: { status: 200, description: 'Clusters, sorted by id.', body: pageOf(ClusterBody) },
      },
      async ({ query }) => {
        const { after, limit } = readPage(query)
        const [clusters, statuses] = await Promise.all([deps.clusters.list(), deps.statuses.all()])
        const rows = clusters.flatMap((cluster) => {
          const status = statuses.get(cluster.id)
          if (status === undefined || (after !== undefined && cluster.id <= after)) return []
          return query.state === undefined || query.state === status.state ? [{ cluster, status }] : []
        })
        const present = ({ cluster, status }: (typeof rows)[number]) => presentCluster(cluster, status)
        return { body: presentPage(rows, limit, ({ cluster }) => cluster.id, present) }
      },
    ),
    route(
      {
        method: 'get',
        path: '/clusters/{name}',
        permission: 'clusters:read',
        tag,
        summary: 'Show one cluster',
        params: NameParams,
        answer: { status: 200, description: 'The cluster with this id or alias.', body: ClusterBody },
        refusals: [404],
      },
      async ({ params }) => ({ body: await show(params.name) }),
    ),
    route(
      {
        method: 'post',
        path: '/clusters/{name}/resync',
        permission: 'clusters:resync',
        tag,
        summary: 'Send everything again to one cluster',
        description: 'Every revocation that still matters is sent again, whatever the cluster has acknowledged.',
        params: NameParams,
        answer: { status: 202, description: 'It has begun; the cluster as it is now.', body: ClusterBody },
        refusals: [404, 503],
      },
      async ({ params, caller }) => {
        const cluster = await deps.clusters.get(params.name)
        if (cluster === undefined) throw new DomainError('cluster_not_found', { name: params.name })
        await deps.resync(cluster.id, caller.principal)
        return { body: await show(cluster.id) }
      },
    ),
  ]
}
