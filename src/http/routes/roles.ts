import { z } from 'zod'
import type { ClusterKind } from '../../core/clusters/cluster.ts'
import type { ClusterStore } from '../../core/clusters/cluster-store.ts'
import { DomainError } from '../../core/errors.ts'
import type { GrantWords } from '../../core/roles/grant-words.ts'
import type { Role } from '../../core/roles/role.ts'
import type { RoleSearch } from '../../core/roles/role-search.ts'
import type { Roles } from '../../core/roles/roles.ts'
import { permissions, permissionsOfRole } from '../../core/sessions/permission.ts'
import { etagOf, preconditionOf } from '../conditions.ts'
import type { RunOnce } from '../once.ts'
import { RequestError } from '../validate.ts'
import { pageOf, pageQuery, presentPage, readPage } from './page.ts'
import { parseRole, presentRole, tagOfRole, type WordsOf } from './present-role.ts'
import { noContent, type Route, route } from './route.ts'
import { NameParams } from './shapes/common.ts'
import { NewRoleBody, PermissionsBody, RoleBody, WholeRoleBody } from './shapes/roles.ts'
import { TokensQuery } from './shapes/users.ts'

export interface RoleRouteDeps {
  readonly roles: Roles
  readonly roleSearch: RoleSearch
  readonly clusters: Pick<ClusterStore, 'get'>
  readonly grantWords: Readonly<Record<ClusterKind, GrantWords>>
  readonly wordsOf: WordsOf
  readonly runOnce: RunOnce
}

const tag = 'Roles'

/** Roles, and what they may say. */
export function roleRoutes(deps: RoleRouteDeps): readonly Route[] {
  return [...readRoutes(deps), ...changeRoutes(deps), permissionsRoute(deps)]
}

function replier({ wordsOf }: Pick<RoleRouteDeps, 'wordsOf'>) {
  return (role: Role) => {
    const body = presentRole(role, wordsOf)
    return { body, etag: etagOf(body), headers: {} }
  }
}

function readRoutes(deps: RoleRouteDeps): readonly Route[] {
  const { roles, roleSearch, clusters, wordsOf } = deps
  const reply = replier(deps)

  /** What entries may call the cluster. */
  async function namesOf(cluster: string): Promise<readonly string[]> {
    const known = await clusters.get(cluster)
    return [...new Set([cluster, ...(known === undefined ? [] : [known.id, known.alias ?? known.id])])]
  }

  return [
    route(
      {
        method: 'get',
        path: '/roles',
        permission: 'roles:read',
        tag,
        summary: 'List roles',
        query: z.strictObject({
          ...pageQuery,
          prefix: z.string().max(256).optional().meta({ description: 'How the name begins' }),
          cluster: z.string().min(1).max(256).optional().meta({
            description: 'Those with an entry for this cluster (id or alias) or for something in it',
          }),
        }),
        answer: { status: 200, description: 'Roles, sorted by name.', body: pageOf(RoleBody) },
      },
      async ({ query }) => {
        const { after, limit } = readPage(query)
        const filter = {
          ...(query.prefix !== undefined && { prefix: query.prefix }),
          ...(query.cluster !== undefined && { clusters: await namesOf(query.cluster) }),
        }
        const rows = await roleSearch.find(filter, { ...(after !== undefined && { after }), limit: limit + 1 })
        return {
          body: presentPage(
            rows,
            limit,
            ({ name }) => name,
            (role) => presentRole(role, wordsOf),
          ),
        }
      },
    ),
    route(
      {
        method: 'get',
        path: '/roles/{name}',
        permission: 'roles:read',
        tag,
        summary: 'Show a role',
        params: NameParams,
        conditional: 'read',
        answer: { status: 200, description: 'The role.', body: RoleBody },
        refusals: [404],
      },
      async ({ params: { name } }) => {
        const role = await roles.get(name)
        if (role === undefined) throw new DomainError('role_not_found', { name })
        return reply(role)
      },
    ),
  ]
}

