import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { isCode, syncFolder, writeDurably } from './key-file.ts'
import { StoreOpenError } from './store-open-error.ts'

const keyBytes = 32

/**
 * The key that seals secrets at rest, 32 bytes: from `value` (base64) where one is given, else from `file` (base64 too),
 * which is made with a random key, mode 0600, where it is missing. Processes that start at once agree on one key. Where
 * `database` is there already, a new key would open nothing in it, and hide that the right one is missing: none is made.
 * @throws StoreOpenError, without the key in it
 */
export async function loadMasterKey(source: {
  readonly value: string | undefined
  readonly file: string
  readonly database?: string
}): Promise<Buffer> {
  if (source.value !== undefined) return parseKey(source.value, 'the given master key')
  const { file, database } = source
  const what = `the master key file ${file}`
  try {
    let text = await read(file)
    if (text === undefined && database !== undefined && (await holdsSomething(database))) {
      // Another process that starts at once makes the key before the database.
      text = await read(file)
      if (text === undefined) {
        throw new StoreOpenError(`${what} is missing, and the database ${database} is sealed with it: restore the file`)
      }
    }
    return parseKey(text ?? (await make(file)), what)
  } catch (error) {
    if (error instanceof StoreOpenError) throw error
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    throw new StoreOpenError(`${what} can be neither read nor made${code}`, { cause: error })
  }
}

/**
 * The same key where there is one already; none is made.
 * @throws StoreOpenError, without the key in it
 */
export async function findMasterKey(source: {
  readonly value: string | undefined
  readonly file: string
}): Promise<Buffer | undefined> {
  if (source.value !== undefined) return parseKey(source.value, 'the given master key')
  const what = `the master key file ${source.file}`
  let text: string | undefined
  try {
    text = await read(source.file)
  } catch (cause) {
    throw new StoreOpenError(`${what} can't be read: check its owner and mode`, { cause })
  }
  return text === undefined ? undefined : parseKey(text, what)
}

async function read(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw error
  }
}

async function holdsSomething(file: string): Promise<boolean> {
  try {
    return (await stat(file)).size > 0
  } catch (error) {
    if (isCode(error, 'ENOENT')) return false
    throw error
  }
}

/** The key is written whole before it gets its name, and a link, unlike a rename, never takes another process's place. */
async function make(file: string): Promise<string> {
  const folder = path.dirname(file)
  const sibling = `${file}.${randomBytes(6).toString('hex')}.tmp`
  await mkdir(folder, { recursive: true, mode: 0o700 })
  try {
    await writeDurably(sibling, Buffer.from(`${randomBytes(keyBytes).toString('base64')}\n`))
    await link(sibling, file).catch((error: unknown) => {
      if (!isCode(error, 'EEXIST')) throw error
    })
    await syncFolder(folder)
  } finally {
    await rm(sibling, { force: true })
  }
  return readFile(file, 'utf8')
}

function parseKey(text: string, what: string): Buffer {
  const base64 = text.trim()
  const key = Buffer.from(base64, 'base64')
  const isBase64 = /^[A-Za-z0-9+/_-]+={0,2}$/.test(base64)
  if (!isBase64 || key.length !== keyBytes) throw new StoreOpenError(`${what} is not ${keyBytes} bytes in base64`)
  return key
}
