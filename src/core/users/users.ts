import type { Clock } from '../clock.ts'
import { DomainError } from '../errors.ts'
import type { Repeatable } from '../once.ts'
import type { Conditional } from '../precondition.ts'
import { awaitClusters, type Propagation } from '../revocation/propagation.ts'
import type { Revoked } from '../revocation/selector.ts'
import { checkGiving, checkRemoving, checkTakingOver } from '../roles/granting.ts'
import { administratorRoleName } from '../roles/role.ts'
import { type Actor, serviceActor } from '../sessions/actor.ts'
import { isAdministrator } from '../sessions/permission.ts'
import { isOwnSubject } from '../tokens/token-issuer.ts'
import { generatePassword } from './generated-password.ts'
import { checkName } from './names.ts'
import type { PasswordHasher, Turn } from './password-hasher.ts'
import { type User, type UserListing, wholeSecond } from './user.ts'
import type { UserChange, UserDeed, UserStore } from './user-store.ts'

/**
 * The rules for users. Whoever may do such a thing at all still gives no more than they hold (roles/granting.ts). Passwords are hashed before a transaction begins; a refused change leaves nothing behind. Deleting or
 * disabling a user and a new password revoke the user's tokens: that answers when every cluster that is up knows of it, or
 * the budget is over.
 */
export interface Users {
  get(name: string): Promise<User | undefined>
  /** Up to `limit` users whose name comes after `after`, sorted by name. */
  list(page: { readonly after?: string; readonly limit: number }): Promise<readonly UserListing[]>
  /**
   * @throws DomainError field_missing (name, password), field_invalid (name, roles), user_exists, roles_unknown,
   *   beyond_authority, too_busy
   */
  create(
    user: { readonly name: string; readonly password: string; readonly roleNames: readonly string[] },
    by: Actor,
    options?: Repeatable<User>,
  ): Promise<User>
  /**
   * What is absent stays as it is; `roleNames` replaces all roles. All or nothing.
   * @throws DomainError field_missing (password), field_invalid (roles), user_not_found, roles_unknown, user_protected, last_administrator,
   *   beyond_authority, too_busy, and what the precondition throws
   */
  update(
    name: string,
    change: Omit<UserChange, 'passwordHash' | 'keptToken' | 'revokeNarrowed'> & { readonly password?: string },
    options: Conditional<User> & {
      readonly by: Actor
      /** Revokes the live tokens that carry a role which the user loses. */
      readonly revokeNarrowed?: boolean
      /** Fingerprint of the token with which the user changes the own password: clients go on with it. */
      readonly keptToken?: Buffer
    },
  ): Promise<void>
  /** @throws DomainError user_not_found, user_protected, last_administrator, beyond_authority */
  setDisabled(name: string, isDisabled: boolean, by: Actor): Promise<void>
  /** @throws DomainError user_not_found, user_protected, last_administrator, beyond_authority, and what the precondition throws */
  delete(name: string, by: Actor, options?: Conditional<User>): Promise<void>
  /**
   * Makes the built-in administrator where nobody administers. Answers the account with its password where one had
   * to be made up, else undefined. The name may break the name rule, as AIStore's may.
   * @throws DomainError field_missing, field_invalid
   */
  ensureFirstAdministrator(account: {
    readonly name: string
    readonly password: string | undefined
  }): Promise<{ readonly name: string; readonly password: string } | undefined>
}

export interface UsersDeps {
  readonly users: UserStore
  readonly hasher: PasswordHasher
  readonly clock: Clock
  readonly propagation: Propagation
  /** How long an answer waits for clusters. */
  readonly budgetMs: number
}

/** More than a token of theirs could ever carry. A list that anybody may fill costs everybody who reads it. */
const maximumRoles = 1000

/** How error messages call a user's name (contract 1.6). */
const whatName = 'user ID'

