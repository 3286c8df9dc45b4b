import { createHash } from 'node:crypto'
import type { Cluster } from '../clusters/cluster.ts'
import type { Grant, Role } from '../roles/role.ts'
import type { AccessUser } from './access-store.ts'

/** What is different in one member of a thing; null where it isn't there. Lists are of names, in the order of the document. */
export interface FieldChange {
  readonly field: string
  readonly before: FieldValue
  readonly after: FieldValue
}

export type FieldValue = string | boolean | readonly string[] | null

export type Act = 'create' | 'change' | 'remove'

/** One thing that the document changes. */
export interface PlanItem {
  readonly kind: 'cluster' | 'role' | 'user'
  readonly name: string
  readonly act: Act
  readonly fields: readonly FieldChange[]
}

/** Something that stays although the document doesn't name it. */
export interface Kept {
  readonly kind: PlanItem['kind']
  readonly name: string
  readonly why: 'built_in' | 'yourself'
}

/** What applying a document does to the things of one kind, with what it takes to do it. */
export interface Planned<I, U> {
  readonly items: readonly PlanItem[]
  readonly unchanged: number
  readonly kept: readonly Kept[]
  readonly insert: readonly I[]
  readonly update: readonly U[]
  readonly delete: readonly string[]
}

export type WantedCluster = Omit<Cluster, 'annotations' | 'registeredAt'>
export type PlannedClusters = Planned<WantedCluster, WantedCluster>

export function planClusters(
  wanted: readonly WantedCluster[] | undefined,
  present: readonly Cluster[],
  isPruned: boolean,
): PlannedClusters {
  const known = new Map(present.map((cluster) => [cluster.id, cluster]))
  const named = new Set(wanted?.map(({ id }) => id))
  const planned = { items: [] as PlanItem[], insert: [] as WantedCluster[], update: [] as WantedCluster[] }
  for (const cluster of wanted ?? []) {
    const before = known.get(cluster.id)
    const fields = [
      ...differ('alias', before?.alias ?? null, cluster.alias),
      ...differ('urls', before?.urls ?? null, cluster.urls),
    ]
    if (before === undefined) planned.insert.push(cluster)
    else if (fields.length > 0) planned.update.push(cluster)
    if (before === undefined || fields.length > 0) planned.items.push(item('cluster', cluster.id, before, fields))
  }
  const removed = isPruned && wanted !== undefined ? present.filter(({ id }) => !named.has(id)) : []
  return {
    ...planned,
    items: [...planned.items, ...removed.map(({ id, alias }) => removal('cluster', id, differ('alias', alias, null)))],
    unchanged: (wanted?.length ?? 0) - planned.items.length,
    kept: [],
    delete: removed.map(({ id }) => id),
  }
}

/** A role as it shall be; grants normalized. */
export interface WantedRole {
  readonly name: string
  readonly description: string
  readonly grants: readonly Grant[]
}

export interface RoleChange {
  readonly role: Role
  readonly wanted: WantedRole
}

export interface RoleForms {
  /** Normalized, as clusters are called after the act. */
  readonly normalize: (grants: readonly Grant[]) => readonly Grant[]
  /** For people: where a grant holds, and what it gives. */
  readonly present: (grant: Grant) => { readonly place: string; readonly permissions: readonly string[] }
}

export function planRoles(
  wanted: readonly WantedRole[] | undefined,
  present: readonly Role[],
  isPruned: boolean,
  forms: RoleForms,
): Planned<WantedRole, RoleChange> {
  const known = new Map(present.map((role) => [role.name, role]))
  const named = new Set(wanted?.map(({ name }) => name))
  const planned = { items: [] as PlanItem[], insert: [] as WantedRole[], update: [] as RoleChange[] }
  for (const role of wanted ?? []) {
    const before = known.get(role.name)
    const fields = [
      ...differ('description', before?.description ?? null, role.description),
      ...grantChanges(before === undefined ? [] : forms.normalize(before.grants), role.grants, forms),
    ]
    if (before === undefined) planned.insert.push(role)
    else if (fields.length > 0) planned.update.push({ role: before, wanted: role })
    if (before === undefined || fields.length > 0) planned.items.push(item('role', role.name, before, fields))
  }
  const unnamed = isPruned && wanted !== undefined ? present.filter(({ name }) => !named.has(name)) : []
  const removed = unnamed.filter(({ isBuiltIn }) => !isBuiltIn)
  const removals = removed.map(({ name, grants }) =>
    removal('role', name, grantChanges(forms.normalize(grants), [], forms)),
  )
  return {
    ...planned,
    items: [...planned.items, ...removals],
    unchanged: (wanted?.length ?? 0) - planned.items.length,
    kept: [],
    delete: removed.map(({ name }) => name),
  }
}

