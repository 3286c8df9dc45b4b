import { z } from 'zod'
import { Instant } from './common.ts'

const name = z.string().min(1).max(256)
const password = z.string().min(1).max(4096)

export const UserBody = z
  .object({
    name: z.string(),
    roles: z.array(z.string()).meta({ description: 'Names, in the order in which they were given' }),
    isDisabled: z.boolean().meta({ description: 'Can not log in, and opens nothing' }),
    isBuiltIn: z.boolean().meta({ description: 'Made at the first start: can not be removed, nor lose its roles' }),
    createdAt: Instant,
    changedAt: Instant.meta({ description: 'When something of it was last changed, the password too' }),
  })
  .meta({ id: 'User' })

export const NewUserBody = z
  .strictObject({
    name: name.meta({
      description: 'At most 32 letters, digits, dashes and underscores, the last two neither first nor last',
    }),
    password,
    roles: z.array(name).max(1000).optional(),
  })
  .meta({ id: 'NewUser' })

export const UserPatch = z
  .strictObject({
    password: password.optional().meta({ description: 'Revokes every token of the user' }),
    roles: z.array(name).max(1000).optional().meta({ description: 'All roles from then on; [] takes every role away' }),
    isDisabled: z.boolean().optional().meta({ description: 'true revokes every token of the user' }),
  })
  .meta({ id: 'UserPatch', description: 'What is absent stays as it is (RFC 7396)' })

export const UserRoleParams = z.object({ name, role: name })

export const OwnPasswordBody = z
  .strictObject({ currentPassword: password, newPassword: password })
  .meta({ id: 'OwnPassword' })

/** What becomes of tokens that say more than is true from then on. */
export const TokensQuery = {
  tokens: z.enum(['revoke', 'keep']).optional().meta({
    description:
      'What becomes of live tokens that say more than is true from then on; `keep` leaves them until they end',
    default: 'revoke',
  }),
}

export type UserBody = z.output<typeof UserBody>
