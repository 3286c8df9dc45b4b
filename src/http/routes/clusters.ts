import { z } from 'zod'
import type { Clock } from '../../core/clock.ts'
import type { Cluster } from '../../core/clusters/cluster.ts'
import { presentClusterStatus } from '../../core/clusters/cluster-status.ts'
import type { ClusterStore } from '../../core/clusters/cluster-store.ts'
import type { Clusters } from '../../core/clusters/clusters.ts'
import { DomainError } from '../../core/errors.ts'
import type { Actor } from '../../core/sessions/actor.ts'
import { etagOf, preconditionOf } from '../conditions.ts'
import type { RunOnce } from '../once.ts'
import type { Statuses } from './cluster-statuses.ts'
import { pageOf, pageQuery, presentPage, readPage } from './page.ts'
import { presentCluster } from './present-cluster.ts'
import { noContent, type Reply, type Route, route } from './route.ts'
import { ClusterBody, ClusterPatch, ClusterState, NewClusterBody } from './shapes/clusters.ts'
import { NameParams } from './shapes/common.ts'

export interface ClusterRouteDeps {
  readonly clusters: Pick<ClusterStore, 'get' | 'list'>
  /** The rules for registering. */
  readonly registry: Clusters
  readonly runOnce: RunOnce
  readonly statuses: Statuses
  /** Has everything that still matters sent again to the cluster with this id. */
  readonly resync: (clusterId: string, by: Actor) => Promise<void>
  readonly clock: Clock
}

const tag = 'Clusters'

/** Clusters and how they are. */
export function clusterRoutes(deps: ClusterRouteDeps): readonly Route[] {
  async function show(name: string): Promise<Reply<ClusterBody>> {
    const cluster = await deps.clusters.get(name)
    const status = cluster && (await deps.statuses.of(cluster.id))
    if (cluster === undefined || status === undefined) throw new DomainError('cluster_not_found', { name })
    return { body: presentCluster(cluster, status), etag: tagOf(cluster) }
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
        description: 'The entity tag is that of the registration: how the cluster is goes into none.',
        params: NameParams,
        conditional: 'tag',
        answer: { status: 200, description: 'The cluster with this id or alias.', body: ClusterBody },
        refusals: [404],
      },
      async ({ params }) => show(params.name),
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
        return { body: (await show(cluster.id)).body }
      },
    ),
    ...registrationRoutes(deps, show),
  ]
}

function registrationRoutes(deps: ClusterRouteDeps, show: (name: string) => Promise<Reply<ClusterBody>>) {
  const { registry, runOnce, clock } = deps
  return [
    route(
      {
        method: 'post',
        path: '/clusters',
        permission: 'clusters:register',
        tag,
        summary: 'Register a cluster',
        description:
          'The cluster is asked whether it trusts the signing key and is the one with this id, and is told every revocation that still matters, before this answers.',
        body: NewClusterBody,
        isRepeatable: true,
        answer: {
          status: 201,
          description: 'The cluster, which hears of every revocation from now on.',
          body: ClusterBody,
        },
        refusals: [409, 502, 503],
      },
      async ({ body: { id, kind = 'aistore', alias = null, urls }, caller: { principal }, key }) => {
        const cluster = { id, kind, alias, urls, annotations: {} }
        return runOnce(
          { principal, key },
          (options: Parameters<Clusters['register']>[2]) => registry.register(cluster, principal, options),
          (made) => ({
            body: presentNewCluster(made),
            etag: tagOf(made),
            headers: { Location: `/api/v1/clusters/${encodeURIComponent(made.id)}` },
          }),
        )
      },
    ),
    route(
      {
        method: 'patch',
        path: '/clusters/{name}',
        permission: 'clusters:register',
        tag,
        summary: 'Change alias or URLs of a cluster',
        description:
          'The cluster is asked anew whether it trusts the signing key; then every revocation is sent to it again.',
        params: NameParams,
        body: ClusterPatch,
        conditional: 'change',
        answer: { status: 200, description: 'The cluster as it is then.', body: ClusterBody },
        refusals: [404, 409, 502, 503],
      },
      async ({ params: { name }, body: { alias, urls }, caller, conditions }) => {
        const before = await deps.clusters.get(name)
        if (before === undefined) throw new DomainError('cluster_not_found', { name })
        const change = { ...(alias !== undefined && { alias }), ...(urls !== undefined && { urls }) }
        await registry.update(
          before.id,
          change,
          caller.principal,
          preconditionOf(conditions, `The cluster ${name}`, tagOf),
        )
        return show(before.id)
      },
    ),
    route(
      {
        method: 'delete',
        path: '/clusters/{name}',
        permission: 'clusters:register',
        tag,
        summary: 'Deregister a cluster',
        description: 'It hears of no revocation any more, and is not told so. Roles that name it stay.',
        params: NameParams,
        conditional: 'change',
        answer: { status: 204, description: 'The cluster is forgotten.' },
        refusals: [404, 503],
      },
      async ({ params: { name }, caller, conditions }) => {
        await registry.deregister(name, caller.principal, preconditionOf(conditions, `The cluster ${name}`, tagOf))
        return noContent
      },
    ),
  ]

  /** Nothing is known of it yet but that it took all it was told. */
  function presentNewCluster(cluster: Cluster): ClusterBody {
    const delivery = {
      hasUrls: cluster.urls.length > 0,
      resyncFrom: null,
      attempts: 0,
      nextAttemptAt: cluster.registeredAt,
      isCanaryWanted: false,
      lastReason: null,
      lastSaid: null,
      lastAcknowledgedAt: cluster.registeredAt,
      canary: null,
      behind: 0,
      behindSince: null,
    }
    return presentCluster(cluster, presentClusterStatus(delivery, undefined, clock.now()))
  }
}

/** Of what is registered, not of how the cluster is. */
function tagOf({ id, kind, alias, urls, registeredAt }: Cluster): string {
  return etagOf({ id, kind, alias, urls, registeredAt })
}
