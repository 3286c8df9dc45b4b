import { z } from 'zod'

/** RFC 9457, with what programs and people need beside. */
export const ProblemBody = z
  .object({
    type: z.string().meta({ description: '`urn:gatehouse:problem:` and the code' }),
    title: z.string(),
    status: z.int(),
    detail: z.string().meta({ description: 'What happened and what to do, for people' }),
    code: z.string().meta({ description: 'Stable, for programs' }),
    requestId: z.string().meta({ description: 'Under this id the log says more' }),
    fields: z
      .array(z.object({ in: z.enum(['body', 'query', 'path', 'header']), field: z.string(), detail: z.string() }))
      .optional()
      .meta({ description: 'What of the request is at fault' }),
  })
  .meta({ id: 'Problem', description: 'A failure (RFC 9457)' })

export type ProblemBody = z.output<typeof ProblemBody>
