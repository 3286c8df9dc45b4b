import type { ClusterStore } from '../clusters/cluster-store.ts'
import { DomainError } from '../errors.ts'
import type { Revisions } from '../revisions.ts'
import type { RoleStore } from '../roles/role-store.ts'
import type { AccessStore, AccessUser } from './access-store.ts'
import { type AccessDocument, checkUnique, createProblems, type Problems } from './document.ts'
import {
  createDigest,
  type Kept,
  type PlanItem,
  planUser,
  planUserRemoval,
  type UserChange,
  type WantedUser,
} from './plan.ts'
import { checkNewName, type Directory, type ReadOptions, type RulesByKind, readDirectory, readUser } from './reading.ts'

/** What a document comes to against one state of things. */
export interface Prepared {
  /** The state that this is true of (Revisions). */
  readonly revision: number
  readonly digest: string
  readonly directory: Directory
  readonly users: {
    readonly items: readonly PlanItem[]
    readonly unchanged: number
    readonly insert: readonly WantedUser[]
    readonly update: readonly UserChange[]
    readonly delete: readonly AccessUser[]
  }
  /** Everything: clusters, roles, users. */
  readonly items: readonly PlanItem[]
  readonly kept: readonly Kept[]
}

export interface PrepareOptions {
  readonly isPruned: boolean
  /** Who applies it, and is never pruned. */
  readonly caller: string
}

export interface StateDeps {
  readonly access: Pick<AccessStore, 'users' | 'usersAfter' | 'administrators'>
  readonly clusters: Pick<ClusterStore, 'list'>
  readonly roles: Pick<RoleStore, 'list'>
  readonly revisions: Revisions
  readonly grantRules: RulesByKind
  readonly rolesWith: ReadOptions['rolesWith']
}

/** Users that are looked at before others get a turn. */
const usersAtOnce = 200
/** How often reading begins anew because something has changed meanwhile. */
const maximumTries = 5

/** Lets whatever else waits run. */
export const breathe = () => new Promise<void>((resolve) => setImmediate(resolve))

/**
 * Compares a document with what is there, in small steps; answers what is true of one state.
 * @throws DomainError access_invalid, last_administrator, too_busy where the state never stands still
 */
export async function prepareAccess(
  document: AccessDocument,
  options: PrepareOptions,
  deps: StateDeps,
): Promise<Prepared> {
  for (let tries = 1; tries <= maximumTries; tries += 1) {
    const revision = deps.revisions.directory()
    const prepared = await prepareOnce(document, options, deps)
    if (deps.revisions.directory() === revision) return { ...prepared, revision }
  }
  throw new DomainError('too_busy', { retryAfterSeconds: 1 })
}

async function prepareOnce(document: AccessDocument, options: PrepareOptions, deps: StateDeps) {
  const problems = createProblems('access.')
  const present = { clusters: await deps.clusters.list(), roles: await deps.roles.list() }
  await breathe()
  const directory = readDirectory(
    document,
    present,
    { ...options, rolesWith: deps.rolesWith },
    deps.grantRules,
    problems,
  )
  await breathe()
  const { users, kept } = await prepareUsers(document, directory, options, problems, deps)
  problems.throwAny()
  await keepAdministrator(users, present.roles, deps.access)
  const items = [...directory.clusters.items, ...directory.roles.items, ...users.items]
  const digest = createDigest()
  for (const [index, item] of items.entries()) {
    digest.add(item)
    if (index % 1000 === 999) await breathe()
  }
  return { directory, users, items, kept, digest: digest.end() }
}

type PreparedUsers = Prepared['users']

