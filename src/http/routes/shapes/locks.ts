import { z } from 'zod'
import { Instant, Reason } from './common.ts'
import { RevocationProgress } from './revocations.ts'

export const LockShape = z
  .object({
    id: z.int(),
    target: z.object({ kind: z.enum(['user', 'role']), name: z.string() }),
    isActive: z.boolean(),
    until: Instant,
    actor: z.string(),
    reason: z.string(),
    createdAt: Instant,
    liftedAt: Instant.nullable(),
    liftedBy: z.string().nullable(),
    revocation: z.int().meta({ description: 'The id of the revocation of the tokens that there were' }),
  })
  .meta({ id: 'Lock', description: 'No tokens for a user, or through a role, until a time. Ends by itself.' })

export const NewLock = z.object({ lock: LockShape, revocation: RevocationProgress }).meta({ id: 'NewLock' })

export const LockBody = z
  .strictObject({
    user: z.string().min(1).max(256).optional(),
    role: z.string().min(1).max(256).optional(),
    until: z.iso.datetime({ offset: true }).optional(),
    forSeconds: z.int().min(1).optional(),
    reason: Reason.optional(),
  })
  .refine(({ user, role }) => (user === undefined) !== (role === undefined), {
    message: 'needs either user or role',
  })
  .refine(({ until, forSeconds }) => (until === undefined) !== (forSeconds === undefined), {
    message: 'needs either until or forSeconds',
  })
  .meta({
    id: 'LockBody',
    allOf: [
      { oneOf: [{ required: ['user'] }, { required: ['role'] }] },
      { oneOf: [{ required: ['until'] }, { required: ['forSeconds'] }] },
    ],
  })

export type LockShape = z.output<typeof LockShape>
export type NewLock = z.output<typeof NewLock>
