import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Database } from 'better-sqlite3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDatabase, shortenBusyTimeout } from '../../../src/store/sqlite/open.ts'
import { createWriter } from '../../../src/store/sqlite/writer.ts'

let folder: string
let client: Database
/** Another process, as far as SQLite can tell. */
let other: Database

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-writer-'))
  client = openDatabase(path.join(folder, 'gatehouse.db'))
  client.exec('CREATE TABLE notes (text TEXT NOT NULL) STRICT')
  shortenBusyTimeout(client)
  other = openDatabase(path.join(folder, 'gatehouse.db'))
})

afterEach(() => {
  client.close()
  other.close()
  rmSync(folder, { recursive: true, force: true })
})

function note(text: string): () => string {
  return () => {
    client.prepare('INSERT INTO notes VALUES (?)').run(text)
    return text
  }
}

function notes(of: Database): readonly unknown[] {
  return of.prepare('SELECT text FROM notes ORDER BY rowid').pluck().all()
}

function startWriter(options: { busyLimitMs?: number } = {}) {
  const advanced = { count: 0 }
  const onDirectoryChanged = () => {
    advanced.count += 1
  }
  return { ...createWriter(client, { onDirectoryChanged, ...options }), advanced }
}

test('acts that arrive together run in order and are seen by others together', async () => {
  const { write } = startWriter()
  const seenByOthers: number[] = []
  const acts = ['a', 'b', 'c'].map((text) =>
    write(() => {
      seenByOthers.push(notes(other).length)
      return note(text)()
    }),
  )
  expect(notes(client)).toEqual([])
  expect(await Promise.all(acts)).toEqual(['a', 'b', 'c'])
  expect(seenByOthers).toEqual([0, 0, 0])
  expect(notes(other)).toEqual(['a', 'b', 'c'])
})

test('an act that fails undoes what it wrote and leaves the others alone', async () => {
  const { write } = startWriter()
  const outcomes = await Promise.allSettled([
    write(note('a')),
    write(() => {
      note('b')()
      throw new Error('no')
    }),
    write(note('c')),
  ])
  expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(notes(other)).toEqual(['a', 'c'])
})

test('a broken constraint is the failure of its act alone', async () => {
  const { write } = startWriter()
  const outcomes = await Promise.allSettled([
    write(() => client.prepare('INSERT INTO notes VALUES (NULL)').run()),
    write(note('a')),
  ])
  expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'fulfilled'])
  expect(notes(other)).toEqual(['a'])
})

test('an act that awaits is refused, and what it wrote so far is undone', async () => {
  const { write } = startWriter()
  const act = write(async () => {
    note('a')()
  })
  await expect(act).rejects.toThrow('must not await')
  expect(notes(other)).toEqual([])
})

test('a full disk rejects every act of the batch with storage_failed, and nothing is changed', async () => {
  const { write, advanced } = startWriter()
  client.pragma(`max_page_count = ${Number(client.pragma('page_count', { simple: true })) + 2}`)
  const outcomes = await Promise.allSettled([
    write(note('small'), { changesDirectory: true }),
    write(note('x'.repeat(100_000))),
    write(note('late')),
  ])
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({
      status: 'rejected',
      reason: { code: 'storage_failed', details: { reason: 'the disk is full' } },
    })
  }
  expect(notes(other)).toEqual([])
  expect(advanced.count).toBe(0)
  await write(note('again'))
  expect(notes(other)).toEqual(['again'])
})

test('a database that can only be read answers storage_failed', async () => {
  const { write } = startWriter()
  client.pragma('query_only = ON')
  await expect(write(note('a'))).rejects.toMatchObject({
    code: 'storage_failed',
    details: { reason: 'the database can only be read' },
  })
})

test('while another process writes, acts wait and other work goes on', async () => {
  const { write } = startWriter()
  other.exec('BEGIN IMMEDIATE')
  const act = write(note('a'))
  let turns = 0
  while (turns < 20) {
    await new Promise((resolve) => setImmediate(resolve))
    turns += 1
  }
  other.exec("INSERT INTO notes VALUES ('theirs'); COMMIT")
  expect(await act).toBe('a')
  expect(notes(other)).toEqual(['theirs', 'a'])
})

test('a lock that is not given up ends in storage_failed, and later acts are written', async () => {
  const { write } = startWriter({ busyLimitMs: 1 })
  other.exec('BEGIN IMMEDIATE')
  await expect(write(note('a'))).rejects.toMatchObject({
    code: 'storage_failed',
    details: { reason: 'another process holds the database' },
  })
  other.exec('COMMIT')
  await write(note('b'))
  expect(notes(other)).toEqual(['b'])
})

test('more acts than one flush takes are all written, and timers run in between', async () => {
  const { write } = startWriter()
  const seen: number[] = []
  const timer = setInterval(() => seen.push(notes(other).length), 0)
  await Promise.all(Array.from({ length: 2000 }, (_, index) => write(note(String(index)))))
  clearInterval(timer)
  expect(notes(other)).toHaveLength(2000)
  expect(seen.some((count) => count > 0 && count < 2000)).toBe(true)
})

test('the directory advances once for a batch that changed it, and not for an act that failed', async () => {
  const { write, advanced } = startWriter()
  await Promise.allSettled([write(note('a'), { changesDirectory: true }), write(note('b'), { changesDirectory: true })])
  expect(advanced.count).toBe(1)
  const failing = write(
    () => {
      throw new Error('no')
    },
    { changesDirectory: true },
  )
  await expect(failing).rejects.toThrow('no')
  await write(note('c'))
  expect(advanced.count).toBe(1)
})

test('closing writes what was asked for and refuses what comes later', async () => {
  const { write, close } = startWriter()
  const asked = Array.from({ length: 600 }, (_, index) => write(note(String(index))))
  await close()
  expect(notes(other)).toHaveLength(600)
  await Promise.all(asked)
  await expect(write(note('late'))).rejects.toMatchObject({ code: 'storage_failed' })
  await close()
})

test('while something writes over another connection, acts wait for it and then run in order, also where it fails', async () => {
  const { write, exclusively } = startWriter({ busyLimitMs: 0 })
  let end = () => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  const working = exclusively(async () => {
    other.exec('BEGIN IMMEDIATE')
    other.exec("INSERT INTO notes VALUES ('first')")
    await ended
    other.exec('COMMIT')
    return 'done'
  })
  const waiting = ['a', 'b'].map((text) => write(note(text)))
  const failing = exclusively(async () => {
    throw new Error('no')
  })
  await new Promise<void>((resolve) => setImmediate(resolve))
  expect(notes(client)).toEqual([])
  end()
  expect(await working).toBe('done')
  await expect(failing).rejects.toThrow('no')
  expect(await Promise.all(waiting)).toEqual(['a', 'b'])
  expect(notes(client)).toEqual(['first', 'a', 'b'])
})

test('closing waits for it, and nothing begins afterwards', async () => {
  const { write, exclusively, close } = startWriter()
  const working = exclusively(async () => {
    await new Promise<void>((resolve) => setImmediate(resolve))
    return 'done'
  })
  const waiting = write(note('a'))
  await close()
  expect(await Promise.all([working, waiting])).toEqual(['done', 'a'])
  await expect(exclusively(async () => 'late')).rejects.toMatchObject({ code: 'storage_failed' })
})
