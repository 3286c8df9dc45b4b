import { z } from 'zod'

/** An instant in ISO 8601, UTC, with milliseconds. */
export const Instant = z.iso.datetime().meta({ description: 'ISO 8601, UTC' })

/** As `.nullable()`, which the OpenAPI document gets wrong for shapes that have a name of their own. */
export function orNull<T extends z.ZodType>(shape: T) {
  return z.union([shape, z.null()])
}

/** A name in a path: a user's, a role's, an id or alias of a cluster. */
export const NameParams = z.object({ name: z.string().min(1).max(256) })

export const Reason = z
  .string()
  .max(500)
  .meta({ description: 'For people; kept, and shown with the act. Must hold no secret.' })

const idRule = 'must be a whole number'

/** The number of a revocation or a lock in a path. */
export const IdParams = z.object({
  id: z
    .string()
    .regex(/^\d{1,15}$/, idRule)
    .transform(Number)
    .meta({ type: 'integer', minimum: 0, pattern: undefined }),
})
