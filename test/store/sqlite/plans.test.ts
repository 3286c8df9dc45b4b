import { randomBytes } from 'node:crypto'
import Database from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { beforeEach, expect, test } from 'vitest'
import type { AuditFilter } from '../../../src/core/audit/audit-store.ts'
import { createSealer } from '../../../src/core/keys/sealer.ts'
import type { Selector } from '../../../src/core/revocation/selector.ts'
import type { TokenFilter } from '../../../src/core/tokens/token-search.ts'
import { prepareAcknowledgements } from '../../../src/store/sqlite/acknowledgements.ts'
import { prepareAdministrators } from '../../../src/store/sqlite/administrators.ts'
import { prepareAuditRows } from '../../../src/store/sqlite/audit-rows.ts'
import { createAuditStore } from '../../../src/store/sqlite/audit-store.ts'
import { createClusterStore } from '../../../src/store/sqlite/cluster-store.ts'
import { createCursorStore } from '../../../src/store/sqlite/cursor-store.ts'
import { createLockStore } from '../../../src/store/sqlite/lock-store.ts'
import { migrate } from '../../../src/store/sqlite/migrate.ts'
import { createOnceStore, prepareOnceRows } from '../../../src/store/sqlite/once-store.ts'
import type { SqliteParts } from '../../../src/store/sqlite/parts.ts'
import { createProbeStore } from '../../../src/store/sqlite/probe-store.ts'
import { createReader } from '../../../src/store/sqlite/reader.ts'
import { createRevocationActStore } from '../../../src/store/sqlite/revocation-act-store.ts'
import { createRevocationStore } from '../../../src/store/sqlite/revocation-store.ts'
import { prepareRevoking } from '../../../src/store/sqlite/revoking.ts'
import { prepareRoleRows } from '../../../src/store/sqlite/role-rows.ts'
import { createRoleSearch } from '../../../src/store/sqlite/role-search.ts'
import { createRoleStore } from '../../../src/store/sqlite/role-store.ts'
import { createTokenSearch } from '../../../src/store/sqlite/token-search.ts'
import { createTokenStore } from '../../../src/store/sqlite/token-store.ts'
import { createUserSearch } from '../../../src/store/sqlite/user-search.ts'
import { createUserStore } from '../../../src/store/sqlite/user-store.ts'
import { createWriter } from '../../../src/store/sqlite/writer.ts'
import { deedAt } from '../../actors.ts'
import { aCluster, after, aRevocation, aRole, aToken, aUser, by, start } from '../conformance/samples.ts'

// That a cost doesn't grow with the number of rows is read off SQLite's plans: a table that is scanned shows as SCAN.

const sealer = createSealer(randomBytes(32))
let executed: string[]
let stores: ReturnType<typeof openStores>

beforeEach(() => {
  executed = []
  stores = openStores()
})

function openStores() {
  const client = new Database(':memory:', { verbose: (statement) => executed.push(String(statement)) })
  client.pragma('foreign_keys = ON')
  migrate(client)
  const { write } = createWriter(client, { onDirectoryChanged: () => undefined })
  const parts: SqliteParts = {
    client,
    db: drizzle({ client }),
    write,
    audit: prepareAuditRows(client),
    ...createReader(client),
  }
  const roleRows = prepareRoleRows(parts)
  const administrators = prepareAdministrators(parts)
  const revoking = prepareRevoking(parts)
  const acknowledgements = prepareAcknowledgements(parts)
  const once = prepareOnceRows(parts, sealer)
  return {
    client,
    users: createUserStore(parts, roleRows, administrators, revoking, sealer, once),
    userSearch: createUserSearch(parts),
    roles: createRoleStore(parts, roleRows, revoking, once),
    roleSearch: createRoleSearch(parts, roleRows),
    clusters: createClusterStore(parts, roleRows, acknowledgements, once),
    tokens: createTokenStore(parts),
    tokenSearch: createTokenSearch(parts),
    once: createOnceStore(parts, sealer),
    revocations: createRevocationStore(parts, sealer, roleRows, revoking),
    revocationActs: createRevocationActStore(parts, acknowledgements),
    locks: createLockStore(parts, roleRows, administrators, revoking),
    cursors: createCursorStore(parts, sealer, acknowledgements),
    probes: createProbeStore(parts, sealer),
    audit: createAuditStore(parts),
  }
}

