import { z } from 'zod'
import { Instant, orNull } from './common.ts'
import { Holding, Revocation } from './revocations.ts'

/** A token's text is too long to be taken for its id: paths are logged. */
export const JtiParams = z.object({ jti: z.string().min(1).max(128) })

export const IntrospectBody = z.strictObject({
  token: z
    .string()
    .min(1)
    .max(1024 * 1024)
    .meta({ description: "A token's text" }),
})

export const TokenBody = z
  .object({
    active: z.boolean().meta({ description: 'As RFC 7662 has it: ours, not expired and not revoked' }),
    state: z.enum(['live', 'revoked', 'expired', 'invalid']),
    isDeadEverywhere: z.boolean().meta({ description: 'No registered cluster takes it any more' }),
    why: z.string().meta({ description: 'The answer in a sentence' }),
    jti: z.string().nullable(),
    subject: z.string().nullable(),
    session: z.string().nullable(),
    kid: z.string().nullable().meta({ description: 'The key that signed it; null under a shared secret' }),
    audience: z.array(z.string()),
    issuedAt: Instant.nullable(),
    expiresAt: Instant.nullable(),
    isIssuedHere: z.boolean().meta({ description: 'false = by a server that Gatehouse has replaced, or by nobody' }),
    revocation: orNull(Revocation),
    clusters: z.array(Holding).meta({ description: 'Which clusters refuse it' }),
  })
  .meta({ id: 'Token' })

export const TokenSummary = z
  .object({
    jti: z.string().nullable(),
    subject: z.string(),
    session: z.string().nullable(),
    kid: z.string().nullable().meta({ description: 'The key that signed it; null under a shared secret' }),
    audience: z.array(z.string()),
    issuedAt: Instant,
    expiresAt: Instant,
    isIssuedHere: z.boolean(),
    state: z.enum(['live', 'revoked', 'expired']),
    revocation: orNull(z.object({ id: z.int(), at: Instant })),
  })
  .meta({ id: 'TokenSummary' })

export type TokenSummary = z.output<typeof TokenSummary>
export type TokenBody = z.output<typeof TokenBody>
