import type { ClusterStore } from '../../../core/clusters/cluster-store.ts'
import type { Clusters } from '../../../core/clusters/clusters.ts'
import { DomainError, isDomainError } from '../../../core/errors.ts'
import type { Authenticator } from '../../../core/sessions/authenticator.ts'
import { requirePermission } from '../../../core/sessions/permission.ts'
import type { Principal } from '../../../core/sessions/principal.ts'
import { ClusterBody } from '../wire.ts'
import type { Answers } from './answers.ts'
import { acting, answer, authenticate, type Call, CallError, done, nameOf, readPermittedBody } from './call.ts'
import { goJson } from './go-json.ts'
import { presentCluster } from './present.ts'
import type { Route } from './routing.ts'

export interface ClusterRouteDeps {
  readonly authenticator: Authenticator
  readonly clusters: Clusters
  readonly clusterStore: ClusterStore
  readonly answers: Answers
  /** Whether anybody may read clusters whole, as in AIStore's AuthN. */
  readonly hasOpenReads: boolean
}

/** `/v1/clusters`. */
export function clusterRoute(deps: ClusterRouteDeps): Route {
  const { authenticator, clusters, clusterStore, answers } = deps
  const registering = { authenticator, permit: (by: Principal) => requirePermission(by, 'clusters:register') }

  /**
   * Whoever isn't logged in sees ids and aliases, which `ais auth login --cluster` needs; a stale token is no token here,
   * since the CLI sends the one it has along with the very log-in that is to replace it.
   */
  async function seesWhole(call: Call): Promise<boolean> {
    if (deps.hasOpenReads) return true
    try {
      await authenticate(call, authenticator)
      return true
    } catch (error) {
      if (error instanceof DomainError && error.code.startsWith('token_')) return false
      throw error
    }
  }

  async function get(call: Call): Promise<Response> {
    const name = call.rest[0]
    const isWhole = await seesWhole(call)
    const body = await answers.get(`clusters:${isWhole}:${name ?? ''}`, async () => {
      if (name === undefined) return present(await clusterStore.list(), isWhole)
      const cluster = await clusterStore.get(name)
      if (cluster === undefined) throw new CallError(404, `AuthN: cluster ${name} does not exist`, 'ErrNotFound')
      return present([cluster], isWhole)
    })
    return answer(call, body)
  }

  async function post(call: Call): Promise<Response> {
    const { principal, body } = await readPermittedBody(call, registering, ClusterBody, 'CluACL')
    const { id, alias, urls, perm } = body
    await acting(`add cluster ${id}`, async () => {
      if (id === '') throw new CallError(400, 'cluster UUID is undefined')
      await clusters.register(
        {
          id,
          kind: 'aistore',
          alias: alias || null,
          urls: urls ?? [],
          annotations: perm && perm !== '0' ? { perm } : {},
        },
        principal,
        // AIStore's clients send the id that the cluster has told them (contract section 3.2).
        { isIdSure: true },
      )
    })
    return done(call)
  }

  async function put(call: Call): Promise<Response> {
    const name = nameOf(call)
    const { principal, body } = await readPermittedBody(call, registering, ClusterBody, 'CluACL')
    const { id, alias, urls } = body
    await acting(`update cluster ${name}`, async () => {
      if (id === '') throw new CallError(400, 'cluster ID is undefined')
      await clusters.update(name, { ...(alias ? { alias } : {}), ...(urls?.length ? { urls } : {}) }, principal)
    })
    return done(call)
  }

  async function remove(call: Call): Promise<Response> {
    const principal = await authenticate(call, authenticator)
    registering.permit(principal)
    const name = call.rest[0]
    await acting(`delete cluster ${name ?? 'undefined'}`, async () => {
      if (name === undefined) throw new CallError(400, 'cluster name or ID not defined')
      try {
        await clusters.deregister(name, principal)
      } catch (error) {
        // Clients look for these words here, and for others when a PUT meets an unknown cluster.
        throw isDomainError(error, 'cluster_not_found')
          ? new CallError(404, `AuthN: cluster ${name} does not exist`)
          : error
      }
    })
    return done(call)
  }

  const path = '/v1/clusters/{name}'
  return {
    allow: 'DELETE, GET, POST, PUT',
    handlers: {
      DELETE: { access: [{ path, need: 'clusters:register', what: 'Deregister a cluster' }], handle: remove },
      GET: {
        access: [
          { path: '/v1/clusters', need: 'none', what: 'List clusters (without a token: ids and aliases)' },
          { path, need: 'none', what: 'Show one cluster (without a token: its id and alias)' },
        ],
        handle: get,
      },
      POST: { access: [{ path: '/v1/clusters', need: 'clusters:register', what: 'Register a cluster' }], handle: post },
      PUT: { access: [{ path, need: 'clusters:register', what: 'Change a cluster' }], handle: put },
    },
  }
}

/** `{}` where there is none; else id to record, in the one wrapper for lists and single clusters. */
function present(clusters: Awaited<ReturnType<ClusterStore['list']>>, isWhole: boolean): string {
  if (clusters.length === 0) return '{}\n'
  return `${goJson({ clusters: Object.fromEntries(clusters.map((cluster) => [cluster.id, presentCluster(cluster, isWhole)])) })}\n`
}
