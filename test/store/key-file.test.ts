import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createKeyFile } from '../../src/store/key-file.ts'

let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-key-file-'))
  file = path.join(folder, 'authn_rsa.key')
})

afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

test('a file that is not there is undefined', async () => {
  expect(await createKeyFile(file).read()).toBeUndefined()
})

test('what is written is read back; the file is the owner\u2019s alone and nothing lies beside it', async () => {
  const keyFile = createKeyFile(file)
  const content = randomBytes(200)
  await keyFile.write(content)
  expect(await keyFile.read()).toEqual(content)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readdirSync(folder)).toEqual(['authn_rsa.key'])
})

test('a write replaces a file that others could read by one that they can\u2019t', async () => {
  writeFileSync(file, 'old')
  chmodSync(file, 0o644)
  await createKeyFile(file).write(Buffer.from('new'))
  expect(readFileSync(file, 'utf8')).toBe('new')
  expect(statSync(file).mode & 0o777).toBe(0o600)
})

test('a missing folder is made, for the owner alone', async () => {
  const deep = path.join(folder, 'deep', 'key')
  await createKeyFile(deep).write(Buffer.from('k'))
  expect(statSync(path.dirname(deep)).mode & 0o777).toBe(0o700)
})

test('writes at once leave one content whole', async () => {
  const keyFile = createKeyFile(file)
  const contents = [1, 2, 3, 4].map((byte) => Buffer.alloc(5000, byte))
  await Promise.all(contents.map((content) => keyFile.write(content)))
  expect(contents).toContainEqual(await keyFile.read())
  expect(readdirSync(folder)).toEqual(['authn_rsa.key'])
})

test('a path that can\u2019t be written is storage_failed, without the content', async () => {
  writeFileSync(file, 'a file, not a folder')
  const secret = randomBytes(16).toString('hex')
  const failed = await createKeyFile(path.join(file, 'key'))
    .write(Buffer.from(secret))
    .catch((error: unknown) => error)
  expect(failed).toMatchObject({ code: 'storage_failed' })
  expect(JSON.stringify(failed)).not.toContain(secret)
})
