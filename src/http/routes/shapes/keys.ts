import { z } from 'zod'
import { Trouble } from './clusters.ts'
import { Instant } from './common.ts'

const Key = z
  .object({
    kid: z.string(),
    algorithm: z.string(),
    state: z.enum(['next', 'active', 'retiring', 'retired']).meta({
      description:
        '`next`: published, not signing yet; `active`: signs; `retiring`: verifies until its last token has ended',
    }),
    createdAt: Instant.meta({ description: 'When it was published' }),
    activatedAt: Instant.nullable().meta({ description: 'Since when it signs, or when it began to' }),
  })
  .meta({ id: 'Key' })

export const Keys = z
  .object({
    signsWith: z.enum(['RS256', 'HS256']).meta({ description: 'HS256: a secret shared with the clusters' }),
    items: z.array(Key),
  })
  .meta({ id: 'Keys' })

export const Rotation = z
  .object({
    kid: z.string(),
    signsAt: Instant.nullable().meta({
      description: 'When it signs: until then clusters learn of it, and nobody is asked; null = now',
    }),
    refusedBy: z
      .array(z.object({ cluster: z.string(), alias: z.string().nullable(), trouble: Trouble }))
      .meta({ description: 'Clusters that do not trust the new key and need to be given it' }),
    notAsked: z
      .array(z.object({ cluster: z.string(), alias: z.string().nullable(), said: z.string() }))
      .meta({ description: 'Clusters that have not answered; they are asked on' }),
  })
  .meta({ id: 'Rotation' })

export type Keys = z.output<typeof Keys>
export type Rotation = z.output<typeof Rotation>
