import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadMasterKey } from '../../src/store/master-key.ts'
import { StoreOpenError } from '../../src/store/store-open-error.ts'

let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-master-key-'))
  file = path.join(folder, 'data', 'master.key')
})

afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

test('a given value is the key, and no file is made', async () => {
  const key = randomBytes(32)
  expect(await loadMasterKey({ value: key.toString('base64'), file })).toEqual(key)
  expect(await loadMasterKey({ value: ` ${key.toString('base64url')}\n`, file })).toEqual(key)
  expect(readdirSync(folder)).toEqual([])
})

test('without a value a random key is made once, for the owner alone, and read from then on', async () => {
  const key = await loadMasterKey({ value: undefined, file })
  expect(key).toHaveLength(32)
  expect(await loadMasterKey({ value: undefined, file })).toEqual(key)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(statSync(path.dirname(file)).mode & 0o777).toBe(0o700)
  expect(readdirSync(path.dirname(file))).toEqual(['master.key'])
  expect(await loadMasterKey({ value: readFileSync(file, 'utf8'), file: 'unused' })).toEqual(key)
})

test('a missing file is not made anew beside a database that was sealed with it', async () => {
  const database = path.join(folder, 'gatehouse.db')
  writeFileSync(database, '')
  const key = await loadMasterKey({ value: undefined, file, database })
  writeFileSync(database, 'something')
  expect(await loadMasterKey({ value: undefined, file, database })).toEqual(key)
  rmSync(file)
  const refused = loadMasterKey({ value: undefined, file, database })
  await expect(refused).rejects.toThrow(`the master key file ${file} is missing, and the database ${database}`)
  expect(readdirSync(path.dirname(file))).toEqual([])
  expect(await loadMasterKey({ value: key.toString('base64'), file, database })).toEqual(key)
})

test('processes that start at once agree on one key', async () => {
  const keys = await Promise.all(Array.from({ length: 8 }, () => loadMasterKey({ value: undefined, file })))
  expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(1)
})

test('a value or a file of another form is refused without being shown', async () => {
  const short = randomBytes(31).toString('base64')
  for (const value of [short, '', `${randomBytes(32).toString('base64').slice(0, 20)}!?`]) {
    const refused = await loadMasterKey({ value, file }).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(StoreOpenError)
    expect(String(refused)).toContain('is not 32 bytes in base64')
    if (value !== '') expect(String(refused)).not.toContain(value)
  }
  await loadMasterKey({ value: undefined, file })
  writeFileSync(file, short)
  await expect(loadMasterKey({ value: undefined, file })).rejects.toThrow(`the master key file ${file} is not`)
})

test('a file that can be neither read nor made is named', async () => {
  writeFileSync(path.join(folder, 'data'), 'a file, not a folder')
  await expect(loadMasterKey({ value: undefined, file })).rejects.toThrow(
    `the master key file ${file} can be neither read nor made`,
  )
})
