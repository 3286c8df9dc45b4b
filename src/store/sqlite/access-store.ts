import type { Database } from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import type { AccessChanges, AccessStore } from '../../core/access/access-store.ts'
import type { ClusterStore } from '../../core/clusters/cluster-store.ts'
import { nothingRevoked, type Revoked } from '../../core/revocation/selector.ts'
import { administratorRoleName } from '../../core/roles/role.ts'
import type { RoleStore } from '../../core/roles/role-store.ts'
import type { Deed } from '../../core/sessions/actor.ts'
import type { UserStore } from '../../core/users/user-store.ts'
import { prepareAccessReads } from './access-reads.ts'
import { prepareAuditRows } from './audit-rows.ts'
import { isBusy, outageReason, storageFailed } from './failures.ts'
import type { SqliteParts } from './parts.ts'
import type { LocalRevisions } from './revisions.ts'
import type { Writer } from './writer.ts'

/** The stores whose acts one act is made of, each over the parts that it is given. */
export interface DirectoryStores {
  readonly users: UserStore
  readonly roles: RoleStore
  readonly clusters: ClusterStore
}

export interface AccessStoreDeps {
  readonly parts: SqliteParts
  readonly writer: Pick<Writer, 'exclusively'>
  readonly revisions: LocalRevisions
  /** Another connection to the same database; undefined where there can be none (`:memory:`). */
  readonly openAnother: (() => Database) | undefined
  readonly createStores: (parts: SqliteParts) => DirectoryStores
}

export function createAccessStore(deps: AccessStoreDeps): AccessStore {
  const { parts, writer, revisions, openAnother, createStores } = deps
  const { client } = parts
  async function onAnother<T>(open: () => Database, work: (other: Database) => Promise<T>): Promise<T> {
    const other = open()
    try {
      return await work(other)
    } finally {
      other.close()
    }
  }

  /** `breathe` lets others run: they are not in this transaction, nor does it see what they do. */
  async function applyOver(
    other: Database,
    breathe: () => Promise<void>,
    ...[changes, revision, deed]: Parameters<AccessStore['apply']>
  ): Promise<Revoked | 'outdated'> {
    return inTransaction(other, async () => {
      if (revisions.directory() !== revision) return 'outdated'
      const over = inside(other)
      const revoked = await runAll(createStores(over), changes, deed, breathe)
      over.audit.append({ action: 'access.applied', target: null, details: summaryOf(changes, revoked) }, deed)
      return revoked
    })
  }

  return {
    ...prepareAccessReads(parts),

    apply: (changes, revision, deed) =>
      writer.exclusively(async () => {
        if (openAnother !== undefined) {
          return onAnother(openAnother, (other) => applyOver(other, letOthersRun, changes, revision, deed))
        }
        const applied = await applyOver(client, async () => undefined, changes, revision, deed)
        if (applied !== 'outdated') revisions.advance()
        return applied
      }),
  }
}

const letOthersRun = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Parts with which a store's acts are run at once, inside the transaction that is open. */
function inside(client: Database): SqliteParts {
  const atOnce = async <T>(act: () => T): Promise<T> => act()
  return {
    client,
    db: drizzle({ client }),
    audit: prepareAuditRows(client),
    read: atOnce,
    snapshot: atOnce,
    write: atOnce,
  }
}

const busyPauseMs = 5
const busyLimitMs = 10_000

/** @throws DomainError storage_failed; whatever `work` throws, with everything undone */
async function inTransaction<T>(client: Database, work: () => Promise<T>): Promise<T> {
  try {
    await begin(client)
    const result = await work()
    client.exec('COMMIT')
    return result
  } catch (error) {
    if (client.inTransaction) client.exec('ROLLBACK')
    const reason = outageReason(error)
    throw reason === undefined ? error : storageFailed(reason, error)
  }
}

