import type { AccessEntry, Decision } from '../../core/access/authorizer.ts'
import type { Explain, ExplainOptions, Explanation } from '../../core/access/explain.ts'
import type { GrantRules } from '../../core/access/grant-rules.ts'
import type { Verdict } from '../../core/access/verdict.ts'
import type { ClusterKind } from '../../core/clusters/cluster.ts'
import type { GrantWords } from '../../core/roles/grant-words.ts'
import { type Permission, requirePermissionOrSelf, requireScope, scopeOf } from '../../core/sessions/permission.ts'
import type { Principal } from '../../core/sessions/principal.ts'
import { RequestError } from '../validate.ts'
import { presentInstant } from './present-cluster.ts'
import { type Route, route } from './route.ts'
import { type EntryBody, ExplainBody, ExplainQuery, ExplanationBody, TokenExplanationBody } from './shapes/explain.ts'

export interface ExplainRouteDeps {
  readonly explain: Explain
  readonly grantRules: Readonly<Record<ClusterKind, GrantRules>>
}

const tag = 'Access'
const needs =
  'Anybody may ask about himself; about others it needs `access:explain`, a cluster administrator for the own clusters.'

/** May somebody do something on a cluster, and why? */
export function explainRoutes({ explain, grantRules }: ExplainRouteDeps): readonly Route[] {
  function presentEntry(
    { scope, resource, permissions, sources }: AccessEntry,
    words: Pick<GrantWords, 'present'>,
  ): EntryBody {
    const roles = [...new Set(sources.map(({ role }) => role.name))]
    return { scope, bucket: resource, permissions: [...words.present(permissions)], permissionBits: permissions, roles }
  }

  function presentVerdict({ isAllowed, code, why }: Verdict, decision: Decision, words: Pick<GrantWords, 'present'>) {
    const { entry, shadowed } = decision
    return {
      isAllowed,
      code,
      why,
      entry: entry && presentEntry(entry, words),
      shadowed: shadowed.map((each) => presentEntry(each, words)),
    }
  }

  function present(found: Explanation): ExplanationBody {
    const { subject, action, cluster, resource, isGiven, administratorRoles, lockedRoles, remarks, remedies } = found
    return {
      ...presentVerdict(found, found.decision, grantRules[cluster.kind].words),
      user: subject,
      permission: action,
      cluster: { id: cluster.id, alias: cluster.alias },
      bucket: resource,
      isGiven,
      administratorRoles: [...administratorRoles],
      lockedRoles: [...lockedRoles],
      remarks: [...remarks],
      needed: remedies && { permission: action, roles: [...remedies.roles], count: remedies.count },
    }
  }

  return [
    route(
      {
        method: 'get',
        path: '/explain',
        permission: 'self',
        tag,
        summary: 'Explain whether a user may do something on a cluster',
        description: `By the cluster's own rules, and by what a token would say that the user got now. ${needs}`,
        query: ExplainQuery,
        answer: { status: 200, description: 'Allowed or not, and why.', body: ExplanationBody },
        refusals: [403, 404],
      },
      async ({ caller: { principal }, query: { user, permission, cluster, bucket } }) => {
        const request = { permission, cluster, resource: bucket ?? null }
        requirePermissionOrSelf(principal, 'access:explain', user)
        return { body: present(await explain.ofUser(user, request, optionsFor(principal))) }
      },
    ),
    route(
      {
        method: 'post',
        path: '/explain',
        permission: 'self',
        tag,
        summary: 'Explain what a token in hand may do on a cluster',
        description: `What the token says, what the roles say now, and how that differs. ${needs}`,
        body: ExplainBody,
        answer: { status: 200, description: 'Allowed or not, and why.', body: TokenExplanationBody },
        refusals: [403, 404],
      },
      async ({ caller: { principal }, body: { token, jti, permission, cluster, bucket } }) => {
        const reference = readReference(token, jti)
        const request = { permission, cluster, resource: bucket ?? null }
        const found = await explain.ofToken(reference, request, optionsFor(principal))
        const { state, audience, issuedAt, expiresAt } = found.token
        const words = grantRules[found.cluster.kind].words
        return {
          body: {
            ...present(found),
            token: {
              state,
              jti: found.token.jti,
              audience: [...audience],
              issuedAt: presentInstant(issuedAt),
              expiresAt: presentInstant(expiresAt),
            },
            now: found.now && {
              ...presentVerdict(found.now, found.now.decision, words),
              isGiven: found.now.isGiven,
            },
            difference: found.difference,
          },
        }
      },
    ),
  ]
}

/** @throws RequestError */
function readReference(token: string | undefined, jti: string | undefined) {
  if (token !== undefined && jti === undefined) return { text: token }
  if (jti !== undefined && token === undefined) return { jti }
  const field = { in: 'body', field: 'token', detail: 'give either the token or its jti' } as const
  throw new RequestError(422, 'The request does not have the form that is asked for.', [field])
}

/** Names that the asker didn't give are shown only to who may read roles everywhere. */
function optionsFor(principal: Principal): ExplainOptions {
  const isEverywhere = (permission: Permission) => scopeOf(principal, permission) === 'everywhere'
  return {
    showsOthers: isEverywhere('access:explain') && isEverywhere('roles:read'),
    permit({ subject, clusterId }) {
      requirePermissionOrSelf(principal, 'access:explain', subject)
      if (subject !== principal.subject) requireScope(principal, 'access:explain', { id: clusterId })
    },
  }
}
