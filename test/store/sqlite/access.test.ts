import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { AccessChanges } from '../../../src/core/access/access-store.ts'
import { createSealer } from '../../../src/core/keys/sealer.ts'
import { openSqliteStore } from '../../../src/store/sqlite/sqlite-store.ts'
import type { Store } from '../../../src/store/store.ts'
import { deedAt } from '../../actors.ts'
import { aRole, aToken, aUser, by, start } from '../conformance/samples.ts'

const sealer = createSealer(randomBytes(32))
let folder: string
let store: Store

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-access-'))
  store = openSqliteStore({ file: path.join(folder, 'gatehouse.db'), sealer })
})

afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

function many(count: number): AccessChanges {
  const names = Array.from({ length: count }, (_, index) => `u${index}`)
  return {
    clusters: { insert: [], update: [], delete: [] },
    roles: { insert: [aRole('r')], update: [], delete: [] },
    users: {
      insert: names.map((name) => ({ ...aUser(name, { roleNames: ['r'] }), isDisabled: false })),
      update: [],
      delete: [],
    },
  }
}

test('others read and write while it works: they see the state before, and nothing of theirs is lost', async () => {
  let isDone = false
  const applying = store.access.apply(many(2000), store.revisions.directory(), by).finally(() => {
    isDone = true
  })
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
  const written: Promise<void>[] = []
  let turns = 0
  while (!isDone) {
    await turn()
    if (isDone) break
    turns += 1
    expect(await store.roles.get('r')).toBeUndefined()
    if (written.length < 5) {
      written.push(store.tokens.record(aToken(`t${written.length}`, sealer, { subject: 'x' }), deedAt(start)))
    }
  }
  expect(turns).toBeGreaterThan(10)
  expect(await applying).toMatchObject({ tokens: 0 })
  await Promise.all(written)
  expect(await store.access.tokensOfUser('x', start)).toBe(5)
  expect(await store.access.users(['u0', 'u1999'])).toMatchObject([{ roleNames: ['r'] }, { roleNames: ['r'] }])
})

test('two at once are done one after the other, and the second finds the state changed', async () => {
  const revision = store.revisions.directory()
  const both = await Promise.all([
    store.access.apply(many(100), revision, by),
    store.access.apply(many(50), revision, by),
  ])
  expect(both).toEqual([expect.objectContaining({ tokens: 0 }), 'outdated'])
})

test('closing waits for what is under way', async () => {
  const applying = store.access.apply(many(500), store.revisions.directory(), by)
  await store.close()
  expect(await applying).toMatchObject({ tokens: 0 })
  store = openSqliteStore({ file: path.join(folder, 'gatehouse.db'), sealer })
  expect(await store.access.users(['u499'])).toHaveLength(1)
})
