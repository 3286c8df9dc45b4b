/**
 * Nobody gives more than they hold, by any route: who may make and change which roles, and give and take them.
 *
 * An administrator may everything. Whoever holds roles:write or roles:grant for some clusters only may touch a role whose
 * every grant names one of them, and no other, not even a part of it: what a role allows elsewhere isn't theirs to change.
 * A grant counts as within a cluster only where it has the cluster's id. An alias is no proof: it may come to mean
 * another cluster, and then the role would reach where whoever wrote or gave it never could.
 */
import { DomainError } from '../errors.ts'
import type { Actor } from '../sessions/actor.ts'
import { holds, isAdministrator, type Permission, presentScope, scopeOf } from '../sessions/permission.ts'
import type { Grant, Role, RoleContent } from './role.ts'

type Judged = Pick<RoleContent, 'grants'> & Partial<Pick<Role, 'authority'>>

/** Why somebody may not touch the role with this permission, for people; undefined where they may. */
function whyBeyond(by: Actor, permission: Permission, name: string, role: Judged): string | undefined {
  const scope = scopeOf(by, permission)
  if (role.authority && !holds(by, role.authority)) return `the role ${name} allows more than ${by.subject} may do`
  if (scope === 'everywhere') return undefined
  if (scope.length === 0) return `${by.subject} holds that for no cluster`
  if (role.authority && !scope.includes(role.authority.clusterId ?? ''))
    return `the role ${name} is not ${within(scope)}`
  const beyond = role.grants.find(({ clusterId }) => !scope.includes(clusterId))
  return beyond && `the role ${name} has a grant on ${presentTarget(beyond)}, which is not ${within(scope)}`
}

function within(scope: readonly string[]): string {
  return `within ${presentScope(scope)} (a grant must name its cluster by the id)`
}

function presentTarget({ clusterId }: Grant): string {
  return clusterId === '' ? 'every cluster' : `the cluster ${JSON.stringify(clusterId)}`
}

function refuse({ subject }: Actor, permission: Permission, reason: string | undefined): void {
  if (reason !== undefined) throw new DomainError('beyond_authority', { subject, permission, reason })
}

/** Whether a role may be made, removed, or changed: as it was and as it shall be. @throws DomainError beyond_authority */
export function checkRoleChange(by: Actor, name: string, role: Judged): void {
  refuse(by, 'roles:write', whyBeyond(by, 'roles:write', name, role))
}

/**
 * Whether a user's roles may become these. Only what changes is judged, so that a user who holds others too can be given
 * one; those others stay as they are and in their order, which can matter to a cluster.
 * @throws DomainError beyond_authority
 */
export function checkGiving(by: Actor, before: readonly Role[], after: readonly Role[]): void {
  const why = (role: Role) => whyBeyond(by, 'roles:grant', role.name, role)
  const had = before.filter(why)
  const has = after.filter(why)
  if (had.length === has.length && had.every(({ key }, at) => key === has[at]?.key)) return
  const isNew = ({ key }: Role) => !had.some((role) => role.key === key)
  const isGone = ({ key }: Role) => !has.some((role) => role.key === key)
  const moved = has.find(isNew) ?? had.find(isGone) ?? had[0] ?? has[0]
  refuse(by, 'roles:grant', moved && why(moved))
}

/**
 * Whether somebody may set a user's password, which is as good as being that user: all that the user holds must be theirs
 * to give. @throws DomainError beyond_authority
 */
export function checkTakingOver(by: Actor, name: string, roles: readonly Role[]): void {
  if (isAdministrator(by)) return
  const beyond = roles.find((role) => whyBeyond(by, 'roles:grant', role.name, role) !== undefined)
  refuse(by, 'users:write', beyond && `${name} holds the role ${beyond.name}, which ${by.subject} can't give`)
}

/** Whether somebody may disable or delete a user: not one who may do more at Gatehouse. @throws DomainError beyond_authority */
export function checkRemoving(by: Actor, name: string, roles: readonly Role[]): void {
  const beyond = roles.find(({ authority }) => authority !== null && !holds(by, authority))
  refuse(
    by,
    'users:write',
    beyond && `${name} holds the role ${beyond.name}, which allows more than ${by.subject} may do`,
  )
}
