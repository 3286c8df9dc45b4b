import { isDeepStrictEqual } from 'node:util'
import { eq } from 'drizzle-orm'
import { revocationDetails, roleSnapshot } from '../../core/audit/snapshots.ts'
import { DomainError } from '../../core/errors.ts'
import { nothingRevoked, type Revoked } from '../../core/revocation/selector.ts'
import { isNarrowerByGrants } from '../../core/roles/narrowing.ts'
import type { NewRole, Role, RoleContent } from '../../core/roles/role.ts'
import type { RoleAct, RoleStore } from '../../core/roles/role-store.ts'
import type { Deed } from '../../core/sessions/actor.ts'
import type { OnceRows } from './once-store.ts'
import type { SqliteParts } from './parts.ts'
import type { Revoking } from './revoking.ts'
import type { RoleRows } from './role-rows.ts'
import { roles } from './schema.ts'

export function createRoleStore(parts: SqliteParts, rows: RoleRows, revoking: Revoking, once: OnceRows): RoleStore {
  const { client, db, snapshot, write, audit } = parts
  const directory = { changesDirectory: true }
  const purgeHolders = client.prepare<[number]>(
    `DELETE FROM user_roles WHERE (user_key, position) IN (
       SELECT ur.user_key, ur.position FROM roles r JOIN user_roles ur ON ur.role_key = r.key
       WHERE r.deleted_at IS NOT NULL LIMIT ?)`,
  )
  const purgeRoles = client.prepare<[number]>(
    `DELETE FROM roles WHERE key IN (
       SELECT r.key FROM roles r
       WHERE r.deleted_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM user_roles ur WHERE ur.role_key = r.key) LIMIT ?)`,
  )
  const idOfAlias = client
    .prepare<[string, string], string>(
      'SELECT id FROM clusters WHERE alias = ? AND NOT EXISTS (SELECT 1 FROM clusters WHERE id = ?)',
    )
    .pluck()

  /** @throws DomainError role_not_found */
  function find(name: string): Role {
    const role = rows.get(name)
    if (role === undefined) throw new DomainError('role_not_found', { name })
    return role
  }

  /** @throws DomainError role_not_found, role_protected */
  function findForChange(name: string, act: 'update' | 'delete'): Role {
    const role = find(name)
    if (role.isBuiltIn) throw new DomainError('role_protected', { name, act })
    return role
  }

  function revokeAll({ key, name }: Role, of: keyof typeof reasons, { by, at }: RoleAct): Revoked {
    const selector = { by: 'consequence', of, name } as const
    return revoking.revoke({ selector, scope: 'role', target: String(key) }, { by, reason: reasons[of], at })
  }

  /** With the id of each cluster that is written by its alias: both mean one cluster, in tokens too. */
  function byId(content: RoleContent): RoleContent {
    const ids = new Map<string, string>()
    const find = (name: string) => {
      const id = ids.get(name) ?? idOfAlias.get(name, name) ?? name
      ids.set(name, id)
      return id
    }
    return { ...content, grants: content.grants.map((grant) => ({ ...grant, clusterId: find(grant.clusterId) })) }
  }

  function insert(role: NewRole, deed: Deed): Role {
    rows.insert(role, deed.at)
    audit.append({ action: 'role.created', target: targetOf(role.name), after: roleSnapshot(role) }, deed)
    return find(role.name)
  }

  function replace(role: Role, content: RoleContent, act: RoleAct): Revoked {
    rows.replaceContent(role.key, content, act.at)
    const { revokeNarrowed = false, isNarrower = isNarrowerByGrants } = act
    const isLess = revokeNarrowed && isNarrower(byId(role), byId(content))
    const revoked = isLess ? revokeAll(role, 'role.narrowed', act) : nothingRevoked
    const [before, after] = [roleSnapshot(role), roleSnapshot(content)]
    const isChanged = JSON.stringify(before) !== JSON.stringify(after)
    const details = revocationDetails(revoked)
    if (isChanged) audit.append({ action: 'role.changed', target: targetOf(role.name), before, after, details }, act)
    return revoked
  }

  return {
    get: (name) => snapshot(() => rows.get(name)),
    list: () => snapshot(() => rows.list()),

    insert: (role, deed) =>
      write(() => {
        if (rows.key(role.name) !== undefined) throw new DomainError('role_exists', { name: role.name })
        const made = insert(role, deed)
        once.keep(deed.once, made, deed.at)
        return made
      }, directory),

    update: (name, edit, act) =>
      write(() => {
        const role = findForChange(name, 'update')
        return replace(role, edit(role), act)
      }, directory),

    put: (name, edit, act) =>
      write(() => {
        const role = rows.get(name)
        if (role === undefined) return { ...nothingRevoked, role: insert({ name, ...edit(role) }, act), isNew: true }
        if (role.isBuiltIn) throw new DomainError('role_protected', { name, act: 'update' })
        const content = edit(role)
        const isSame = isDeepStrictEqual(content, contentOf(role))
        const revoked = isSame ? nothingRevoked : replace(role, content, act)
        return { ...revoked, role: { ...role, ...content }, isNew: false }
      }, directory),

    delete: (name, act) =>
      write(() => {
        const role = findForChange(name, 'delete')
        act.check?.(role)
        act.precondition?.(role)
        const { at } = act
        db.update(roles).set({ deletedAt: at, updatedAt: at }).where(eq(roles.key, role.key)).run()
        const revoked = act.revokeNarrowed ? revokeAll(role, 'role.deleted', act) : nothingRevoked
        const details = revocationDetails(revoked)
        audit.append({ action: 'role.deleted', target: targetOf(name), before: roleSnapshot(role), details }, act)
        return revoked
      }, directory),

    purgeDeletedRoles: (limit) =>
      write(() => {
        const holders = purgeHolders.run(limit).changes
        return holders + purgeRoles.run(limit - holders).changes
      }),
  }
}

const targetOf = (name: string) => ({ kind: 'role', name }) as const

function contentOf({ description, grants, annotations }: Role): RoleContent {
  return { description, grants, annotations }
}

/** Why the tokens went, for people. */
const reasons = { 'role.narrowed': 'the role was narrowed', 'role.deleted': 'the role was deleted' } as const