export function createUsers({ users, hasher, clock, propagation, budgetMs }: UsersDeps): Users {
  async function spread(revoking: Promise<Revoked>): Promise<void> {
    await awaitClusters(propagation, await revoking, budgetMs)
  }

  return {
    get: (name) => users.get(name),
    list: (page) => users.list(page),

    async create({ name, password, roleNames }, by, options) {
      requireText('name', whatName, name)
      requireText('password', 'password', password)
      checkName(whatName, 'name', name)
      checkRoleCount(roleNames)
      // Saves the hashing; the store has the last word.
      if (await users.credentials(name)) throw new DomainError('user_exists', { name })
      const passwordHash = await hasher.hash(password, lineOf(by))
      const at = clock.now()
      const user = { name, passwordHash, roleNames, isBuiltIn: false, tokensNotBefore: wholeSecond(at) }
      const deed = checkedDeed(by, at, (before, after) => checkGiving(by, before, after))
      return users.insert(user, { ...deed, ...options })
    },

    async update(name, { password, ...rest }, { by, revokeNarrowed = false, keptToken, ...condition }) {
      checkRoleCount(rest.roleNames ?? rest.givenRoleNames ?? [])
      if (password !== undefined) {
        requireText('password', 'password', password)
        if (!(await users.credentials(name))) throw new DomainError('user_not_found', { name })
      }
      const passwordHash = password === undefined ? {} : { passwordHash: await hasher.hash(password, lineOf(by)) }
      const kept = keptToken === undefined ? {} : { keptToken }
      const change = { ...rest, ...passwordHash, ...kept, revokeNarrowed }
      const deed = checkedDeed(by, clock.now(), (before, after) => {
        if (password !== undefined && by.subject !== name) checkTakingOver(by, name, before)
        if (rest.isDisabled !== undefined) checkRemoving(by, name, before)
        checkGiving(by, before, after)
        if (after.length > before.length) checkRoleCount(after)
      })
      await spread(users.update(name, change, { ...deed, ...condition }))
    },

    setDisabled(name, isDisabled, by) {
      const deed = checkedDeed(by, clock.now(), (before) => checkRemoving(by, name, before))
      return spread(users.setDisabled(name, isDisabled, deed))
    },

    delete(name, by, options) {
      const deed = checkedDeed(by, clock.now(), (before) => checkRemoving(by, name, before))
      return spread(users.delete(name, { ...deed, ...options }))
    },

    async ensureFirstAdministrator({ name, password }) {
      requireText('name', whatName, name)
      if (isOwnSubject(name)) {
        throw new DomainError('field_invalid', { field: 'name', what: whatName, value: name, rule: 'is reserved' })
      }
      if (await users.hasAdministrator()) return undefined
      if (await users.credentials(name)) {
        const rule = 'is that of a user who does not administer, and nobody does: name another with AIS_AUTHN_SU_NAME'
        throw new DomainError('field_invalid', { field: 'name', what: whatName, value: name, rule })
      }
      if (password !== undefined) requireText('password', 'password', password)
      const used = password ?? generatePassword()
      const first = {
        name,
        passwordHash: await hasher.hash(used),
        roleNames: [administratorRoleName],
        isBuiltIn: true,
        // Tokens that a replaced server issued to its administrator stay good.
        tokensNotBefore: new Date(0),
      }
      const isInserted = await users.insertFirst(first, { by: serviceActor, at: clock.now() })
      return isInserted && password === undefined ? { name, password: used } : undefined
    },
  }
}

/** An administrator may everything: there is nothing to look at. */
function checkedDeed(by: Actor, at: Date, check: NonNullable<UserDeed['check']>): UserDeed {
  return isAdministrator(by) ? { by, at } : { by, at, check }
}

/** Everybody may change the own password, as often as they like: nobody's changes wait in front of somebody else's. */
function lineOf({ subject }: Actor): Turn {
  return { asker: `user ${subject}` }
}

function checkRoleCount({ length }: readonly unknown[]): void {
  if (length <= maximumRoles) return
  const rule = `must be at most ${maximumRoles} roles`
  throw new DomainError('field_invalid', { field: 'roles', what: 'list of roles', value: `${length} roles`, rule })
}

function requireText(field: string, what: string, value: string): void {
  if (value === '') throw new DomainError('field_missing', { field, what })
}
