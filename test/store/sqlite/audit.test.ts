import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createSealer } from '../../../src/core/keys/sealer.ts'
import { openAuditFile } from '../../../src/store/sqlite/audit-file.ts'
import { openSqliteStore } from '../../../src/store/sqlite/sqlite-store.ts'
import type { Store } from '../../../src/store/store.ts'
import { deedAt } from '../../actors.ts'
import { after, aRole, by, start } from '../conformance/samples.ts'

const sealer = createSealer(randomBytes(32))
const fourth = after(4)
const later = deedAt(after(50))
let folder: string
let file: string
let store: Store

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-audit-'))
  file = path.join(folder, 'gatehouse.db')
  store = openSqliteStore({ file, sealer })
})

afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

/** As somebody does it who can write to the file. */
function tamper(...statements: readonly string[]): void {
  const client = new Database(file)
  for (const statement of statements) client.exec(statement)
  client.close()
}

/** A copy of a row under another number. */
const copy = (id: number, of: number) => `INSERT INTO audit SELECT ${id}, at, action, outcome, actor, via, address,
  request_id, target_kind, target_name, before, after, details, reason, repeats, since, hash FROM audit WHERE id = ${of}`

async function write(rows: number): Promise<void> {
  for (let number = 0; number < rows; number += 1) {
    await store.roles.insert(aRole(`r${number}`), deedAt(after(number)))
  }
}

/** All of it, in small steps. */
async function verifyAll() {
  let at: number | undefined
  for (;;) {
    const step = await store.audit.verify({ limit: 3, ...(at !== undefined && { after: at }) })
    if (step.isAtEnd) return step.fault
    at = step.head.id
  }
}

describe('the chain tells of', () => {
  const cases: readonly [title: string, statements: readonly string[], fault: object][] = [
    ['an edited row', ["UPDATE audit SET actor = 'somebody' WHERE id = 5"], { id: 5, what: 'altered' }],
    ['an edited hash', ["UPDATE audit SET hash = x'00' WHERE id = 5"], { id: 5, what: 'altered' }],
    ['a removed row', ['DELETE FROM audit WHERE id = 5'], { id: 6, what: 'missing' }],
    ['the oldest rows gone', ['DELETE FROM audit WHERE id < 5'], { id: 5, what: 'missing' }],
    ['the newest rows gone', ['DELETE FROM audit WHERE id > 5'], { id: 5, what: 'cut' }],
    ['all rows gone', ['DELETE FROM audit'], { id: 0, what: 'cut' }],
    [
      'an inserted row, the others moved on',
      ['UPDATE audit SET id = -id - 1 WHERE id >= 5', 'UPDATE audit SET id = -id WHERE id < 0', copy(5, 4)],
      { id: 5, what: 'altered' },
    ],
    [
      'two rows that have changed places',
      [
        'UPDATE audit SET id = 100 WHERE id = 5',
        'UPDATE audit SET id = 5 WHERE id = 6',
        'UPDATE audit SET id = 6 WHERE id = 100',
      ],
      { id: 5, what: 'altered' },
    ],
    ['a row put before the first one', [copy(-1, 4)], { id: -1, what: 'altered' }],
    [
      'a removed row, the others moved up',
      ['DELETE FROM audit WHERE id = 5', 'UPDATE audit SET id = id - 1 WHERE id > 5'],
      { id: 5, what: 'altered' },
    ],
  ]
  test.each(cases)('%s', async (_title, statements, fault) => {
    await write(10)
    expect(await verifyAll()).toBeNull()
    tamper(...statements)
    expect(await verifyAll()).toEqual(fault)
    const local = openAuditFile(file)
    expect(local.verify({}).fault).toEqual(fault)
    local.close()
  })

  const text = ['action', 'actor', 'via', 'address', 'request_id', 'target_kind', 'target_name', 'before', 'after']
  const columns = [...text, 'details', 'reason', 'at', 'repeats', 'since', 'hash']
  test.each(columns)('another %s', async (column) => {
    await write(3)
    const value = { at: '1', repeats: '2', since: '3', hash: "x'00'" }[column] ?? `coalesce(${column}, '') || 'x'`
    tamper(`UPDATE audit SET ${column} = ${value} WHERE id = 2`)
    expect(await verifyAll()).toEqual({ id: 2, what: 'altered' })
  })

  test('a row that was rewritten and hashed anew, at the next one', async () => {
    await write(10)
    const client = new Database(file)
    const columns =
      'id, at, action, outcome, actor, via, address, request_id, target_kind, target_name, before, after, details, reason, repeats, since'
    client.exec("UPDATE audit SET actor = 'somebody' WHERE id = 5")
    const row = client.prepare(`SELECT ${columns} FROM audit WHERE id = 5`).raw().get()
    const previous = client.prepare<[], Buffer>('SELECT hash FROM audit WHERE id = 4').pluck().get() ?? Buffer.alloc(0)
    const hash = createHash('sha256').update(previous.toString('hex')).update(JSON.stringify(row)).digest()
    client.prepare('UPDATE audit SET hash = ? WHERE id = 5').run(hash)
    client.close()
    expect(await verifyAll()).toEqual({ id: 6, what: 'altered' })
  })

  test('rows that were cut off, also where others were written since', async () => {
    await write(10)
    tamper('DELETE FROM audit WHERE id > 7')
    await store.roles.insert(aRole('later'), by)
    expect(await verifyAll()).toEqual({ id: 11, what: 'missing' })
  })
})

