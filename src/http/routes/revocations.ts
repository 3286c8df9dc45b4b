import { z } from 'zod'
import { isDomainError } from '../../core/errors.ts'
import type { RevocationActStore } from '../../core/revocation/revocation-acts.ts'
import type { Motive, Revocations } from '../../core/revocation/revocations.ts'
import type { RevocationAct, Selector } from '../../core/revocation/selector.ts'
import type { Actor } from '../../core/sessions/actor.ts'
import { NotFoundError } from '../errors.ts'
import { RequestError } from '../validate.ts'
import type { Statuses } from './cluster-statuses.ts'
import { pageOf, pageQuery, presentPage, readNumberedPage } from './page.ts'
import { presentProgress, presentRevocation } from './present-revocation.ts'
import { type Route, route } from './route.ts'
import { IdParams } from './shapes/common.ts'
import { Revocation, RevocationProgress, RevokeBody } from './shapes/revocations.ts'

export interface RevocationRouteDeps {
  readonly revocations: Pick<Revocations, 'revoke' | 'revokeByText'>
  readonly acts: RevocationActStore
  readonly statuses: Statuses
}

const tag = 'Revocations'

/** What was revoked, and how far it has got. */
export function revocationRoutes(deps: RevocationRouteDeps): readonly Route[] {
  const { revocations, acts } = deps

  async function find(id: number): Promise<RevocationAct> {
    const act = await acts.get(id)
    if (act === undefined) throw new NotFoundError(`There is no revocation ${id}, or all that it revoked has expired.`)
    return act
  }

  /** It is the token in the body that is no good, not the caller's. */
  async function revokeText(token: string, motive: Motive) {
    try {
      return await revocations.revokeByText(token, motive)
    } catch (error) {
      const detail = whyWorthless(error)
      if (detail === undefined) throw error
      throw new RequestError(422, detail, [{ in: 'body', field: 'token', detail }])
    }
  }

  async function revoke({ reason = '', ...choice }: RevokeBody, by: Actor): Promise<RevocationAct> {
    if (choice.token === undefined) return revocations.revoke(selectorOf(choice), { by, reason })
    const { actId } = await revokeText(choice.token, { by, reason })
    return find(actId)
  }

  return [
    route(
      {
        method: 'get',
        path: '/revocations',
        permission: 'revocations:read',
        tag,
        summary: 'List revocations',
        query: z.strictObject({
          ...pageQuery,
          singles: z.enum(['include', 'leave_out']).optional().meta({
            description: 'Whether those of one token in hand are listed; each log-out is one',
            default: 'include',
          }),
        }),
        answer: { status: 200, description: 'Newest first.', body: pageOf(Revocation) },
      },
      async ({ query }) => {
        const { limit, ...page } = readNumberedPage(query)
        const isByTextLeftOut = query.singles === 'leave_out'
        const rows = await acts.list({ ...page, limit: limit + 1, isByTextLeftOut })
        return { body: presentPage(rows, limit, ({ id }) => String(id), presentRevocation) }
      },
    ),
    route(
      {
        method: 'get',
        path: '/revocations/{id}',
        permission: 'revocations:read',
        tag,
        summary: 'Show one revocation and which clusters have it',
        params: IdParams,
        answer: { status: 200, description: 'The revocation.', body: RevocationProgress },
        refusals: [404],
      },
      async ({ params }) => ({ body: await presentProgress(await find(params.id), deps) }),
    ),
    route(
      {
        method: 'post',
        path: '/revocations',
        permission: 'tokens:revoke',
        tag,
        summary: 'Revoke tokens',
        description:
          'Revokes every live token that is meant. It is on disk when this answers, and every cluster that is up has it, or the budget for waiting (`delivery.budget`) is over; `clusters` says who has it. What was revoked before is not revoked again.',
        body: RevokeBody,
        answer: { status: 201, description: 'The revocation.', body: RevocationProgress },
        refusals: [404, 503],
      },
      async ({ body, caller }) => {
        const act = await revoke(body, caller.principal)
        const progress = await presentProgress(act, deps)
        return { body: progress, headers: { Location: `/api/v1/revocations/${act.id}` } }
      },
    ),
  ]
}

function whyWorthless(error: unknown): string | undefined {
  if (isDomainError(error, 'token_expired')) return 'has expired: nobody takes it any more'
  return isDomainError(error, 'token_invalid') ? `is no token of ours: ${error.details.reason}` : undefined
}

/** The body's schema has made sure that exactly one is there. */
function selectorOf(choice: Omit<RevokeBody, 'token' | 'reason'>): Selector {
  const { jti, user, role, cluster, key, issuedBefore, session } = choice
  if (jti !== undefined) return { by: 'jti', jti }
  if (user !== undefined) return { by: 'user', name: user }
  if (role !== undefined) return { by: 'role', name: role }
  if (cluster !== undefined) return { by: 'cluster', name: cluster }
  if (key !== undefined) return { by: 'key', kid: key }
  if (session !== undefined) return { by: 'session', session }
  return { by: 'issued_before', at: new Date(issuedBefore ?? '') }
}
