import { z } from 'zod'
import { ClusterState, Trouble } from './clusters.ts'
import { Instant, orNull, Reason } from './common.ts'

/** Whether one cluster has a revocation. */
export const Holding = z
  .object({
    cluster: z.string().meta({ description: 'Its id' }),
    alias: z.string().nullable(),
    isHeld: z
      .boolean()
      .meta({ description: 'It has acknowledged it, and every proxy that can be asked has shown that it knows' }),
    isEveryProxyAsked: z.boolean().meta({
      description: 'false = the registered URLs stand for single proxies, or it has not been looked at yet',
    }),
    since: Instant.nullable().meta({ description: 'When it had it, at the latest; null = not, or long ago' }),
    why: z.string().nullable().meta({ description: 'Why not, for people; null where it is held' }),
    state: ClusterState,
    trouble: orNull(Trouble),
    nextAttemptAt: Instant.nullable(),
  })
  .meta({ id: 'Holding' })

const selectorKinds = [
  'text',
  'jti',
  'user',
  'role',
  'cluster',
  'key',
  'issued_before',
  'session',
  'consequence',
] as const

export const Revocation = z
  .object({
    id: z.int(),
    by: z.enum(selectorKinds).meta({ description: 'What chose the tokens; `consequence`: another change did' }),
    value: z.string().nullable().meta({
      description: 'The jti, name, kid, instant or session; of a consequence, the user or role; null for `text`',
    }),
    cause: z.string().nullable().meta({ description: 'Of a consequence: what happened, for instance `user.deleted`' }),
    actor: z.string(),
    reason: z.string(),
    at: Instant,
    tokens: z.int().meta({ description: 'How many it revoked: those that lived and were not revoked before' }),
    expiresAt: Instant.meta({ description: 'When the last of its tokens ends: from then on it matters to nobody' }),
  })
  .meta({ id: 'Revocation' })

export const RevocationProgress = Revocation.extend({
  isEverywhere: z.boolean().meta({ description: 'Every registered cluster has it' }),
  clusters: z.array(Holding),
}).meta({ id: 'RevocationProgress' })

const selectors = {
  token: z
    .string()
    .min(1)
    .max(1024 * 1024)
    .meta({ description: "A token's text" }),
  jti: z.string().min(1).max(256),
  user: z.string().min(1).max(256).meta({ description: 'Every token of this user' }),
  role: z.string().min(1).max(256).meta({ description: 'Every token that carries this role' }),
  cluster: z.string().min(1).max(256).meta({ description: 'Every token that this cluster (id or alias) would take' }),
  key: z.string().min(1).max(256).meta({ description: 'Every token signed by the key with this kid' }),
  issuedBefore: z.iso.datetime({ offset: true }).meta({ description: 'Every token issued before this instant' }),
  session: z.string().min(1).max(256).meta({ description: 'Every token of one login' }),
}

export const RevokeBody = z
  .strictObject({ ...z.object(selectors).partial().shape, reason: Reason.optional() })
  .refine((body) => Object.keys(selectors).filter((name) => name in body).length === 1, {
    message: `needs exactly one of ${Object.keys(selectors).join(', ')}`,
  })
  .meta({ id: 'RevokeBody', oneOf: Object.keys(selectors).map((name) => ({ required: [name] })) })

export type HoldingBody = z.output<typeof Holding>
export type RevocationBody = z.output<typeof Revocation>
export type RevocationProgressBody = z.output<typeof RevocationProgress>
export type RevokeBody = z.output<typeof RevokeBody>