/** The steps in which SQLite goes through a whole table or index. */
async function scansOf(act: () => Promise<unknown>): Promise<readonly string[]> {
  return (await stepsOf(act)).filter((detail) => detail.startsWith('SCAN') && !isFree(detail))
}

/** How SQLite goes about every statement that the act runs. */
async function stepsOf(act: () => Promise<unknown>): Promise<readonly string[]> {
  executed.length = 0
  await act()
  const statements = executed.filter((statement) => /^\s*(with|select|insert|update|delete)/i.test(statement))
  expect(statements.length).toBeGreaterThan(0)
  return statements.flatMap((statement) =>
    stores.client
      .prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${statement}`)
      .all()
      .map((step) => step.detail),
  )
}

/** One constant row; the few roles that administer; and the table of the last sequences, which has a row a table. */
function isFree(detail: string): boolean {
  return /CONSTANT ROW|SCAN \(subquery|INDEX roles_of_administrators|SCAN sqlite_sequence/.test(detail)
}

test('changing or deleting a role goes through no table, whoever holds it', async () => {
  await stores.roles.insert(aRole('r'), deedAt(start))
  await stores.users.insert(aUser('ann', { roleNames: ['r'] }), deedAt(start))
  expect(await scansOf(() => stores.roles.update('r', (role) => role, by))).toEqual([])
  expect(await scansOf(() => stores.roles.delete('r', by))).toEqual([])
  const purged = await scansOf(() => stores.roles.purgeDeletedRoles(10))
  expect(purged.filter((detail) => !detail.includes('INDEX roles_deleted'))).toEqual([])
})

test('reading, changing or deleting one user goes through no table, an administrator\u2019s neither', async () => {
  await stores.users.insert(aUser('ann', { roleNames: ['Admin'] }), deedAt(start))
  await stores.users.insert(aUser('bob', { roleNames: ['Admin'] }), deedAt(start))
  expect(await scansOf(() => stores.users.get('ann'))).toEqual([])
  expect(await scansOf(() => stores.users.credentials('ann'))).toEqual([])
  expect(await scansOf(() => stores.users.update('ann', { roleNames: [] }, deedAt(start)))).toEqual([])
  expect(await scansOf(() => stores.users.update('ann', { roleNames: ['Admin'] }, deedAt(start)))).toEqual([])
  expect(await scansOf(() => stores.users.delete('ann', by))).toEqual([])
  expect(await scansOf(() => stores.users.list({ after: 'a', limit: 10 }))).toEqual([])
})

test('a token\u2019s standing, its revocation and the purge of old ones go through no table', async () => {
  await stores.users.insert(aUser('ann', { roleNames: ['Admin'] }), deedAt(start))
  const token = aToken('t1', sealer)
  expect(await scansOf(() => stores.tokens.record(token, deedAt(start)))).toEqual([])
  expect(await scansOf(() => stores.tokens.standing({ ...token, now: start }))).toEqual([])
  expect(await scansOf(() => stores.revocations.record(aRevocation(token)))).toEqual([])
  expect(await scansOf(() => stores.revocations.after(0, { limit: 10, now: start }))).toEqual([])
  expect(await scansOf(() => stores.revocations.lastSequence())).toEqual([])
  expect(await scansOf(() => stores.tokens.purgeExpired(after(99_999), 10))).toEqual([])
})

test('no selector goes through all tokens, nor does what follows from changing a user or a role', async () => {
  await stores.roles.insert(aRole('r'), deedAt(start))
  await stores.roles.insert(aRole('s'), deedAt(start))
  await stores.users.insert(aUser('root', { roleNames: ['Admin'] }), deedAt(start))
  await stores.users.insert(aUser('ann', { roleNames: ['r', 's'] }), deedAt(start))
  await stores.clusters.insert(aCluster('c1'), 0, [], deedAt(start))
  const roleKeys = [(await stores.roles.get('r'))?.key ?? 0]
  await stores.tokens.record(aToken('t1', sealer, { session: 's1', roleKeys }), deedAt(start))
  const selectors: readonly Selector[] = [
    { by: 'jti', jti: 'jti of t1' },
    { by: 'session', session: 's1' },
    { by: 'user', name: 'ann' },
    { by: 'role', name: 'r' },
    { by: 'cluster', name: 'c1' },
    { by: 'key', kid: 'kid-1' },
    { by: 'issued_before', at: start },
  ]
  const deed = { ...by, reason: 'test' }
  for (const selector of selectors) {
    expect(await scansOf(() => stores.revocations.revokeSelected(selector, deed))).toEqual([])
  }
  const until = after(10)
  const isNarrower = () => true
  const acts: readonly (() => Promise<unknown>)[] = [
    () => stores.users.update('ann', { ...by, passwordHash: 'new' }, deedAt(start)),
    () => stores.users.update('ann', { ...by, roleNames: ['r'], revokeNarrowed: true }, deedAt(start)),
    () => stores.users.setDisabled('ann', true, by),
    () => stores.roles.update('r', (role) => role, { ...by, revokeNarrowed: true, isNarrower }),
    () => stores.locks.create({ target: { kind: 'user', name: 'ann' }, until, ...deed }),
    () => stores.locks.create({ target: { kind: 'role', name: 'r' }, until, ...deed }),
    () => stores.users.delete('ann', by),
  ]
  for (const act of acts) expect(await scansOf(act)).toEqual([])
})

test('reading acts, and recording a token that knows of them, goes through neither tokens nor acts', async () => {
  await stores.clusters.insert(aCluster('c1'), 0, [], deedAt(start))
  const token = aToken('t1', sealer)
  const { actId } = await stores.revocations.record(aRevocation(token))
  const { list, get, token: find, purge } = stores.revocationActs
  expect(await scansOf(() => get(actId))).toEqual([])
  // The newest few, in the order of their keys.
  for (const isByTextLeftOut of [false, true])
    expect(await scansOf(() => list({ limit: 5, isByTextLeftOut }))).toEqual([])
  const { fingerprint } = token
  const scans = [
    ...(await scansOf(() => find({ jti: 'jti of t1' }))),
    ...(await scansOf(() => find({ fingerprint }))),
    ...(await scansOf(() => purge(after(99), 10))),
  ]
  expect(scans.filter((detail) => !/ cc$|cluster_cursors|clusters/.test(detail))).toEqual([])
  expect(await scansOf(() => stores.tokens.record(aToken('t2', sealer), deedAt(start), { asOf: actId }))).toEqual([])
})

test('finding the clusters to probe goes by the plan', async () => {
  for (const id of ['c1', 'c2']) await stores.clusters.insert(aCluster(id), 0, [], deedAt(start))
  for (const ms of [0, 10_000, 20_000]) {
    const options = { now: after(ms), limit: 5, everyMs: 10_000 }
    expect(await scansOf(() => stores.probes.claimDue(options))).toEqual([])
  }
  expect(await scansOf(() => stores.probes.nextDueAt())).toEqual([])
})

test('claiming looks only at clusters that are behind, in a resync or in want of a canary', async () => {
  for (const id of ['c1', 'c2']) await stores.clusters.insert(aCluster(id), 0, [], deedAt(start))
  const options = { now: start, limit: 5, leaseUntil: after(1000), holder: 'test' }
  expect(await scansOf(() => stores.cursors.claimDue(options))).toEqual([])
  await stores.cursors.wantCanary('c1', start)
  await stores.revocations.record(aRevocation(aToken('t1', sealer)))
  const claims = () => stores.cursors.claimDue(options)
  expect(await scansOf(claims)).toEqual([])
  const [claim] = await stores.cursors.claimDue({ ...options, now: after(2000), leaseUntil: after(3000) })
  if (claim === undefined) throw new Error('nothing is due')
  const settlement = { kind: 'acknowledged', acknowledged: 1, resyncFrom: null, at: start, leaseUntil: null } as const
  expect(await scansOf(() => stores.cursors.settle(claim, settlement))).toEqual([])
  expect(await scansOf(() => stores.cursors.nextDueAt())).toEqual([])
})

test('a page of the audit goes by the index of its filter, wherever it lies; so do the head, a check and the purge', async () => {
  for (const name of ['r', 's', 't']) await stores.roles.insert(aRole(name), deedAt(start))
  const filters: readonly AuditFilter[] = [
    {},
    { from: start, until: after(1) },
    { actor: 'op' },
    { action: 'role.created' },
    { target: { kind: 'role', name: 'r' } },
    { outcome: 'refused' },
    { requestId: 'request-1' },
    { actor: 'op', action: 'role.created', target: { kind: 'role', name: 'r' }, from: start },
  ]
  const { list, get, head, verify, purge } = stores.audit
  for (const filter of filters) {
    expect(await scansOf(() => list({ filter, order: 'newest', limit: 2 }))).toEqual([])
    expect(await scansOf(() => list({ filter, order: 'newest', limit: 2, after: { at: 5, id: 2 } }))).toEqual([])
    expect(await scansOf(() => list({ filter, order: 'written', limit: 2 }))).toEqual([])
    // Nothing is sorted: the index has the order.
    executed.length = 0
    await list({ filter, order: 'newest', limit: 2 })
    const [statement = ''] = executed
    const steps = stores.client.prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${statement}`).all()
    expect(steps.map(({ detail }) => detail).join()).not.toContain('TEMP B-TREE')
  }
  expect(await scansOf(() => get(1))).toEqual([])
  expect(await scansOf(() => head())).toEqual([])
  expect(await scansOf(() => verify({ limit: 2 }))).toEqual([])
  expect(await scansOf(() => purge(after(1), 2, deedAt(after(2))))).toEqual([])
})

