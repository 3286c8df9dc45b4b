import { z } from 'zod'
import { builtInRoles } from '../../../core/sessions/actor.ts'
import { permissions } from '../../../core/sessions/permission.ts'
import { Instant } from './common.ts'

export const LoginBody = z.strictObject({
  name: z.string().min(1).max(256),
  password: z.string().min(1).max(4096),
  lifetimeSeconds: z
    .int()
    .min(0)
    .optional()
    .meta({ description: 'How long the token is to live; absent = as configured, 0 = the longest that is allowed' }),
})

export const NewSession = z
  .object({ token: z.string(), jti: z.string(), subject: z.string(), expiresAt: Instant })
  .meta({ id: 'NewSession' })

export const Whoami = z
  .object({
    subject: z.string(),
    isAdministrator: z.boolean(),
    authorities: z
      .array(z.object({ role: z.enum(builtInRoles), cluster: z.string().nullable() }))
      .meta({ description: 'The built-in roles that count now, each for everything or for the cluster with this id' }),
    permissions: z
      .array(z.enum(permissions))
      .meta({ description: 'What this user may do at Gatehouse itself, for some cluster at least' }),
    roles: z.array(z.string()),
    token: z.object({ jti: z.string().nullable(), session: z.string().nullable(), expiresAt: Instant }),
  })
  .meta({ id: 'Whoami', description: 'What the store says now, not what the token claims' })

export type NewSession = z.output<typeof NewSession>
export type Whoami = z.output<typeof Whoami>
