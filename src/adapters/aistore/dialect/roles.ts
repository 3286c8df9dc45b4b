import type { z } from 'zod'
import type { ClusterStore } from '../../../core/clusters/cluster-store.ts'
import type { Grant, Role, RoleContent } from '../../../core/roles/role.ts'
import type { RoleStore } from '../../../core/roles/role-store.ts'
import type { Roles } from '../../../core/roles/roles.ts'
import type { Authenticator } from '../../../core/sessions/authenticator.ts'
import { requirePermission } from '../../../core/sessions/permission.ts'
import type { Principal } from '../../../core/sessions/principal.ts'
import { grantOfBucketAcl, grantOfClusterAcl, listShapes } from '../acl.ts'
import { RoleBody } from '../wire.ts'
import type { Answers } from './answers.ts'
import {
  acting,
  answer,
  atMostOneName,
  authenticate,
  type Call,
  CallError,
  done,
  nameOf,
  readPermittedBody,
} from './call.ts'
import { goJson } from './go-json.ts'
import { presentRole } from './present.ts'
import type { Route } from './routing.ts'

export interface RoleRouteDeps {
  readonly authenticator: Authenticator
  readonly roles: Roles
  readonly roleStore: RoleStore
  readonly clusterStore: ClusterStore
  readonly answers: Answers
  /** Whether anybody may read roles, as in AIStore's AuthN. */
  readonly hasOpenReads: boolean
  /** Whether a role that is narrowed or deleted takes the tokens that carry it with it. */
  readonly isNarrowingRevoked: boolean
}

/** `/v1/roles`. */
export function roleRoute(deps: RoleRouteDeps): Route {
  const { authenticator, roles, roleStore, answers, isNarrowingRevoked: revokeNarrowed } = deps
  const writing = { authenticator, permit: (by: Principal) => requirePermission(by, 'roles:write') }

  async function get(call: Call): Promise<Response> {
    const name = atMostOneName(call)
    if (!deps.hasOpenReads) await authenticate(call, authenticator)
    if (name === undefined) {
      return answer(
        call,
        await answers.get(
          'roles',
          async () => `${goJson((await roleStore.list()).filter(isKnownToAuthn).map((role) => presentRole(role)))}\n`,
        ),
      )
    }
    const body = await answers.get(`role:${name}`, async () => {
      const role = await roleStore.get(name)
      if (role === undefined) throw new CallError(404, `role "${name}" does not exist`, 'ErrNotFound')
      const clusters = await deps.clusterStore.list()
      return `${goJson(presentRole(role, new Map(clusters.map(({ id, alias }) => [id, alias]))))}\n`
    })
    return answer(call, body)
  }

  async function post(call: Call): Promise<Response> {
    const { principal, body } = await readPermittedBody(call, writing, RoleBody, 'Role')
    await acting(`add role ${body.name}`, () =>
      roles.create({ name: body.name, ...contentOf(body) }, { by: principal, isAdministrator: body.admin }),
    )
    return done(call)
  }

  async function put(call: Call): Promise<Response> {
    const name = nameOf(call)
    const { principal, body } = await readPermittedBody(call, writing, RoleBody, 'Role', { isBrief: true })
    const options = { by: principal, revokeNarrowed }
    await acting(`update role ${name}`, () => roles.update(name, (role) => mergeRole(role, body), options))
    return done(call)
  }

  async function remove(call: Call): Promise<Response> {
    const name = nameOf(call)
    const principal = await authenticate(call, authenticator)
    writing.permit(principal)
    const options = { by: principal, revokeNarrowed }
    await acting(`delete role ${name}`, () => roles.delete(name, options))
    return done(call)
  }

  const path = '/v1/roles/{name}'
  const need = deps.hasOpenReads ? 'none' : 'self'
  return {
    allow: 'DELETE, GET, POST, PUT',
    handlers: {
      DELETE: { access: [{ path, need: 'roles:write', what: 'Delete a role' }], handle: remove },
      GET: {
        access: [
          { path: '/v1/roles', need, what: 'List roles' },
          { path, need, what: 'Show one role' },
        ],
        handle: get,
      },
      POST: { access: [{ path: '/v1/roles', need: 'roles:write', what: 'Make a role' }], handle: post },
      PUT: { access: [{ path, need: 'roles:write', what: 'Change a role' }], handle: put },
    },
  }
}

/**
 * Roles that AuthN has no notion of are left out of its list, so that clients see there what they know. By name they are
 * shown, and with the users who hold them: clients send a user's roles back as they have read them.
 */
function isKnownToAuthn({ authority, isAdministrator }: Role): boolean {
  return authority === null || isAdministrator
}

type RoleMessage = z.output<typeof RoleBody>

function contentOf(body: RoleMessage): RoleContent {
  return {
    description: body.desc,
    grants: [...clusterGrants(body), ...bucketGrants(body)],
    annotations: listShapes(body.clusters, body.buckets),
  }
}

function clusterGrants(body: RoleMessage): Grant[] {
  return (body.clusters ?? []).map(({ id, alias, urls, perm }) =>
    grantOfClusterAcl({ id, alias, urls: urls ?? [], perm: perm ?? '0' }),
  )
}

function bucketGrants(body: RoleMessage): Grant[] {
  return (body.buckets ?? []).map(({ bck, perm }) => grantOfBucketAcl({ bck, perm: perm ?? '0' }))
}

/**
 * A PUT merges: a description that isn't empty replaces the old one, an entry for something known replaces its permissions
 * alone, others are appended. An entry with neither id nor `perm` is what the CLI sends with `set role --desc`; taken at its
 * word it would wipe the permissions of a role for every cluster, so it is left out.
 */
export function mergeRole(role: Role, body: RoleMessage): RoleContent {
  const meant = {
    ...body,
    clusters: body.clusters?.filter(({ id, perm }) => id !== '' || (perm ?? null) !== null) ?? null,
  }
  const grants = [...role.grants]
  const keyOf = ({ clusterId, resource }: Grant) => JSON.stringify([clusterId, resource])
  const places = new Map<string, number>()
  for (const [at, grant] of grants.entries()) if (!places.has(keyOf(grant))) places.set(keyOf(grant), at)
  for (const grant of [...clusterGrants(meant), ...bucketGrants(meant)]) {
    const at = places.get(keyOf(grant)) ?? grants.length
    places.set(keyOf(grant), at)
    const known = grants[at]
    grants[at] = known ? { ...known, permissions: grant.permissions } : grant
  }
  return { description: body.desc || role.description, grants, annotations: role.annotations }
}
