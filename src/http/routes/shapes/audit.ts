import { z } from 'zod'
import { auditActions, auditTargetKinds } from '../../../core/audit/audit.ts'
import { Instant, orNull } from './common.ts'

const AuditTarget = z
  .object({ kind: z.enum(auditTargetKinds), name: z.string() })
  .meta({ id: 'AuditTarget', description: 'What the act is about: whose history it belongs to' })

const Hash = z.string().meta({ description: 'SHA-256 in hex, of the hash before and of this row' })

const anything = z.unknown()

export const AuditRowShape = z
  .object({
    id: z.int().meta({ description: '1, 2, 3 … without gaps' }),
    at: Instant,
    action: z.enum(auditActions),
    outcome: z.enum(['done', 'refused']),
    actor: z.string().meta({ description: 'Who did it; of a refused login the name that was given' }),
    via: z.enum(['native', 'aistore', 'command', 'service']).meta({ description: 'By which door it came' }),
    address: z.string().nullable(),
    requestId: z.string().nullable(),
    target: orNull(AuditTarget),
    before: anything.meta({ description: 'The target before; null where that is not told' }),
    after: anything.meta({ description: 'The target after; null where that is not told' }),
    details: z.record(z.string(), anything).nullable(),
    reason: z.string().nullable(),
    repeats: z.int().meta({ description: 'How often it happened, from `since` until `at`' }),
    since: Instant.nullable(),
    hash: Hash,
  })
  .meta({ id: 'AuditRow', description: 'One act, or a refusal and its repetitions' })

export const AuditHeadShape = z
  .object({
    id: z.int().meta({ description: 'How many rows were ever written' }),
    hash: Hash,
    at: Instant.nullable(),
  })
  .meta({ id: 'AuditHead', description: 'The last row of the audit trail' })

export const AuditVerificationShape = z
  .object({
    checked: z.int().meta({ description: 'How many rows hold, of this step' }),
    head: z
      .object({ id: z.int(), hash: Hash })
      .meta({ description: 'The last row that holds; `after` of the next step' }),
    isAtEnd: z.boolean().meta({ description: 'There is no next step' }),
    fault: orNull(
      z.object({
        id: z.int().meta({ description: 'The row at which it is noticed' }),
        what: z.enum(['altered', 'missing', 'cut', 'checkpoint']).meta({
          description:
            '`altered`: this row or the one before is not what was written; `missing`: rows before it are gone; `cut`: rows after it are gone; `checkpoint`: what a purge has left to go on from does not hold',
        }),
      }),
    ),
  })
  .meta({ id: 'AuditVerification' })

const idRule = 'must be the number of a row'

/** The number of a row in a query. */
export const rowNumber = z
  .string()
  .regex(/^\d{1,15}$/, idRule)
  .transform(Number)
  .meta({ type: 'integer', minimum: 0, pattern: undefined })

const kinds = auditTargetKinds.join('|')

/** Each is a condition; a row must meet all. */
export const auditFilterQuery = {
  actor: z.string().min(1).max(256).optional(),
  action: z.enum(auditActions).optional(),
  target: z
    .string()
    .max(300)
    .regex(new RegExp(`^(?:${kinds}):.+$`), `must be a kind and a name, such as user:ann; kinds are ${kinds}`)
    .optional()
    .meta({ description: 'A kind and a name, for instance `user:ann`' }),
  outcome: z.enum(['done', 'refused']).optional(),
  requestId: z.string().min(1).max(64).optional(),
  from: z.iso.datetime({ offset: true }).optional().meta({ description: 'At or after' }),
  until: z.iso.datetime({ offset: true }).optional().meta({ description: 'Before' }),
}

export type AuditRowBody = z.output<typeof AuditRowShape>
export type AuditHeadBody = z.output<typeof AuditHeadShape>
export type AuditVerificationBody = z.output<typeof AuditVerificationShape>