function changeRoutes(deps: RoleRouteDeps): readonly Route[] {
  const { roles, wordsOf, runOnce } = deps
  const reply = replier(deps)
  const tagOf = (role: Role) => tagOfRole(role, wordsOf)
  const locate = ({ name }: Role) => ({ Location: `/api/v1/roles/${encodeURIComponent(name)}` })

  return [
    route(
      {
        method: 'post',
        path: '/roles',
        permission: 'roles:write',
        tag,
        summary: 'Make a role',
        body: NewRoleBody,
        isRepeatable: true,
        answer: { status: 201, description: 'The role.', body: RoleBody },
        refusals: [403, 409, 503],
      },
      async ({ body: { name, ...body }, caller: { principal }, key }) => {
        const role = { name, ...parseRole(body, wordsOf)() }
        return runOnce(
          { principal, key },
          (options: Omit<Parameters<Roles['create']>[1], 'by'>) => roles.create(role, { by: principal, ...options }),
          (made) => ({ ...reply(made), headers: locate(made) }),
        )
      },
    ),
    route(
      {
        method: 'put',
        path: '/roles/{name}',
        permission: 'roles:write',
        tag,
        summary: 'Say what a role is, whole',
        description:
          'Makes the role, or puts this in the place of all that it was. Sent again it changes nothing. Where it then allows less, the tokens that carry it are revoked.',
        params: NameParams,
        query: z.strictObject(TokensQuery),
        body: WholeRoleBody,
        conditional: 'put',
        answer: { status: 200, description: 'The role as it is then.', body: RoleBody },
        created: 'The role, which is new.',
        refusals: [403, 503],
      },
      async ({ params: { name }, query, body, caller, conditions }) => {
        if (body.name !== undefined && body.name !== name) {
          const detail = 'must be that of the path: a role can not be renamed'
          throw new RequestError(422, `The name ${detail}.`, [{ in: 'body', field: 'name', detail }])
        }
        const contentOf = parseRole(body, wordsOf)
        const { precondition } = preconditionOf(conditions, `The role ${name}`, tagOf)
        const edit = (before: Role | undefined) => {
          precondition?.(before)
          return contentOf(before)
        }
        const { isNarrower } = wordsOf('')
        const options = { by: caller.principal, revokeNarrowed: query.tokens !== 'keep', isNarrower }
        const { role, isNew } = await roles.put(name, edit, options)
        return isNew ? { ...reply(role), headers: locate(role), isCreated: true } : reply(role)
      },
    ),
    route(
      {
        method: 'delete',
        path: '/roles/{name}',
        permission: 'roles:write',
        tag,
        summary: 'Remove a role',
        description: 'Whoever had it has it no more, and the tokens that carry it are revoked.',
        params: NameParams,
        query: z.strictObject(TokensQuery),
        conditional: 'change',
        answer: { status: 204, description: 'The role is gone.' },
        refusals: [403, 404, 503],
      },
      async ({ params: { name }, query, caller, conditions }) => {
        const condition = preconditionOf(conditions, `The role ${name}`, tagOf)
        await roles.delete(name, { by: caller.principal, revokeNarrowed: query.tokens !== 'keep', ...condition })
        return noContent
      },
    ),
  ]
}

function permissionsRoute({ grantWords }: RoleRouteDeps): Route {
  return route(
    {
      method: 'get',
      path: '/permissions',
      permission: 'self',
      tag,
      summary: 'List permissions and what they mean',
      answer: { status: 200, description: 'Those of Gatehouse itself, and those of clusters.', body: PermissionsBody },
    },
    async () => ({
      body: {
        gatehouse: {
          permissions: [...permissions],
          roles: Object.entries(permissionsOfRole).map(([name, held]) => ({ name, permissions: [...held] })),
        },
        clusters: Object.entries(grantWords).map(([kind, { words, sets }]) => ({
          kind,
          permissions: words.map(({ permissions: number, ...word }) => ({ ...word, number })),
          sets: sets.map(({ permissions: number, ...set }) => ({ ...set, number })),
        })),
      },
    }),
  )
}
