import { z } from 'zod'
import { Instant } from './common.ts'

export const LoginLockShape = z
  .object({
    kind: z.enum(['user', 'user_at_address', 'address']).meta({
      description:
        '`user`: the name, from everywhere; `user_at_address`: from one address, from which the user has logged in before; `address`: every name',
    }),
    user: z.string().nullable().meta({ description: 'As it was tried: there need not be such a user' }),
    address: z.string().nullable().meta({ description: 'IPv6 addresses count by their /64' }),
    until: Instant,
    failures: z.int().meta({ description: 'How many failed logins led to it' }),
    at: Instant,
  })
  .meta({ id: 'LoginLock' })

export const UnlockLoginBody = z
  .strictObject({
    user: z.string().min(1).max(256).optional(),
    address: z.union([z.ipv4(), z.ipv6()]).optional(),
  })
  .refine((body) => (body.user === undefined) !== (body.address === undefined), {
    message: 'needs exactly one of user, address',
  })
  .meta({ id: 'UnlockLoginBody', oneOf: [{ required: ['user'] }, { required: ['address'] }] })

export const UnlockedLogin = z
  .object({ ended: z.int().meta({ description: 'How many locks were ended' }) })
  .meta({ id: 'UnlockedLogin' })

export type LoginLockShape = z.output<typeof LoginLockShape>
export type UnlockedLogin = z.output<typeof UnlockedLogin>
