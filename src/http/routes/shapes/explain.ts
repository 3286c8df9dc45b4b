import { z } from 'zod'
import { Instant, orNull } from './common.ts'
import { JtiParams } from './tokens.ts'

const asked = {
  permission: z.string().min(1).max(64).meta({ description: "A permission's name, for instance `PUT`" }),
  cluster: z.string().min(1).max(256).meta({ description: 'Id or alias' }),
  bucket: z
    .string()
    .min(1)
    .max(512)
    .optional()
    .meta({ description: '`name`, `ais://name`, `s3://name`; absent = the cluster as a whole' }),
}

export const ExplainQuery = z.strictObject({ user: z.string().min(1).max(256), ...asked })

export const ExplainBody = z.strictObject({
  token: z
    .string()
    .min(1)
    .max(1024 * 1024)
    .optional()
    .meta({ description: "A token's text" }),
  jti: JtiParams.shape.jti.optional().meta({ description: 'The id of a token that is known here' }),
  ...asked,
})

const Entry = z
  .object({
    scope: z.enum(['resource', 'cluster', 'every_cluster']).meta({
      description: 'What it is for: a bucket, this cluster, or every cluster without an entry of its own',
    }),
    bucket: z.string().nullable(),
    permissions: z.array(z.string()),
    permissionBits: z.string().meta({ description: 'The same as a 64-bit number in decimal' }),
    roles: z.array(z.string()).meta({ description: 'The roles that it comes from; empty for a token in hand' }),
  })
  .meta({ id: 'AccessEntry' })

const codes = [
  'administrator',
  'entry_allows',
  'entry_lacks',
  'no_entry',
  'authentication_off',
  'key_not_trusted',
  'user_disabled',
  'user_locked',
  'token_invalid',
  'token_expired',
  'token_revoked',
] as const

const verdict = {
  isAllowed: z.boolean().meta({ description: 'What the cluster answers, as far as Gatehouse knows' }),
  code: z.enum(codes),
  why: z.string().meta({ description: 'The answer in a sentence' }),
  entry: orNull(Entry).meta({ description: 'The entry that decides alone' }),
  shadowed: z.array(Entry).meta({ description: "Entries that speak of it too and don't count beside `entry`" }),
}

export const ExplanationBody = z
  .object({
    ...verdict,
    user: z.string(),
    permission: z.string(),
    cluster: z.object({ id: z.string(), alias: z.string().nullable() }),
    bucket: z.string().nullable(),
    isGiven: z.boolean().meta({
      description: 'The roles (or the token) give it, whatever the cluster itself makes of that',
    }),
    administratorRoles: z.array(z.string()),
    lockedRoles: z.array(z.string()),
    remarks: z.array(z.string()),
    needed: orNull(
      z.object({
        permission: z.string(),
        roles: z.array(z.string()).meta({ description: 'Roles that would give it, the narrowest first' }),
        count: z.int().meta({ description: 'How many such roles there are' }),
      }),
    ).meta({ description: 'Where the roles do not give it' }),
  })
  .meta({ id: 'Explanation' })

export const TokenExplanationBody = ExplanationBody.extend({
  token: z.object({
    state: z.enum(['live', 'revoked', 'expired', 'invalid']),
    jti: z.string().nullable(),
    audience: z.array(z.string()),
    issuedAt: Instant.nullable(),
    expiresAt: Instant.nullable(),
  }),
  now: orNull(z.object({ ...verdict, isGiven: z.boolean() })).meta({
    description: 'What a token that the user got now would say; null where the user is gone',
  }),
  difference: z.enum(['none', 'token_allows_more', 'token_allows_less']),
}).meta({ id: 'TokenExplanation' })

export type ExplanationBody = z.output<typeof ExplanationBody>
export type TokenExplanationBody = z.output<typeof TokenExplanationBody>
export type EntryBody = z.output<typeof Entry>