async function prepareUsers(
  { users: entries }: AccessDocument,
  { roleNames }: Directory,
  options: PrepareOptions,
  problems: Problems,
  { access }: Pick<StateDeps, 'access'>,
): Promise<{ readonly users: PreparedUsers; readonly kept: readonly Kept[] }> {
  const users = { items: [] as PlanItem[], insert: [] as WantedUser[], update: [] as UserChange[] }
  checkUnique(problems, 'users', 'name', entries?.map(({ name }) => name) ?? [])
  for (let from = 0; from < (entries?.length ?? 0); from += usersAtOnce) {
    const slice = entries?.slice(from, from + usersAtOnce) ?? []
    const known = new Map((await access.users(slice.map(({ name }) => name))).map((user) => [user.name, user]))
    for (const [index, entry] of slice.entries()) {
      const at = `users.${from + index}`
      const wanted = readUser(entry, at, roleNames, problems)
      const before = known.get(entry.name)
      checkUser(wanted, before, at, problems)
      const planned = planUser(wanted, before)
      if (planned === undefined) continue
      users.items.push(planned.item)
      if (planned.change === undefined) users.insert.push(wanted)
      else users.update.push(planned.change)
    }
    await breathe()
  }
  const unchanged = (entries?.length ?? 0) - users.items.length
  const isPruned = options.isPruned && entries !== undefined
  const { removed, kept } = isPruned ? await findUnnamed(entries, options.caller, access) : { removed: [], kept: [] }
  const items = [...users.items, ...removed.map(planUserRemoval)]
  return { users: { ...users, items, unchanged, delete: removed }, kept }
}

function checkUser(wanted: WantedUser, before: AccessUser | undefined, at: string, problems: Problems): void {
  if (before === undefined) {
    checkNewName(problems, `${at}.name`, 'user ID', wanted.name)
    if (!wanted.hasPassword) problems.add(`${at}.password`, 'is needed: the user is new')
    return
  }
  if (!before.isBuiltIn) return
  const protectedMember = [
    wanted.isDisabled ? 'isDisabled' : undefined,
    planUser({ ...wanted, isDisabled: before.isDisabled, isPasswordUpdated: false }, before) && 'roles',
  ].find((member) => member !== undefined)
  if (protectedMember === undefined) return
  problems.add(`${at}.${protectedMember}`, `can't be changed: ${wanted.name} is the built-in administrator`)
}

/** The built-in administrator and whoever asks stay. */
async function findUnnamed(
  entries: readonly { readonly name: string }[],
  caller: string,
  access: Pick<AccessStore, 'usersAfter'>,
): Promise<{ readonly removed: readonly AccessUser[]; readonly kept: readonly Kept[] }> {
  const named = new Set(entries.map(({ name }) => name))
  const removed: AccessUser[] = []
  const kept: Kept[] = []
  for (let after = ''; ; ) {
    const page = await access.usersAfter({ after, limit: usersAtOnce })
    for (const user of page) {
      if (named.has(user.name)) continue
      if (user.isBuiltIn) kept.push({ kind: 'user', name: user.name, why: 'built_in' })
      else if (user.name === caller) kept.push({ kind: 'user', name: user.name, why: 'yourself' })
      else removed.push(user)
    }
    const last = page.at(-1)
    if (last === undefined || page.length < usersAtOnce) return { removed, kept }
    after = last.name
    await breathe()
  }
}

/** @throws DomainError last_administrator */
async function keepAdministrator(
  users: PreparedUsers,
  roles: readonly { readonly name: string; readonly isAdministrator: boolean }[],
  access: Pick<AccessStore, 'administrators'>,
): Promise<void> {
  const administering = new Set(roles.filter(({ isAdministrator }) => isAdministrator).map(({ name }) => name))
  const administers = ({ roleNames, isDisabled }: Pick<WantedUser, 'roleNames' | 'isDisabled'>) =>
    !isDisabled && roleNames.some((name) => administering.has(name))
  const ending = new Map<string, 'delete' | 'change_roles' | 'disable'>(
    users.delete.map(({ name }) => [name, 'delete']),
  )
  for (const { user, wanted } of users.update) {
    if (!administers(wanted)) ending.set(user.name, wanted.isDisabled ? 'disable' : 'change_roles')
  }
  const isOneMade = [...users.insert, ...users.update.map(({ wanted }) => wanted)].some(administers)
  if (isOneMade) return
  const present = await access.administrators(ending.size + 1)
  if (present.some((name) => !ending.has(name))) return
  const [name] = present
  if (name !== undefined) throw new DomainError('last_administrator', { name, act: ending.get(name) ?? 'delete' })
}