/** A role that comes by itself. */
export function planComingRole({ name, description, grants }: WantedRole, forms: RoleForms): PlanItem {
  const fields = [...differ('description', null, description), ...grantChanges([], forms.normalize(grants), forms)]
  return item('role', name, undefined, fields)
}

/** Grants are told apart by where they hold; their order means nothing. */
function grantChanges(before: readonly Grant[], after: readonly Grant[], { present }: RoleForms): FieldChange[] {
  const placesOf = (grants: readonly Grant[]) => new Map(grants.map((grant) => [placeOf(grant), grant]))
  const [earlier, later] = [placesOf(before), placesOf(after)]
  return [...new Set([...earlier.keys(), ...later.keys()])].flatMap((place) => {
    const [from, to] = [earlier.get(place), later.get(place)]
    const shown = from ?? to
    if (shown === undefined || from?.permissions === to?.permissions) return []
    const namesOf = (grant: Grant | undefined) => (grant === undefined ? null : present(grant).permissions)
    return [{ field: `grant ${present(shown).place}`, before: namesOf(from), after: namesOf(to) }]
  })
}

function placeOf({ clusterId, resource }: Grant): string {
  return JSON.stringify([clusterId, resource])
}

/** A user as it shall be. */
export interface WantedUser {
  readonly name: string
  readonly roleNames: readonly string[]
  readonly isDisabled: boolean
  readonly hasPassword: boolean
  readonly isPasswordUpdated: boolean
}

export interface UserChange {
  readonly user: AccessUser
  readonly wanted: WantedUser
  readonly hasNewPassword: boolean
}

/** One of the document's users against the one who is there; undefined where nothing changes. */
export function planUser(
  wanted: WantedUser,
  before: AccessUser | undefined,
): { readonly item: PlanItem; readonly change: UserChange | undefined } | undefined {
  const hasNewPassword = wanted.hasPassword && (before === undefined || wanted.isPasswordUpdated)
  const isSame = before !== undefined && haveSame(before.roleNames, wanted.roleNames)
  const fields = [
    ...(isSame ? [] : differ('roles', before?.roleNames ?? null, wanted.roleNames)),
    ...differ('isDisabled', before?.isDisabled ?? false, wanted.isDisabled),
    ...(hasNewPassword ? [{ field: 'password', before: null, after: 'set' }] : []),
  ]
  if (before !== undefined && fields.length === 0) return undefined
  const change = before && { user: before, wanted, hasNewPassword }
  return { item: item('user', wanted.name, before, fields), change }
}

export function planUserRemoval({ name, roleNames }: AccessUser): PlanItem {
  return removal('user', name, differ('roles', roleNames, null))
}

/** Roles in another order, or named twice, are the same. */
function haveSame(before: readonly string[], after: readonly string[]): boolean {
  const wanted = new Set(after)
  return before.length === wanted.size && before.every((name) => wanted.has(name))
}

function differ(field: string, before: FieldValue, after: FieldValue): FieldChange[] {
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ field, before, after }]
}

function item(kind: PlanItem['kind'], name: string, before: unknown, fields: readonly FieldChange[]): PlanItem {
  return { kind, name, act: before === undefined ? 'create' : 'change', fields }
}

function removal(kind: PlanItem['kind'], name: string, fields: readonly FieldChange[]): PlanItem {
  return { kind, name, act: 'remove', fields }
}

/** Two plans that do the same have the same digest; how many tokens live meanwhile is not part of it. */
export function createDigest(): { add(item: PlanItem): void; end(): string } {
  const hash = createHash('sha256')
  return {
    add: ({ kind, name, act, fields }) => void hash.update(`${JSON.stringify([kind, name, act, fields])}\n`),
    end: () => hash.digest('base64url'),
  }
}
