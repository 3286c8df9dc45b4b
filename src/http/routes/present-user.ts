import { DomainError } from '../../core/errors.ts'
import type { User } from '../../core/users/user.ts'
import type { FoundUser } from '../../core/users/user-search.ts'
import type { Users } from '../../core/users/users.ts'
import { etagOf } from '../conditions.ts'
import { presentInstant } from './present-cluster.ts'
import type { Reply } from './route.ts'
import type { UserBody } from './shapes/users.ts'

/** The user as it is now. @throws DomainError user_not_found */
export async function showUser(users: Pick<Users, 'get'>, name: string): Promise<Reply<UserBody>> {
  const user = await users.get(name)
  if (user === undefined) throw new DomainError('user_not_found', { name })
  return replyWithUser(user)
}

export function replyWithUser(user: User) {
  const body = presentUser(user)
  return { body, etag: etagOf(body), headers: {} }
}

export function tagOfUser(user: User): string {
  return etagOf(presentUser(user))
}

function presentUser({ roles, ...user }: User): UserBody {
  return presentFoundUser({ ...user, roleNames: [...new Set(roles.map(({ name }) => name))] })
}

export function presentFoundUser({
  name,
  roleNames,
  isDisabled,
  isBuiltIn,
  createdAt,
  changedAt,
}: FoundUser): UserBody {
  return {
    name,
    roles: [...roleNames],
    isDisabled,
    isBuiltIn,
    createdAt: presentInstant(createdAt),
    changedAt: presentInstant(changedAt),
  }
}
