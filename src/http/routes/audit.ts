import { z } from 'zod'
import type { AuditRow, AuditTarget } from '../../core/audit/audit.ts'
import type { AuditFilter, AuditPosition, AuditStore } from '../../core/audit/audit-store.ts'
import { NotFoundError } from '../errors.ts'
import { makeCursor, pageOf, pageQuery, readPositionedPage } from './page.ts'
import { presentInstant } from './present-cluster.ts'
import { type Route, route } from './route.ts'
import {
  AuditHeadShape,
  type AuditRowBody,
  AuditRowShape,
  AuditVerificationShape,
  auditFilterQuery,
  rowNumber,
} from './shapes/audit.ts'
import { IdParams } from './shapes/common.ts'

export interface AuditRouteDeps {
  readonly audit: Pick<AuditStore, 'list' | 'get' | 'head' | 'verify'>
}

const tag = 'Audit'
const permission = 'audit:read'

/** What one step of checking the chain takes is some ten milliseconds, during which nobody else is answered. */
const rowsPerStep = 2000

const verifyLimit = z
  .string()
  .regex(/^\d{1,4}$/, `must be a whole number from 1 to ${rowsPerStep}`)
  .transform(Number)
  .refine((limit) => limit >= 1 && limit <= rowsPerStep, `must be a whole number from 1 to ${rowsPerStep}`)
  .meta({ type: 'integer', minimum: 1, maximum: rowsPerStep, default: rowsPerStep, pattern: undefined })

/** Who did what, and whether the trail is whole. */
export function auditRoutes({ audit }: AuditRouteDeps): readonly Route[] {
  return [
    route(
      {
        method: 'get',
        path: '/audit',
        permission,
        tag,
        summary: 'List the audit trail',
        description:
          'A page may hold fewer rows than asked for although there are more, where conditions that no index knows together leave few: go on while `next` is not null. `order=written` with `after` follows the trail: what is written meanwhile is never missed.',
        query: z.strictObject({
          ...auditFilterQuery,
          ...pageQuery,
          order: z.enum(['newest', 'written']).optional().meta({
            description: '`newest`: by time, the latest first; `written`: the first one that was written first',
            default: 'newest',
          }),
          after: rowNumber.optional().meta({ description: 'With `order=written`: behind the row of this number' }),
        }),
        answer: { status: 200, description: 'Rows.', body: pageOf(AuditRowShape) },
      },
      async ({ query }) => {
        const { order = 'newest' } = query
        const { limit, ...page } = readPositionedPage(query)
        const start = order === 'written' && query.after !== undefined ? { after: { at: 0, id: query.after } } : {}
        const { rows, next } = await audit.list({ filter: readFilter(query), order, limit, ...start, ...page })
        return { body: { items: rows.map(presentRow), next: next && makeCursor(presentPosition(next)) } }
      },
    ),
    route(
      {
        method: 'get',
        path: '/audit/head',
        permission,
        tag,
        summary: 'Show the end of the audit trail',
        description: 'Kept elsewhere, it tells later whether rows up to this one were changed or cut off.',
        answer: { status: 200, description: 'The last row.', body: AuditHeadShape },
      },
      async () => {
        const { id, hash, at } = await audit.head()
        return { body: { id, hash, at: presentInstant(at) } }
      },
    ),
    route(
      {
        method: 'get',
        path: '/audit/verify',
        permission,
        tag,
        summary: 'Check a piece of the audit trail',
        description:
          'Follows the chain from behind the row `after`, or from the oldest row that is kept. Call it again with `after` = `head.id` until `isAtEnd`.',
        query: z.strictObject({ after: rowNumber.optional(), limit: verifyLimit.optional() }),
        answer: { status: 200, description: 'How far it holds.', body: AuditVerificationShape },
      },
      async ({ query: { after, limit = rowsPerStep } }) => {
        const { checked, head, isAtEnd, fault } = await audit.verify({ limit, ...(after !== undefined && { after }) })
        return { body: { checked, head, isAtEnd, fault } }
      },
    ),
    route(
      {
        method: 'get',
        path: '/audit/{id}',
        permission,
        tag,
        summary: 'Show one row of the audit trail',
        params: IdParams,
        answer: { status: 200, description: 'The row.', body: AuditRowShape },
        refusals: [404],
      },
      async ({ params: { id } }) => {
        const row = await audit.get(id)
        if (row === undefined) throw new NotFoundError(`There is no row ${id} in the audit trail, or not any more.`)
        return { body: presentRow(row) }
      },
    ),
  ]
}

type FilterQuery = { readonly [N in keyof typeof auditFilterQuery]?: z.output<(typeof auditFilterQuery)[N]> }

function readFilter({ actor, action, target, outcome, requestId, from, until }: FilterQuery): AuditFilter {
  return {
    ...(actor !== undefined && { actor }),
    ...(action !== undefined && { action }),
    ...(target !== undefined && { target: readTarget(target) }),
    ...(outcome !== undefined && { outcome }),
    ...(requestId !== undefined && { requestId }),
    ...(from !== undefined && { from: new Date(from) }),
    ...(until !== undefined && { until: new Date(until) }),
  }
}

/** The schema has made sure of the kind. */
function readTarget(text: string): AuditTarget {
  const colon = text.indexOf(':')
  return { kind: text.slice(0, colon) as AuditTarget['kind'], name: text.slice(colon + 1) }
}

function presentPosition({ at, id }: AuditPosition): string {
  return `${at}.${id}`
}

function presentRow({ at, since, ...row }: AuditRow): AuditRowBody {
  return { ...row, at: presentInstant(at), since: presentInstant(since) }
}
