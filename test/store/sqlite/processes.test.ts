import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createSealer } from '../../../src/core/keys/sealer.ts'
import { openSqliteStore } from '../../../src/store/sqlite/sqlite-store.ts'
import type { Store } from '../../../src/store/store.ts'
import { deedAt } from '../../actors.ts'
import { aCluster, after, aRevocation, aRole, aToken, aUser, revokeAll, start } from '../conformance/samples.ts'

// Two stores on one file have a connection each: SQLite treats them as it treats two processes.

const sealer = createSealer(randomBytes(32))
let folder: string
let one: Store
let two: Store

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-processes-'))
  const file = path.join(folder, 'gatehouse.db')
  one = openSqliteStore({ file, sealer })
  two = openSqliteStore({ file, sealer })
})

afterEach(async () => {
  await one.close()
  await two.close()
  rmSync(folder, { recursive: true, force: true })
})

test('what one process has committed, the other reads, and its directory revision differs', async () => {
  const before = two.revisions.directory()
  expect(two.revisions.directory()).toBe(before)
  await one.roles.insert(aRole('r'), deedAt(start))
  const between = two.revisions.directory()
  expect(between).not.toBe(before)
  expect(await two.roles.get('r')).toBeDefined()
  expect(two.revisions.directory()).toBe(between)
})

test('a token that one process revokes is revoked for the other', async () => {
  const token = aToken('t1', sealer)
  await one.tokens.record(token, deedAt(start))
  expect(await two.tokens.isRevoked(token.fingerprint)).toBe(false)
  await one.revocations.record(aRevocation(token))
  expect(await two.tokens.isRevoked(token.fingerprint)).toBe(true)
  expect(await two.revocations.after(0, { limit: 9, now: start })).toMatchObject([{ token: 't1' }])
})

test('processes that claim at once share the clusters between them, each cluster once', async () => {
  for (const id of ['c1', 'c2', 'c3', 'c4', 'c5']) await one.clusters.insert(aCluster(id), 0, [], deedAt(start))
  await revokeAll(one, sealer, ['t1'])
  const options = { now: start, limit: 3, leaseUntil: after(1000) }
  const claims = await Promise.all([
    one.cursors.claimDue({ ...options, holder: 'one' }),
    two.cursors.claimDue({ ...options, holder: 'two' }),
  ])
  expect(claims.map((claim) => claim.length)).toEqual([3, 2])
  expect(new Set(claims.flat().map((claim) => claim.cluster.id)).size).toBe(5)
})

test('writes of two processes at once are all kept, each name once', async () => {
  const names = Array.from({ length: 50 }, (_, index) => `u${index}`)
  const outcomes = await Promise.allSettled(
    names.flatMap((name) => [
      one.users.insert(aUser(name), deedAt(start)),
      two.users.insert(aUser(name), deedAt(start)),
    ]),
  )
  expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(50)
  expect(await one.users.list({ limit: 100 })).toHaveLength(50)
})
