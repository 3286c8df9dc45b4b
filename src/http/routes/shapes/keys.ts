import { z } from 'zod'
import { Trouble } from './clusters.ts'
import { Instant } from './common.ts'

export const Key = z
  .object({
    kid: z.string(),
    algorithm: z.string(),
    state: z.enum(['next', 'active', 'retiring', 'retired']).meta({
      description:
        '`next`: published, not signing yet; `active`: signs; `retiring`: verifies until its last token has ended',
    }),
    createdAt: Instant,
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
    refusedBy: z
      .array(z.object({ cluster: z.string(), alias: z.string().nullable(), trouble: Trouble }))
      .meta({ description: 'Clusters that do not trust the new key and need to be given it' }),
  })
  .meta({ id: 'Rotation' })

export type Keys = z.output<typeof Keys>
export type Rotation = z.output<typeof Rotation>
