import { and, desc, eq, gt, isNotNull, isNull, sql } from 'drizzle-orm'
import { revocationDetails } from '../../core/audit/snapshots.ts'
import { DomainError } from '../../core/errors.ts'
import type { Lock, LockTarget } from '../../core/revocation/lock.ts'
import type { LockStore } from '../../core/revocation/lock-store.ts'
import type { Authority } from '../../core/sessions/actor.ts'
import { isAdministrator } from '../../core/sessions/permission.ts'
import type { Administrators } from './administrators.ts'
import type { SqliteParts } from './parts.ts'
import type { Meant, Revoking } from './revoking.ts'
import type { RoleRows } from './role-rows.ts'
import { locks, users } from './schema.ts'

export function createLockStore(
  { db, read, write, audit }: SqliteParts,
  roleRows: RoleRows,
  administrators: Administrators,
  revoking: Revoking,
): LockStore {
  const userKey = db
    .select({ key: users.key })
    .from(users)
    .where(eq(users.name, sql.placeholder('name')))
    .prepare()
  const byId = db
    .select()
    .from(locks)
    .where(eq(locks.key, sql.placeholder('id')))
    .prepare()
  const now = sql.placeholder('now')
  const holds = and(isNull(locks.liftedAt), gt(locks.until, now))
  const holding = db.select().from(locks).where(holds).orderBy(desc(locks.key)).prepare()
  const all = db.select().from(locks).orderBy(desc(locks.key)).prepare()
  const lockedRoles = db
    .select({ roleKey: locks.roleKey })
    .from(locks)
    .where(and(isNotNull(locks.roleKey), holds))
    .prepare()

  /** @throws DomainError user_not_found, role_not_found, last_administrator */
  function aimAt({ kind, name }: LockTarget, at: Date): Meant & { readonly key: number } {
    const key = kind === 'user' ? userKey.get({ name })?.key : roleRows.key(name)
    if (key === undefined) throw new DomainError(kind === 'user' ? 'user_not_found' : 'role_not_found', { name })
    if (kind === 'user') {
      if (administrators.isOnlyOne(key, at)) throw new DomainError('last_administrator', { name, act: 'lock' })
      return { key, selector: { by: 'consequence', of: 'user.locked', name }, scope: 'user', target: name }
    }
    return { key, selector: { by: 'consequence', of: 'role.locked', name }, scope: 'role', target: String(key) }
  }

  function find(id: number): Lock | undefined {
    const row = byId.get({ id })
    return row && toLock(row)
  }

  /** @throws DomainError lock_not_found */
  function get(id: number): Lock {
    const lock = find(id)
    if (lock === undefined) throw new DomainError('lock_not_found', { id })
    return lock
  }

  function authoritiesUnder(id: number): readonly Authority[] {
    const { userKey, roleKey } = byId.get({ id }) ?? {}
    if (typeof userKey === 'number') return roleRows.authoritiesOfUser(userKey)
    return typeof roleKey === 'number' ? roleRows.authoritiesOfRole(roleKey) : []
  }

  return {
    create: ({ target, until, check, ...deed }) =>
      write(() => {
        const { key, ...meant } = aimAt(target, deed.at)
        const authorities = target.kind === 'user' ? roleRows.authoritiesOfUser(key) : roleRows.authoritiesOfRole(key)
        check?.(authorities)
        if (target.kind === 'role' && isAdministrator({ authorities })) {
          throw new DomainError('role_protected', { name: target.name, act: 'lock' })
        }
        const act = revoking.revoke(meant, deed)
        const { by, reason, at } = deed
        const owner = target.kind === 'user' ? { userKey: key } : { roleKey: key }
        const row = {
          ...owner,
          name: target.name,
          until,
          actor: by.subject,
          reason,
          createdAt: at,
          revocationKey: act.id,
        }
        const { id } = db.insert(locks).values(row).returning({ id: locks.key }).get()
        const details = { lock: id, until: until.toISOString(), ...revocationDetails(act) }
        audit.append({ action: 'lock.created', target, details, reason }, deed)
        return { lock: get(id), act }
      }),

    get: (id) => read(() => find(id)),

    list: ({ now, isEndedIncluded = false }) =>
      read(() => (isEndedIncluded ? all.all() : holding.all({ now: now.getTime() })).map(toLock)),

    lift: (id, deed) =>
      write(() => {
        const { by, at, check } = deed
        const lock = get(id)
        check?.(authoritiesUnder(id))
        if (lock.liftedAt !== null || lock.until <= at) return lock
        db.update(locks).set({ liftedAt: at, liftedBy: by.subject }).where(eq(locks.key, id)).run()
        const details = { lock: id, until: lock.until.toISOString() }
        audit.append({ action: 'lock.lifted', target: lock.target, details }, deed)
        return get(id)
      }),

    lockedRoleKeys: (now) =>
      read(() => new Set(lockedRoles.all({ now: now.getTime() }).flatMap(({ roleKey }) => roleKey ?? []))),
  }
}

function toLock(row: typeof locks.$inferSelect): Lock {
  const { key: id, name, until, actor, reason, createdAt, liftedAt, liftedBy, revocationKey: actId } = row
  const target = { kind: row.userKey === null ? 'role' : 'user', name } as const
  return { id, target, until, actor, reason, createdAt, liftedAt, liftedBy, actId }
}