test('a page of tokens goes along an index, however it is filtered; so do pages of users and roles', async () => {
  await stores.roles.insert(aRole('r'), deedAt(start))
  await stores.users.insert(aUser('ann', { roleNames: ['r'] }), deedAt(start))
  await stores.clusters.insert(aCluster('c1'), 0, [], deedAt(start))
  await stores.tokens.record(aToken('t1', sealer), deedAt(start))
  const positions = [undefined, { key: 9 }, { key: 9, issuedAt: 9, expiresAt: 9 }]
  const states = [undefined, 'live', 'revoked', 'expired'] as const
  const filters: readonly TokenFilter[] = [
    {},
    { subject: 'ann' },
    { role: 'r' },
    { cluster: 'c1' },
    { kid: 'kid-1' },
    { issuedFrom: start },
    { issuedUntil: start, kid: 'kid-1' },
    { subject: 'ann', role: 'r', cluster: 'c1', kid: 'kid-1', issuedFrom: start },
  ]
  for (const filter of filters) {
    for (const state of states) {
      for (const after of positions) {
        const page = { limit: 10, now: start, ...(after && { after }) }
        const plan = await stepsOf(() => stores.tokenSearch.find({ ...filter, ...(state && { state }) }, page))
        // The newest few, in the order of their keys: a scan that ends with the page.
        const scans = plan.filter((detail) => detail.startsWith('SCAN') && !isFree(detail))
        expect({ filter, state, scans }).toEqual({
          filter,
          state,
          scans: scans.filter((detail) => detail === 'SCAN w'),
        })
        const isSorted = plan.some((detail) => detail.includes('TEMP B-TREE'))
        expect({ filter, isSorted }).toEqual({ filter, isSorted: isSorted && filter.cluster !== undefined })
      }
    }
  }
  for (const isDescending of [false, true]) {
    for (const filter of [{}, { prefix: 'a' }, { role: 'r' }, { isDisabled: true }, { role: 'r', isDisabled: false }]) {
      const find = () => stores.userSearch.find(filter, { limit: 5, after: 'b', isDescending })
      expect(await scansOf(find)).toEqual([])
      expect((await stepsOf(find)).filter((detail) => /TEMP B-TREE FOR ORDER BY/.test(detail))).toEqual([])
    }
  }
  expect(await scansOf(() => stores.roleSearch.find({ prefix: 'r' }, { limit: 5 }))).toEqual([])
  const byCluster = await stepsOf(() => stores.roleSearch.find({ clusters: ['c1'] }, { limit: 5 }))
  // `given` has a row for each role that has an entry for the cluster, however many entries that are.
  expect(byCluster.filter((detail) => /^SCAN (?!given|c VIRTUAL TABLE)/.test(detail))).toEqual([])
  const grants = byCluster.filter((detail) => detail.startsWith('SEARCH g '))
  expect(grants.at(-1)).toContain('role_grants_by_cluster (cluster_id=? AND role_key>?)')
  const once = () => stores.once.find({ userKey: 1, key: 'k' }, start)
  expect(await scansOf(once)).toEqual([])
  expect(await scansOf(() => stores.once.purge(start, 10))).toEqual([])
})