/** While another process writes, this waits without blocking. */
async function begin(client: Database): Promise<void> {
  for (const startedAt = performance.now(); ; ) {
    try {
      client.exec('BEGIN IMMEDIATE')
      return
    } catch (error) {
      if (!isBusy(error) || performance.now() - startedAt > busyLimitMs) throw error
    }
    // Not the clock of the rules: what it waits for is a lock of the operating system.
    await new Promise((resolve) => setTimeout(resolve, busyPauseMs))
  }
}

/** Between two turns of others: some milliseconds of work. */
const actsAtOnce = 50

/**
 * Names are freed before they are taken, and whoever is to administer does before another no longer may. Each act is that
 * of its own store, with its rules, its revocations, and what it writes down.
 */
async function runAll(
  { users, roles, clusters }: DirectoryStores,
  changes: AccessChanges,
  deed: Deed,
  breathe: () => Promise<void>,
): Promise<Revoked> {
  let revoked = nothingRevoked
  let count = 0
  async function each<T>(list: readonly T[], act: (one: T) => Promise<Revoked | unknown>): Promise<void> {
    for (const one of list) {
      revoked = add(revoked, await act(one))
      count += 1
      if (count % actsAtOnce === 0) await breathe()
    }
  }
  const isAdministrator = ({ roleNames = [], isDisabled }: { roleNames?: readonly string[]; isDisabled?: boolean }) =>
    roleNames.includes(administratorRoleName) || isDisabled === false
  const narrowing = { ...deed, revokeNarrowed: true }

  await each(changes.clusters.delete, (id) => clusters.delete(id, deed))
  const handedOn = changes.clusters.update.filter(({ isAliasHandedOn }) => isAliasHandedOn)
  await each(handedOn, ({ id }) => clusters.update(id, { alias: null }, deed))
  // The document's own roles come before those that come with a cluster where their names are free.
  await each(changes.roles.insert, (role) => roles.insert(role, deed))
  await each(changes.clusters.insert, ({ cluster, acknowledged, roles: coming }) =>
    clusters.insert(cluster, acknowledged, coming, deed),
  )
  await each(changes.clusters.update, ({ id, alias, urls }) => clusters.update(id, { alias, urls }, deed))
  await each(changes.roles.update, ({ name, content, isNarrower }) =>
    roles.update(name, () => content, { ...narrowing, isNarrower: () => isNarrower }),
  )
  await each(changes.users.insert, async ({ isDisabled, ...user }) => {
    await users.insert(user, deed)
    if (isDisabled) await users.setDisabled(user.name, true, deed)
  })
  const updates = [...changes.users.update].sort((a, b) => Number(isAdministrator(b)) - Number(isAdministrator(a)))
  await each(updates, async ({ name, isDisabled, ...change }) => {
    const byChange =
      Object.keys(change).length > 0
        ? await users.update(name, { ...change, revokeNarrowed: true }, deed)
        : nothingRevoked
    return isDisabled === undefined ? byChange : add(byChange, await users.setDisabled(name, isDisabled, deed))
  })
  await each(changes.users.delete, (name) => users.delete(name, deed))
  await each(changes.roles.delete, (name) => roles.delete(name, narrowing))
  return revoked
}

/** How many of each kind were made, changed and removed. */
function summaryOf({ clusters, roles, users }: AccessChanges, { tokens }: Revoked) {
  const countsOf = (kind: typeof clusters | typeof roles | typeof users) => ({
    created: kind.insert.length,
    changed: kind.update.length,
    removed: kind.delete.length,
  })
  return { clusters: countsOf(clusters), roles: countsOf(roles), users: countsOf(users), tokens }
}

function add(sum: Revoked, more: unknown): Revoked {
  if (typeof more !== 'object' || more === null || !('lastSequence' in more)) return sum
  const { tokens, lastSequence } = more as Revoked
  return { tokens: sum.tokens + tokens, lastSequence: Math.max(sum.lastSequence, lastSequence) }
}