describe('after a purge the chain tells of', () => {
  const cases: readonly [title: string, statements: readonly string[], fault: object][] = [
    ['a row that was purged by hand', ['DELETE FROM audit WHERE id = 5'], { id: 6, what: 'missing' }],
    [
      'a checkpoint that was moved on, to hide that',
      [
        'DELETE FROM audit WHERE id = 5',
        `UPDATE audit SET details = replace(details, '"through":4', '"through":5') WHERE id = 11`,
      ],
      { id: 6, what: 'altered' },
    ],
    ['a checkpoint that was edited', [`UPDATE audit SET reason = 'x' WHERE id = 11`], { id: 11, what: 'altered' }],
    ['a checkpoint that is gone', ['DELETE FROM audit_checkpoint'], { id: 5, what: 'missing' }],
    ['a row put where purged ones were', [copy(3, 7)], { id: 3, what: 'altered' }],
    ['a checkpoint that is none', ['UPDATE audit_checkpoint SET id = 7'], { id: 1, what: 'checkpoint' }],
  ]
  test.each(cases)('%s', async (_title, statements, fault) => {
    await write(10)
    await store.audit.purge(fourth, 100, later)
    expect(await verifyAll()).toBeNull()
    tamper(...statements)
    expect(await verifyAll()).toEqual(fault)
  })
})

test('two processes that write at once keep one chain, and two that purge at once one checkpoint', async () => {
  const other = openSqliteStore({ file, sealer })
  const names = Array.from({ length: 100 }, (_, number) => `r${number}`)
  await Promise.all(names.map((name, number) => (number % 2 ? store : other).roles.insert(aRole(name), by)))
  expect((await other.audit.head()).id).toBe(100)
  expect(await verifyAll()).toBeNull()
  const purges = await Promise.all([store, other].map(({ audit }) => audit.purge(after(1), 60, deedAt(after(2)))))
  expect(purges.reduce((sum, count) => sum + count)).toBe(100)
  expect(await verifyAll()).toBeNull()
  await other.close()
})

test('what an act refuses in the end leaves neither the change nor its row', async () => {
  await write(1)
  const check = () => {
    throw new Error('no')
  }
  await expect(store.roles.update('r0', check, by)).rejects.toThrow('no')
  expect((await store.audit.head()).id).toBe(1)
  expect(await verifyAll()).toBeNull()
})

test('a page looks at a bounded number of rows, and says where to go on', async () => {
  const client = new Database(file)
  client.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000)
    INSERT INTO audit SELECT i, i, 'role.created', 'done', 'op', 'native', NULL, NULL, 'role', 'r', NULL, NULL, NULL, NULL, 1, NULL, x'00' FROM n;
    UPDATE audit SET actor = 'rare' WHERE id = 5`)
  client.close()
  for (const order of ['newest', 'written'] as const) {
    const found: number[] = []
    let pages = 0
    let next: Awaited<ReturnType<Store['audit']['list']>>['next'] = null
    do {
      const filter = { actor: 'rare', action: 'role.created', target: { kind: 'role', name: 'r' } } as const
      const page = await store.audit.list({ filter, order, limit: 10, ...(next && { after: next }) })
      found.push(...page.rows.map(({ id }) => id))
      next = page.next
      pages += 1
    } while (next !== null)
    expect(found).toEqual([5])
    expect(pages).toBe(3)
  }
})

test('a page holds a bounded amount of text', async () => {
  const description = 'x'.repeat(1_500_000)
  for (const name of ['a', 'b', 'c', 'd', 'e']) await store.roles.insert(aRole(name, { description }), deedAt(start))
  const page = await store.audit.list({ filter: {}, order: 'newest', limit: 100 })
  expect(page.rows.map(({ id }) => id)).toEqual([5, 4, 3])
  expect(page.next).toMatchObject({ id: 3 })
})

test('checking stops after so much text, and goes on from there', async () => {
  const description = 'x'.repeat(3_500_000)
  for (const name of ['a', 'b', 'c', 'd']) await store.roles.insert(aRole(name, { description }), deedAt(start))
  const first = await store.audit.verify({ limit: 100 })
  expect(first).toMatchObject({ checked: 3, isAtEnd: false, fault: null, head: { id: 3 } })
  expect(await store.audit.verify({ limit: 100, after: 3 })).toMatchObject({ checked: 1, isAtEnd: true, fault: null })
})

test('a database without an audit trail, or none at all, is said to be so', () => {
  const empty = path.join(folder, 'empty.db')
  new Database(empty).exec('CREATE TABLE x (y)').close()
  expect(() => openAuditFile(empty)).toThrow('has no audit trail yet')
  expect(() => openAuditFile(path.join(folder, 'nothing.db'))).toThrow('there is no database')
})
