import { and, eq, sql } from 'drizzle-orm'
import { revocationDetails, userSnapshot } from '../../core/audit/snapshots.ts'
import { DomainError } from '../../core/errors.ts'
import type { Sealer } from '../../core/keys/sealer.ts'
import { nothingRevoked, type Revoked } from '../../core/revocation/selector.ts'
import type { Deed } from '../../core/sessions/actor.ts'
import { isBcrypt } from '../../core/users/password-hasher.ts'
import type { User } from '../../core/users/user.ts'
import type { NewUser, UserChange, UserDeed, UserStore } from '../../core/users/user-store.ts'
import type { Administrators } from './administrators.ts'
import type { OnceRows } from './once-store.ts'
import type { SqliteParts } from './parts.ts'
import type { Revoking } from './revoking.ts'
import type { RoleRows } from './role-rows.ts'
import { userRoles, users } from './schema.ts'
import { credentialsQuery, pageQuery, toListing, userPlaceholders, userRolePlaceholders } from './user-queries.ts'

export function createUserStore(
  parts: SqliteParts,
  roleRows: RoleRows,
  administrators: Administrators,
  revoking: Revoking,
  sealer: Sealer,
  once: OnceRows,
): UserStore {
  const { client, db, read, snapshot, write, audit } = parts
  const directory = { changesDirectory: true }
  const byName = db
    .select()
    .from(users)
    .where(eq(users.name, sql.placeholder('name')))
    .prepare()
  const credentials = client
    .prepare<[string], [number, string, number | null, number | null, number]>(credentialsQuery)
    .raw()
  const page = client.prepare<[string, number], [number, string, string | null]>(pageQuery).raw()
  const anyBcrypt = client
    .prepare<[], number>("SELECT 1 FROM users WHERE password_hash GLOB '$2[aby]$*' LIMIT 1")
    .pluck()
  const insertRow = db.insert(users).values(userPlaceholders).returning({ key: users.key }).prepare()
  const insertRole = db.insert(userRoles).values(userRolePlaceholders).prepare()

  /** @throws DomainError roles_unknown */
  function findRoleKeys(names: readonly string[]): readonly number[] {
    const keys = new Map(names.map((name) => [name, roleRows.key(name)]))
    const unknown = [...keys].filter(([, key]) => key === undefined).map(([name]) => name)
    if (unknown.length > 0) throw new DomainError('roles_unknown', { names: unknown })
    return names.flatMap((name) => keys.get(name) ?? [])
  }

  function insertRoles(userKey: number, roleKeys: readonly number[]): void {
    roleKeys.forEach((roleKey, position) => {
      insertRole.run({ userKey, position, roleKey })
    })
  }

  function insertUser({ roleNames, ...user }: NewUser, deed: UserDeed): void {
    const roleKeys = findRoleKeys(roleNames)
    const { key } = insertRow.get({ ...user, at: deed.at })
    insertRoles(key, roleKeys)
    deed.check?.([], roleRows.ofUser(key))
    audit.append({ action: 'user.created', target: targetOf(user.name), after: userSnapshot(roleNames) }, deed)
  }

  /** @throws DomainError user_not_found */
  function find(name: string) {
    const user = byName.get({ name })
    if (user === undefined) throw new DomainError('user_not_found', { name })
    return user
  }

  /** Runs what may change the user's roles. What the check refuses is rolled back with all the rest. */
  function checked<T>({ key }: { readonly key: number }, { check }: UserDeed, change: () => T): T {
    const before = check && roleRows.ofUser(key)
    const result = change()
    if (before) check(before, roleRows.ofUser(key))
    return result
  }

  function toUser({ key, name, isBuiltIn, disabledAt, createdAt, updatedAt }: ReturnType<typeof find>): User {
    const isDisabled = disabledAt !== null
    return { key, name, roles: roleRows.ofUser(key), isBuiltIn, isDisabled, createdAt, changedAt: updatedAt }
  }

  /** @throws DomainError user_protected */
  function requireChangeableRoles({ name, isBuiltIn }: ReturnType<typeof find>): void {
    if (isBuiltIn) throw new DomainError('user_protected', { name, act: 'change_roles' })
  }

  /** The keys of all roles that the user is to have; undefined = those that there are. @throws DomainError roles_unknown */
  function planRoles(user: ReturnType<typeof find>, change: UserChange): readonly number[] | undefined {
    const { roleNames, givenRoleNames = [], takenRoleNames = [] } = change
    if (roleNames !== undefined) {
      // Told before what is wrong with the roles, as AIStore's server does.
      requireChangeableRoles(user)
      return findRoleKeys(roleNames)
    }
    // In the user's order, which can matter to a cluster.
    const before = roleRows.ofUser(user.key).map(({ key }) => key)
    const given = findRoleKeys(givenRoleNames).filter((key) => !before.includes(key))
    const taken = takenRoleNames.map((name) => roleRows.key(name))
    const after = [...before.filter((key) => !taken.includes(key)), ...given]
    return given.length === 0 && after.length === before.length ? undefined : after
  }

  /** Answers the keys of the roles that the user no longer has. */
  function replaceRoles(user: ReturnType<typeof find>, after: readonly number[], at: Date): readonly number[] {
    requireChangeableRoles(user)
    const before = roleRows.keysOfUser(user.key)
    administrators.keepOne(user, 'change_roles', at, () => {
      db.delete(userRoles).where(eq(userRoles.userKey, user.key)).run()
      insertRoles(user.key, after)
    })
    return before.filter((key) => !after.includes(key))
  }

  /** Answers whether the user was not so before. */
  function switchTo(user: ReturnType<typeof find>, isDisabled: boolean, at: Date): boolean {
    if (isDisabled && user.isBuiltIn) throw new DomainError('user_protected', { name: user.name, act: 'disable' })
    if (isDisabled === (user.disabledAt !== null)) return false
    administrators.keepOne(user, 'disable', at, () => {
      db.update(users)
        .set({ disabledAt: isDisabled ? at : null, updatedAt: at })
        .where(eq(users.key, user.key))
        .run()
    })
    return true
  }

  /** What becomes of a user who was disabled or enabled. */
  function settleSwitch(name: string, isDisabled: boolean, deed: Deed): Revoked {
    const revoked = isDisabled ? revokeAll(name, 'user.disabled', deed) : nothingRevoked
    const action = isDisabled ? 'user.disabled' : 'user.enabled'
    audit.append({ action, target: targetOf(name), details: revocationDetails(revoked) }, deed)
    return revoked
  }

  function revokeAll(
    name: string,
    of: keyof typeof reasons,
    { by, at }: Deed,
    which: { readonly roleKeys?: readonly number[]; readonly except?: Buffer } = {},
  ): Revoked {
    const meant = { selector: { by: 'consequence', of, name }, scope: 'user', target: name } as const
    return revoking.revoke({ ...meant, ...which }, { by, reason: reasons[of], at })
  }

  /** What a new password or lost roles take with them. */
  function revokeChanged(name: string, change: UserChange, lost: readonly number[], deed: Deed): Revoked {
    if (change.passwordHash !== undefined) {
      const kept = change.keptToken === undefined ? {} : { except: change.keptToken }
      return revokeAll(name, 'user.password_changed', deed, kept)
    }
    if (!change.revokeNarrowed || lost.length === 0) return nothingRevoked
    return revokeAll(name, 'user.roles_changed', deed, { roleKeys: lost })
  }

  return {
    get: (name) =>
      snapshot(() => {
        const user = byName.get({ name })
        return user && toUser(user)
      }),

    credentials: (name) =>
      read(() => {
        const row = credentials.get(name)
        if (row === undefined) return undefined
        const [key, passwordHash, disabledAt, until, asOf] = row
        const lockedUntil = until === null ? null : new Date(until)
        return { key, name, passwordHash, isDisabled: disabledAt !== null, lockedUntil, asOf }
      }),

    list: ({ after = '', limit }) => read(() => page.all(after, limit).map(toListing)),

    insert: (user, deed) =>
      write(() => {
        if (byName.get({ name: user.name }) !== undefined) throw new DomainError('user_exists', { name: user.name })
        insertUser(user, deed)
        const made = toUser(find(user.name))
        once.keep(deed.once, made, deed.at)
        return made
      }, directory),

    insertFirst: (user, deed) =>
      write(() => {
        if (administrators.isAnybody()) return false
        if (byName.get({ name: user.name }) !== undefined) throw new DomainError('user_exists', { name: user.name })
        insertUser(user, deed)
        return true
      }, directory),

    update: (name, change, deed) =>
      write(() => {
        const user = find(name)
        deed.precondition?.(toUser(user))
        const { passwordHash, isDisabled } = change
        const before = userSnapshot(roleRows.namesOfUser(user.key))
        const roleKeys = planRoles(user, change)
        const lost = checked(user, deed, () => (roleKeys === undefined ? [] : replaceRoles(user, roleKeys, deed.at)))
        const isSwitched = isDisabled !== undefined && switchTo(user, isDisabled, deed.at)
        if (roleKeys === undefined && passwordHash === undefined && !isSwitched) return nothingRevoked
        db.update(users)
          .set({ updatedAt: deed.at, ...(passwordHash !== undefined && { passwordHash, sealedFormerHash: null }) })
          .where(eq(users.key, user.key))
          .run()
        // Disabling comes first: it takes every token, whatever else is changed.
        const switched = isSwitched ? settleSwitch(name, isDisabled, deed) : nothingRevoked
        const revoked = isSwitched && isDisabled ? nothingRevoked : revokeChanged(name, change, lost, deed)
        const after = userSnapshot(roleRows.namesOfUser(user.key))
        const isPasswordChanged = passwordHash !== undefined
        if (isPasswordChanged || JSON.stringify(before) !== JSON.stringify(after)) {
          const details = { isPasswordChanged, ...revocationDetails(revoked) }
          audit.append({ action: 'user.changed', target: targetOf(name), before, after, details }, deed)
        }
        return isSwitched && isDisabled ? switched : revoked
      }, directory),

    setDisabled: (name, isDisabled, deed) =>
      write(() => {
        const user = find(name)
        checked(user, deed, () => undefined)
        return switchTo(user, isDisabled, deed.at) ? settleSwitch(name, isDisabled, deed) : nothingRevoked
      }, directory),

    hasBcryptHash: () => read(() => anyBcrypt.get() !== undefined),

    hasAdministrator: () => read(() => administrators.isAnybody()),

    // Nothing that anybody is shown changes, so that answers built earlier stay good.
    rehash: (key, from, to) =>
      write(() => {
        const kept = isBcrypt(from) ? { sealedFormerHash: sealer.seal(from) } : {}
        db.update(users)
          .set({ passwordHash: to, ...kept })
          .where(and(eq(users.key, key), eq(users.passwordHash, from)))
          .run()
      }),

    delete: (name, deed) =>
      write(() => {
        const user = find(name)
        checked(user, deed, () => undefined)
        deed.precondition?.(toUser(user))
        if (user.isBuiltIn) throw new DomainError('user_protected', { name, act: 'delete' })
        const before = userSnapshot(roleRows.namesOfUser(user.key))
        administrators.keepOne(user, 'delete', deed.at, () => {
          db.delete(users).where(eq(users.key, user.key)).run()
        })
        const revoked = revokeAll(name, 'user.deleted', deed)
        const details = revocationDetails(revoked)
        audit.append({ action: 'user.deleted', target: targetOf(name), before, details }, deed)
        return revoked
      }, directory),
  }
}

const targetOf = (name: string) => ({ kind: 'user', name }) as const

/** Why the tokens went, for people. */
const reasons = {
  'user.deleted': 'the user was deleted',
  'user.disabled': 'the user was disabled',
  'user.password_changed': 'the password was changed',
  'user.roles_changed': 'a role was taken away',
} as const
